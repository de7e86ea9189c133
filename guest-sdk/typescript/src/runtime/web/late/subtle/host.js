// The host's part, with its errors as the web has them.
import { host } from "weir:engine";

/** The standard's names of the host's errors. */
const NAMES = {
  UnsupportedAlgorithm: "NotSupportedError",
  InvalidKey: "DataError",
  CryptoFailed: "OperationError",
};

/** Asks the host. */
export function ask(name, ...args) {
  try {
    return host.webCrypto[name](...args);
  } catch (thrown) {
    throw asWeb(thrown);
  }
}

/** Random bytes for a secret key. */
export function randomBytes(length) {
  if (host.isLoading)
    throw new Error("a key that is made while a module is loaded is no secret; make it in a function");
  try {
    return host.crypto.randomBytes(length);
  } catch (thrown) {
    throw asWeb(thrown);
  }
}

function asWeb(thrown) {
  const { code, message } = thrown?.payload ?? {};
  if (code === undefined) return thrown;
  return code in NAMES ? new DOMException(message, NAMES[code]) : new Error(`${code}: ${message}`);
}
