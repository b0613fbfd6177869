/**
 * The command line with programs that train nothing: quick, deterministic, and as hostile as asked.
 * Run as a program by the tests that need a process of its own.
 * @module
 */
import type { Command, Parsed } from "../../cli/command.ts";
import { command as doctor } from "../../cli/commands/doctor.ts";
import {
  command as exportModel,
  exportCommand,
  type ExportModel,
} from "../../cli/commands/export.ts";
import { cachePaths } from "../../model/hub/cache.ts";
import { command as fetch, fetchCommand, type FetchHub } from "../../cli/commands/fetch.ts";
import { command as complete, type CompleteText, generate } from "../../cli/commands/generate.ts";
import {
  command as pretraining,
  pretrain,
  type PretrainModel,
} from "../../cli/commands/pretrain.ts";
import { command as training, train, type TrainParts } from "../../cli/commands/train.ts";
import { command as tuning, tuneCommand, type TuneParts } from "../../cli/commands/tune.ts";
import type { RunRequest } from "../../cli/train/request.ts";
import { main } from "../../cli/main.ts";
import type { Terminal } from "../../cli/terminal.ts";
import type { ExportFacts } from "../../experiment/export.ts";
import {
  type CompletionRow,
  parsePhase,
  type RunInfo,
  type RunObserver,
  type Summary,
} from "../../experiment/observer.ts";
import { ppo } from "../../rl/algorithms/ppo.ts";
import { timings } from "./_folders.ts";

/** Texts that break naive pages, tables and terminals. */
export const HOSTILE: readonly string[] = [
  "<script>alert(1)</script>",
  "</script><img src=x onerror=alert(1)>",
  "</td></tr></table><svg onload=alert(1)>",
  `" onmouseover="alert(1)`,
  "' autofocus onfocus='alert(1)",
  "<!-- -->]]>",
  "=1+1",
  "+1",
  "-1",
  "@SUM(A1)",
  "\t=1",
  "\r=1",
  "\n=1",
  "＝1+1",
  "'quoted",
  "''twice",
  "\u001b[2J\u001b]52;c;aGk=\u0007",
  "\u009b31mred",
  "\u202eevil\u2066",
  "\u0000null",
  "\ud800lone",
  'a,"b"\n"c",d',
  "javascript:alert(1)",
  "{{7*7}}${7*7}",
  "`tick`",
  "x".repeat(5000),
];

const row = (step: number, phase: string, i: number, completion: string): CompletionRow => ({
  step,
  ...parsePhase(phase),
  id: `pair-${i}`,
  prompt: `red and colour ${i} make`,
  completion,
  answer: "purple",
  reward: i === 5 ? null : (i + step) / 100,
  scores: { exact: i % 2, semantic: i === 5 ? null : 0.5 - i / 10 },
});

/** Every metric of a PPO step, made up from the step number. */
export function fakeMetrics(step: number): Record<string, number> {
  const isShare = ({ range }: { range: string }) => range === "0 to 1" || range === "0 or 1";
  const names = ppo.metrics.map((metric) => [metric.name, isShare(metric)] as const);
  return Object.fromEntries(
    [...names, ["rewards/exact/mean", true] as const].map(([name, isShare], i) => {
      const value = Math.sin(step / 7 + i) / 3 + step / 100;
      return [name, isShare ? Math.min(1, Math.max(0, value)) : value];
    }),
  );
}

const fakeInfo = ({ task, algorithm, model, seed, settings, steps = 12 }: RunRequest): RunInfo => ({
  task,
  algorithm,
  rewards: ["exact", "semantic"],
  weights: { exact: 1, semantic: 0.5 },
  model,
  source: { kind: "folder", path: model, sha256: {} },
  shape: { layers: 1 },
  data: "ab".repeat(32),
  seed,
  steps,
  device: { kind: "cpu", name: "fake processor", software: true },
  config: { steps, seed, ppo: { clipLow: 0.2, learningRate: 1e-3, ...settings } },
});

function fakeSummary(request: RunRequest): Summary {
  const { task, algorithm, rewards, model, seed, steps } = fakeInfo(request);
  const split = { before: { exact: 0.1, reward: 0.2 }, after: { exact: 0.9, reward: 0.85 } };
  return {
    ...{ task, algorithm, rewards, model, seed, steps },
    device: { kind: "cpu", name: "fake processor" },
    seconds: 1.5,
    tokensPerSecond: 1234,
    train: split,
    heldout: { ...split, after: { exact: 0.6, reward: 0.7 } },
  };
}

