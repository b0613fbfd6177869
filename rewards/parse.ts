/** Reads reward specifications: `NAME[:weight],NAME[:weight],…`, where NAME may be a module's path. @module */
import { unknownName } from "../base/names.ts";
import { isModuleFile, isPath } from "../base/own_file.ts";

/** One term of a weighted sum. A weight of 0 means: measured, not trained on. */
export interface RewardTerm {
  /** Of the registry, or the path of a module. */
  name: string;
  weight: number;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

const FILE = /^\s*(.+\.(?:ts|mts|js|mjs))\s*(?::(.*))?$/is; // its path may have a colon: C:\my_reward.ts
const PLAIN = /^([^:]*)(?::(.*))?$/s;

/** Name and weight of a part, both as texts. */
function partOf(part: string): [name: string, digits: string] {
  const [, name, digits = "1"] = FILE.exec(part) ?? PLAIN.exec(part)!;
  return [name.trim(), digits.trim()];
}

/** Name and weight of each part, as they stand there, 1 where there is no weight: none of it is checked. */
export const rewardParts = (text: string): [name: string, digits: string][] =>
  text.split(",").map(partOf);

/**
 * `"semantic:0.5,exact"` is semantic with weight 0.5 and exact with weight 1.
 * @param names the rewards there are.
 * @throws {TypeError} for an unknown name (with the nearest one) or one given twice
 * @throws {RangeError} for a weight that is not a finite number, or when every weight is 0
 */
export function parseRewards(text: string, names: readonly string[]): RewardTerm[] {
  const terms = parseTerms(text, names);
  if (terms.some(({ weight }) => weight !== 0)) return terms;
  throw new RangeError(`Cannot train on the rewards "${text}" as every weight is 0`);
}

/** As `parseRewards`, for a part of a sum: another part may bear all the weight. */
export function parseTerms(text: string, names: readonly string[]): RewardTerm[] {
  const terms: RewardTerm[] = [];
  for (const part of text.split(",")) {
    const [name, digits] = partOf(part);
    const rule = `Cannot read the rewards ${JSON.stringify(text)}`;
    if (name === "") {
      throw new TypeError(`${rule} as each part is NAME or NAME:weight: "${part}" has no name`);
    }
    if (!names.includes(name) && !isModuleFile(name)) {
      if (!isPath(name)) throw unknownName("reward", name, names);
      throw new TypeError(
        `${rule} as a reward's file ends in .ts, .mts, .js or .mjs and has no comma in its path: ` +
          `"${name}" does not`,
      );
    }
    if (terms.some((term) => term.name === name)) {
      throw new TypeError(`${rule} as each reward may occur once: "${name}" comes again`);
    }
    const weight = NUMBER.test(digits) ? Number(digits) : NaN;
    if (!Number.isFinite(weight)) {
      throw new RangeError(`${rule} as a weight must be a finite number: ${name} has "${digits}"`);
    }
    terms.push({ name, weight });
  }
  return terms;
}
