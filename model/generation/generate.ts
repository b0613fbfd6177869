/**
 * Text generation with a cache of keys and values. Prompts of different lengths share a batch, and a
 * prompt that several rows have runs through the network once for all of them.
 *
 * ```ts
 * const { responses } = await generate(model, prompts, { maxNewTokens: 16 });
 * for await (const [{ tokens }] of generateStream(model, [prompt], { maxNewTokens: 99 })) show(tokens);
 * ```
 * @module
 */
import { filterControl, filters, type SampleFilter } from "../../kernels/filter.ts";
import { sampleControl } from "../../kernels/sample.ts";
import type { ModelConfig } from "../config.ts";
import { type Ends, endsOf } from "../ends.ts";
import { logitsWidth } from "../layers/head_chunks.ts";
import { inUse } from "../lora/lora.ts";
import type { Tokens } from "../rows.ts";
import { Workspace } from "../workspace.ts";
import { distinctPrompts, separatePrompts, sourcesFor } from "./distinct.ts";
import { TransposedWeights, worthTransposing } from "./transposed.ts";
import { Session, type SessionModel, type SessionShape, type TokenUpdate } from "./session.ts";

/** How completions are drawn. Training passes no filter: it learns from the whole distribution. */
export interface GenerateOptions extends SampleFilter {
  /** Most tokens to draw for a prompt, EOS included. */
  maxNewTokens: number;
  /** Divides the logits, also those that the log-probabilities come from; > 0. Default 1. */
  temperature?: number;
  /** Take the most probable token, the lowest id among equals. Default false. */
  greedy?: boolean;
  /** Key of the random numbers, 0 to 2^53 - 1. Default 0. */
  seed?: number;
  /** Distinguishes draws under one seed, 0 to 2^32 - 1. Default 0. */
  stream?: number;
  /**
   * Index of the first prompt among all prompts. Random numbers belong to that index, so that parts
   * of a batch draw what the whole would. Default 0.
   */
  row0?: number;
  /** Tokens that end a response; null: none does. Default: the model's `eos_token_id`. */
  eos?: Ends;
  /** False generates without the model's adapter, as its base would. Default true. */
  adapter?: boolean;
}

/** Completions, one a prompt. */
export interface Generation<P extends Tokens = Tokens> {
  /** As given. */
  prompts: P[];
  /** Tokens drawn, EOS included. */
  responses: Int32Array[];
  /** True where EOS was drawn, false where `maxNewTokens` was reached. */
  finished: boolean[];
  /** Log-probability of each token under temperature, nats; with `filteredLogprobs`, as drawn. */
  logprobs: Float32Array[];
}

/** What generation needs of a model; `Gpt2` has it. */
export interface GenerationModel extends SessionModel {
  readonly config: ModelConfig;
  /** Disposed of together with the model. */
  readonly disposables: DisposableStack;
}

const generators = new WeakMap<GenerationModel, Generator>();

function generatorOf(model: GenerationModel): Generator {
  let generator = generators.get(model);
  if (!generator) generators.set(model, generator = model.disposables.use(new Generator(model)));
  return generator;
}

/**
 * One completion a prompt. Reads back once every 16 tokens, to stop when every row has finished.
 * @throws {RangeError} before anything runs, when a prompt is empty, holds a token that the model
 * lacks, or leaves no room for `maxNewTokens` in the model's positions
 * @throws {Error} when another generation with this model is under way, or logits are infinite or not
 * numbers
 */
export function generate<P extends Tokens>(
  model: GenerationModel,
  prompts: P[],
  options: GenerateOptions,
): Promise<Generation<P>> {
  return generatorOf(model).generate(prompts, options);
}

/**
 * As `generate`, but reports meanwhile: after every `every` tokens (default 4), for each row
 * that received any. Batches too large for one binding of the device come part after part.
 */
export function generateStream(
  model: GenerationModel,
  prompts: readonly Tokens[],
  options: GenerateOptions & { every?: number },
): AsyncGenerator<TokenUpdate[], void, void> {
  return generatorOf(model).stream(prompts, options);
}

/**
 * Preallocates the memory of every `generate` of at most `prompts` prompts of at most
 * `promptTokens` tokens: such calls then take no more.
 */
