// How an HTTP action answers.

import { failText, passOnError } from "../failure";
import { httpRespond } from "../host/imports";
import { AREA } from "../host/memory";
import { __WeirReader } from "../json/reader";
import { __WeirWriter } from "../json/writer";
import { BodyWriter, WHOLE_BYTES_MAX } from "./body";
import { Headers, Request, Response } from "./message";

/** The request that the arguments of an HTTP action tell of. */
// @ts-ignore: decorator
@global
function __weir_request(reader: __WeirReader): Request {
  const request = new Request("", "");
  if (!reader.beginObject()) reader.mismatch("an object");
  for (let first = true; reader.nextKey(first); first = false) {
    if (reader.isKey("method")) request.method = reader.text();
    else if (reader.isKey("url")) request.url = reader.text();
    else if (reader.isKey("headers")) request.headers = __weir_read<Headers>(reader);
    else if (reader.isKey("stream")) {
      if (!reader.takeNull()) request.stream = __weir_read<u32>(reader);
    } else reader.skip();
  }
  return request;
}

/** Answers with what an HTTP action gave; null: it has answered. */
// @ts-ignore: decorator
@global
function __weir_respond(response: Response | null): void {
  if (response === null) return;
  if (response.stream != 0) failText("a response that came is passed on piece by piece: write it with `ctx.respond`");
  const whole = response.whole;
  if (whole === null || whole.length <= WHOLE_BYTES_MAX) begin(response, 0);
  else respond(response).writeWhole(whole);
}

/** Begins a response whose body is written from then on. */
export function respond(response: Response): BodyWriter {
  const body = new BodyWriter();
  begin(response, body.stream);
  return body;
}

function begin(response: Response, stream: u32): void {
  const writer = new __WeirWriter();
  writer.ascii('{"status":');
  writer.signed(response.status);
  writer.ascii(',"headers":');
  __weir_write<Headers>(writer, response.headers);
  if (stream != 0) {
    writer.ascii(',"stream":');
    writer.unsigned(stream);
  }
  writer.byte(0x7d);
  const body = response.whole;
  if (body === null || stream != 0) httpRespond(writer.data, writer.length, 0, 0, 0, AREA);
  else httpRespond(writer.data, writer.length, 1, body.dataStart, <usize>body.length, AREA);
  passOnError();
  writer.free();
}
