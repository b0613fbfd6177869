/** What the tests of run folders share. @module */
import {
  type CompletionRow,
  parsePhase,
  type RunInfo,
  type Summary,
} from "../../experiment/observer.ts";

/** A run named by its task. */
export const info = (task = "colors"): RunInfo => ({
  task,
  algorithm: "ppo",
  rewards: ["exact"],
  weights: { exact: 1 },
  model: "tiny",
  source: { kind: "folder", path: "tiny", sha256: { "model.safetensors": "ab".repeat(32) } },
  shape: { layers: 1, heads: 2 },
  data: "cd".repeat(32),
  seed: 1,
  steps: 9,
  device: { kind: "cpu", name: "fake", software: true },
  config: { gamma: 1 },
});

/** Made-up seconds of a step. */
export const timings = { generate: 1, score: 0.5, evaluate: 0.25, update: 2 };

/** One completion of a phase as `completions.csv` has it. */
export const completion = (step: number, phase: string, text: string): CompletionRow => ({
  step,
  ...parsePhase(phase),
  id: "a",
  prompt: "red and blue make",
  completion: text,
  answer: "purple",
  reward: 0.5,
  scores: { exact: 0 },
});

/** The end of a run. */
export const summary: Summary = {
  task: "colors",
  algorithm: "ppo",
  rewards: ["exact"],
  model: "tiny",
  seed: 1,
  steps: 9,
  device: { kind: "cpu", name: "fake" },
  seconds: 1,
  tokensPerSecond: 10,
  train: { before: { exact: 0, reward: 0 }, after: { exact: 1, reward: 1 } },
  heldout: { before: { exact: 0, reward: 0 }, after: { exact: 1, reward: 1 } },
};

/** Every file below `folder`, with its text. */
export async function snapshot(folder: string, at = ""): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for await (const entry of Deno.readDir(`${folder}${at}`)) {
    const path = `${at}/${entry.name}`;
    if (entry.isDirectory) Object.assign(files, await snapshot(folder, path));
    else files[path] = await Deno.readTextFile(`${folder}${path}`);
  }
  return Object.fromEntries(Object.entries(files).sort(([a], [b]) => a < b ? -1 : 1));
}
