// `digest`, and random values.
import { thrown } from "../show.js";
import { hex, published, utf8 } from "./text.js";

const { subtle } = crypto;

export const digestPrograms = {
  // FIPS 180-4's examples.
  "crypto: digests of abc": async () => {
    const of = async (name) => hex(await subtle.digest(name, utf8("abc")));
    return [
      published(await of("SHA-1"), "a9993e364706816aba3e25717850c26c9cd0d89d"),
      published(await of("SHA-256"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      published(
        await of("SHA-384"),
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
      ),
      published(
        await of("SHA-512"),
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
      ),
    ];
  },
  "crypto: digests of many lengths": async () => {
    const found = [];
    for (const length of [0, 1, 55, 56, 63, 64, 65, 111, 112, 127, 128, 129, 1000, 100000]) {
      const data = Uint8Array.from({ length }, (_, i) => (i * 7) & 0xff);
      for (const name of ["SHA-1", "SHA-256", "SHA-384", "SHA-512"]) {
        found.push(hex(await subtle.digest({ name }, data)).slice(0, 16));
      }
    }
    return found;
  },
  "crypto: a digest of parts, views and buffers": async () => {
    const buffer = utf8("-abc-").buffer;
    const of = async (data) => hex(await subtle.digest("sha-256", data)).slice(0, 8);
    return Promise.all(
      [buffer, new Uint8Array(buffer, 1, 3), new DataView(buffer, 1, 3), new Uint16Array(2)].map(of),
    );
  },
  "crypto: digests refused": () =>
    Promise.all(
      [
        () => subtle.digest("MD5", new Uint8Array(1)),
        () => subtle.digest("SHA256", new Uint8Array(1)),
        () => subtle.digest({ name: "SHA-224" }, new Uint8Array(1)),
      ].map(thrown),
    ),
  "crypto: the objects": () => [
    String(crypto),
    String(crypto.subtle),
    crypto instanceof Crypto,
    crypto.subtle instanceof SubtleCrypto,
    crypto.subtle === crypto.subtle,
    typeof CryptoKey,
  ],
  "crypto: random values": () => {
    const array = new Uint32Array(4);
    const uuid = crypto.randomUUID();
    return [
      crypto.getRandomValues(array) === array,
      array.some((number) => number !== 0),
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(uuid),
      uuid === crypto.randomUUID(),
      crypto.getRandomValues(new BigInt64Array(1)).length,
      crypto.getRandomValues(new Uint8Array(0)).length,
    ];
  },
  "crypto: random values refused": () =>
    Promise.all(
      [
        () => crypto.getRandomValues(new Float32Array(1)),
        () => crypto.getRandomValues(new DataView(new ArrayBuffer(1))),
        () => crypto.getRandomValues(new Uint8Array(65537)),
      ].map(thrown),
    ),
};
