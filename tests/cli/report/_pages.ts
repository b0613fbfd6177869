/** Runs to draw pages of: one that ended, one that was stopped, one that diverged, and a hostile one. @module */
import type { CompletionRow, Players } from "../../../experiment/observer.ts";
import type { RunData } from "../../../experiment/folder/run_data.ts";
import { PAYLOADS } from "../../_payloads.ts";
import { fakeMetrics } from "../_fake.ts";
import { completion, info, summary } from "../_folders.ts";

const STEPS = 40;
const names = [...Object.keys(fakeMetrics(0)), "optimizer/skipped_updates"]
  .filter((name, i, all) => all.indexOf(name) === i);
const metrics = Array.from({ length: STEPS }, (_, i) => {
  const values: Record<string, number> = {
    ...fakeMetrics(i + 1),
    "optimizer/skipped_updates": i === 7 ? 1 : 0,
    "policy/approxkl": 0.01,
  };
  return [i + 1, ...names.map((name) => values[name])];
});

const players: Players = {
  prompts: 6,
  copy: { exact: 0, reward: 0.217 },
  constant: {
    ...{ answer: " purple", tried: { answers: 9, of: 9, prompts: 72 } },
    ...{ exact: 0.1111, reward: 0.465 },
  },
  nothing: { exact: 0, reward: NaN },
};

const scores = (exact: number) => ({ semantic: 0.62, length: 1, exact });
const asked = (step: number, phase: string, i: number, exact: number): CompletionRow => ({
  ...completion(step, phase, exact === 1 ? " purple" : ` a rather long answer, number ${i}\n`),
  id: `${i}`,
  prompt: `Mix the two colors and output only one lowercase color name: red and blue ${i} is => `,
  scores: scores(exact),
});

/** A run that ended. */
export const ended: RunData = {
  folder: "runs/colors-ppo-1-2026-11-27-120000",
  config: {
    ...info(),
    rewards: ["semantic", "length"],
    weights: { semantic: 1, length: -0.25 },
    steps: STEPS,
    command: "deno task train colors --algorithm ppo --reward semantic,length:-0.25 --model tiny " +
      "--steps 40 --seed 1 --device auto learningRate=0.002 klTargetUnit=sequence loraTargets=c_attn,c_proj",
    request: { settings: { learningRate: 0.002, klTargetUnit: "sequence" }, steps: STEPS },
    config: {
      ...{
        seed: 1,
        totalSteps: STEPS,
        learningRate: 0.002,
        klTargetUnit: "sequence",
        clipLow: 0.2,
      },
      ...{
        learningRateSchedule: "linear",
        whitenAdvantages: "sample",
        entropyControl: "scheduled",
      },
      loraTargets: "c_attn,c_proj,q_proj,v_proj,k_proj,out_proj,fc_in,fc_out",
    },
    started: "2026-11-27T12:00:00.000Z",
    versions: { plainrl: "0.1.0", deno: "2.9.6" },
  },
  names,
  metrics,
  completions: [
    ...[0, 1, 2, 3, 4, 5].map((i) => asked(0, "before:heldout", i, i === 0 ? 1 : 0)),
    ...[1, 20, 40].flatMap((step) => [0, 1, 2, 3].map((i) => asked(step, "train", i, i % 2))),
    ...[0, 1, 2, 3, 4, 5].map((i) => asked(40, "after:heldout", i, 1)),
  ],
  evaluations: [],
  summary: {
    ...{ ...summary, steps: STEPS, players, best: { step: 30, exact: 1, reward: 0.9 } },
    heldout: { before: { exact: 1 / 6, reward: 0.3 }, after: { exact: 1, reward: 0.9 } },
  },
  checkpoints: [20, 40],
};

const event = { step: 20, time: "2026-11-27T12:00:20.000Z", from: 20 };

/** The pages that tests look at, by name. */
export const PAGES: Readonly<Record<string, RunData>> = {
  ended,
  stopped: {
    ...ended,
    metrics: metrics.slice(0, 20),
    completions: ended.completions.filter(({ step }) => step <= 20),
    summary: undefined,
    history: [{
      ...{ ...event, kind: "stopped", cause: "it was interrupted" },
      next: `deno task train --resume ${ended.folder}`,
    }],
  },
  diverged: {
    ...ended,
    // Numbers that are as large, or as small, as those of such a run.
    metrics: metrics.slice(0, 20).map((row, i) =>
      row.map((x, k) =>
        names[k - 1] === "loss/value"
          ? 96_000 / (1 + i)
          : names[k - 1] === "loss/policy"
          ? -x * 1e-7
          : x
      )
    ),
    summary: undefined,
    history: [{
      ...{ ...event, kind: "diverged" },
      cause:
        "Cannot continue training as 3 updates in a row had to be skipped: the gradient norm is NaN",
      next: `deno task train --resume ${ended.folder} learningRate=0.0002`,
    }],
  },
};

/** A run whose every text is hostile: one prompt, answer and completion a payload, and names of all kinds. */
export const hostile: RunData = {
  ...ended,
  folder: `runs/${PAYLOADS.join("/")}`,
  config: {
    ...ended.config,
    task: PAYLOADS.join(" "),
    model: PAYLOADS.join(" "),
    rewards: [...PAYLOADS],
    weights: Object.fromEntries(PAYLOADS.map((name) => [name, 1])),
    device: { kind: "cpu", name: PAYLOADS.join(" "), software: true },
    command: PAYLOADS.join(" "),
    config: Object.fromEntries(PAYLOADS.map((text, i) => [`k${i}${text}`, text])),
    versions: Object.fromEntries(PAYLOADS.map((text) => [text, text])),
  },
  names: [...names, ...PAYLOADS.map((name) => `rewards/${name}/mean`)],
  metrics: metrics.map((row) => [...row, ...PAYLOADS.map(() => 0.5)]),
  completions: ["before:heldout", "after:heldout"].flatMap((phase) =>
    PAYLOADS.map((text, i) => ({
      ...completion(phase.startsWith("b") ? 0 : 40, phase, text),
      id: `${i}`,
      prompt: text,
      answer: text,
      scores: Object.fromEntries([...PAYLOADS.slice(0, 3), "exact"].map((name) => [name, 0.5])),
    }))
  ),
  summary: {
    ...ended.summary!,
    device: { kind: "cpu", name: PAYLOADS.join(" ") },
    players: { ...players, constant: { ...players.constant!, answer: PAYLOADS[7] } },
  },
  history: [{
    ...{ ...event, kind: "resumed", asked: { settings: {} } },
    changed: Object.fromEntries(PAYLOADS.map((text) => [text, [text, text]])),
  }],
};
