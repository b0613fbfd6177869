/** What tasks share that read a data file: its settings, and which of its records are asked. @module */
import type { Option, OptionRows } from "../base/options.ts";
import { shown } from "../base/excerpt.ts";
import { permutation, STREAMS } from "../base/random.ts";
import type { Example } from "../rewards/reward.ts";
import type { Splits } from "./prompts.ts";
import { type DataRecord, recordError } from "./records/record.ts";
import type { DataFile, Task, TaskContext } from "./task.ts";

const HELD_OUT = 0.2; // share of the prompts

/** The option `data` of a task that has `otherwise` without it. */
export const dataOption = (otherwise: string, columns: string) =>
  ({
    kind: "text",
    unit: "a file, or OWNER/NAME of a fetched data set",
    otherwise,
    doc: `parquet, JSON, JSONL or CSV with ${columns}`,
    group: "Task",
  }) as const satisfies Option;

// deno-fmt-ignore
/** How many prompts there are, and which. */
export const DRAW = {
  count: { kind: "integer", default: 256, min: 2, max: 100_000, unit: "prompts", usual: "100 to 1000", doc: "most prompts, those held out included; drawn where there are more", group: "Task" },
  splitSeed: { kind: "integer", default: 1, min: 0, max: 2 ** 32 - 1, doc: "key of which prompts those are, and which a fifth of them is held out: the same for runs of every --seed", group: "Task" },
} as const satisfies OptionRows;

/** Values of `DRAW`. */
export type DrawSettings = Readonly<Record<keyof typeof DRAW, number>>;

/**
 * The files that `data` names.
 * @throws {TypeError} where there are no files; {Error} where it cannot be read
 */
export async function openData(
  data: string,
  { readData, readDataFiles }: TaskContext,
): Promise<readonly DataFile[]> {
  if (readDataFiles) return await readDataFiles(data);
  if (readData) return [await readData(data)];
  throw new TypeError(
    `Cannot read ${shown(data)} as there are no files here: leave data out for what comes along`,
  );
}

/** What is made of a record; undefined leaves it out. */
export type Made<E extends Example> = (record: DataRecord, id: string) => E | undefined;

/** Examples by split, what was left out, in sentences, and which settings made no difference. */
export interface Drawn<E extends Example> extends Required<Pick<Task, "idle">> {
  examples: Splits<E>;
  notices: string[];
}

/**
 * Makes an example of each record, leaves out those whose prompt came before, and draws `count`. Where
 * records have `split` (train or heldout) that parts them, and those without one are trained on; else a
 * fifth is held out.
 * @throws {SyntaxError} for a split that is neither, no record left to train on, and what `make` throws
 */
export function drawExamples<E extends Example>(
  records: readonly DataRecord[],
  make: Made<E>,
  { count, splitSeed }: DrawSettings,
): Drawn<E> {
  const all: { example: E; split: unknown }[] = [], seen = new Set<string>();
  const { file, idOf } = filesOf(records);
  let twice = 0, unused = 0;
  for (const record of records) {
    const { split } = record.values;
    if (split !== undefined && split !== "train" && split !== "heldout") {
      throw recordError(record, `split must be train or heldout: it is ${shown(split, 40)}`);
    }
    const example = make(record, idOf(record));
    if (example === undefined) unused++;
    else if (seen.has(example.prompt)) twice++;
    else {
      seen.add(example.prompt);
      all.push({ example, split });
    }
  }
  const order = permutation(all.length, { seed: splitSeed, step: 0, epoch: 0 }, STREAMS.heldout);
  const isSplit = all.some(({ split }) => split !== undefined);
  const drawn = isSplit
    ? drawSplits(order, (i) => all[i].split === "heldout", count)
    : order.slice(0, count);
  const held = new Set(
    isSplit ? drawn.filter((i) => all[i].split === "heldout") : drawn.slice(
      0,
      Math.min(drawn.length - 1, Math.max(1, Math.round(HELD_OUT * drawn.length))),
    ),
  );
  const examples: Splits<E> = { train: [], heldout: [] };
  for (const i of drawn.sort((a, b) => a - b)) {
    examples[held.has(i) ? "heldout" : "train"].push(all[i].example);
  }
  if (examples.train.length === 0) {
    const now = `none of ${records.length} is`;
    throw recordError({ file, place: "" }, `records must be left to train on: ${now}`);
  }
  const of = `of ${records.length} records of ${file} are left out:`;
  const unsplit = all.filter(({ split }) => split === undefined).length;
  const notices = [
    isSplit && unsplit > 0 &&
    `${unsplit} of ${all.length} prompts of ${file} have no split, where others have one: they count as training prompts`,
    twice > 0 && `${twice} ${of} their prompts came before`,
    unused > 0 && `${unused} ${of} they have no label`,
    all.length > drawn.length &&
    `${drawn.length} of ${all.length} prompts of ${file} are used, drawn by splitSeed=${splitSeed}: count says how many`,
  ].filter((notice) => notice !== false);
  return { examples, notices, idle: idleOf({ count, n: all.length, isSplit, file }) };
}

/** Which of the settings decide nothing of n prompts, and why. */
function idleOf(
  { count, n, isSplit, file }: { count: number; n: number; isSplit: boolean; file: string },
): Record<string, string> {
  const isAll = n <= count, all = `all ${n} prompts of ${file} are used`;
  return {
    ...(isAll && n <= DRAW.count.default && { count: all }),
    ...(isAll && isSplit && { splitSeed: `${all}, parted by their split` }),
  };
}

/** The first `count` in `order`; where there are more, about a fifth of them held out, as far as both reach. */
function drawSplits(
  order: readonly number[],
  isHeld: (i: number) => boolean,
  count: number,
): number[] {
  if (order.length <= count) return [...order];
  const held = order.filter(isHeld), train = order.filter((i) => !isHeld(i));
  const share = Math.min(held.length, Math.max(1, Math.round(HELD_OUT * count)));
  const trained = Math.min(train.length, count - share);
  return [...train.slice(0, trained), ...held.slice(0, count - trained)];
}

/** How errors call the files of records, and an id of each record that no other has. */
function filesOf(records: readonly DataRecord[]) {
  const names = [...new Set(records.map(({ file }) => file))], [first = ""] = names;
  const short = (file: string) => file.replace(/^.*[/\\]/, "");
  const isOnce = new Set(names.map(short)).size === names.length;
  return {
    file: names.length > 1 ? `${first} and ${names.length - 1} more` : first,
    idOf: ({ file, place }: DataRecord) => (isOnce ? short(file) : file) + place.replace(",", ""),
  };
}
