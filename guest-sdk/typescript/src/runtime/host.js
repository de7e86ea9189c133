// The host's functions, behind one object, so that a warm-up at build time can
// put another one in its place.
import * as auth from "weir:guest/auth@0.1.0";
import * as calls from "weir:guest/calls@0.1.0";
import * as context from "weir:guest/context@0.1.0";
import * as cryptography from "weir:guest/crypto@0.1.0";
import * as db from "weir:guest/db@0.1.0";
import * as log from "weir:guest/log@0.1.0";
import * as variables from "weir:guest/variables@0.1.0";

import { jsonBytes } from "./json.js";

/** What the syscalls, the clock and the console reach the host through. */
export const host = { auth, calls, context, crypto: cryptography, db, log, variables };

/** Puts another host, or parts of one, in the place of the host. */
export function putHost(other) {
  Object.assign(host, other);
}

/** Runs `work` with another host, which may lack what `work` does not use. */
export async function withHost(other, work) {
  const before = { ...host };
  putHost(other);
  try {
    return await work();
  } finally {
    Object.assign(host, before);
  }
}

const encoder = new TextEncoder();

/** A value as the UTF-8 bytes of its JSON, to be given to the host at once. */
export const toBytes = jsonBytes;

/** A text as its UTF-8 bytes. */
export const textToBytes = (text) => encoder.encode(text);