/**
 * A training program. Task "hostile" answers with HOSTILE; "slow" takes 30 ms a step; "stuck" does too,
 * and a minute once it is asked to stop; "late" fails in step 3.
 */
export async function fakeTrain(
  request: RunRequest,
  observer: RunObserver,
  signal: AbortSignal,
): Promise<Summary> {
  const { task, seed, resume, saveEvery } = request, info = fakeInfo(request);
  if (task === "broken") throw new Error("the model is broken\u001b[2J");
  const texts = task === "hostile" ? HOSTILE : [" blue", " green", " purple", " red", "", " grey"];
  const rows = (step: number, phase: string) => texts.map((text, i) => row(step, phase, i, text));
  const evaluate = async (step: number, phase: string) => {
    await observer.evaluation(parsePhase(`${phase}:train`), rows(step, `${phase}:train`));
    await observer.evaluation(parsePhase(`${phase}:heldout`), rows(step, `${phase}:heldout`));
  };
  const save = (step: number) =>
    observer.checkpoint(step, async (folder) => {
      const weights = new Uint8Array(40_000).fill(step % 251);
      await Deno.writeFile(`${folder}/model.safetensors`, weights);
      await Deno.writeTextFile(`${folder}/state.json`, JSON.stringify({ step }));
    });
  await observer.start(info);
  if (!resume) {
    observer.notice?.("answering before training");
    await evaluate(0, "before");
    await save(0);
  }
  for (let step = (resume?.step ?? 0) + 1; step <= info.steps; step++) {
    const rest = task === "slow" || (task === "stuck" && !signal.aborted) ? 30 : 60_000;
    if (task === "slow" || task === "stuck") await new Promise((done) => setTimeout(done, rest));
    if (task === "late" && step === 3) throw new Error("the device is lost");
    const completions = rows(step, "train");
    await observer.step({ step, metrics: fakeMetrics(step + seed), completions, timings });
    if (signal.aborted && task !== "stuck") {
      await save(step);
      throw signal.reason;
    }
    if (step % saveEvery === 0 || step === info.steps) await save(step);
  }
  await evaluate(info.steps, "after");
  const summary = fakeSummary(request);
  await observer.end(summary);
  return summary;
}

/** What `train` runs, made up. */
export const fakeParts: TrainParts = {
  catalogue: () =>
    Promise.resolve({
      tasks: ["colors", "hostile", "slow", "stuck", "broken", "late"].map((name) => ({
        name,
        doc: `${name} task`,
      })),
      algorithms: [{ name: "ppo", doc: "proximal policy optimisation" }],
      rewards: [{ name: "exact", doc: "equal texts" }, { name: "semantic", doc: "near meanings" }],
      presets: [{ name: "quick", doc: "few steps", algorithm: "ppo" }],
    }),
  train: fakeTrain,
  tuned: (file) =>
    Promise.resolve({ adapter: "fake adapter", choices: { parts: { "rows long": file ? 8 : 4 } } }),
  plan({ task, model, memory }) {
    const none = { weights: 0, gradients: 0, moments: 0, activations: 0, logits: 0 };
    const policy = { ...none, cache: 3 * 2 ** 19, other: 2 ** 10, weights: 2 ** 30 };
    const available = memory === undefined ? undefined : memory * 2 ** 30;
    const total = 2 ** 30 + 3 * 2 ** 19 + 2 ** 10, fits = total <= (available ?? Infinity);
    return Promise.resolve({
      task,
      model,
      device: { kind: "cpu", name: "fake processor", software: true },
      shape: { batchSize: 48, promptTokens: 20, maxNewTokens: 2, passRows: 48 },
      parts: { policy },
      total,
      available,
      fits,
      notices: [],
      suggestions: fits ? [] : [{ settings: { microbatchRows: 4 }, bytes: 2 ** 29 }],
    });
  },
};

const fakeText: CompleteText = ({ samples, model }, report) => {
  for (const piece of report ? [" pur", "ple\u001b[31m", " \n0"] : []) report?.(piece, 0);
  const completions = Array(samples).fill(" purple\u001b[31m").map((t, i) => `${t} ${i}`);
  const device = { kind: "cpu", name: "fake processor", software: true };
  return Promise.resolve({ completions, weights: model, device });
};

