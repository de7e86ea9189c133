// What is another one in the engine than in Node, and why.

/** Programs whose answer in the engine is another one: which, and why. */
export const DIFFERENT = {
  "url: what is percent-encoded": {
    engine: '"http://h/%C3%BC%3C%3E%22%60%7B%7D|%5E~\'?%C3%BC%3C%3E%22`{}%27#%C3%BC%3C%3E%22%60{}"',
    why: "the standard has encoded ^ in paths since 2023; Node 20 is older",
  },
  "text: windows-1252 beside latin1": {
    engine:
      '"\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178"',
    why: "the standard has windows-1252 for latin1; Node 20 decodes ISO-8859-1",
  },
  "clone: transfer refused": {
    engine: `[${'"DOMException DataCloneError", '.repeat(3)}2]`,
    why: "the standard's error; Node has a TypeError for what is not to be transferred",
  },
  "clone: a proxy": {
    engine: '"nothing, but gives {}"',
    why: "JavaScript cannot tell a proxy from its target, and the copier is JavaScript",
  },
  "clone: arguments": { engine: "{0: 1, 1: 2}", why: "the standard copies them; V8 does not" },
  "event: constants and class": {
    engine: '[0, 2, 3, "[object Event]", "[object EventTarget]"]',
    why: "the standard has the constants on events too; Node has them on the class alone",
  },
  "event: passive": {
    engine: "true",
    why: "a passive listener prevents nothing; Node does not hold it to that",
  },
  "event: within itself": {
    engine: '"DOMException InvalidStateError"',
    why: "the standard's error; Node has one of its own",
  },
  "abort: any of them": {
    engine: '["b", "b", ["any", true, "further"], false, "a"]',
    why: "the standard aborts all signals before it tells anybody; Node 20 is older",
  },
  "crypto: a JWK for another algorithm of RSA": {
    engine: '"DOMException DataError"',
    why: "the standard's error; Node 20 looks at the digest in `alg` alone",
  },
  "crypto: exports of what is not extractable": {
    engine: '["DOMException InvalidAccessError", "DOMException InvalidAccessError"]',
    why: "the standard's name; Node 20 has InvalidAccessException",
  },
  "crypto: exports in forms that there are not": {
    engine: '["DOMException NotSupportedError", "DOMException NotSupportedError"]',
    why: "the standard's error; Node 20 has those of access",
  },
  "crypto: AES-GCM with an iv of 8 bytes": {
    engine: "throws DOMException NotSupportedError",
    why: "the host has those of 12 and 16 bytes, which is what there is in use",
  },
};
