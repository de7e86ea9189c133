// What the host says against a call, as errors of JavaScript.
import { withoutStack } from "./stack.js";

/** Rejections that npm `convex` turns into an `Error` or a `ConvexError`. */
class SyscallError extends Error {
  constructor({ code, message, data }) {
    super(message);
    this.code = code;
    if (data !== undefined) this.data = data;
  }
}

// By message, because npm `convex` makes an error of its own of ours: see `errorCode`.
const codes = new Map();

/** The host's short name (`InvalidId`, ...) of an error with this message that it gave in this call. */
export const codeOfMessage = (message) => codes.get(message);

/** Forgets the errors of the call before. */
export const forgetErrors = () => codes.clear();

/** What the host says against something, `{payload: {code, message, data?}}`, as an error; another error as it is. */
export function errorOf(thrown) {
  if (thrown?.payload === undefined) return thrown;
  const { code, data } = thrown.payload;
  const message = withoutStack(thrown.payload.message);
  codes.set(message, code);
  return new SyscallError({ code, message, data });
}

/** Asks the host; what it says against it becomes an error with its code. */
export function ask(work) {
  try {
    return work();
  } catch (error) {
    throw errorOf(error);
  }
}
