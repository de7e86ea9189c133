// Tokens that functions sign with the host's key.

import { passOnError, Result, takeError } from "./failure";
import { authSignJwt } from "./host/imports";
import { AREA, takeText } from "./host/memory";
import { __WeirWriter } from "./json/writer";

/** Signs; the token, or the error, lies in the area. */
function sign<A>(claims: A, expiresInSeconds: f64): void {
  const writer = new __WeirWriter();
  __weir_write<A>(writer, claims);
  const options = new __WeirWriter();
  options.ascii('{"expiresInSeconds":');
  options.float(expiresInSeconds);
  options.byte(0x7d);
  authSignJwt(writer.data, writer.length, options.data, options.length, AREA);
  writer.free();
  options.free();
}

/** The token in the area. */
function take(): string {
  return takeText(load<usize>(AREA, 4), load<usize>(AREA, 8));
}

export function signJwt<A>(claims: A, expiresInSeconds: f64): string {
  sign<A>(claims, expiresInSeconds);
  passOnError();
  return take();
}

export function trySignJwt<A>(claims: A, expiresInSeconds: f64): Result<string> {
  sign<A>(claims, expiresInSeconds);
  const error = takeError();
  return error !== null ? Result.failed<string>(error) : Result.ok<string>(take());
}