export function reserveGeneration(model: GenerationModel, batch: GenerationBatch): void {
  generatorOf(model).reserve(batch);
}

/** Sizes of a batch of prompts. */
export interface GenerationBatch {
  /** Prompts in the batch. */
  prompts: number;
  /** Tokens of the longest of them. */
  promptTokens: number;
  /** As in `GenerateOptions`. */
  maxNewTokens: number;
  /** Whether tokens are filtered before one is drawn. Default false. */
  filtered?: boolean;
}

/** How a `Generator` works; what it draws does not depend on it. */
export interface GeneratorOptions {
  /** How many (batch, distinct prompts, prompt, capacity) shapes are kept. Default 4. */
  shapes?: number;
  /** Run a prompt that several rows have through the network once. Default true. */
  share?: boolean;
}

/** What a session is kept under. */
interface Shape extends SessionShape {
  /** Whether decoding reads transposed copies of the weights. */
  readonly transposed: boolean;
}

/**
 * Generates with one model; keeps the recorded programs of the last shapes, which all share the memory
 * of the largest.
 */
export class Generator implements Disposable {
  #memory: Workspace;
  #copies?: TransposedWeights;
  #sessions = new Map<string, Session>(); // the most recently used one last
  #busy = false;

  constructor(readonly model: GenerationModel, readonly options: GeneratorOptions = {}) {
    this.#memory = new Workspace(model.device);
  }

  /** See the function `generate`. */
  async generate<P extends Tokens>(
    prompts: P[],
    options: GenerateOptions,
  ): Promise<Generation<P>> {
    const parts: TokenUpdate[][] = prompts.map(() => []);
    for await (const tokenUpdates of this.stream(prompts, { ...options, every: 16 })) {
      for (const part of tokenUpdates) parts[part.row].push(part);
    }
    return {
      prompts,
      responses: parts.map((row) => Int32Array.from(row.flatMap(({ tokens }) => [...tokens]))),
      finished: parts.map((row) => row.some(({ finished }) => finished)),
      logprobs: parts.map((row) => Float32Array.from(row.flatMap((part) => [...part.logprobs]))),
    };
  }

