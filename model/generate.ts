/**
 * Text generation with a cache of keys and values. Prompts of different lengths share a batch: one
 * prefill runs all of them through the blocks that training uses, then every decode step moves each
 * row on by one token. Tokens are drawn on the device, so a step is a recorded program without
 * host data, and results are read in blocks: a read costs about 11 ms in Deno, however small.
 *
 * ```ts
 * using generator = new Generator(model);
 * const { responses } = await generator.generate(prompts, { maxNewTokens: 16, temperature: 1 });
 * for await (const news of generator.stream([prompt], { maxNewTokens: 99 })) show(news[0].tokens);
 * ```
 * @module
 */
import { type Device, type Program, Scope, type Tensor } from "../kernels/device.ts";
import { embedding } from "../kernels/embedding.ts";
import { attendKv, type KvCache, storeKv } from "../kernels/kv_cache.ts";
import { layernorm } from "../kernels/layernorm.ts";
import { gatherRows } from "../kernels/rows.ts";
import { sample, type SampleBuffers, sampleControl } from "../kernels/sample.ts";
import type { Gpt2Config, ModelDims } from "./config.ts";
import {
  type Attend,
  attendWithin,
  layerActivations,
  layerForward,
  layerTensors,
} from "./layers/forward.ts";
import { headLogits, logitsWidth } from "./layers/head.ts";
import type { Store } from "./params.ts";
import type { Tokens } from "./rows.ts";

/** How completions are drawn. */
export interface GenerateOptions {
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
  /** Token that ends a response; null: none does. Default: the model's `eos_token_id`. */
  eos?: number | null;
}

/** Completions, one a prompt. */
export interface Generation {
  /** Tokens drawn, EOS included. */
  responses: Int32Array[];
  /** True where EOS was drawn, false where `maxNewTokens` was reached. */
  finished: boolean[];
  /** Log-probability of each token under temperature, nats. */
  logprobs: Float32Array[];
}

/** What one row received since the last report. */
export interface NewTokens {
  /** Index into the prompts. */
  row: number;
  tokens: Int32Array;
  logprobs: Float32Array;
  /** True once EOS was drawn. */
  finished: boolean;
}

/** What generation needs of a model; `Gpt2` has it. */
export interface GenerationModel {
  readonly device: Device;
  readonly dims: ModelDims;
  readonly config: Gpt2Config;
  readonly weights: Store;
}

/** Generates with one model; keeps the recorded programs of the last shapes, and their memory. */
export class Generator implements Disposable {
  #sessions = new Map<string, Session>(); // the most recently used one last
  #busy = false;

  /** `shapes` is how many (batch, prompt, capacity) shapes are kept. */
  constructor(readonly model: GenerationModel, readonly options: { shapes?: number } = {}) {}

  /**
   * One completion a prompt. Reads back once every 16 tokens, to stop when every row has finished.
   * @throws {RangeError} before anything runs, when a prompt is empty, holds a token that the model
   * lacks, or leaves no room for `maxNewTokens` in the model's positions
   * @throws {Error} when another generation of this generator is under way
   */
  async generate(prompts: readonly Tokens[], options: GenerateOptions): Promise<Generation> {
    const parts: NewTokens[][] = prompts.map(() => []);
    for await (const news of this.stream(prompts, { ...options, every: 16 })) {
      for (const part of news) parts[part.row].push(part);
    }
    return {
      responses: parts.map((row) => Int32Array.from(row.flatMap(({ tokens }) => [...tokens]))),
      finished: parts.map((row) => row.some(({ finished }) => finished)),
      logprobs: parts.map((row) => Float32Array.from(row.flatMap((part) => [...part.logprobs]))),
    };
  }

