import { __WeirReader } from "./reader";
import { __WeirWriter } from "./writer";

/** Later than the timestamps of all commits. */
const PENDING: i64 = i64.MAX_VALUE;

/**
 * When a mutation committed: the order of commits. A mutation writes `CommitTimestamp.pending()`, which it reads back until
 * it has committed; then the field is the timestamp of the commit, in indexes too.
 */
@final
export class CommitTimestamp {
  /** `nanos` are nanoseconds on the database's clock. Of a pending one they are the largest number. */
  constructor(public nanos: i64) {}

  /** That of the mutation that runs. */
  static pending(): CommitTimestamp {
    return new CommitTimestamp(PENDING);
  }

  /** Whether it is that of the mutation that runs, which is not known yet. */
  get isPending(): bool {
    return this.nanos == PENDING;
  }

  __weirRead(reader: __WeirReader): void {
    this.nanos = reader.takeCommitTimestamp() ? PENDING : reader.integer();
  }

  __weirWrite(writer: __WeirWriter): void {
    if (this.isPending) writer.ascii('{"$commitTs":null}');
    else writer.integer(this.nanos);
  }
}
