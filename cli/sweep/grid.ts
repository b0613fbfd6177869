/**
 * Several values where one run has one. Commas part them where no value can have one: numbers, choices, true
 * or false, names of algorithms and presets. Rewards and models have commas of their own (`semantic:0.5,exact`,
 * a path), so that there `|` parts them; other texts are one value, whatever they hold.
 * @module
 */
import type { Option } from "../../base/options.ts";
import type { SweepAxis, SweepCell } from "../../experiment/folder/sweep_file.ts";
import { hostsIn, trainCommand } from "../../experiment/servers.ts";
import { UsageError } from "../command.ts";

/** Most runs of a sweep. */
export const MOST_CELLS = 10_000;

/** Flags that may have several values, in the order of the grid, and what parts these; seeds vary fastest. */
export const FLAG_SEPARATORS = {
  algorithm: ",",
  preset: ",",
  model: "|",
  reward: "|",
  steps: ",",
  seed: ",",
} as const;

/** What parts the values of a setting; undefined where a comma may be a part of one. */
export const separatorOf = ({ kind }: Option): "," | undefined => kind === "text" ? undefined : ",";

/**
 * The values of an option as given; one where nothing parts them.
 * @throws {UsageError} where a value is missing, given twice, or a decimal comma is likely
 */
export function valuesOf(name: string, text: string, separator: string): string[] {
  const values = text.split(separator).map((value) => value.trim());
  if (values.length === 1) return [text];
  const cannot = `Cannot sweep ${name} over "${text}" as`;
  if (values.includes("")) {
    throw new UsageError(`${cannot} a value stands on each side of ${separator}: one is missing`);
  }
  const seen = new Set<string | number>();
  for (const value of values) {
    if (/^0\d/.test(value)) {
      throw new UsageError(
        `${cannot} ${value} begins with a zero: a decimal sign is a point, and a comma parts values`,
      );
    }
    const same = Number.isNaN(Number(value)) ? value : Number(value);
    if (seen.has(same)) {
      throw new UsageError(`${cannot} each value is one run: ${value} comes twice`);
    }
    seen.add(same);
  }
  return values;
}

/** Every combination of values, the last axis' fastest. @throws {UsageError} for more than 10,000 */
export function combinations(axes: readonly SweepAxis[]): Record<string, string>[] {
  const count = axes.reduce((product, { values }) => product * values.length, 1);
  if (count > MOST_CELLS) {
    throw new UsageError(
      `Cannot sweep over ${count} combinations as a sweep has at most ${MOST_CELLS} runs: give fewer values`,
    );
  }
  return axes.reduce<Record<string, string>[]>(
    (rows, { name, values }) =>
      rows.flatMap((row) => values.map((value) => ({ ...row, [name]: value }))),
    [{}],
  );
}

/** The runs of a grid; `words` tells those of a combination. */
export function cellsOf(
  axes: readonly SweepAxis[],
  words: (values: Readonly<Record<string, string>>) => string[],
): SweepCell[] {
  const rows = combinations(axes), digits = String(rows.length).length;
  return rows.map((values, i) => ({
    folder: `${String(i + 1).padStart(digits, "0")}-${slug(values)}`,
    values,
    words: words(values),
  }));
}

/** The settings among the words of a run, `name=value`, as they were given. */
export const settingsIn = (words: readonly string[]): Map<string, string> =>
  new Map(
    words.filter((word) => /^\w+=/.test(word)).map((word) => {
      const at = word.indexOf("=");
      return [word.slice(0, at), word.slice(at + 1)];
    }),
  );

/** The words before `--resume` of a sweep with these runs, which all ask the same servers. */
export const trainOf = (cells: readonly Pick<SweepCell, "words">[]): string =>
  trainCommand(hostsIn(Object.fromEntries(settingsIn(cells[0].words))));

/** A combination as a part of a folder's name: its number alone tells cells apart. */
const slug = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values).map(([name, value]) => `${name}-${value}`).join("-")
    .replaceAll(/[^\p{L}\p{N}.-]+/gu, "-").replaceAll(/-{2,}/g, "-").slice(0, 80).replace(
      /[.-]+$/,
      "",
    );

/** A combination for people: `learningRate 1e-4, seed 2`. */
export const valueWords = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values).map(([name, value]) => `${name} ${value}`).join(", ");
