// The host's cryptography for the engine in Node, made of Node's own. It is there for the sake of the JavaScript around it:
// what the host itself computes is compared with Node's in the conformance tests (`web_crypto`).
import * as node from "node:crypto";

/** The codes of errors. */
export const CODES = ["UnsupportedAlgorithm", "InvalidKey", "CryptoFailed"];

const refuse = (code, message) => {
  throw Object.assign(new Error(message), { code });
};

/** Does what fails because the key is wrong. */
const withKey = (work) => {
  try {
    return work();
  } catch (error) {
    return refuse("InvalidKey", error.message);
  }
};

const hashOf = (name) => name.toLowerCase().replace("-", "");
const privateKey = (key) => withKey(() => node.createPrivateKey({ key, format: "der", type: "pkcs8" }));
const publicKey = (key) => withKey(() => node.createPublicKey({ key, format: "der", type: "spki" }));

const CURVES = { "P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1" };

/** Each function as the kinds of its arguments, `b` for bytes and `n` for a number, and what it gives: the words of its
 * result, in which bytes are an address and a size. */
export const digest = [
  "bb",
  (name, data) => [
    node
      .createHash(hashOf(`${name}`))
      .update(data)
      .digest(),
  ],
];

export const webCrypto = {
  sign: [
    "bbb",
    (algorithm, key, data) => {
      const { name, hash, saltLength } = JSON.parse(algorithm);
      if (name === "HMAC") return [node.createHmac(hashOf(hash), key).update(data).digest()];
      return [node.sign(hash && hashOf(hash), data, options(name, privateKey(key), saltLength))];
    },
  ],
  verify: [
    "bbbb",
    (algorithm, key, tag, data) => {
      const { name, hash, saltLength } = JSON.parse(algorithm);
      if (name === "HMAC") {
        const expected = node.createHmac(hashOf(hash), key).update(data).digest();
        return [Number(expected.equals(tag))];
      }
      return [
        Number(node.verify(hash && hashOf(hash), data, options(name, publicKey(key), saltLength), tag)),
      ];
    },
  ],
  encrypt: [
    "bbbbb",
    (algorithm, key, iv, additional, data) => {
      const { name, tagLength, hash, length } = JSON.parse(algorithm);
      if (name === "AES-CTR") return [ctr(key, iv, length, data)];
      if (name === "RSA-OAEP") return [node.publicEncrypt(oaep(publicKey(key), hash, additional), data)];
      const cipher = node.createCipheriv(...aes(name, key, iv, tagLength));
      if (name === "AES-GCM") cipher.setAAD(additional);
      const parts = [cipher.update(data), cipher.final()];
      return [Buffer.concat(name === "AES-GCM" ? [...parts, cipher.getAuthTag()] : parts)];
    },
  ],
  decrypt: [
    "bbbbb",
    (algorithm, key, iv, additional, data) => {
      const { name, tagLength, hash, length } = JSON.parse(algorithm);
      if (name === "AES-CTR") return [ctr(key, iv, length, data)];
      if (name === "RSA-OAEP") return [node.privateDecrypt(oaep(privateKey(key), hash, additional), data)];
      const cipher = node.createDecipheriv(...aes(name, key, iv, tagLength));
      if (name !== "AES-GCM") return [Buffer.concat([cipher.update(data), cipher.final()])];
      const at = data.length - tagLength / 8;
      if (at < 0) refuse("CryptoFailed", "too short");
      cipher.setAAD(additional).setAuthTag(data.subarray(at));
      return [Buffer.concat([cipher.update(data.subarray(0, at)), cipher.final()])];
    },
  ],
  "derive-bits": [
    "bbbbn",
    (algorithm, key, salt, info, length) => {
      const { name, hash, iterations } = JSON.parse(algorithm);
      return name === "HKDF"
        ? [Buffer.from(node.hkdfSync(hashOf(hash), key, salt, info, length))]
        : [node.pbkdf2Sync(key, salt, iterations, length, hashOf(hash))];
    },
  ],
  agree: [
    "bbb",
    (algorithm, own, other) => [
      node.diffieHellman({ privateKey: privateKey(own), publicKey: publicKey(other) }),
    ],
  ],
  "import-key": [
    "bbb",
    (algorithm, format, data) => {
      const key = withKey(() => imported(JSON.parse(algorithm), `${format}`, data));
      const { modulusLength, publicExponent } = key.asymmetricKeyDetails;
      const details =
        modulusLength === undefined
          ? {}
          : { modulusLength, publicExponent: [...Buffer.from(hexOf(publicExponent), "hex")] };
      return [key.type === "private" ? 0 : 1, derOf(key), JSON.stringify(details)];
    },
  ],
  "export-key": [
    "bnbb",
    (algorithm, kind, key, format) => {
      const own = kind === 0 ? privateKey(key) : publicKey(key);
      if (`${format}` === "jwk") return [JSON.stringify(own.export({ format: "jwk" }))];
      if (`${format}` === "pkcs8") return [derOf(own)];
      const half = kind === 0 ? node.createPublicKey(own) : own;
      return [`${format}` === "spki" ? derOf(half) : rawOf(half.export({ format: "jwk" }))];
    },
  ],
  "generate-key": [
    "b",
    (algorithm) => {
      const { name, namedCurve, modulusLength, publicExponent } = JSON.parse(algorithm);
      const types = { EC: "ec", RSA: "rsa", Ed25519: "ed25519", X25519: "x25519" };
      const details = { namedCurve: CURVES[namedCurve], modulusLength, publicExponent };
      return [0, derOf(node.generateKeyPairSync(types[name], details).privateKey), "{}"];
    },
  ],
};

