/**
 * A patch does not fit the value it should change, or a message that patches
 * depend on is broken. What the client holds can no longer be trusted to equal
 * what the server sent: the connection must end, and the next one starts afresh.
 */
export class PatchFailed extends Error {
  override readonly name = "PatchFailed";
}
