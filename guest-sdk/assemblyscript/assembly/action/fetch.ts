// Requests that an action makes.

import { httpSend } from "../host/imports";
import { AREA } from "../host/memory";
import { __WeirReader } from "../json/reader";
import { __WeirWriter } from "../json/writer";
import { BodyWriter, WHOLE_BYTES_MAX } from "./body";
import { Headers, Request, Response } from "./message";
import { Task } from "./task";

/** A request that was sent. */
export class FetchTask extends Task<Response> {
  protected read(start: usize, length: usize): Response {
    const reader = new __WeirReader(start, length, "reading the head of a response");
    const response = new Response();
    if (!reader.beginObject()) reader.mismatch("an object");
    for (let first = true; reader.nextKey(first); first = false) {
      if (reader.isKey("status")) response.status = __weir_read<i32>(reader);
      else if (reader.isKey("url")) response.url = reader.text();
      else if (reader.isKey("redirected")) response.redirected = reader.bool();
      else if (reader.isKey("headers")) response.headers = __weir_read<Headers>(reader);
      else if (reader.isKey("stream")) {
        if (!reader.takeNull()) response.stream = __weir_read<u32>(reader);
      } else reader.skip();
    }
    return response;
  }
}

/** Sends a request whose body is whole. */
export function startFetch(request: Request): Task<Response> {
  const whole = request.whole;
  if (whole === null || whole.length <= WHOLE_BYTES_MAX) return begin(request, 0);
  const upload = new Upload(request);
  upload.body.writeWhole(whole);
  return upload.response;
}

/** Sends a request whose body is whole, or this stream. */
function begin(request: Request, stream: u32): Task<Response> {
  const writer = new __WeirWriter();
  writer.ascii('{"method":');
  writer.text(request.method);
  writer.ascii(',"url":');
  writer.text(request.url);
  writer.ascii(',"redirect":');
  writer.text(request.redirect);
  writer.ascii(',"headers":');
  __weir_write<Headers>(writer, request.headers);
  if (stream != 0) {
    writer.ascii(',"stream":');
    writer.unsigned(stream);
  }
  writer.byte(0x7d);
  const body = request.whole;
  if (body === null || stream != 0) httpSend(writer.data, writer.length, 0, 0, 0, AREA);
  else httpSend(writer.data, writer.length, 1, body.dataStart, <usize>body.length, AREA);
  writer.free();
  return new FetchTask();
}

/** A request whose body is written while it is sent. */
@final
export class Upload {
  /** Writes the body. */
  readonly body: BodyWriter;
  /** The response, which may be there before the body's end. */
  readonly response: Task<Response>;

  constructor(request: Request) {
    const body = new BodyWriter();
    this.body = body;
    this.response = begin(request, body.stream);
  }
}