  /** See the function `generateStream`. */
  async *stream(
    prompts: readonly Tokens[],
    options: GenerateOptions & { every?: number },
  ): AsyncGenerator<TokenUpdate[], void, void> {
    const { maxNewTokens, every = 4, row0 = 0 } = options;
    const { temperature = 1, greedy, seed = 0, stream = 0 } = options;
    const { share = true } = this.options;
    const ends = endsOf(options.eos === undefined ? this.model.config.eos_token_id : options.eos);
    const draw = { temperature, greedy, seed, stream, eos: ends[0] };
    sampleControl({ ...draw, row0: row0 + prompts.length }); // throws before anything runs
    const filter = filterControl(options), filtered = filters(options);
    const adapted = inUse(this.model.adapter, options.adapter);
    this.#check(prompts, maxNewTokens, every);
    if (this.#busy) {
      throw new Error(
        "Cannot generate as this model is generating already: await that call, or end its stream",
      );
    }
    this.#busy = true;
    try {
      const longest = Math.max(...prompts.map((prompt) => prompt.length));
      const shape = this.#shape(longest, maxNewTokens);
      const parts = Math.ceil(prompts.length / this.#maxRows(shape));
      const size = Math.ceil(prompts.length / parts);
      for (let first = 0; first < prompts.length; first += size) {
        const part = prompts.slice(first, first + size), B = part.length;
        const distinct = share ? distinctPrompts(part) : separatePrompts(part);
        const U = sourcesFor(distinct.prompts.length, B);
        const session = this.#session({ ...shape, B, U, filtered, adapted });
        const control = Uint32Array.of(
          ...sampleControl({ ...draw, row0: row0 + first }),
          ...filter,
        );
        for await (
          const tokenUpdates of session.run(distinct, {
            ...{ control, maxNewTokens, every, ends, first },
          })
        ) {
          yield tokenUpdates.map((row) => ({ ...row, row: row.row + first }));
        }
      }
    } finally {
      this.#busy = false;
    }
  }

  /** See the function `reserveGeneration`. */
  reserve({ prompts, promptTokens, maxNewTokens, filtered = false }: GenerationBatch): void {
    if (this.#busy) throw new Error("Cannot reserve memory while this model is generating");
    const adapted = inUse(this.model.adapter);
    let most = 0;
    for (let tokens = promptTokens; tokens > 0; tokens--) {
      const shape = this.#shape(tokens, maxNewTokens);
      const B = Math.min(prompts, this.#maxRows(shape));
      if (B <= most) continue; // a session of longer prompts had as many
      most = B;
      this.#open({ B, U: B, ...shape, filtered, adapted })[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    this.#forget(0);
    this.#copies?.[Symbol.dispose]();
    this.#memory[Symbol.dispose]();
  }

  #check(prompts: readonly Tokens[], maxNewTokens: number, every: number): void {
    const { V, P } = this.model.dims;
    for (const [name, value] of Object.entries({ maxNewTokens, every })) {
      if (!Number.isInteger(value) || value < 1) {
        throw new RangeError(
          `Cannot generate as ${name} must be a positive integer: it is ${value}`,
        );
      }
    }
    if (prompts.length === 0) throw new RangeError("Cannot generate as there are no prompts");
    prompts.forEach((prompt, b) => {
      if (prompt.length === 0) {
        throw new RangeError(
          `Cannot generate as a first token needs one before it: prompt ${b} is empty; ` +
            "start it with the EOS token",
        );
      }
      if (prompt.length + maxNewTokens > P) {
        const room = P - prompt.length;
        throw new RangeError(
          `Cannot generate ${maxNewTokens} tokens as the model has ${P} positions: prompt ${b} takes ` +
            `${prompt.length} of them; shorten it` +
            (room > 0 ? `, or set maxNewTokens to at most ${room}` : ""),
        );
      }
      for (let t = 0; t < prompt.length; t++) {
        if (!(Number.isInteger(prompt[t]) && prompt[t] >= 0 && prompt[t] < V)) {
          throw new RangeError(
            `Cannot generate as the model has ${V} tokens: token ${t} of prompt ${b} is ${
              prompt[t]
            }`,
          );
        }
      }
    });
  }

  /** Rounded up to multiples of 8 tokens, so that prompts of like length share programs. */
  #shape(longest: number, maxNewTokens: number): Pick<Shape, "T" | "S" | "transposed"> {
    const { device, dims, weights } = this.model;
    const roundUp = (n: number): number => Math.min(Math.ceil(n / 8) * 8, dims.P);
    return {
      T: roundUp(longest),
      S: roundUp(longest + maxNewTokens),
      transposed: worthTransposing(device, weights.layout, maxNewTokens),
    };
  }

  /** The rows that fit in one binding of each of the largest tensors. */
  #maxRows({ T, S }: { T: number; S: number }): number {
    const { C, I, V } = this.model.dims;
    const widest = Math.max(T * 3 * C, T * I, S * C, logitsWidth(V));
    return Math.max(1, Math.floor(this.model.device.limits.maxBinding / 4 / widest));
  }

  #session(shape: Shape): Session {
    const { B, U, T, S, filtered, adapted, transposed } = shape;
    const key = [B, U, T, S, filtered, adapted, transposed].join(" ");
    let session = this.#sessions.get(key);
    this.#sessions.delete(key); // and set again below: the order of the map is that of use
    if (!session) {
      session = this.#open(shape);
      this.#forget(Math.max(1, this.options.shapes ?? 4) - 1);
    }
    this.#sessions.set(key, session);
    return session;
  }

  #open({ transposed, ...shape }: Shape): Session {
    const { generation } = this.#memory, { weights } = this.model;
    const copies = transposed ? this.#copies ??= new TransposedWeights(weights) : undefined;
    try {
      return new Session(this.model, shape, this.#memory, copies);
    } finally {
      if (this.#memory.generation !== generation) this.#forget(0); // they bind memory that is gone
    }
  }

  /** Drops the sessions that were used longest ago, all but `keep` of them. */
  #forget(keep: number): void {
    for (const [key, session] of this.#sessions) {
      if (this.#sessions.size <= keep) break;
      this.#sessions.delete(key);
      session[Symbol.dispose]();
    }
  }
}
