/** The folder that an evaluation is written into: whole, or not at all. @module */
import { basename, dirname, join } from "node:path";
import { asUsage } from "../../base/usage.ts";
import { disk } from "../../model/files/disk.ts";
import type { EvalResult } from "../eval/eval.ts";
import { evalTableText } from "../eval/table.ts";
import { listFolder, placeFolder, replaceFile, requireWritable, writeError } from "./files.ts";
import { refuseLinks } from "./links.ts";

/** Where evaluations are written, each into a folder of its own. */
export const EVALS = "evals";

/** Every answer, a row a pair. */
export const EVAL_TABLE = "eval_results.csv";

/** `evals/NAME-TASK-TIME`, the time in UTC; with a number behind it where that is there. */
export async function evalFolder(
  name: string,
  task: string,
  now: Date = new Date(),
): Promise<string> {
  const time = now.toISOString().slice(0, 19).replaceAll(":", "").replace("T", "-");
  const plain = (text: string) => text.replaceAll(/[^\p{L}\p{M}\p{N}._-]+/gu, "-").slice(0, 80);
  const path = join(EVALS, `${plain(name)}-${plain(task)}-${time}`),
    there = await listFolder(EVALS);
  for (let i = 1;; i++) {
    const free = i === 1 ? path : `${path}-${i}`;
    if (!there.includes(basename(free))) return free;
  }
}

/**
 * Refuses a place where an evaluation cannot be written, before it takes its time.
 * @throws {Error} marked as usage, where something is, or a link leads out of where it lies
 * @throws {WriteError} where this program may not write
 */
export async function requirePlace(out: string): Promise<void> {
  requireWritable(out, EVALS);
  await refuseLinks(out, EVALS);
  if ((await listFolder(out).catch(() => ["a file"])).length === 0) return;
  throw asUsage(
    new Error(`Cannot write ${out} as it is not empty. Choose another folder with --out`),
  );
}

/**
 * Writes table and summary into the folder `out`, which must not be there, or be empty.
 * @throws {WriteError} where it cannot be written; nothing of it is then left
 */
export async function writeEval(out: string, { summary, ...answers }: EvalResult): Promise<void> {
  const folder = join(dirname(out), basename(out));
  await requirePlace(folder);
  try {
    await placeFolder(folder, async (to) => {
      await replaceFile(join(to, EVAL_TABLE), evalTableText(answers), disk);
      await replaceFile(join(to, "summary.json"), JSON.stringify(summary, null, 2) + "\n", disk);
    });
  } catch (error) {
    throw writeError(folder, error, EVALS);
  }
}