const fakePretrain: PretrainModel = async (request, report, signal) => {
  const { steps = 5 } = request;
  for (let step = 1; step <= steps; step++) {
    report({ step, steps, loss: 5 / step, tokens: 100 });
    await new Promise((done) => setTimeout(done, 5));
    if (signal.aborted) throw signal.reason;
  }
  return {
    folder: request.out,
    ...{ parameters: 10, tokens: 100 * steps, corpusTokens: 1000, steps },
    ...{ lastLoss: 5 / steps, recentLoss: 3, lossOver: steps, heldoutLoss: 4, seconds: 1.5 },
    heldoutStep: steps,
    heldoutLosses: request.recipe === "small"
      ? [{ subject: "colors", loss: 2, tokens: 10 }, { subject: "moods", loss: 6, tokens: 10 }]
      : [{ subject: "all", loss: 4, tokens: 10 }],
    device: { kind: "cpu", name: "fake processor", software: true },
  };
};

const fakeExport: ExportModel = async ({ model, to, dtype = "F32", valueHead = false, card }) => {
  const facts: ExportFacts = {
    source: { kind: "folder", path: model, sha256: {} },
    modelType: "gpt2",
    parameters: 1234,
    positions: 64,
    dtype,
    valueHead,
    tokenizer: true,
  };
  await Deno.writeFile(`${to}/model.safetensors`, new Uint8Array(100_000));
  await Deno.writeTextFile(`${to}/README.md`, card!(facts));
  return facts;
};

const fakeFetch: FetchHub = (model, report, step, { dataset, files }) => {
  if (!model.includes("/")) cachePaths(model, {}); // throws: no name of the hub's
  step(`asking https://hub.test for ${model}`);
  for (const done of [1e6, 3e6]) report({ file: "model.safetensors", done, size: 3e6 });
  const where = { folder: "/cache/a", commit: "c".repeat(40), endpoint: "https://hub.test" };
  const more = dataset ? { data: model, files } : undefined;
  return Promise.resolve({ ...where, more, line: `${model} from ${where.endpoint}` });
};

/** What `tune` runs, made up: `file` is where its cache lies. */
export const fakeTune: TuneParts & { file: string } = {
  file: "tuning.json",
  here: () =>
    Promise.resolve({
      ...{ adapter: "llvmpipe (fake, 256 bits)", vendor: "1", architecture: "", device: "2" },
      ...{ plainrl: "0.0.1", deno: "2.9.6" },
    }),
  cacheFile() {
    return Promise.resolve(this.file);
  },
  async measure(quick, { report, signal }) {
    const row = { size: "M 1 N 2 K 3", seconds: 1, isChosen: false, isBuiltIn: false };
    for (const [done, name] of ["product NN wide", "attention"].entries()) {
      report?.(name, done, 2);
      await new Promise((done) => setTimeout(done, 5));
      signal?.throwIfAborted();
    }
    return {
      device: { name: "llvmpipe (fake, 256 bits)", kind: "webgpu", software: true },
      choices: { products: { "NN wide": { variant: "tile" } } },
      rows: [
        { ...row, name: "product NN wide", way: "tile 16 x 4", gflops: 12.34, isChosen: true },
        { ...row, name: "product NN wide", way: "shuffle 32 x 8", gflops: 2.345, isBuiltIn: true },
      ],
      skipped: quick ? [] : ["attention"],
      vectors: [
        { bits: 256, tokensPerSecond: 3188.4, isPresent: true },
        { bits: 512, tokensPerSecond: 1207, isPresent: false },
      ],
    };
  },
};

/** A command that runs something else. */
const faked = <F, P>(
  { spec }: Command,
  run: (parsed: Parsed<F>, terminal: Terminal, part: P) => Promise<number>,
  part: P,
): Command => ({ spec, run: (parsed, terminal) => run(parsed as Parsed<F>, terminal, part) });

/** Every command, with what it runs made up. */
export const fakeCommands: readonly Command[] = [
  faked(training, train, fakeParts),
  faked(complete, generate, fakeText),
  faked(exportModel, exportCommand, fakeExport),
  faked(fetch, fetchCommand, fakeFetch),
  faked(pretraining, pretrain, fakePretrain),
  doctor,
  faked(tuning, tuneCommand, fakeTune),
];

if (import.meta.main) Deno.exit(await main(Deno.args, { commands: fakeCommands }));
