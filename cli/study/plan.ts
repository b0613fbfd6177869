/** The runs of a study as a sweep over its arms and seeds. @module */
import about from "../../deno.json" with { type: "json" };
import type { Sweep } from "../../experiment/folder/sweep_file.ts";
import { requestOf, type Study, trainWords } from "../../experiment/studies/study.ts";
import { UsageError } from "../command.ts";
import { seedsHint } from "../flags.ts";
import { quoted } from "../terminal.ts";

/** What is asked of a study. */
export interface StudyAsked {
  isQuick: boolean;
  seeds: readonly number[];
}

/** The axis that tells arms apart. */
export const ARM = "arm";

/** A part of a folder's name for an arm. */
const slug = (name: string): string => name.replaceAll(/[^\w.-]+/g, "-");

/** All runs, the seeds of an arm one after the other. */
export function sweepOf(study: Study, { isQuick, seeds }: StudyAsked): Sweep {
  const runs = study.arms.flatMap((arm) => seeds.map((seed) => ({ arm, seed })));
  const digits = String(runs.length).length;
  return {
    task: study.name,
    command: commandOf(study, { isQuick, seeds }),
    started: new Date().toISOString(),
    axes: [
      { name: ARM, values: study.arms.map(({ name }) => name) },
      { name: "seed", values: seeds.map(String) },
    ],
    cells: runs.map(({ arm, seed }, i) => ({
      folder: `${String(i + 1).padStart(digits, "0")}-${slug(arm.name)}-seed-${seed}`,
      values: { [ARM]: arm.name, seed: String(seed) },
      words: trainWords({ ...requestOf(study, arm, isQuick), seed }),
    })),
    versions: { plainrl: about.version, deno: Deno.version.deno },
  };
}

/** Seeds where none are asked for: one is enough to see that everything runs. */
export const usualSeeds = ({ seeds }: Study, isQuick: boolean): readonly number[] =>
  isQuick ? seeds.slice(0, 1) : seeds;

/** The line that repeats the study. */
export function commandOf(study: Study, { isQuick, seeds }: StudyAsked): string {
  const own = seeds.join() === usualSeeds(study, isQuick).join() ? [] : ["--seeds", seeds.join()];
  return ["deno task study", study.name, ...(isQuick ? ["--quick"] : []), ...own].map(String)
    .join(" ");
}

/** @throws {UsageError} where `found`, which lies in `folder`, is of other runs */
export function checkSame(found: Sweep, wanted: Sweep, folder: string): void {
  const runs = ({ axes, cells }: Sweep) => JSON.stringify([axes, cells]);
  if (runs(found) === runs(wanted)) return;
  throw new UsageError(
    `Cannot go on with ${folder} as its runs are others, those of ${found.command}: choose another ` +
      `place with --out, or remove it: rm -r ${quoted(folder)}`,
  );
}

/** Whole numbers with commas between, each once. @throws {UsageError} for anything else */
export function seedsIn(text: string): number[] {
  const seeds = text.split(",").map((part) => /^\d{1,10}$/.test(part.trim()) ? Number(part) : NaN);
  const isSound = seeds.every((seed) => seed >= 0 && seed < 2 ** 32) &&
    new Set(seeds).size === seeds.length;
  if (isSound) return seeds;
  const hint = seedsHint("--seeds", text);
  throw new UsageError(
    `Cannot run the study as --seeds must be different whole numbers from 0 to 4294967295, such as 1,2,3: ` +
      `it is ${JSON.stringify(text)}` + (hint === undefined ? "" : `. ${hint}`),
  );
}
