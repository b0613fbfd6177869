/**
 * Makes a model of `assets/`: corpus, tokenizer, next-token training on our own kernels, a folder in
 * Hugging Face form. The recipe decides every number; a request may shorten or move the run.
 * @module
 */
import { scheduleAt } from "../../base/schedules.ts";
import { asUsage } from "../../base/usage.ts";
import type { Device } from "../../kernels/device.ts";
import { type DeviceChoice, openDevice } from "../../kernels/devices/open.ts";
import { replaceFile } from "../../model/files/disk.ts";
import { importOptimizer } from "../../model/files/optimizer_file.ts";
import { Gpt2 } from "../../model/gpt2.ts";
import { modelFolder } from "../../model/hub/find_model.ts";
import { loadModel } from "../../model/hub/load.ts";
import { languageModelRows } from "../../model/rows.ts";
import { END_OF_TEXT, TOKENIZER_CONFIG, type TokenizerJson } from "../../model/tokenizer/bpe.ts";
import { documentBatches, orderOf, WIDTHS } from "./batches.ts";
import { bestUpdate, type HeldoutLoss, lossOfAll, measureBest, writeBest } from "./heldout.ts";
import { type Recipe, type RecipeNumbers, recipeOf } from "./recipe.ts";
import { prepare } from "./text.ts";
import {
  openFolder,
  type PretrainState,
  readState,
  readTokenizer,
  removeCheckpoints,
  saveCheckpoint,
  writeLosses,
} from "../folder/pretraining_folder.ts";

/** What may differ from the recipe, and where the model goes. */
export interface PretrainRequest {
  /** "tiny", the default, or "small". */
  recipe?: string;
  /** Stage of the recipe, from 1, the default. */
  stage?: number;
  /** Folder of the model that a stage after the first continues from. */
  from?: string;
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
  numbers?: Partial<RecipeNumbers>;
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
  /** Mean over the held-out tokens, nats per token, and the update it was measured after. */
  heldoutLoss: number;
  heldoutStep: number;
  /** The same by subject, with how many tokens each has. */
  heldoutLosses: HeldoutLoss[];
  /** Wall-clock from corpus to files, of all processes that had a part in it. */
  seconds: number;
  device: { kind: string; name: string; software: boolean };
}

const RECENT = 50; // updates whose losses are averaged
const SAVE_EVERY = 200; // updates between checkpoints
/**
 * Pretrains and writes `out`: config.json, model.safetensors (F16), tokenizer.json,
 * tokenizer_config.json, loss.csv, and heldout.csv where the recipe measures on its way.
 * @throws `signal.reason` when aborted, after the update in hand and a checkpoint
 * @throws {Error} when the device fails, `out` cannot be written or holds something already, or there
 * is no such recipe or stage
 */
