/**
 * Makes the default model: corpus, tokenizer, next-token training on our own kernels, a folder in
 * Hugging Face form. The recipe decides every number; a request may shorten or move the run.
 * @module
 */
import { Tokenizer as Engine } from "npm:@huggingface/tokenizers@0.2.0";
import { scheduleAt } from "../../base/schedules.ts";
import type { Device } from "../../kernels/device.ts";
import { type DeviceChoice, openDevice } from "../../kernels/devices/open.ts";
import { replaceFile } from "../../model/files/disk.ts";
import { saveGpt2 } from "../../model/files/gpt2_save.ts";
import { importOptimizer } from "../../model/files/optimizer_file.ts";
import { Gpt2 } from "../../model/gpt2.ts";
import { loadModel } from "../../model/hub/load.ts";
import { languageModelRows } from "../../model/rows.ts";
import { END_OF_TEXT, TOKENIZER_CONFIG, trainBpe } from "../../model/tokenizer/bpe.ts";
import { documentBatches, orderOf, WIDTHS } from "./batches.ts";
import { buildCorpus, encodeCorpus, openSources, wholeWords } from "./corpus.ts";
import { RECIPE, type Recipe } from "./recipe.ts";
import {
  openFolder,
  type PretrainState,
  readState,
  removeCheckpoints,
  saveCheckpoint,
  writeLosses,
} from "../folder/pretraining_folder.ts";

/** What may differ from the recipe, and where the model goes. */
export interface PretrainRequest {
  steps?: number;
  /** Rows per step. */
  batch?: number;
  /** Highest learning rate. */
  learningRate?: number;
  seed?: number;
  device?: DeviceChoice;
  /** Folder to write; made if absent. */
  out: string;
  /** Continue from the newest checkpoint in `out`. */
  resume?: boolean;
  /** Any other number of the recipe that should differ. */
  recipe?: Partial<Recipe>;
}

/** One finished update. */
export interface PretrainStep {
  /** Updates done, and of how many. */
  step: number;
  steps: number;
  /** Mean negative log-likelihood of the update's tokens, nats per token. */
  loss: number;
  /** Tokens of the update. */
  tokens: number;
}

/** What came of it. */
export interface PretrainResult {
  /** Where the model is. */
  folder: string;
  parameters: number;
  /** Tokens that were predicted in updates; some more than once. */
  tokens: number;
  /** Tokens of the corpus, those that are held out included. */
  corpusTokens: number;
  /** Updates, and the loss of the last of them and the mean of the last `lossOver`, nats per token. */
  steps: number;
  lastLoss: number;
  recentLoss: number;
  lossOver: number;
  /** Mean over the held-out tokens, nats per token. */
  heldoutLoss: number;
  /** Wall-clock from corpus to files, of all processes that had a part in it. */
  seconds: number;
  device: { kind: string; name: string; software: boolean };
}

const RECENT = 50; // updates whose losses are averaged
const SAVE_EVERY = 200; // updates between checkpoints
const HELD_OUT = 0.01; // share of the token stream that is never trained on
/**
 * Pretrains and writes `out`: config.json, model.safetensors (F16), tokenizer.json,
 * tokenizer_config.json, loss.csv.
 * @throws `signal.reason` when aborted, after the update in hand and a checkpoint
 * @throws {Error} when the device fails, or `out` cannot be written or holds something already
 */
