// What one connection's reader makes of the server's messages, without a socket.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PatchFailed } from "../dist/esm/failure.js";
import { TransitionReader } from "../dist/esm/transitions.js";

const PING = { type: "Ping" };

function transition(...modifications) {
  const at = { querySet: 1, identity: 0, ts: "AAAAAAAAAAA=" };
  return {
    type: "Transition",
    startVersion: at,
    endVersion: at,
    modifications,
  };
}
function updated(queryId, value) {
  return { type: "QueryUpdated", queryId, value, logLines: [], journal: null };
}
function patched(queryId, patch, more = {}) {
  return {
    type: "QueryPatched",
    queryId,
    patch,
    logLines: [],
    journal: null,
    ...more,
  };
}
function failed(queryId) {
  return {
    type: "QueryFailed",
    queryId,
    errorMessage: "no",
    logLines: [],
    journal: null,
  };
}
function removed(queryId) {
  return { type: "QueryRemoved", queryId };
}
function set(path, value) {
  return { op: "replace", path, value };
}
function chunk(partNumber, totalParts, text, transitionId = "7") {
  return {
    type: "TransitionChunk",
    chunk: text,
    partNumber,
    totalParts,
    transitionId,
  };
}

/** Feeds messages to a fresh reader; gives what it hands on, `"failed"` at the end if it fails. */
function read(messages) {
  const reader = new TransitionReader();
  const out = [];
  for (const message of messages) {
    try {
      out.push(JSON.parse(reader.read(JSON.stringify(message))));
    } catch (error) {
      assert.ok(error instanceof PatchFailed, String(error));
      return [...out, "failed"];
    }
  }
  return out;
}

const whole = JSON.stringify(transition(updated(0, "é😀".repeat(10))));
const [left, right] = [whole.slice(0, 150), whole.slice(150)];