export async function pretrain(
  request: PretrainRequest,
  report: (step: PretrainStep) => void = () => {},
  signal?: AbortSignal,
): Promise<PretrainResult> {
  const began = performance.now();
  const recipe = numbersOf(request);
  const { out } = request;
  const earlier = await earlierStage(request);
  const given = earlier === undefined ? undefined : await readTokenizer(earlier);
  const checkpoint = await openFolder(out, request.resume ?? false);
  const { tokenizer, training, heldout } = prepare(recipe, given);
  const path = await writeTokenizer(out, tokenizer);
  const end = tokenizer.model.vocab[END_OF_TEXT];
  using device = await openDevice(request.device);
  using model = await openModel(device, recipe, { end, checkpoint, earlier });
  let state: PretrainState = { step: 0, losses: [], tokens: 0, seconds: 0, heldout: [] };
  if (checkpoint) state = await readState(checkpoint);
  const before = state.seconds;
  const seconds = () => before + (performance.now() - began) / 1000;
  const batches = documentBatches(training, { end, ...recipe });
  const unseen = heldout.map(({ subject, stream }) => ({
    subject,
    batches: documentBatches(stream, { end, ...recipe, rest: recipe.corpus !== "tiny" }),
  }));
  for await (const next of updates(model, batches, { recipe, state })) {
    state = next.state;
    report(next.done);
    const isEnd = state.step === recipe.steps;
    if (isMeasured(recipe, state.step)) {
      await measureBest(model, unseen, { out, state, tokenizer: path });
    }
    if (signal?.aborted || (state.step % SAVE_EVERY === 0 && !isEnd)) {
      await saveCheckpoint(out, model, { ...state, seconds: seconds() });
      signal?.throwIfAborted();
    }
    // Without a turn of the event loop a signal would not arrive on the CPU device.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const heldoutLosses = await writeBest(model, unseen, { device, out, state, tokenizer: path });
  await writeLosses(out, state.losses);
  await removeCheckpoints(out);
  const recent = state.losses.slice(-RECENT), { kind, name, software } = device;
  return {
    folder: out,
    parameters: model.weights.layout.parameters.reduce((sum, { length }) => sum + length, 0),
    tokens: state.tokens,
    corpusTokens: training.length + heldout.reduce((sum, { stream }) => sum + stream.length, 0),
    steps: state.step,
    lastLoss: recent.at(-1)!,
    recentLoss: mean(recent),
    lossOver: recent.length,
    heldoutLoss: lossOfAll(heldoutLosses),
    heldoutStep: bestUpdate(state),
    heldoutLosses,
    seconds: Number(seconds().toFixed(1)),
    device: { kind, name, software },
  };
}

/** The recipe's numbers with what the request has of its own; the text of a stage comes from its own seed. */
function numbersOf(request: PretrainRequest): Recipe {
  const { stage = 1 } = request;
  const base: Recipe = { ...recipeOf(request.recipe ?? "tiny", stage), ...request.numbers };
  return {
    ...base,
    steps: request.steps ?? base.steps,
    batch: request.batch ?? base.batch,
    lr: request.learningRate ?? base.lr,
    seed: (request.seed ?? base.seed) + stage - 1,
  };
}

/** The folder that a stage begins from; undefined for the first. */
async function earlierStage({ stage = 1, from }: PretrainRequest): Promise<string | undefined> {
  if (stage > 1 && from === undefined) {
    throw asUsage(
      new Error(
        `Cannot pretrain as a stage after the first continues from a model: stage ${stage} has no ` +
          "--from. Give the folder of the stage before it",
      ),
    );
  }
  if (stage === 1 && from !== undefined) {
    throw asUsage(
      new Error(
        `Cannot pretrain as the first stage begins with fresh weights: --from is ${from}. ` +
          "Give --stage 2 or a later one",
      ),
    );
  }
  return from && (await modelFolder(from)).replace(/\/$/, "");
}

/** Writes the tokenizer's two files; gives the path of the first. */
async function writeTokenizer(out: string, tokenizer: TokenizerJson): Promise<string> {
  const path = `${out}/tokenizer.json`;
  await replaceFile(path, JSON.stringify(tokenizer) + "\n");
  const config = JSON.stringify(TOKENIZER_CONFIG, null, 2) + "\n";
  await replaceFile(`${out}/tokenizer_config.json`, config);
  return path;
}

/** Whether the held-out loss is measured after this many updates: at the end, and every so often before. */
const isMeasured = ({ evaluateEvery, steps }: Recipe, step: number): boolean =>
  evaluateEvery > 0 && (step === steps || step % evaluateEvery === 0);

/** A fresh model, that of an earlier stage with fresh moments, or that of a checkpoint with its optimizer. */
async function openModel(
  device: Device,
  recipe: Recipe,
  { end, checkpoint, earlier }: { end: number; checkpoint?: string; earlier?: string },
): Promise<Gpt2> {
  const { beta1, beta2, weightDecay, maxNorm: maxGradNorm, seed } = recipe;
  const options = { adamw: { beta1, beta2, weightDecay, maxGradNorm }, shapes: WIDTHS.length + 1 };
  const from = checkpoint ?? earlier;
  if (!from) return Gpt2.create(device, configOf(recipe, end), { seed, ...options });
  const model = await loadModel(device, from, options);
  if (checkpoint) await importOptimizer(model, `${checkpoint}/optimizer.safetensors`);
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
  const { steps } = recipe;
  let order = { epoch: -1, batches: [] as number[] };
  while (state.step < steps) {
    const epoch = Math.floor(state.step / batches.length);
    if (epoch !== order.epoch) {
      order = { epoch, batches: orderOf(batches.length, epoch, recipe.seed) };
    }
    const rows = batches[order.batches[state.step % batches.length]];
    model.languageModel(languageModelRows(rows));
    model.step(rateAt(recipe, state.step));
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
      heldout: state.heldout,
    };
    yield { state, done: { step: state.step, steps, loss, tokens } };
  }
}

/** The learning rate of an update, counted from 0. */
export function rateAt(recipe: Recipe, step: number): number {
  const { steps, lr: peak, finalLr: final, decay } = recipe;
  const warmup = Math.min(recipe.warmup, steps);
  if (decay === undefined) {
    return scheduleAt({ kind: "cosine", peak, final, warmup, total: steps }, step);
  }
  const falls = Math.max(warmup, Math.round(steps * (1 - decay)));
  return step < falls
    ? scheduleAt({ kind: "constant", peak, final, warmup, total: steps }, step)
    : scheduleAt({ kind: "linear", peak, final, warmup: 0, total: steps - falls }, step - falls);
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

const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, x) => sum + x, 0) / values.length;
