// Blobs, forms, headers, requests, responses and streams.
import { thrown } from "./show.js";

const BOUNDARY = "----formdata-[a-z0-9-]+";

async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

/** A stream of these values. */
const streamOf = (...values) =>
  new ReadableStream({
    start(controller) {
      for (const value of values) controller.enqueue(value);
      controller.close();
    },
  });

function form() {
  const form = new FormData();
  form.append("a", "1");
  form.append("b", new Blob(["two"], { type: "text/plain" }), 'na"me.txt');
  form.append("a", "ü\n2");
  return form;
}

export const bodyPrograms = {
  "blob: parts and slices": async () => {
    const blob = new Blob(
      ["aü", new Uint8Array([0x62]), new Blob(["c"]), new Uint16Array([0x6564]).buffer, 5],
      { type: "Text/X" },
    );
    const slice = blob.slice(1, -1, "a/B");
    return [
      blob.size,
      blob.type,
      await blob.text(),
      slice.size,
      slice.type,
      await slice.text(),
      await blob.slice(-3).text(),
    ];
  },
  "blob: bytes": async () => {
    const blob = new Blob([new Uint8Array([1, 2, 3])]);
    return [await blob.arrayBuffer(), await collect(blob.stream()), new Blob().size, blob.slice(2, 1).size];
  },
  "blob: refused": () =>
    Promise.all([() => new Blob("text"), () => new Blob(1), () => new File(["x"])].map(thrown)),
  "blob: its class": () => [String(new Blob()), String(new File([], "n")), new File([], "n") instanceof Blob],
  "blob: a file": async () => {
    const file = new File(["hi"], "name.txt", { type: "text/plain", lastModified: 5 });
    return [file.name, file.lastModified, file.type, file.size, await file.text()];
  },
  "blob: a copy": async () => {
    const blob = structuredClone(new Blob(["x"], { type: "a/b" }));
    return [blob instanceof Blob, blob.type, await blob.text()];
  },
  "form: entries": () => {
    const all = form();
    all.set("c", "3");
    all.set("a", "only");
    all.delete("c");
    return [
      [...all.keys()],
      all.get("a"),
      all.getAll("a"),
      all.has("b"),
      all.has("x"),
      all.get("x"),
      all.get("b").name,
    ];
  },
  "form: values are texts": () => {
    const all = new FormData();
    all.append("n", 5);
    all.append("f", new Blob(["x"]));
    const seen = [];
    all.forEach((value, name) => seen.push([name, typeof value]));
    return [seen, all.get("f").name, all.get("f") instanceof File];
  },
  "form: refused": () =>
    Promise.all(
      [() => form().append("a"), () => form().append("a", "b", "c"), () => new FormData(1)].map(thrown),
    ),
  "form: on the wire": async () => {
    const response = new Response(form());
    const type = response.headers.get("content-type");
    const text = await response.text();
    const boundary = type.split("boundary=")[1];
    return [
      text.replaceAll(boundary, "B").trimEnd(),
      type.startsWith("multipart/form-data; boundary="),
      new RegExp(BOUNDARY).test(boundary),
    ];
  },
  "form: read again": async () => {
    const all = await new Response(form()).formData();
    const file = all.get("b");
    return [all.getAll("a"), file.name, file.type, await file.text()];
  },
  "form: of a search": async () => [...(await new Response(new URLSearchParams("a=1&b=x+y")).formData())],
  "form: what is none": () => thrown(() => new Response("a").formData()),
  "headers: combined and in order": () => {
    const headers = new Headers({ "X-B": "2", accept: " a " });
    headers.append("x-b", "3");
    headers.set("A", "1");
    return [
      [...headers],
      headers.get("X-b"),
      headers.get("none"),
      headers.has("ACCEPT"),
      [...headers.keys()],
      [...headers.values()],
    ];
  },
  "headers: cookies": () => {
    const headers = new Headers([
      ["set-cookie", "a=1"],
      ["Set-Cookie", "b=2"],
      ["x", "y"],
    ]);
    return [headers.getSetCookie(), headers.get("set-cookie"), [...headers]];
  },
  "headers: of headers, deleted, each": () => {
    const headers = new Headers(new Headers({ a: "1", b: "2" }));
    headers.delete("A");
    const seen = [];
    headers.forEach((value, name) => seen.push(name, value));
    return seen;
  },
  "headers: refused": () =>
    Promise.all(
      [
        () => new Headers({ "a b": "1" }),
        () => new Headers({ a: "€" }),
        () => new Headers([["a"]]),
        () => new Headers({ a: "x\ny" }),
        () => new Headers(null),
        () => new Headers().get("é"),
      ].map(thrown),
    ),
  "request: what it says": () => {
    const request = new Request("http://h/a?b#c", { method: "post", body: "x", headers: { a: "1" } });
    const {
      url,
      method,
      bodyUsed,
      mode,
      credentials,
      cache,
      redirect,
      integrity,
      keepalive,
      referrer,
      duplex,
    } = request;
    return [
      url,
      method,
      bodyUsed,
      [...request.headers],
      mode,
      credentials,
      cache,
      redirect,
      integrity,
      keepalive,
      referrer,
      duplex,
    ];
  },
  "request: of a request": async () => {
    const first = new Request("http://h/", { method: "PUT", body: "x" });
    const second = new Request(first, { headers: { b: "2" } });
    return [
      first.bodyUsed,
      second.method,
      await second.text(),
      [...second.headers],
      new Request("http://h").method,
    ];
  },
  "request: methods": () =>
    ["get", "Patch", "delete", "custom"].map((method) => new Request("http://h", { method }).method),
  "request: a signal": () => {
    const controller = new AbortController();
    const { signal } = new Request("http://h", { signal: controller.signal });
    const before = signal.aborted;
    controller.abort("r");
    return [before, signal.aborted, signal.reason, signal === controller.signal];
  },
  "request: cloned": async () => {
    const request = new Request("http://h", { method: "POST", body: "x" });
    const copy = request.clone();
    return [await request.text(), await copy.text(), copy.method];
  },
  "request: without the signal of another": () => {
    const controller = new AbortController();
    const request = new Request("http://h", { signal: controller.signal });
    const without = new Request(request, { signal: null });
    controller.abort();
    return [request.signal.aborted, request.clone().signal.aborted, without.signal.aborted];
  },
  "request: cloned, with headers of its own": async () => {
    const request = new Request("http://h", { method: "POST", body: "a", headers: { "x-a": "1" } });
    const copy = request.clone();
    request.headers.set("x-a", "2");
    request.headers.append("x-b", "3");
    return [[...request.headers], [...copy.headers], await copy.text(), request.bodyUsed];
  },
  "request: of a request whose body is a stream": async () => {
    const body = streamOf(new Uint8Array([97]), new Uint8Array([98]));
    const request = new Request("http://h", { method: "POST", body, duplex: "half" });
    const other = new Request(request, { headers: { "x-a": "1" } });
    return [
      request.bodyUsed,
      other.headers.get("x-a"),
      await other.text(),
      await thrown(() => request.text()),
    ];
  },
  "request: refused": () =>
    Promise.all(
      [
        () => new Request("a"),
        () => new Request("http://u:p@h"),
        () => new Request("http://h", { body: "x" }),
        () => new Request("http://h", { method: "TRACE" }),
        () => new Request("http://h", { method: "a b" }),
        () => new Request("http://h", { mode: "no" }),
        () => new Request("http://h", { method: "POST", body: streamOf() }),
        () => new Request(),
      ].map(thrown),
    ),
  "response: what it says": () => {
    const response = new Response("x", { status: 404, statusText: "No", headers: { a: "1" } });
    const { status, statusText, ok, type, url, redirected, bodyUsed } = response;
    return [status, statusText, ok, type, url, redirected, bodyUsed, [...response.headers], String(response)];
  },
  "response: bodies": async () => {
    const of = async (body) => {
      const response = new Response(body);
      return [response.headers.get("content-type"), await response.text()];
    };
    return [
      await of("ü"),
      await of(new Uint8Array([0x61])),
      await of(new Uint8Array([0x61, 0x62]).buffer),
      await of(new Blob(["b"], { type: "x/y" })),
      await of(new URLSearchParams({ a: "b c" })),
      await of(null),
      await of(streamOf(new TextEncoder().encode("s"), new TextEncoder().encode("t"))),
      await of(5),
    ];
  },
  "response: read as": async () => [
    await new Response('{"a":[1]}').json(),
    await new Response("ab").arrayBuffer(),
    await (await new Response("ab", { headers: { "content-type": "x/y" } }).blob()).text(),
    (await new Response("ab", { headers: { "content-type": "x/y" } }).blob()).type,
    await new Response("\ufeffx").text(),
    await thrown(() => new Response("{").json()),
  ],
  "response: read once": async () => {
    const response = new Response("x");
    await response.text();
    return [response.bodyUsed, await thrown(() => response.text()), await thrown(() => response.clone())];
  },
  "response: without a body": async () => {
    const response = new Response();
    return [response.body, await response.text(), response.bodyUsed, await response.text()];
  },
  "response: its stream": async () => {
    const response = new Response("abc");
    const { body } = response;
    const before = [body instanceof ReadableStream, response.bodyUsed, body === response.body];
    const chunks = await collect(body);
    return [before, chunks, response.bodyUsed, await thrown(() => response.text())];
  },
  "response: locked": async () => {
    const response = new Response("abc");
    response.body.getReader();
    return [response.bodyUsed, await thrown(() => response.text())];
  },
  "response: cloned": async () => {
    const response = new Response(streamOf(new Uint8Array([0x61])), { status: 201, headers: { a: "1" } });
    const copy = response.clone();
    return [await copy.text(), await response.text(), copy.status, copy.headers.get("a")];
  },
  "response: cloned, with headers of its own": async () => {
    const response = new Response("a", { status: 201, statusText: "Made", headers: [["set-cookie", "a"]] });
    const copy = response.clone();
    response.headers.append("set-cookie", "b");
    const { status, statusText, url, redirected, type } = copy;
    return [
      [...response.headers],
      [...copy.headers],
      status,
      statusText,
      url,
      redirected,
      type,
      await copy.text(),
    ];
  },
  "response: its stream, when it was read": async () => {
    const response = new Response("a");
    await response.text();
    return [response.bodyUsed, await thrown(() => response.clone()), await thrown(() => response.json())];
  },
  "response: json, redirect, error": async () => {
    const json = Response.json({ a: 1 }, { status: 201 });
    const redirect = Response.redirect("http://h/x", 301);
    const error = Response.error();
    return [
      [json.status, json.headers.get("content-type"), await json.text()],
      [redirect.status, redirect.headers.get("location")],
      [error.status, error.type, error.ok],
      await thrown(() => redirect.headers.set("a", "b")),
    ];
  },
  "response: refused": () =>
    Promise.all(
      [
        () => new Response("", { status: 100 }),
        () => new Response("", { status: 600 }),
        () => new Response("x", { status: 204 }),
        () => new Response("", { statusText: "a\nb" }),
        () => Response.redirect("http://h", 200),
        () => Response.redirect("no url"),
        () => Response.json(undefined),
      ].map(thrown),
    ),
  "stream: read": async () => {
    const reader = streamOf(1, 2).getReader();
    return [await reader.read(), await reader.read(), await reader.read(), await reader.closed];
  },
  "stream: pulled, with a strategy": async () => {
    let n = 0;
    const stream = new ReadableStream(
      { pull: (c) => (n < 3 ? c.enqueue(n++) : c.close()) },
      new CountQueuingStrategy({ highWaterMark: 2 }),
    );
    return [await collect(stream), n];
  },
  "stream: transformed": async () => {
    const double = new TransformStream({
      transform: (chunk, controller) => controller.enqueue(chunk * 2),
      flush: (controller) => controller.enqueue("end"),
    });
    return collect(streamOf(1, 2).pipeThrough(double));
  },
  "stream: written": async () => {
    const seen = [];
    const stream = new WritableStream({
      write: (chunk) => void seen.push(chunk),
      close: () => void seen.push("closed"),
    });
    const writer = stream.getWriter();
    await writer.write("a");
    await writer.close();
    return [seen, writer.desiredSize, stream.locked];
  },
  "stream: tee and cancel": async () => {
    let reason;
    const stream = new ReadableStream({ start: (c) => c.enqueue(1), cancel: (why) => void (reason = why) });
    const [a, b] = stream.tee();
    const first = await a.getReader().read();
    await Promise.all([a.cancel("x").catch((error) => error.name), b.cancel("y")].slice(0, 1));
    return [first, stream.locked, reason];
  },
  "stream: errors": async () => {
    const stream = new ReadableStream({ start: (c) => c.error(new RangeError("no")) });
    return [await thrown(() => stream.getReader().read()), await thrown(() => streamOf(1).pipeTo(1))];
  },
  "stream: piped until a signal": async () => {
    const name = await thrown(() =>
      streamOf(1).pipeTo(new WritableStream(), { signal: AbortSignal.abort() }),
    );
    return name;
  },
  "stream: bytes of one's own buffer": async () => {
    const stream = new ReadableStream({
      type: "bytes",
      pull(controller) {
        controller.byobRequest.view[0] = 7;
        controller.byobRequest.respond(1);
      },
    });
    const { value } = await stream.getReader({ mode: "byob" }).read(new Uint8Array(4));
    return [value.length, value[0], value.buffer.byteLength];
  },
  "stream: texts and bytes": async () => {
    const bytes = await collect(streamOf("a\ud83d", "\ude00").pipeThrough(new TextEncoderStream()));
    const parts = [new Uint8Array([0xf0, 0x9f]), new Uint8Array([0x98, 0x80, 0x62])];
    return [bytes, await collect(streamOf(...parts).pipeThrough(new TextDecoderStream()))];
  },
  "stream: from a list": async () => collect(ReadableStream.from([1, 2])),
  "stream: strategies": () => [
    new ByteLengthQueuingStrategy({ highWaterMark: 3 }).size(new Uint8Array(5)),
    new CountQueuingStrategy({ highWaterMark: 2 }).highWaterMark,
  ],
};
