/** Whether a run that would continue is the one that saved a checkpoint. @module */
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { isModuleFile } from "../../base/own_file.ts";
import { quoted } from "../../base/shell.ts";
import { renamed, type WrittenTuning } from "../../kernels/tuning.ts";
import type { Task } from "../../tasks/task.ts";
import type { RunInfo } from "../observer.ts";
import { CheckpointError } from "./checkpoint.ts";
import { type Identity, identityOf, type Manifest } from "./manifest.ts";
import { readRunConfig } from "./run_data.ts";

/** SHA-256 of a task's examples, in hexadecimal digits. */
export const hashOfExamples = ({ examples: { train, heldout } }: Pick<Task, "examples">): string =>
  createHash("sha256").update(JSON.stringify([train, heldout])).digest("hex");

/**
 * What is not as it was, one phrase each; fields and settings that `now` does not have are passed over,
 * and so is what `changed` names, settings and "files" of the user's own: whoever resumes asked for those.
 */
export function differences(
  was: Identity,
  now: Partial<Identity>,
  changed: readonly string[] = [],
): string[] {
  const found: string[] = [];
  const differ = (a: unknown, b: unknown) => canonical(a) !== canonical(b);
  const told = (what: string, a: unknown, b: unknown) => {
    if (differ(a, b)) found.push(`${what} is ${words(b)}, it was ${words(a)}`);
  };
  if (now.run !== undefined && now.run !== was.run) found.push("it belongs to another run");
  for (const field of ["task", "algorithm", "seed"] as const) {
    if (now[field] !== undefined) told(`the ${field}`, was[field], now[field]);
  }
  const isOther = changed.includes("files");
  if (now.data !== undefined && now.data !== was.data && !isOther) {
    found.push(`the examples of the task ${was.task} have changed`);
  }
  if (now.source && differ(was.source, now.source)) {
    found.push("it started from another model, or from other files of it");
  }
  for (const [name, a, b] of pairs(was.shape, now.shape)) told(`the model's ${name}`, a, b);
  for (const [name, a, b] of pairs({ ...blank(now.weights), ...was.weights }, now.weights)) {
    told(`the weight of ${name}`, a, b);
  }
  // Earlier versions kept none; what rewards there are is told by their weights.
  const sums = was.rewardFiles && { ...blank(now.rewardFiles), ...was.rewardFiles };
  for (const [path, a, b] of pairs(sums ?? {}, now.rewardFiles)) {
    if (a !== b && !(isOther && isModuleFile(path))) {
      found.push(`the reward's file ${path} ${a && b ? "has changed" : "is another"}`);
    }
  }
  for (const [name, a, b] of pairs(was.settings, now.settings)) {
    if (name === "seed" || changed.includes(name)) continue;
    // A table's longest answer decides how long completions may be.
    if (!(isOther && name === "maxNewTokens")) told(name, a, b);
  }
  return found;
}

/**
 * Refuses a checkpoint that another run saved, or this one before something of it changed. Gives what people
 * should know, where it is taken.
 * @param changed settings, or "device", that may differ
 * @throws {CheckpointError} naming all that differs
 */
export async function requireSame(
  folder: string,
  manifest: Manifest | undefined,
  info: RunInfo,
  changed: readonly string[] = [],
): Promise<string[]> {
  if (!manifest) {
    return [`${folder} has no manifest, as in earlier versions: it is taken as it is, unchecked`];
  }
  const { run: _, ...now } = identityOf(info, null); // the folder of the run compares that
  const found = differences(manifest, now, changed);
  if (found.length > 0) {
    throw new CheckpointError(folder, `the run is not as it was then: ${found.join("; ")}`, {
      cure: "Put it back as it was, or start a new run from these weights: " +
        await commandFrom(folder, info),
    });
  }
  const [was, is] = [manifest.device, info.device].map(({ kind, name }) => `${name} (${kind})`);
  const [before, after] = [manifest.device.tuning, info.device.tuning].map((tuning) =>
    tuning && canonical(renamed(tuning as WrittenTuning))
  );
  const isTunedAlike = before === after;
  if (was === is && isTunedAlike) return [];
  if (was === is) {
    const how = (tuning: unknown) => tuning ? "by kernels that were tuned" : "by those built in";
    throw new CheckpointError(
      folder,
      "only the same choice of kernels continues exactly: it was saved " +
        `${how(manifest.device.tuning)}, and this would go on ${how(info.device.tuning)}`,
      { cure: "Resume its run, whose config.json keeps the choice: deno task train --resume RUN" },
    );
  }
  const differs = `it was saved on ${was} and this is ${is}, which rounds otherwise`;
  if (!changed.includes("device")) {
    throw new CheckpointError(folder, `only the same device continues exactly: ${differs}`, {
      cure: `Continue there, or here all the same with --device ${info.device.kind}`,
    });
  }
  return [`continuing on another device: ${differs}; a run without a stop would end otherwise`];
}

/** The line that repeats the run of a checkpoint, but begins with its weights. */
async function commandFrom(folder: string, { files, task }: RunInfo): Promise<string> {
  const from = `--model ${quoted(folder)}`;
  const run = await readRunConfig(dirname(dirname(folder))).catch(() => undefined); // a program's own
  const command = run?.command.replace(/--model (?:'[^']*'\S*|\S+)/, () => from);
  return command?.includes(from)
    ? command
    : `deno task train ${quoted(files?.task?.path ?? task)} ${from}`;
}

/** Values by name; a name that `was` does not have came with a later version. */
const pairs = (
  was: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>> | undefined,
): [name: string, was: unknown, now: unknown][] =>
  now ? Object.entries(was).map(([name, value]) => [name, value, now[name]]) : [];

/** The same names, with nothing behind them. */
const blank = (names: Readonly<Record<string, unknown>> | undefined): Record<string, undefined> =>
  Object.fromEntries(Object.keys(names ?? {}).map((name) => [name, undefined]));

/** As JSON has it, with names in order. */
function canonical(value: unknown): string {
  return JSON.stringify(
    value,
    (_, part) =>
      typeof part === "object" && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => a < b ? -1 : 1))
        : part,
  ) ?? "missing";
}

const words = (value: unknown): string =>
  value === undefined ? "missing" : (JSON.stringify(value) ?? "missing").slice(0, 80);
