// Actions that ask the web.
import { v } from "convex/values";

import { action } from "./_generated/server.js";

const nameOf = async (work: Promise<unknown>) => {
  try {
    return ["given", String(await work)];
  } catch (error) {
    const { name, message, cause } = error as Error & { cause?: Error & { code?: string } };
    return [name, message, cause?.message ?? null, cause?.code ?? null];
  }
};

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export const head = action({
  args: {},
  handler: async () => {
    const response = await fetch(new URL("http://web/head?a=1#part"));
    const { status, statusText, ok, url, redirected, type, bodyUsed } = response;
    const headers = [...response.headers].filter(([name]) => name.startsWith("x-") || name === "set-cookie");
    let isFrozen = false;
    try {
      response.headers.set("x-a", "b");
    } catch (error) {
      isFrozen = error instanceof TypeError;
    }
    return { status, statusText, ok, url, redirected, type, bodyUsed, headers, isFrozen };
  },
});

/** What is sent for each kind of body, as the server has it. */
export const bodies = action({
  args: {},
  handler: async () => {
    const form = new FormData();
    form.append("a", "1");
    form.append("file", new File(["text"], "f.txt", { type: "text/plain" }));
    const send = async (body: BodyInit | undefined, init: RequestInit = {}) => {
      const response = await fetch("http://web/echo", { method: "POST", body, ...init });
      const { method, headers, body: sent } = await response.json();
      return [
        method,
        headers["content-type"]?.replace(/boundary=.*/, "boundary") ?? null,
        sent.length > 200 ? sent.includes("f.txt") : sent,
      ];
    };
    return [
      await send("téxt"),
      await send(new Uint8Array([97, 98])),
      await send(new URLSearchParams({ a: "b c" })),
      await send(new Blob(["blob"], { type: "image/png" })),
      await send(form),
      await send(undefined, { method: "GET", headers: { "X-Own": "1" } }),
      await send(JSON.stringify({ a: 1 }), {
        method: "PUT",
        headers: { "content-type": "application/json" },
      }),
    ];
  },
});

/** All ways to read a response. */
export const reading = action({
  args: {},
  handler: async () => {
    const get = () => fetch("http://web/stream");
    const pieces: string[] = [];
    for await (const piece of (await get()).body!) pieces.push(new TextDecoder().decode(piece));
    const response = await get();
    const copy = response.clone();
    const texts = await Promise.all([response.text(), copy.text()]);
    const twice = await nameOf(response.text());
    const json = await (await fetch("http://web/echo", { method: "POST", body: "{}" })).json();
    const form = await (await fetch("http://web/form")).formData();
    const decoded = (await get()).body!.pipeThrough(new TextDecoderStream());
    let joined = "";
    for await (const text of decoded) joined += text;
    return {
      pieces,
      texts,
      twice,
      used: [response.bodyUsed, copy.bodyUsed],
      bytes: (await (await get()).arrayBuffer()).byteLength,
      blob: [(await (await get()).blob()).size, (await (await get()).blob()).type],
      json: json.method,
      form: form.get("a"),
      joined,
      empty: [(await fetch("http://web/empty")).body, await (await fetch("http://web/empty")).text()],
      head: (await fetch("http://web/stream", { method: "HEAD" })).body,
    };
  },
});

/** A body that is sent while its answer comes: each piece is known to the server before the next one is made. */
export const both = action({
  args: {},
  handler: async () => {
    const log: string[] = [];
    let next = 0;
    const body = new ReadableStream(
      {
        async pull(controller) {
          const word = ["one ", "two ", "three"][next++];
          if (word === undefined) return controller.close();
          await sleep(30);
          log.push(`> ${word}`);
          controller.enqueue(new TextEncoder().encode(word));
        },
      },
      { highWaterMark: 0 },
    );
    const response = await fetch("http://web/upper", { method: "POST", body, duplex: "half" } as RequestInit);
    for await (const piece of response.body!) log.push(`< ${new TextDecoder().decode(piece)}`);
    return log;
  },
});

