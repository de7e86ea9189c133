package weir

import (
	"bytes"
	"context"
	"io"
	"strings"

	"weir.dev/go/internal/abi"
)

// pieceBytesMax is the largest piece of a body that is passed on at once.
const pieceBytesMax = 256 << 10

// wholeBytesMax is the largest body that is handed over in one go.
const wholeBytesMax = 4 << 20

// noBody is the body of what came without one.
type noBody struct{}

func (noBody) Read([]byte) (int, error) { return 0, io.EOF }

// incoming is a body that comes from the host. Nothing of it is fetched before somebody reads.
type incoming struct {
	// context ends the reading; nil: nothing does.
	context context.Context
	number  uint32
	rest    []byte
	end     error
}

func incomingOf(c context.Context, stream *uint32) io.Reader {
	if stream == nil {
		return noBody{}
	}
	return &incoming{context: c, number: *stream}
}

// Read gives the next piece, or as much of it as there is room for.
func (body *incoming) Read(into []byte) (int, error) {
	if len(into) == 0 {
		return 0, nil
	}
	if len(body.rest) == 0 {
		if body.end != nil {
			return 0, body.end
		}
		piece, err := finish(body.context, func() (uint32, *abi.Error) { return abi.ReadStream(body.number) })
		if err == nil && len(piece) == 0 {
			err = io.EOF
		}
		if err != nil {
			body.end = err
			if body.context != nil && err == body.context.Err() {
				abi.CloseStream(body.number, "")
			}
			return 0, err
		}
		body.rest = piece
	}
	size := copy(into, body.rest)
	body.rest = body.rest[size:]
	return size, nil
}

// Close gives the rest of the body up.
func (body *incoming) Close() error {
	if body.end == nil {
		body.rest, body.end = nil, io.ErrClosedPipe
		abi.CloseStream(body.number, "")
	}
	return nil
}

// outgoing is a body that goes to the host.
type outgoing struct {
	number uint32
}

// handOver gives a body that goes to the host: whole, nil for none, or as a stream that is to be
// written.
func handOver(body io.Reader) (whole []byte, stream *outgoing, err error) {
	switch body.(type) {
	case nil, noBody:
		return nil, nil, nil
	case *bytes.Reader, *bytes.Buffer, *strings.Reader:
		if body.(interface{ Len() int }).Len() <= wholeBytesMax {
			whole, err = io.ReadAll(body)
			return whole, nil, err
		}
	}
	number, failed := abi.CreateStream()
	if failed != nil {
		return nil, nil, fromHost(failed)
	}
	return nil, &outgoing{number}, nil
}

// write writes all of it, to its end, or until nobody reads any more.
func (stream *outgoing) write(body io.Reader) error {
	buffer := make([]byte, pieceBytesMax)
	for {
		size, err := body.Read(buffer)
		if size > 0 {
			begin := func() (uint32, *abi.Error) { return abi.WriteStream(stream.number, buffer[:size]) }
			// If it is given up for whom it is written, nobody reads it any more.
			if _, err := finish(nil, begin); err != nil {
				if closer, ok := body.(io.Closer); ok {
					_ = closer.Close()
				}
				return stream.brokenOff(err)
			}
		}
		if err == io.EOF {
			abi.CloseStream(stream.number, "")
			return nil
		}
		if err != nil {
			return stream.brokenOff(err)
		}
	}
}

func (stream *outgoing) brokenOff(err error) error {
	if CodeOf(err) == "StreamClosed" {
		abi.CloseStream(stream.number, "")
		return nil
	}
	abi.CloseStream(stream.number, err.Error())
	return err
}
