/** What a sum of rewards refuses: parts, values and counts that are none. @module */
import { described } from "../base/excerpt.ts";
import { isExact } from "./exact.ts";
import type { Reward } from "./reward.ts";

const NAME = /^[a-z][a-z0-9_]*$/;

/** A part of a sum, as a program may hand it in. */
interface Part {
  reward: Reward;
  weight: number;
  counts?: readonly string[];
}

/**
 * Checks the parts of a sum.
 * @throws {TypeError} for no parts, what is no reward, a name that is not lower-case letters, digits and
 * _, that comes twice or that is `exact` though the reward is another, counts without declared names
 * @throws {RangeError} for a weight that is not finite
 */
export function checkParts(parts: readonly Part[]): void {
  const cannot = (rule: string) => new TypeError(`Cannot combine rewards as ${rule}`);
  if (parts.length === 0) throw cannot("at least one is needed: 0");
  const seen = new Set<string>();
  for (const { reward, weight, counts = reward?.counts } of parts) {
    if (typeof reward?.score !== "function") {
      throw cannot(`each has a name and score(): one is ${described(reward)}`);
    }
    const { name } = reward;
    if (typeof name !== "string" || !NAME.test(name)) {
      throw cannot(`names are a-z, 0-9 and _: one is ${described(name)}`);
    }
    if (seen.has(name)) throw cannot(`names must differ: "${name}" comes twice`);
    seen.add(name);
    if (name === "exact" && !isExact(reward)) {
      throw cannot('"exact" is measured beside every sum: a reward of your own needs another name');
    }
    if (!Number.isFinite(weight)) {
      throw new RangeError(`Cannot combine rewards as weights are finite: ${name} has ${weight}`);
    }
    if (reward.takeCounts && !counts) {
      throw cannot(`${name} has takeCounts(), whose names its \`counts\` must list: it has none`);
    }
    const bad = counts?.find((count) => !NAME.test(count) || /^(mean|std)$/.test(count));
    if (bad === undefined) continue;
    throw cannot(
      `counts are named by a-z, 0-9 and _, and not "mean" or "std": ${name} has "${bad}"`,
    );
  }
}

/**
 * What a reward gave for B completions, where it is what it must be.
 * @throws {TypeError} for what is not an array, or a value that is neither number nor null
 * @throws {RangeError} for another number of values, or one that is not finite
 */
export function checkColumn(name: string, given: unknown, B: number): (number | null)[] {
  const rule = `Cannot use the reward ${name} as`;
  if (!Array.isArray(given)) {
    throw new TypeError(
      `${rule} score() must give an array of ${B} values: it gave ${described(given)}`,
    );
  }
  if (given.length !== B) {
    throw new RangeError(`${rule} it must give ${B} values: it gave ${given.length}`);
  }
  for (let row = 0; row < B; row++) {
    const value = given[row];
    if (value === null || Number.isFinite(value)) continue;
    const Kind = typeof value === "number" ? RangeError : TypeError;
    throw new Kind(`${rule} values are finite or null: row ${row} has ${described(value)}`);
  }
  return given;
}

/** @throws {TypeError} for a count that `names` does not list, or that is not a finite number */
export function checkCounts(
  reward: string,
  taken: Readonly<Record<string, number>>,
  names: readonly string[],
): Readonly<Record<string, number>> {
  for (const [name, count] of Object.entries(taken)) {
    if (names.includes(name) && Number.isFinite(count)) continue;
    const rule = names.includes(name)
      ? `${name} must be a finite number: it is ${count}`
      : `its \`counts\` must list every name beforehand: "${name}" is not among ${
        names.join(", ") || "none"
      }`;
    throw new TypeError(`Cannot report what the reward ${reward} counts as ${rule}`);
  }
  return taken;
}