export const large = action({
  args: { size: v.number() },
  handler: async (ctx, { size }) => {
    const bytes = new Uint8Array(size);
    for (let i = 0; i < size; i += 1000) bytes[i] = i % 251;
    const back = await (await fetch("http://web/mirror", { method: "POST", body: bytes })).bytes();
    return [back.length, back.every((byte, i) => byte === bytes[i])];
  },
});

export const failing = action({
  args: {},
  handler: async () => {
    const broken = await fetch("http://web/broken");
    const stream = new ReadableStream({ pull: () => Promise.reject(new RangeError("of the stream")) });
    return [
      await nameOf(fetch("http://web/refused")),
      await nameOf(fetch("http://web/private")),
      await nameOf(fetch("no url")),
      await nameOf(fetch("http://web/", { method: "GET", body: "x" })),
      await nameOf(broken.text()),
      await nameOf(
        fetch("http://web/mirror", { method: "POST", body: stream, duplex: "half" } as RequestInit),
      ),
      await nameOf(fetch("http://web/mirror", { method: "POST", body: stream })),
    ];
  },
});

export const uncaught = action({ args: {}, handler: () => fetch("http://web/refused") });

/** What is aborted, before, while and after the head comes. */
export const aborting = action({
  args: {},
  handler: async () => {
    const before = await nameOf(fetch("http://web/never", { signal: AbortSignal.abort() }));
    const controller = new AbortController();
    const pending = fetch("http://web/never", { signal: controller.signal });
    setTimeout(() => controller.abort(new RangeError("enough")), 20);
    const meanwhile = await nameOf(pending);
    const late = new AbortController();
    const response = await fetch("http://web/drip", { signal: late.signal });
    const reader = response.body!.getReader();
    const first = new TextDecoder().decode((await reader.read()).value);
    setTimeout(() => late.abort(), 20);
    const after = await nameOf(
      (async () => {
        for (;;) await reader.read();
      })(),
    );
    const timed = await nameOf(fetch("http://web/never", { signal: AbortSignal.timeout(20) }));
    const drip = await fetch("http://web/drip");
    await drip.body!.cancel();
    return { before, meanwhile, first, after, timed };
  },
});

export const redirects = action({
  args: {},
  handler: async () => {
    const followed = await fetch("http://web/moved");
    const manual = await fetch("http://web/moved", { redirect: "manual" });
    return [
      [followed.redirected, followed.url, followed.status],
      [manual.redirected, manual.status, manual.headers.get("location")],
      await nameOf(fetch("http://web/moved", { redirect: "error" })),
    ];
  },
});

export const requests = action({
  args: {},
  handler: async () => {
    const request = new Request("http://web/echo", {
      method: "POST",
      body: "once",
      headers: { "x-own": "a" },
    });
    const copy = request.clone();
    const first = await (await fetch(request)).json();
    const again = await nameOf(fetch(request));
    const changed = await (await fetch(copy, { method: "PATCH", headers: { "x-own": "b" } })).json();
    return [
      [first.method, first.body, first.headers["x-own"], first.headers["accept"]],
      again.slice(0, 2),
      [changed.method, changed.body, changed.headers["x-own"]],
    ];
  },
});

/** URLs that hold their data. */
export const data = action({
  args: {},
  handler: async () => {
    const urls = ["data:,a%20b", "data:text/html;base64,w6k=", "data:text/plain;charset=utf-8,%C3%A9#part"];
    return Promise.all(
      urls.map(async (url) => {
        const response = await fetch(url);
        return [response.headers.get("content-type"), await response.text()];
      }),
    );
  },
});

/** How much of a body comes, of which nothing is kept. */
export const drained = action({
  args: { mebibytes: v.number() },
  handler: async (ctx, { mebibytes }) => {
    let size = 0;
    for await (const piece of (await fetch(`http://web/zeros?ms=${mebibytes}`)).body!) size += piece.length;
    return size;
  },
});

/** Many at the same time. */
export const many = action({
  args: { count: v.number() },
  handler: async (ctx, { count }) => {
    const before = Date.now();
    const all = await Promise.all(
      Array.from({ length: count }, async () => (await fetch("http://web/slow?ms=100")).text()),
    );
    return [all.filter((text) => text === "slow").length, Date.now() - before];
  },
});
