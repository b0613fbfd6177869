/** A task from a table of one's own: CSV with the columns prompt, answer and split. @module */
import { csvError, readCsvTable } from "../base/csv.ts";
import { defineOptions, type OptionRows, type OptionValues } from "../base/options.ts";
import { taskNameOf } from "../base/own_file.ts";
import { tableParent } from "../rewards/parents/table.ts";
import type { Parent } from "../rewards/reward.ts";
import { checkRows, drawRows, exampleOf } from "./csv_rows.ts";
import type { Task, TaskDefinition } from "./task.ts";

// deno-fmt-ignore
const ROWS = {
  heldoutShare: { kind: "number", default: 0.2, min: 0, max: 0.9, usual: "0.1 to 0.3", doc: "share of the rows that is held out, where the table has no column split", group: "Task" },
  splitSeed: { kind: "integer", default: 1, min: 0, max: 2 ** 32 - 1, doc: "key of which rows those are: the same for runs of every --seed", group: "Task" },
} as const satisfies OptionRows;

/** Settings of a table as a task. */
export type CsvSettings = OptionValues<typeof ROWS>;

/** What a table is called and, where it has no column `split`, how it is parted. */
export interface CsvTaskOptions extends Partial<CsvSettings> {
  /** For errors, and the task's name unless that is given. */
  file: string;
  /** Default: from `file`. */
  name?: string;
}

const OPTIONS = defineOptions("a table of prompts", ROWS);
const LONGEST = 64; // tokens of a completion, whatever the answers are

/**
 * Reads a task from UTF-8 CSV with a header. Columns: `prompt`; where answers are known `answer`, empty for
 * a row without one; `split`, train or heldout, else a share is held out by `splitSeed`; `id`, else FILE:LINE.
 * Further columns are on the examples under their names. A completion may have as many tokens as the longest
 * answer has bytes and one that ends it, at most 64; 16 where there are no answers.
 * @throws {SyntaxError} with file and line, for what is no such table, an empty prompt or one that comes
 * twice, a split that is neither, no row to train on
 */
export function csvTask(table: string | Uint8Array, options: CsvTaskOptions): Task {
  const { file: _, name: __, ...given } = options, task = tableTask(table, options);
  const idle = Object.entries(task.idle ?? {})
    .filter(([name]) => given[name as keyof CsvSettings] !== undefined)
    .map(([name, why]) => `${name}=${given[name as keyof CsvSettings]} changes nothing as ${why}`);
  return { ...task, notices: [...task.notices ?? [], ...idle] };
}

/** As `csvTask`, without a word about settings that were given in vain. */
function tableTask(table: string | Uint8Array, options: CsvTaskOptions): Task {
  const { file, name = taskNameOf(file), ...settings } = options;
  const { heldoutShare, splitSeed } = OPTIONS.resolve(settings);
  const { header, rows } = readCsvTable(textOf(table, file), {
    ...{ file, columns: ["prompt"], optional: ["answer", "split"] },
  });
  checkRows(rows, file);
  const examples = rows.map((row) => exampleOf(row, file));
  const isSplit = header.includes("split");
  const heldout = isSplit
    ? new Set(rows.flatMap(({ values: { split } }, i) => split === "heldout" ? i : []))
    : drawRows(rows.length, heldoutShare, splitSeed);
  const parts = {
    train: examples.filter((_, i) => !heldout.has(i)),
    heldout: examples.filter((_, i) => heldout.has(i)),
  };
  if (parts.train.length === 0) {
    throw csvError(file, rows.at(-1)!.line, "rows must be left to train on: all are held out");
  }
  const answers = new Map(
    examples.flatMap(({ id, answer }) => answer === undefined ? [] : [[id, answer] as const]),
  );
  const bytes = [...answers.values()].map((answer) => new TextEncoder().encode(answer).length);
  return {
    name,
    summary: `prompts of ${file}`,
    examples: parts,
    maxNewTokens: bytes.length === 0 ? 16 : Math.min(LONGEST, Math.max(...bytes) + 1),
    defaultRewards: answers.size === 0 ? "" : "exact",
    steps: 40,
    settings: {
      batchSize: 48,
      epochs: 2,
      learningRate: 2e-4, // for a model of 0.9 M parameters; GPT-2's size wants less
      learningRateSchedule: "linear",
      klCoefficient: 0.05,
      klControl: "fixed",
    },
    parent: answers.size === 0 ? noAnswers(file) : tableParent(answers, file),
    notices: isSplit ? [] : [
      `${heldout.size} of ${rows.length} prompts of ${file} are held out, drawn by splitSeed=${splitSeed}: ` +
      "a column split (train, heldout) says which",
    ],
    idle: isSplit
      ? { heldoutShare: HAS_SPLIT, splitSeed: HAS_SPLIT }
      : heldout.size === 0
      ? { splitSeed: "none is held out" }
      : {},
  };
}

const HAS_SPLIT = "the table has a column split, which says what is held out";

/** The definition of the table in `file`, which `readData` of its context reads. */
export const csvDefinition = (file: string): TaskDefinition<CsvSettings> => ({
  name: taskNameOf(file),
  summary: `prompts of ${file}`,
  options: OPTIONS,
  async open(settings, { readData }) {
    if (readData) return tableTask((await readData(file)).bytes, { file, ...settings });
    throw new TypeError(
      `Cannot read ${file} as there are no files here: use csvTask() on its text`,
    );
  },
});

function textOf(table: string | Uint8Array, file: string): string {
  if (typeof table === "string") return table;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(table);
  } catch {
    throw new SyntaxError(`Cannot read ${file} as it must be UTF-8 text: save it as CSV UTF-8`);
  }
}

const noAnswers = (file: string): Parent => ({
  name: file,
  answer: () =>
    Promise.reject(
      new TypeError(
        `Cannot give answers as ${file} has none: add a column "answer", or use a reward without`,
      ),
    ),
});
