// Passwords, secrets and digests: the host's.

import { passOnError, Result, takeError } from "./failure";
import { cryptoDigest, cryptoHashPassword, cryptoRandomBytes, cryptoVerifyPassword } from "./host/imports";
import { AREA, freeBlock, freeUtf8, takeText, utf8 } from "./host/memory";

/** Has a password hashed; the hash, or an error, lies in the area. */
function askForHash(password: string): void {
  const text = utf8(password);
  cryptoHashPassword(text.start, text.length, AREA);
  freeUtf8(text);
}

function takeHash(): string {
  return takeText(load<usize>(AREA, 4), load<usize>(AREA, 8));
}

export function hashPassword(password: string): string {
  askForHash(password);
  passOnError();
  return takeHash();
}

export function tryHashPassword(password: string): Result<string> {
  askForHash(password);
  const error = takeError();
  return error !== null ? Result.failed<string>(error) : Result.ok<string>(takeHash());
}

/** Has a password held against a hash; whether it is right, or an error, lies in the area. */
function askWhetherRight(password: string, hash: string): void {
  const passwordText = utf8(password);
  const hashText = utf8(hash);
  cryptoVerifyPassword(passwordText.start, passwordText.length, hashText.start, hashText.length, AREA);
  freeUtf8(hashText);
  freeUtf8(passwordText);
}

export function verifyPassword(password: string, hash: string): bool {
  askWhetherRight(password, hash);
  passOnError();
  return load<u8>(AREA, 4) != 0;
}

export function tryVerifyPassword(password: string, hash: string): Result<bool> {
  askWhetherRight(password, hash);
  const error = takeError();
  return error !== null ? Result.failed<bool>(error) : Result.ok<bool>(load<u8>(AREA, 4) != 0);
}

export function randomBytes(length: i32): Uint8Array {
  cryptoRandomBytes(<u32>length, AREA);
  passOnError();
  return takeBytes();
}

/**
 * The SHA-256 digest of some bytes. To keep a secret that is random and long, such as a token, so that whoever reads the
 * table does not have it. Passwords are hashed with `ctx.hashPassword`.
 */
export function sha256(data: Uint8Array): Uint8Array {
  const algorithm = utf8("SHA-256");
  cryptoDigest(algorithm.start, algorithm.length, data.dataStart, <usize>data.length, AREA);
  freeUtf8(algorithm);
  passOnError();
  return takeBytes();
}

function takeBytes(): Uint8Array {
  const start = load<usize>(AREA, 4);
  const length = load<usize>(AREA, 8);
  const bytes = new Uint8Array(<i32>length);
  memory.copy(bytes.dataStart, start, length);
  freeBlock(start, length);
  return bytes;
}
