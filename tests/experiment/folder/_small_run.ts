/** A run that takes a tenth of a second: a random model, a task of three prompts, checkpoints of every step. @module */
import assert from "node:assert/strict";
import { findResumable, type Resumable } from "../../../experiment/folder/resumable.ts";
import { RunFolder } from "../../../experiment/folder/run_folder.ts";
import type { RunObserver } from "../../../experiment/observer.ts";
import { type TrainOptions, type TrainRequest, trainTask } from "../../../experiment/train.ts";
import { tableParent } from "../../../rewards/parents/table.ts";
import type { Task } from "../../../tasks/task.ts";
import { writeSmallModel } from "../_model.ts";

/** Two prompts to train on and one that is held out. */
export function capitals(answer = " Paris"): Task {
  const example = (id: string, prompt: string, answer: string) => ({ id, prompt, answer });
  const train = [example("fr", "France:", answer), example("it", "Italy:", " Rome")];
  const heldout = [example("de", "Germany:", " Berlin")];
  return {
    name: "capitals",
    summary: "name a country's capital",
    examples: { train, heldout },
    maxNewTokens: 2,
    defaultRewards: "exact",
    steps: 4,
    settings: { batchSize: 4 },
    parent: tableParent(new Map([...train, ...heldout].map(({ id, answer }) => [id, answer]))),
  };
}

/** Writes the model below `place`, and gives a request for a run of four steps with it. */
export async function smallRequest(place: string): Promise<TrainRequest> {
  await Deno.mkdir(`${place}/model`);
  await writeSmallModel(`${place}/model`, 32);
  const settings = { learningRate: 1e-2, epochs: 1, minibatches: 1 };
  return {
    ...{ task: capitals(), model: `${place}/model`, reward: "exact", steps: 4, saveEvery: 1 },
    ...{ seed: 2, settings, device: "cpu" },
  };
}

/** Runs a request in `folder`, until `stop` steps are done where that is given. */
export async function runInto(
  folder: string,
  request: TrainRequest,
  { stop, device }: { stop?: number } & TrainOptions = {},
): Promise<void> {
  const stopper = new AbortController(), about = { command: "the command", request: {} };
  const run = new RunFolder({ out: folder, ...about });
  const watched = observe(run, () => {}, (step) => {
    if (step === stop) stopper.abort(new Error("stop"));
  });
  const done = trainTask(request, watched, { signal: stopper.signal, device });
  if (stop === undefined) return void await done;
  await assert.rejects(done, /^Error: stop$/);
  await run.close();
}

/** A run folder that is listened to. */
const observe = (
  run: RunFolder,
  notice: (text: string) => void,
  onStep: (step: number) => void = () => {},
): RunObserver => ({
  notice,
  start: (info) => run.start(info),
  async step(report) {
    await run.step(report);
    onStep(report.step);
  },
  evaluation: (...told) => run.evaluation(...told),
  checkpoint: (...told) => run.checkpoint(...told),
  end: (summary) => run.end(summary),
});

/** Continues the run in `folder` from its newest good checkpoint; gives what was found, and what was said. */
export async function resumeIn(
  folder: string,
  request: TrainRequest,
  options: TrainOptions = {},
): Promise<{ found: Resumable; said: string[] }> {
  const found = await findResumable(folder);
  const run = new RunFolder({ resume: found, command: "", request: {} });
  const said: string[] = [], watched: RunObserver = observe(run, (text) => said.push(text));
  try {
    await trainTask({ ...request, resume: found.checkpoint }, watched, options);
  } finally {
    await run.close();
  }
  return { found, said };
}

/** What a run must come to whatever happened to it: tables, and the weights and moments of its end. */
export async function results(folder: string, steps = 4): Promise<Record<string, Uint8Array>> {
  const end = `checkpoints/step-${steps}`;
  const names = [
    "metrics.csv",
    "completions.csv",
    "evaluations.csv",
    `${end}/model.safetensors`,
    `${end}/optimizer.safetensors`,
  ];
  const read = async (name: string) => [name, await Deno.readFile(`${folder}/${name}`)] as const;
  return Object.fromEntries(await Promise.all(names.map(read)));
}

/** Copies a folder. */
export async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to);
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}