  /**
   * As `generate`, but reports while it goes on: after every `every` tokens (default 4), for each row
   * that received any. Batches too large for one binding of the device come part after part.
   */
  async *stream(
    prompts: readonly Tokens[],
    options: GenerateOptions & { every?: number },
  ): AsyncGenerator<NewTokens[], void, void> {
    const { maxNewTokens, every = 4, row0 = 0 } = options;
    this.#check(prompts, maxNewTokens, every);
    if (this.#busy) {
      throw new Error(
        "Cannot generate as this generator is still busy: await the first call, or use another",
      );
    }
    this.#busy = true;
    try {
      const shape = this.#shape(prompts, maxNewTokens);
      const parts = Math.ceil(prompts.length / this.#mostRows(shape));
      const size = Math.ceil(prompts.length / parts);
      for (let first = 0; first < prompts.length; first += size) {
        const part = prompts.slice(first, first + size);
        const session = this.#session({ ...shape, B: part.length });
        const control = sampleControl({
          seed: 0,
          stream: 0,
          temperature: 1,
          eos: this.model.config.eos_token_id,
          ...options,
          row0: row0 + first,
        });
        for await (const news of session.run(part, { control, maxNewTokens, every })) {
          yield news.map((row) => ({ ...row, row: row.row + first }));
        }
      }
    } finally {
      this.#busy = false;
    }
  }

  [Symbol.dispose](): void {
    for (const session of this.#sessions.values()) session[Symbol.dispose]();
    this.#sessions.clear();
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
  #shape(prompts: readonly Tokens[], maxNewTokens: number): { T: number; S: number } {
    const longest = Math.max(...prompts.map((prompt) => prompt.length));
    const roundUp = (n: number): number => Math.min(Math.ceil(n / 8) * 8, this.model.dims.P);
    return { T: roundUp(longest), S: roundUp(longest + maxNewTokens) };
  }

  /** How many rows fit in one binding of each of the largest tensors. */
  #mostRows({ T, S }: { T: number; S: number }): number {
    const { C, I, V } = this.model.dims;
    const widest = Math.max(T * 3 * C, T * I, S * C, logitsWidth(V));
    return Math.max(1, Math.floor(this.model.device.limits.maxBinding / 4 / widest));
  }

  #session(shape: Shape): Session {
    const key = `${shape.B} ${shape.T} ${shape.S}`;
    let session = this.#sessions.get(key);
    this.#sessions.delete(key); // and set again below: the order of the map is that of use
    if (!session) {
      while (this.#sessions.size >= Math.max(1, this.options.shapes ?? 4)) {
        const [oldest, evicted] = this.#sessions.entries().next().value!;
        this.#sessions.delete(oldest);
        evicted[Symbol.dispose]();
        this.model.device.trim(); // its sizes may not come back
      }
      session = new Session(this.model, shape);
    }
    this.#sessions.set(key, session);
    return session;
  }
}

interface Shape {
  /** Prompts. */
  B: number;
  /** Most tokens of a prompt. */
  T: number;
  /** Most tokens of a prompt and its response. */
  S: number;
}

type State = Omit<SampleBuffers, "logits" | "control">;

/** The programs of one shape: prefill, which draws the first token, and one decode step. */
class Session implements Disposable {
  #scope: Scope;
  #control: Tensor;
  #prompt: Record<"token" | "position" | "length" | "last", Tensor>;
  #state: State;
  #prefill: Program;
  #decode: Program;

