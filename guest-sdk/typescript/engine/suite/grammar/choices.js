// Choices of a generator of programs, and what is in reach where it stands.

/** A generator of numbers, mulberry32. */
function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class Choices {
  #random;
  /** Names of variables in reach, the innermost last. */
  names = [];
  made = 0;
  depth = 0;
  /** What encloses: whether `await`, `yield`, `return`, `break` may stand here. */
  inside = { async: false, generator: false, function: false, loop: false };

  constructor(seed) {
    this.#random = randomOf(seed * 2654435761 + 1);
  }

  below(count) {
    return Math.floor(this.#random() * count);
  }

  chance(share) {
    return this.#random() < share;
  }

  pick(items) {
    return items[this.below(items.length)];
  }

  /** One of the makers, each as often as its weight says. */
  weighted(pairs) {
    let at = this.#random() * pairs.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, make] of pairs) {
      at -= weight;
      if (at < 0) return make();
    }
    return pairs[0][1]();
  }

  fresh(prefix) {
    return `${prefix}${this.made++}`;
  }

  globals() {
    return this.names.filter((name) => name.startsWith("g"));
  }

  variable() {
    return this.names.length === 0 ? "undefined" : this.pick(this.names);
  }

  /** Something inside a function or block, whose names end with it. */
  scoped(inside, names, make) {
    const [before, length] = [this.inside, this.names.length];
    this.inside = { ...this.inside, ...inside };
    this.names.push(...names);
    this.depth++;
    try {
      return make();
    } finally {
      this.depth--;
      this.inside = before;
      this.names.length = length;
    }
  }
}
