/**
 * Makes the default model: corpus, tokenizer, next-token training on our own kernels, a folder in
 * Hugging Face form. The recipe decides every number; a request may shorten or move the run.
 * @module
 */
import { saveGpt2 } from "../../model/files/gpt2_save.ts";
import { exportOptimizer, importOptimizer } from "../../model/files/optimizer_file.ts";
import { loadModel } from "../../model/hub/load.ts";
import { Tokenizer as Engine } from "@huggingface/tokenizers";
import { type DeviceChoice, openDevice } from "../../kernels/devices/open.ts";
import { END_OF_TEXT, TOKENIZER_CONFIG, trainBpe } from "../../model/tokenizer/bpe.ts";
import { replaceFile } from "../../model/files/disk.ts";
import { Gpt2 } from "../../model/gpt2.ts";
import { languageModelRows } from "../../model/rows.ts";
import { scheduleAt } from "../../base/schedules.ts";
import { buildCorpus, encodeCorpus, openSources, wholeWords } from "./corpus.ts";
import { Random } from "./random.ts";
import { RECIPE, type Recipe } from "./recipe.ts";

/** What may differ from the recipe, and where the model goes. */
export interface PretrainRequest {
  steps?: number;
  /** Rows a step. */
  batch?: number;
  /** Highest learning rate. */
  learningRate?: number;
  seed?: number;
  device?: DeviceChoice;
  /** Folder to write; made if absent. */
  out: string;
  /** Go on from the newest checkpoint in `out`. */
  resume?: boolean;
  /** Any other number of the recipe that should differ. */
  recipe?: Partial<Recipe>;
}

/** One finished update. */
export interface PretrainStep {
  /** Updates done, and of how many. */
  step: number;
  steps: number;
  /** Mean negative log-likelihood of the update's tokens, nats a token. */
  loss: number;
  /** Tokens of the update. */
  tokens: number;
}

/** What a checkpoint remembers beside weights and optimizer. */
interface PretrainState {
  step: number;
  losses: number[];
  /** Tokens predicted so far. */
  tokens: number;
  seconds: number;
}

const SAVE_EVERY = 200; // updates between checkpoints
const HELD_OUT = 0.01; // share of the token stream that is never trained on
const WIDTHS = [16, 24, 32, 48, 64, 96]; // of rows, tokens; multiples of 8, which passes are padded to

/**
 * Pretrains and writes `out`: config.json, model.safetensors (F16), tokenizer.json,
 * tokenizer_config.json, loss.csv. Gives what there is to say at the end.
 * @throws `signal.reason` when aborted, after the update in hand and a checkpoint
 * @throws {Error} when the device fails, or `out` cannot be written
 */
export async function pretrain(
  request: PretrainRequest,
  report: (step: PretrainStep) => void = () => {},
  signal?: AbortSignal,
): Promise<Record<string, string | number>> {
  const base = { ...RECIPE, ...request.recipe };
  const recipe: Recipe = {
    ...base,
    steps: request.steps ?? base.steps,
    batch: request.batch ?? base.batch,
    lr: request.learningRate ?? base.lr,
    seed: request.seed ?? base.seed,
  };
  const { out } = request;
  await Deno.mkdir(out, { recursive: true });
  const { tokenizer, training, heldout } = prepare(recipe);
  const tokenizerPath = `${out}/tokenizer.json`;
  await replaceFile(tokenizerPath, JSON.stringify(tokenizer) + "\n");
  await replaceFile(
    `${out}/tokenizer_config.json`,
    JSON.stringify(TOKENIZER_CONFIG, null, 2) + "\n",
  );
  using device = await openDevice(request.device);
  const shapes = WIDTHS.length + 1;
  const adamw = {
    beta1: recipe.beta1,
    beta2: recipe.beta2,
    weightDecay: recipe.weightDecay,
    maxGradNorm: recipe.maxNorm,
  };
  const from = request.resume ? await newestCheckpoint(out) : undefined;
  using model = from
    ? await loadModel(device, from, { adamw, shapes })
    : Gpt2.create(device, configOf(recipe, tokenizer.model.vocab[END_OF_TEXT]), {
      seed: recipe.seed,
      adamw,
      shapes,
    });
  let state: PretrainState = { step: 0, losses: [], tokens: 0, seconds: 0 };
  if (from) {
    await importOptimizer(model, `${from}/optimizer.safetensors`);
    state = JSON.parse(await Deno.readTextFile(`${from}/pretrain.json`));
  }
  const { steps } = recipe;
  const end = tokenizer.model.vocab[END_OF_TEXT];
  const batches = documentBatches(training, { end, ...recipe });
  let order = { epoch: -1, batches: [] as number[] };
  const schedule = {
    kind: "cosine" as const,
    peak: recipe.lr,
    final: recipe.finalLr,
    warmup: Math.min(recipe.warmup, steps),
    total: steps,
  };
  while (state.step < steps) {
    const start = performance.now();
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
        `Cannot go on pretraining as the loss of update ${state.step + 1} is ${loss}: ` +
          "lower --learning-rate",
      );
    }
    state = {
      ...state,
      step: state.step + 1,
      losses: [...state.losses, loss],
      seconds: state.seconds + (performance.now() - start) / 1000,
    };
    const tokens = rows.reduce((sum, { length }) => sum + length - 1, 0);
    state.tokens += tokens;
    report({ step: state.step, steps, loss, tokens });
    if (signal?.aborted || (state.step % SAVE_EVERY === 0 && state.step < steps)) {
      await saveCheckpoint(out, model, state);
      signal?.throwIfAborted();
    }
    // Without a turn of the event loop a signal would not arrive on the CPU device.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const validation = await meanLoss(model, documentBatches(heldout, { end, ...recipe }));
  await saveGpt2(model, out, { dtype: "F16", tokenizer: tokenizerPath });
  await replaceFile(
    `${out}/loss.csv`,
    "step,loss\n" + state.losses.map((loss, i) => `${i + 1},${loss.toFixed(4)}\n`).join(""),
  );
  await removeCheckpoints(out);
  return {
    model: out,
    parameters: model.weights.layout.parameters.reduce((sum, { length }) => sum + length, 0),
    "tokens trained on": state.tokens,
    "corpus tokens": training.length + heldout.length,
    "last loss (nats a token)": mean(state.losses.slice(-50)).toFixed(3),
    "held-out loss": validation.toFixed(3),
    seconds: Math.round(state.seconds),
    device: device.name,
  };
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

