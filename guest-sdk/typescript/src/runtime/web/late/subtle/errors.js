// The errors of the standard.

const refusal = (name) => (message) => {
  throw new DOMException(message, name);
};

/** There is no such algorithm, or format of it. */
export const notSupported = refusal("NotSupportedError");
/** A usage that a key cannot have. */
export const wrongUsage = refusal("SyntaxError");
/** A key that may not be used so. */
export const noAccess = refusal("InvalidAccessError");
/** It is no such key. */
export const wrongData = refusal("DataError");
/** It cannot be done with this. */
export const failed = refusal("OperationError");
