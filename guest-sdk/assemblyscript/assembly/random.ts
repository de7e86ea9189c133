import { contextRandomSeed } from "./host/imports";
import { AREA, freeBlock } from "./host/memory";

/** The smallest step of a number below 1 with 53 bits. */
const UNIT: f64 = 1.0 / 9007199254740992.0;

/**
 * A generator of random numbers (xoshiro256++, by Blackman and Vigna). It is
 * *not* for secrets: who sees some of its numbers can tell the next.
 */
@final
export class Random {
  /** The one state that the generator cannot leave is all zeros. */
  constructor(
    private s0: u64,
    private s1: u64,
    private s2: u64,
    private s3: u64,
  ) {
    if ((s0 | s1 | s2 | s3) == 0) this.s0 = 1;
  }

  /** 64 random bits. */
  nextU64(): u64 {
    const result = rotl<u64>(this.s0 + this.s3, 23) + this.s0;
    const t = this.s1 << 17;
    this.s2 ^= this.s0;
    this.s3 ^= this.s1;
    this.s1 ^= this.s2;
    this.s0 ^= this.s3;
    this.s2 ^= t;
    this.s3 = rotl<u64>(this.s3, 45);
    return result;
  }

  /** A number of at least 0 and below 1. */
  nextF64(): f64 {
    return <f64>(this.nextU64() >> 11) * UNIT;
  }

  /** An integer of at least 0 and below `bound`, all equally likely. */
  below(bound: u64): u64 {
    assert(bound > 0, "there is no integer below 0");
    // Numbers past the last multiple of the bound would favour the low ones.
    const excess = ((u64.MAX_VALUE % bound) + 1) % bound;
    for (;;) {
      const bits = this.nextU64();
      if (bits <= u64.MAX_VALUE - excess) return bits % bound;
    }
  }

  /** Fills all of `bytes`. */
  fill(bytes: Uint8Array): void {
    let bits: u64 = 0;
    for (let i = 0, length = bytes.length; i < length; i++) {
      if ((i & 7) == 0) bits = this.nextU64();
      unchecked((bytes[i] = <u8>(bits >> (<u64>(i & 7) << 3))));
    }
  }

  /** Puts the items in a random order, all equally likely. */
  shuffle<T>(items: Array<T>): void {
    for (let last = items.length - 1; last > 0; last--) {
      const other = <i32>this.below(<u64>last + 1);
      const item = unchecked(items[last]);
      unchecked((items[last] = items[other]));
      unchecked((items[other] = item));
    }
  }
}

let ofCall: Random | null = null;

/** The generator of the call. */
export function callRandom(): Random {
  let random = ofCall;
  if (random === null) {
    random = fromSeed();
    ofCall = random;
  }
  return random;
}

function fromSeed(): Random {
  contextRandomSeed(AREA);
  const seed = load<usize>(AREA);
  const random = new Random(load<u64>(seed), load<u64>(seed, 8), load<u64>(seed, 16), load<u64>(seed, 24));
  freeBlock(seed, load<usize>(AREA, 4));
  return random;
}

/** The seed of the language's own `Math.random`. */
// @ts-ignore: decorator
@global
function __weir_seed(): f64 {
  return reinterpret<f64>(callRandom().nextU64());
}