/** [what it shows, messages in, what the client gets] */
const CASES = [
  [
    "a patch becomes the value it leads to, all else kept",
    [
      transition(updated(3, { a: 1, b: [1] })),
      transition(
        patched(3, [set("/a", 2)], {
          logLines: ["[LOG] x"],
          journal: "j",
          extra: 1,
        }),
      ),
    ],
    [
      transition(updated(3, { a: 1, b: [1] })),
      transition({
        queryId: 3,
        logLines: ["[LOG] x"],
        journal: "j",
        extra: 1,
        type: "QueryUpdated",
        value: { a: 2, b: [1] },
      }),
    ],
  ],
  [
    "a patch builds on the patch before",
    [
      transition(updated(0, [1])),
      transition(patched(0, [set("/0", 2)])),
      transition(patched(0, [{ op: "add", path: "/1", value: 3 }])),
    ],
    [
      transition(updated(0, [1])),
      transition(updated(0, [2])),
      transition(updated(0, [2, 3])),
    ],
  ],
  [
    "queries have bases of their own, also within one transition",
    [
      transition(updated(0, [0]), updated(1, [1])),
      transition(
        patched(1, [set("/0", 3)]),
        updated(0, [2]),
        patched(0, [set("/0", 4)]),
      ),
    ],
    [
      transition(updated(0, [0]), updated(1, [1])),
      transition(updated(1, [3]), updated(0, [2]), updated(0, [4])),
    ],
  ],
  [
    "null is a base as any other",
    [transition(updated(0, null)), transition(patched(0, [set("", [1])]))],
    [transition(updated(0, null)), transition(updated(0, [1]))],
  ],
  [
    "a missing value is null, as the official client has it",
    [
      transition({ type: "QueryUpdated", queryId: 0, logLines: [] }),
      transition(patched(0, [set("", 1)])),
    ],
    [
      transition({ type: "QueryUpdated", queryId: 0, logLines: [] }),
      transition(updated(0, 1)),
    ],
  ],
  ["no base was ever sent", [transition(patched(0, []))], ["failed"]],
  [
    "another query's base does not count",
    [transition(updated(1, [1])), transition(patched(0, []))],
    [transition(updated(1, [1])), "failed"],
  ],
  [
    "a failure drops the base",
    [
      transition(updated(0, [1])),
      transition(failed(0)),
      transition(patched(0, [])),
    ],
    [transition(updated(0, [1])), transition(failed(0)), "failed"],
  ],
  [
    "a removal drops the base",
    [
      transition(updated(0, [1])),
      transition(removed(0)),
      transition(patched(0, [])),
    ],
    [transition(updated(0, [1])), transition(removed(0)), "failed"],
  ],
  [
    "a whole value after a failure is a base again",
    [
      transition(updated(0, [1])),
      transition(failed(0)),
      transition(updated(0, [2])),
      transition(patched(0, [set("/0", 3)])),
    ],
    [
      transition(updated(0, [1])),
      transition(failed(0)),
      transition(updated(0, [2])),
      transition(updated(0, [3])),
    ],
  ],
  [
    "a patch that does not fit",
    [transition(updated(0, [1])), transition(patched(0, [set("/1", 1)]))],
    [transition(updated(0, [1])), "failed"],
  ],
  [
    "a patch that is missing",
    [transition(updated(0, [1])), transition(patched(0, undefined))],
    [transition(updated(0, [1])), "failed"],
  ],
  [
    "chunks arrive as one transition, pings before it",
    [chunk(0, 2, left), chunk(1, 2, right)],
    [PING, JSON.parse(whole)],
  ],
  ["a single chunk", [chunk(0, 1, whole)], [JSON.parse(whole)]],
  [
    "a chunked value is a base",
    [
      chunk(0, 2, left),
      chunk(1, 2, right),
      transition(patched(0, [set("", 1)])),
    ],
    [PING, JSON.parse(whole), transition(updated(0, 1))],
  ],
  [
    "a chunked patch",
    [
      transition(updated(0, [1])),
      ...[0, 1].map((n) => {
        const text = JSON.stringify(transition(patched(0, [set("/0", 2)])));
        return chunk(n, 2, n === 0 ? text.slice(0, 40) : text.slice(40));
      }),
    ],
    [transition(updated(0, [1])), PING, transition(updated(0, [2]))],
  ],
  [
    "two chunked transitions in turn",
    [chunk(0, 2, left, "a"), chunk(1, 2, right, "a"), chunk(0, 1, whole, "b")],
    [PING, JSON.parse(whole), JSON.parse(whole)],
  ],
  [
    "a ping between chunks",
    [chunk(0, 2, left), PING, chunk(1, 2, right)],
    [PING, PING, JSON.parse(whole)],
  ],
  ["chunks that begin in the middle", [chunk(1, 2, right)], ["failed"]],
  ["a chunk twice", [chunk(0, 2, left), chunk(0, 2, left)], [PING, "failed"]],
  [
    "a chunk of another transition",
    [chunk(0, 2, left), chunk(1, 2, right, "8")],
    [PING, "failed"],
  ],
  [
    "chunks that change their number",
    [chunk(0, 3, left), chunk(1, 2, right)],
    [PING, "failed"],
  ],
  ["no chunks at all", [chunk(0, 0, "")], ["failed"]],
  ["a chunk that is not text", [chunk(0, 1, 5)], ["failed"]],
  [
    "a transition between chunks",
    [chunk(0, 2, left), transition(updated(0, 1))],
    [PING, "failed"],
  ],
  ["chunks that are not valid JSON", [chunk(0, 1, "{")], ["failed"]],
  ["chunks of something else", [chunk(0, 1, '{"type":"Ping"}')], ["failed"]],
];

describe("TransitionReader", () => {
  for (const [what, messages, expected] of CASES) {
    it(what, () => {
      const plain = (value) => JSON.parse(JSON.stringify(value));
      assert.deepEqual(read(messages), plain(expected));
    });
  }

  const untouched = [
    ["a ping", '{"type":"Ping"}'],
    [
      "an answer",
      '{"type":"MutationResponse","requestId":0,"success":true,"result":"\\"Transition"}',
    ],
    [
      "whitespace and the order of keys",
      `{ "modifications": [ ], "type" : "Transition" }`,
    ],
    [
      "numbers as they were written",
      JSON.stringify(transition(updated(0, 1))).replace(
        '"value":1',
        '"value":1.0',
      ),
    ],
    [
      "an unknown modification",
      JSON.stringify(transition({ type: "QueryDreamt", queryId: 0 })),
    ],
    [
      "a modification that is not an object",
      JSON.stringify(transition(null, 7)),
    ],
    ["a transition without modifications", '{"type":"Transition"}'],
    ["no JSON", '{"type":"Transition"'],
    ["no object", '["Transition"]'],
    [
      "an error that mentions it",
      '{"type":"FatalError","error":"bad \\"Transition\\""}',
    ],
    ["nothing", ""],
  ];
  for (const [what, text] of untouched) {
    it(`hands on unchanged: ${what}`, () => {
      assert.equal(new TransitionReader().read(text), text);
    });
  }
});