  constructor(readonly model: GenerationModel, readonly shape: Shape) {
    const { device, dims: { L, C, V } } = model, { B, T, S } = shape;
    const scope = this.#scope = new Scope(device);
    try {
      const words = (name: string, n: number): Tensor => scope.alloc(n, `generate ${name}`, "u32");
      const floats = (name: string, n: number): Tensor => scope.alloc(n, `generate ${name}`);
      this.#control = words("control", 8);
      this.#prompt = {
        token: words("prompt", B * T),
        position: words("prompt positions", B * T),
        length: words("prompt lengths", B),
        last: words("last rows", B),
      };
      device.write(this.#prompt.position, Uint32Array.from({ length: B * T }, (_, n) => n % T));
      this.#state = {
        position: words("position", B),
        finished: words("finished", B),
        drawn: words("drawn", B),
        token: words("token", B),
        tokens: words("tokens", B * S),
        logprobs: floats("logprobs", B * S),
      };
      const caches = Array.from({ length: L }, (_, l): KvCache => ({
        k: floats(`keys ${l}`, B * S * C),
        v: floats(`values ${l}`, B * S * C),
      }));
      const head: Head = {
        gathered: floats("gathered", B * C),
        hidden: floats("hidden", B * C),
        mean: floats("mean", B),
        rstd: floats("rstd", B),
        logits: floats("logits", B * logitsWidth(V)),
      };
      this.#prefill = this.#record("prefill", head, this.#prompt, T, (layer, dims) => {
        const within = attendWithin(device, this.#prompt.length, dims);
        return (a) => {
          const { position } = this.#prompt;
          storeKv(device, { ...caches[layer], qkv: a.qkv, position }, { B, T, C, S });
          within(a);
        };
      });
      this.#decode = this.#record("decode", head, this.#state, 1, (layer, { H, D }) => (a) => {
        const x = { ...caches[layer], qkv: a.qkv, position: this.#state.position };
        storeKv(device, x, { B, T: 1, C, S });
        attendKv(device, { ...x, out: a.attended }, { B, S, H, D });
      });
    } catch (error) {
      scope[Symbol.dispose]();
      throw error;
    }
  }

  /** Runs B prompts; yields what each row received, at most `every` tokens at a time. */
  async *run(
    prompts: readonly Tokens[],
    { control, maxNewTokens, every }: {
      control: Uint32Array<ArrayBuffer>;
      maxNewTokens: number;
      every: number;
    },
  ): AsyncGenerator<NewTokens[], void, void> {
    const { device } = this.model, { B, T, S } = this.shape;
    const { tokens, logprobs, drawn, finished, position } = this.#state;
    const lengths = Uint32Array.from(prompts, (prompt) => prompt.length);
    const flat = new Uint32Array(B * T);
    prompts.forEach((prompt, b) => flat.set(Uint32Array.from(prompt), b * T));
    device.write(this.#control, control);
    device.write(this.#prompt.token, flat);
    device.write(this.#prompt.length, lengths);
    device.write(this.#prompt.last, lengths.map((length, b) => b * T + length - 1));
    device.write(position, lengths.map((length) => length - 1));
    device.zero(drawn);
    device.zero(finished);
    const seen = new Uint32Array(B);
    for (let count = 1; count <= maxNewTokens; count++) {
      (count === 1 ? this.#prefill : this.#decode).run();
      if (count % every !== 0 && count < maxNewTokens) continue;
      const [ids, values, counts, ends] = await device.read(tokens, logprobs, drawn, finished);
      const news: NewTokens[] = [];
      for (let row = 0; row < B; row++) {
        const from = row * S + lengths[row] + seen[row], to = row * S + lengths[row] + counts[row];
        if (from === to) continue;
        seen[row] = counts[row];
        news.push({
          row,
          tokens: Int32Array.from(ids.subarray(from, to)),
          logprobs: Float32Array.from(values.subarray(from, to)),
          finished: ends[row] === 1,
        });
      }
      yield news;
      if (ends.every((end: number) => end === 1)) return;
    }
  }

  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }

  /** Records embedding, blocks, head and draw for B rows of T tokens each. */
  #record(
    label: string,
    head: Head,
    { token, position }: Record<"token" | "position", Tensor>,
    T: number,
    attend: (layer: number, dims: ModelDims & { B: number; T: number }) => Attend,
  ): Program {
    const { device, weights } = this.model, { B, S } = this.shape;
    const dims = { ...this.model.dims, B, T }, { C, V, P, L, eps } = dims, N = B * T;
    const x = [0, 1].map((i) => this.#scope.alloc(N * C, `${label} x ${i}`));
    const activations = layerActivations(this.#scope, dims, label);
    const [wte, wpe] = [weights.get("wte.weight"), weights.get("wpe.weight")];
    const [weight, bias] = [weights.get("ln_f.weight"), weights.get("ln_f.bias")];
    return this.#scope.record(label, () => {
      embedding(device, { token, position, wte, wpe, out: x[0] }, { N, C, V, P });
      for (let l = 0; l < L; l++) {
        layerForward(
          device,
          { weights: layerTensors(weights, l), x: x[l % 2], activations, out: x[(l + 1) % 2] },
          { dims, attend: attend(l, dims) },
        );
      }
      const { gathered, logits, ...norm } = head;
      let rows = x[L % 2];
      if (T > 1) {
        gatherRows(device, { x: rows, index: this.#prompt.last, out: gathered }, { N: B, R: N, C });
        rows = gathered;
      }
      layernorm(device, { x: rows, weight, bias, ...norm, out: norm.hidden }, { N: B, C, eps });
      headLogits(device, { hidden: norm.hidden, wte, logits }, { R: B, C, V });
      const sampled = { ...this.#state, logits, control: this.#control };
      sample(device, sampled, { B, V, ld: logitsWidth(V), S });
    });
  }
}

type Head = Record<"gathered" | "hidden" | "mean" | "rstd" | "logits", Tensor>;
