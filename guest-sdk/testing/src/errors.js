/** What a function failed with: the text a client would read, the host's code, and the data of a `ConvexError`. */
export class FunctionError extends Error {
  constructor({ code, message, data }) {
    super(message);
    this.name = "FunctionError";
    this.code = code;
    this.data = data;
  }
}
