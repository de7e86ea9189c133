// Random numbers of a call: xoshiro256++ from the call's seed, the same numbers
// as in Weir's other SDKs. In 32-bit halves, because a bigint is allocated for
// every step. What is for secrets is the host's: see crypto.js.
import { host } from "./host.js";

const UNIT = 2 ** -53;

/** The generator of these 32 bytes. */
export class Random {
  #s = new Uint32Array(8);
  #high = 0;
  #low = 0;

  constructor(seed) {
    const view = new DataView(seed.buffer, seed.byteOffset, 32);
    for (let i = 0; i < 8; i++) this.#s[i] = view.getUint32(i * 4, true);
    // The one state that the generator cannot leave.
    if (this.#s.every((word) => word === 0)) this.#s[0] = 1;
  }

  /** Steps; the 64 bits are then in `#high` and `#low`. */
  #step() {
    const s = this.#s;
    // s0 + s3, rotated left by 23, + s0. Each word is [low, high].
    let low = s[0] + s[6];
    let high = (s[1] + s[7] + (low > 0xffffffff ? 1 : 0)) >>> 0;
    low >>>= 0;
    const rotatedHigh = ((high << 23) | (low >>> 9)) >>> 0;
    const rotatedLow = ((low << 23) | (high >>> 9)) >>> 0;
    low = rotatedLow + s[0];
    this.#high = (rotatedHigh + s[1] + (low > 0xffffffff ? 1 : 0)) >>> 0;
    this.#low = low >>> 0;

    const tLow = s[2] << 17;
    const tHigh = (s[3] << 17) | (s[2] >>> 15);
    s[4] ^= s[0];
    s[5] ^= s[1];
    s[6] ^= s[2];
    s[7] ^= s[3];
    s[2] ^= s[4];
    s[3] ^= s[5];
    s[0] ^= s[6];
    s[1] ^= s[7];
    s[4] ^= tLow;
    s[5] ^= tHigh;
    // s3 rotated left by 45: the halves change places, and 13 more.
    const [from, to] = [s[6], s[7]];
    s[7] = (from << 13) | (to >>> 19);
    s[6] = (to << 13) | (from >>> 19);
  }

  /** At least 0 and below 1, of 53 bits. */
  next() {
    this.#step();
    return (this.#high * 0x200000 + (this.#low >>> 11)) * UNIT;
  }

  /** Fills all of `bytes`. */
  fill(bytes) {
    for (let i = 0; i < bytes.length; i++) {
      if (i % 8 === 0) this.#step();
      const word = i % 8 < 4 ? this.#low : this.#high;
      bytes[i] = word >>> ((i % 4) * 8);
    }
  }
}

let random;

/** The call's generator. */
export function callRandom() {
  random ??= new Random(host.context.randomSeed());
  return random;
}

/** Forgets the generator, so that the next one is made of the seed of then. */
export function resetRandom() {
  random = undefined;
}

/** Puts the call's generator in the place of `Math.random`. */
export function installRandom() {
  Math.random = () => callRandom().next();
}