function options(name, key, saltLength) {
  if (name === "ECDSA") return { key, dsaEncoding: "ieee-p1363" };
  return name === "RSA-PSS" ? { key, padding: node.constants.RSA_PKCS1_PSS_PADDING, saltLength } : { key };
}

const oaep = (key, hash, oaepLabel) => ({
  key,
  oaepHash: hashOf(hash),
  oaepLabel,
  padding: node.constants.RSA_PKCS1_OAEP_PADDING,
});

function aes(name, key, iv, tagLength) {
  if (name === "AES-KW") return [`id-aes${8 * key.length}-wrap`, key, Buffer.alloc(8, 0xa6)];
  if (name === "AES-GCM" && iv.length !== 12 && iv.length !== 16)
    refuse("UnsupportedAlgorithm", "no such iv");
  const cipher = `aes-${8 * key.length}-${name.slice(4).toLowerCase()}`;
  return name === "AES-GCM" ? [cipher, key, iv, { authTagLength: tagLength / 8 }] : [cipher, key, iv];
}

/** Node's counts 128 bits: one that counts fewer is begun anew where it ends. */
function ctr(key, counter, length, data) {
  if (counter.length !== 16 || length < 1 || length > 128) refuse("CryptoFailed", "no such counter");
  if (data.length > 16 * 2 ** length) refuse("CryptoFailed", "too long");
  const first = BigInt(`0x${counter.toString("hex")}`);
  const last = first | ((1n << BigInt(length)) - 1n);
  const bytes = Number((last - first + 1n) * 16n);
  const from = (at) => Buffer.from(at.toString(16).padStart(32, "0"), "hex");
  const apply = (at, part) => node.createCipheriv(`aes-${8 * key.length}-ctr`, key, from(at)).update(part);
  const begin = last - ((1n << BigInt(length)) - 1n);
  return Buffer.concat([apply(first, data.subarray(0, bytes)), apply(begin, data.subarray(bytes))]);
}

function imported({ name, namedCurve }, format, data) {
  if (format === "pkcs8") return checked(node.createPrivateKey({ key: data, format: "der", type: "pkcs8" }));
  if (format === "spki") return checked(node.createPublicKey({ key: data, format: "der", type: "spki" }));
  if (format === "raw") {
    const crv = namedCurve ?? name;
    const half = (data.length - 1) / 2;
    const text = (from, to) => data.subarray(from, to).toString("base64url");
    const key =
      name === "EC"
        ? { kty: "EC", crv, x: text(1, 1 + half), y: text(1 + half) }
        : { kty: "OKP", crv, x: text(0) };
    return node.createPublicKey({ key, format: "jwk" });
  }
  const key = JSON.parse(data);
  if ((key.crv ?? "RSA") !== (namedCurve ?? name)) throw new Error("another key");
  return (key.d === undefined ? node.createPublicKey : node.createPrivateKey)({ key, format: "jwk" });

  function checked(key) {
    const type = key.asymmetricKeyType.toUpperCase();
    if (type !== name.toUpperCase()) throw new Error("another type");
    if (type === "EC" && key.asymmetricKeyDetails.namedCurve !== CURVES[namedCurve]) {
      throw new Error("another curve");
    }
    return key;
  }
}

const derOf = (key) => key.export({ format: "der", type: key.type === "private" ? "pkcs8" : "spki" });

function rawOf({ kty, x, y }) {
  const bytes = (text) => Buffer.from(text, "base64url");
  return kty === "EC" ? Buffer.concat([Buffer.of(4), bytes(x), bytes(y)]) : bytes(x);
}

function hexOf(number) {
  const hex = number.toString(16);
  return hex.length % 2 === 0 ? hex : `0${hex}`;
}