export async function pretrain(
  request: PretrainRequest,
  report: (step: PretrainStep) => void = () => {},
  signal?: AbortSignal,
): Promise<PretrainResult> {
  const began = performance.now();
  const base = { ...RECIPE, ...request.recipe };
  const recipe: Recipe = {
    ...base,
    steps: request.steps ?? base.steps,
    batch: request.batch ?? base.batch,
    lr: request.learningRate ?? base.lr,
    seed: request.seed ?? base.seed,
  };
  const { out } = request;
  const from = await openFolder(out, request.resume ?? false);
  const { tokenizer, training, heldout } = prepare(recipe);
  const tokenizerPath = `${out}/tokenizer.json`;
  await replaceFile(tokenizerPath, JSON.stringify(tokenizer) + "\n");
  await replaceFile(
    `${out}/tokenizer_config.json`,
    JSON.stringify(TOKENIZER_CONFIG, null, 2) + "\n",
  );
  const end = tokenizer.model.vocab[END_OF_TEXT];
  using device = await openDevice(request.device);
  using model = await openModel(device, recipe, { end, from });
  let state: PretrainState = { step: 0, losses: [], tokens: 0, seconds: 0 };
  if (from) state = await readState(from);
  const before = state.seconds;
  const seconds = () => before + (performance.now() - began) / 1000;
  const batches = documentBatches(training, { end, ...recipe });
  for await (const next of updates(model, batches, { recipe, state })) {
    state = next.state;
    report(next.done);
    if (signal?.aborted || (state.step % SAVE_EVERY === 0 && state.step < recipe.steps)) {
      await saveCheckpoint(out, model, { ...state, seconds: seconds() });
      signal?.throwIfAborted();
    }
    // Without a turn of the event loop a signal would not arrive on the CPU device.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const validation = await meanLoss(model, documentBatches(heldout, { end, ...recipe }));
  await saveGpt2(model, out, { dtype: "F16", tokenizer: tokenizerPath });
  await writeLosses(out, state.losses);
  await removeCheckpoints(out);
  const recent = state.losses.slice(-RECENT), { kind, name, software } = device;
  return {
    folder: out,
    parameters: model.weights.layout.parameters.reduce((sum, { length }) => sum + length, 0),
    tokens: state.tokens,
    corpusTokens: training.length + heldout.length,
    steps: state.step,
    lastLoss: recent.at(-1)!,
    recentLoss: mean(recent),
    lossOver: recent.length,
    heldoutLoss: validation,
    seconds: Number(seconds().toFixed(1)),
    device: { kind, name, software },
  };
}

/** A fresh model, or that of a checkpoint with its optimizer. */
async function openModel(
  device: Device,
  recipe: Recipe,
  { end, from }: { end: number; from?: string },
): Promise<Gpt2> {
  const { beta1, beta2, weightDecay, maxNorm: maxGradNorm, seed } = recipe;
  const options = { adamw: { beta1, beta2, weightDecay, maxGradNorm }, shapes: WIDTHS.length + 1 };
  if (!from) return Gpt2.create(device, configOf(recipe, end), { seed, ...options });
  const model = await loadModel(device, from, options);
  await importOptimizer(model, `${from}/optimizer.safetensors`);
  return model;
}

/**
 * Trains on, one update at a time, until the recipe's last.
 * @throws {Error} when a loss is not finite
 */
async function* updates(
  model: Gpt2,
  batches: readonly Uint32Array[][],
  { recipe, state }: { recipe: Recipe; state: PretrainState },
): AsyncGenerator<{ state: PretrainState; done: PretrainStep }> {
  const { steps, lr: peak, finalLr: final } = recipe;
  const warmup = Math.min(recipe.warmup, steps);
  const schedule = { kind: "cosine" as const, peak, final, warmup, total: steps };
  let order = { epoch: -1, batches: [] as number[] };
  while (state.step < steps) {
    const epoch = Math.floor(state.step / batches.length);
    if (epoch !== order.epoch) {
      order = { epoch, batches: orderOf(batches.length, epoch, recipe.seed) };
    }
    const rows = batches[order.batches[state.step % batches.length]];
    model.languageModel(languageModelRows(rows));
    model.step(scheduleAt(schedule, state.step));
    const loss = await model.readLoss();
    if (!Number.isFinite(loss)) {
      throw new Error(
        `Cannot continue pretraining as the loss of update ${state.step + 1} is ${loss}: ` +
          "lower --learning-rate",
      );
    }
    const tokens = rows.reduce((sum, { length }) => sum + length - 1, 0);
    state = {
      step: state.step + 1,
      losses: [...state.losses, loss],
      tokens: state.tokens + tokens,
      seconds: state.seconds,
    };
    yield { state, done: { step: state.step, steps, loss, tokens } };
  }
}

/** Corpus, tokenizer and token streams of a recipe; the same recipe gives the same bytes. */
export function prepare(recipe: Recipe): {
  tokenizer: ReturnType<typeof trainBpe>;
  training: Uint32Array;
  heldout: Uint32Array;
} {
  const sources = openSources();
  const documents = buildCorpus(recipe, sources);
  const whole = wholeWords(sources.mixtures);
  const tokenizer = trainBpe({ documents, vocabulary: recipe.vocabulary, whole });
  const stream = encodeCorpus(documents, new Engine(tokenizer, TOKENIZER_CONFIG), recipe);
  const cut = Math.floor(stream.length * (1 - HELD_OUT));
  return { tokenizer, training: stream.subarray(0, cut), heldout: stream.subarray(cut) };
}

function configOf(recipe: Recipe, end: number): Record<string, unknown> {
  return {
    model_type: "gpt2",
    architectures: ["GPT2LMHeadModel"],
    ...recipe.config,
    vocab_size: recipe.vocabulary,
    activation_function: "gelu_new",
    layer_norm_epsilon: 1e-5,
    bos_token_id: end,
    eos_token_id: end,
    tie_word_embeddings: true,
  };
}

/** Mean next-token loss over batches, nats per token. */
async function meanLoss(model: Gpt2, batches: readonly Uint32Array[][]): Promise<number> {
  let sum = 0, count = 0;
  for (const batch of batches) {
    for (const logprob of (await model.evaluate(languageModelRows(batch))).logprob) {
      sum -= logprob;
      count++;
    }
  }
  return sum / count;
}

const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, x) => sum + x, 0) / values.length;
