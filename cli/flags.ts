/** Flags that several commands have. @module */
import { join } from "node:path";
import type { Option } from "../base/options.ts";

/** `--seed` */
export const SEED = {
  kind: "integer",
  default: 1,
  min: 0,
  max: 4294967295,
  doc: "Key of every random number: the same seed on the same device gives the same metrics.csv",
  group: "Run",
} as const satisfies Option;

const MOST_SEEDS = 20; // of a range that are written out

/** The seeds that a range means, with commas between: "1,2,3" of "1-3"; undefined where it is none. */
export function seedsMeant(text: string): string | undefined {
  const [, from, to] = /^(\d{1,10})(?:-|\.{2,3}|:|…|–)(\d{1,10})$/.exec(text.replaceAll(" ", "")) ??
    [];
  const [first, count] = [Number(from), Number(to) - Number(from) + 1];
  if (!(count > 1)) return undefined;
  const seeds = Array.from({ length: Math.min(count, MOST_SEEDS) }, (_, i) => first + i);
  return seeds.join() + (count > MOST_SEEDS ? `,...,${to}` : "");
}

/** What whoever writes a range after the flag of this name is told. */
export const seedsHint = (flag: string, text: string): string | undefined => {
  const seeds = seedsMeant(text);
  return seeds && `Several seeds have commas between: ${flag} ${seeds}`;
};

/** `--device` */
export const DEVICE = {
  kind: "choice",
  default: "auto",
  choices: ["auto", "webgpu", "cpu"],
  doc: "Where kernels run; auto takes a hardware adapter, else a software one, else the CPU twins",
  group: "Run",
} as const satisfies Option;

/** `--memory` */
export const MEMORY = {
  kind: "number",
  otherwise: "what is free, less 0.5 GiB, where the processor computes; else unknown",
  unit: "GiB",
  min: 0,
  above: true,
  max: 65_536, // who writes bytes is told the unit
  doc: "Most device memory to take: a run that needs more is refused before it begins",
  group: "Run",
} as const satisfies Option;

/** `--json` */
export const JSON_FLAG = {
  kind: "boolean",
  default: false,
  doc: "Print one JSON object as the last line of standard output; words go to standard error",
  group: "Output",
} as const satisfies Option;

/** `--quiet` */
export const QUIET = {
  kind: "boolean",
  default: false,
  doc: "No progress, only the closing lines",
  group: "Output",
} as const satisfies Option;

/** The rule of `--out`: a folder of its own below `place`, which holds others. */
export const ownFolder = (place: string): Pick<Option, "check"> => ({
  check: (value) =>
    [place, ".", ".."].includes(join(`${value}`, "."))
      ? `a folder of its own, such as ${place}/NAME`
      : undefined,
});

/** `--model` */
export const MODEL = {
  kind: "text",
  default: "tiny",
  unit:
    "tiny, small, a run (its last checkpoint), RUN@best, a folder, or a fetched OWNER/NAME[@REVISION]",
  doc: "Model to start from, as Hugging Face keeps it; tiny and small ship with the repository",
  group: "What to train",
} as const satisfies Option;
