/**
 * Runs an experiment of docs/reading that the command line alone cannot: `deno task experiment NAME …`,
 * without a name a list of them. Each file of scripts/experiments/ without an underscore in front is one.
 * @module
 */
import type { Experiment } from "./experiments/_run.ts";
import { unknownName } from "../base/names.ts";
import { asUsage, isUsage, markUsage } from "../base/usage.ts";
import { modulesOf } from "./_modules.ts";

/** Every experiment, by name. */
export async function listExperiments(): Promise<Experiment[]> {
  const modules = await modulesOf<{ experiment: Experiment }>("experiments");
  return modules.map(({ experiment }) => experiment);
}

/**
 * Runs the experiment that the words name, or lists all.
 * @throws {TypeError|RangeError} marked as usage, for a name that none has or words that it cannot take
 */
export async function runExperiment([name, ...words]: readonly string[]): Promise<void> {
  const all = await listExperiments();
  if (name === undefined) {
    for (const { name, doc } of all) console.log(`${name}: ${doc}`);
    return;
  }
  const found = all.find((experiment) => experiment.name === name);
  if (!found) throw asUsage(unknownName("experiment", name, all.map(({ name }) => name)));
  await markUsage(() => found.prepare(words))();
}

if (import.meta.main) {
  try {
    await runExperiment(Deno.args);
  } catch (error) {
    if (!isUsage(error)) throw error;
    console.error((error as Error).message);
    Deno.exitCode = 2;
  }
}
