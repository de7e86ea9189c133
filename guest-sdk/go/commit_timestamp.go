package weir

import (
	"math"
	"reflect"

	"weir.dev/go/internal/json"
)

// CommitTimestamp is when a mutation committed, in nanoseconds on the database's clock:
// the order of commits. To a JavaScript client it is a `bigint`.
//
// A mutation writes [PendingCommit], which it reads back until it has committed. Then the
// field is the timestamp of the commit, in indexes too.
type CommitTimestamp int64

// PendingCommit is the timestamp of the mutation that runs, which is not known yet; it is
// later than all others.
const PendingCommit CommitTimestamp = math.MaxInt64

func commitTimestampCodec() codec {
	return codec{
		write: func(out []byte, value reflect.Value) ([]byte, error) {
			if CommitTimestamp(value.Int()) == PendingCommit {
				return append(out, json.CommitTimestamp...), nil
			}
			return json.AppendInt64(out, value.Int()), nil
		},
		read: func(reader *json.Reader, value reflect.Value) error {
			read, isKnown, err := reader.ReadCommitTimestamp()
			if !isKnown {
				read = int64(PendingCommit)
			}
			value.SetInt(read)
			return err
		},
	}
}
