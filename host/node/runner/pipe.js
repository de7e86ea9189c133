// The pipe to the host: standard input, which is a socket. A message is the length of a head and of a body, four bytes each
// (little-endian), the head, JSON, and the body, bytes.
import { Socket } from "node:net";

const LENGTHS_BYTES = 8;

export class Pipe {
  #socket;
  #chunks = [];
  #length = 0;

  /** `receive` is given each message of the host, `{head, body}`. The process ends when the host closes the pipe. */
  constructor(receive) {
    this.#socket = new Socket({ fd: 0, readable: true, writable: true });
    this.#socket.on("data", (chunk) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      for (
        let message = this.#take();
        message !== undefined;
        message = this.#take()
      )
        receive(message);
    });
    const end = () => process.reallyExit(0);
    this.#socket.on("end", end).on("error", end).on("close", end);
  }

  send(head, body = Buffer.alloc(0)) {
    const text = Buffer.from(JSON.stringify(head));
    const lengths = Buffer.alloc(LENGTHS_BYTES);
    lengths.writeUInt32LE(text.length, 0);
    lengths.writeUInt32LE(body.length, 4);
    this.#socket.write(Buffer.concat([lengths, text, body]));
  }

  /** Whether the process goes on while nothing but this pipe could wake it. */
  keepOpen(isOpen) {
    if (isOpen) this.#socket.ref();
    else this.#socket.unref();
  }

  #take() {
    if (this.#length < LENGTHS_BYTES) return undefined;
    if (this.#chunks[0].length < LENGTHS_BYTES)
      this.#chunks = [Buffer.concat(this.#chunks)];
    const [head, body] = [
      this.#chunks[0].readUInt32LE(0),
      this.#chunks[0].readUInt32LE(4),
    ];
    const end = LENGTHS_BYTES + head + body;
    if (this.#length < end) return undefined;
    const all = Buffer.concat(this.#chunks);
    const rest = all.subarray(end);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#length = rest.length;
    const text = all.subarray(LENGTHS_BYTES, LENGTHS_BYTES + head).toString();
    return {
      head: JSON.parse(text),
      body: all.subarray(LENGTHS_BYTES + head, end),
    };
  }
}
