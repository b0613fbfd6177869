/** A model folder small enough to train in a test, and an observer that remembers. @module */
import { saveGpt2 } from "../../model/files/gpt2_save.ts";
import { loadTokenizer } from "../../model/hub/load.ts";
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { Gpt2 } from "../../model/gpt2.ts";
import {
  type CompletionRow,
  type Phase,
  phaseText,
  type RunInfo,
  type RunObserver,
  type StepReport,
  type Summary,
} from "../../experiment/observer.ts";
import type { StepTimings } from "../../rl/trainer.ts";
import { type TrainRequest, trainTask } from "../../experiment/train.ts";

const TOKENIZER = fileURLToPath(new URL("../fixtures/bpe_tokenizer.json", import.meta.url));

/** Writes a random model of one layer, 16 wide, with the fixtures' tokenizer. */
export async function writeSmallModel(folder: string, positions = 96, seed = 3): Promise<void> {
  const { vocabSize, eosId } = await loadTokenizer(TOKENIZER);
  using device = new CpuDevice();
  using model = Gpt2.create(device, {
    model_type: "gpt2",
    vocab_size: vocabSize,
    n_positions: positions,
    n_embd: 16,
    n_layer: 1,
    n_head: 2,
    initializer_range: 0.1,
    bos_token_id: eosId,
    eos_token_id: eosId,
  }, { seed });
  await saveGpt2(model, folder, { tokenizer: TOKENIZER });
}

/** The same as a GPT-Neo of two layers, a local one whose window is far shorter than a prompt. */
export async function writeSmallNeo(folder: string, seed = 3): Promise<void> {
  const { vocabSize, eosId } = await loadTokenizer(TOKENIZER);
  using device = new CpuDevice();
  using model = Gpt2.create(device, {
    model_type: "gpt_neo",
    vocab_size: vocabSize,
    max_position_embeddings: 96,
    hidden_size: 16,
    num_layers: 2,
    num_heads: 2,
    attention_types: [[["global", "local"], 1]],
    window_size: 5,
    initializer_range: 0.1,
    bos_token_id: eosId,
    eos_token_id: eosId,
  }, { seed });
  await saveGpt2(model, folder, { tokenizer: TOKENIZER });
}

/** Remembers everything; checkpoints go into `folder`. */
export class Recorder implements RunObserver {
  info?: RunInfo;
  summary?: Summary;
  rows: Record<string, number>[] = [];
  completions: CompletionRow[] = [];
  phases: string[] = [];
  timings: StepTimings[] = [];
  /** What `notice` was told. */
  said: string[] = [];
  checkpoints: string[] = [];

  /** `onStep` is called after each step, with its number. */
  constructor(readonly folder: string, readonly onStep: (step: number) => void = () => {}) {}

  start(info: RunInfo): void {
    this.info = info;
  }
  step({ step, metrics, completions, timings }: StepReport): void {
    this.rows.push({ step, ...metrics });
    this.timings.push(timings);
    this.completions.push(...completions);
    this.onStep(step);
  }
  notice(text: string): void {
    this.said.push(text);
  }
  evaluation(phase: Phase, rows: readonly CompletionRow[]): void {
    this.phases.push(phaseText(phase));
    this.completions.push(...rows);
  }
  async checkpoint(step: number, write: (folder: string) => Promise<void>): Promise<void> {
    const path = `${this.folder}/step-${step}`;
    await Deno.mkdir(path, { recursive: true });
    await write(path);
    this.checkpoints.push(path);
  }
  end(summary: Summary): void {
    this.summary = summary;
  }
}

/** Runs `request` until two steps are done and stops it, then goes on from its checkpoint. */
export async function stopAndResume(
  request: TrainRequest,
  folder: string,
): Promise<{ first: Recorder; second: Recorder }> {
  const stopper = new AbortController();
  const first = new Recorder(`${folder}/stopped`, (step) => {
    if (step === 2) stopper.abort(new Error("stop"));
  });
  await assert.rejects(() => trainTask(request, first, { signal: stopper.signal }), /stop/);
  const second = new Recorder(`${folder}/resumed`);
  await trainTask({ ...request, resume: first.checkpoints.at(-1) }, second);
  return { first, second };
}
