/**
 * Counter-free random numbers for building the corpus: the same seed gives the same text everywhere.
 * @module
 */

/**
 * A small seeded generator (mulberry32: one 32-bit state, a multiply-xor mix a draw). Enough for
 * choosing words and order; sampling in training uses Philox instead.
 */
export class Random {
  #state: number;

  /** @param seed any integer; its low 32 bits count */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let x = this.#state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  }

  /** An integer in [low, high], both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One item, each equally likely. */
  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError("Cannot pick as the list is empty: 0 items");
    return items[this.integer(0, items.length - 1)];
  }

  /** `count` different items in random order (all of them when there are fewer). */
  some<T>(items: readonly T[], count: number): T[] {
    return this.shuffle([...items]).slice(0, count);
  }

  /** Puts the items in random order, in place (Fisher and Yates), and gives them back. */
  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(0, i);
      [items[i], items[j]] = [items[j], items[i]];
    }
    return items;
  }
}

/**
 * Puts values into a template: `{a}` gives the value called `a`, `{A}` the same with a capital
 * first letter; "a" before a vowel becomes "an". Throws a RangeError for a name that has no value.
 */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name] ?? values[name.toLowerCase()];
    if (value === undefined) {
      throw new RangeError(
        `Cannot fill the template as a value is missing: {${name}} in "${template}"`,
      );
    }
    return name in values ? value : value.charAt(0).toUpperCase() + value.slice(1);
  }).replace(/\b([Aa]) (?=[aeiou])/g, "$1n ");
}