/**
 * Splits a token stream into batches of documents of like length, so that no row looks into another
 * document and little is padding: a document joins the narrowest width that holds it, and a width
 * that has `batch * length` tokens is a batch. Longer documents are cut.
 */
export function documentBatches(
  stream: Uint32Array,
  { end, batch, length }: { end: number; batch: number; length: number },
): Uint32Array[][] {
  const widths = WIDTHS.filter((width) => width < length).concat(length);
  const waiting = new Map(widths.map((width) => [width, [] as Uint32Array[]]));
  const batches: Uint32Array[][] = [];
  for (let start = 0; start < stream.length;) {
    const stop = stream.indexOf(end, start);
    const past = Math.min(stop < 0 ? stream.length : stop + 1, start + length + 1);
    const document = stream.subarray(start, past);
    start = past;
    if (document.length < 2) continue; // nothing to predict
    const width = widths.find((width) => document.length - 1 <= width)!;
    const rows = waiting.get(width)!;
    rows.push(document);
    if (rows.length * width >= batch * length) {
      batches.push(rows);
      waiting.set(width, []);
    }
  }
  return batches;
}

/** Batches in the order of training: each once an epoch, in the epoch's own order. */
function orderOf(count: number, epoch: number, seed: number): number[] {
  const random = new Random(seed * 1000 + 500 + epoch); // apart from the corpus's generators
  return random.shuffle(Array.from({ length: count }, (_, i) => i));
}

/** Mean next-token loss over batches, nats a token. */
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

async function saveCheckpoint(out: string, model: Gpt2, state: PretrainState): Promise<void> {
  const path = `${out}/checkpoint-${state.step}`;
  const temporary = `${out}/.checkpoint.tmp-${Deno.pid}`;
  await Deno.mkdir(temporary, { recursive: true });
  await saveGpt2(model, temporary);
  await exportOptimizer(model, `${temporary}/optimizer.safetensors`);
  await Deno.writeTextFile(`${temporary}/pretrain.json`, JSON.stringify(state) + "\n");
  await removeFolder(path);
  await Deno.rename(temporary, path);
  await removeCheckpoints(out, state.step);
}

const CHECKPOINT = /^checkpoint-(\d+)$/;

async function checkpointSteps(out: string): Promise<number[]> {
  const steps: number[] = [];
  for await (const { name } of Deno.readDir(out)) {
    const found = name.match(CHECKPOINT);
    if (found) steps.push(Number(found[1]));
  }
  return steps.sort((a, b) => a - b);
}

async function newestCheckpoint(out: string): Promise<string> {
  const newest = (await checkpointSteps(out)).at(-1);
  if (newest === undefined) {
    throw new Error(
      `Cannot resume pretraining as ${out} holds no checkpoint: start without --resume`,
    );
  }
  return `${out}/checkpoint-${newest}`;
}

async function removeCheckpoints(out: string, except?: number): Promise<void> {
  for (const step of await checkpointSteps(out)) {
    if (step !== except) await removeFolder(`${out}/checkpoint-${step}`);
  }
}

const removeFolder = (path: string): Promise<void> =>
  Deno.remove(path, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });

const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, x) => sum + x, 0) / values.length;
