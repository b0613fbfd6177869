/**
 * The recorded programs of generation for one shape: prefill, which runs each distinct prompt through
 * the blocks that training uses, fills the cache of every row that has it and draws the first tokens;
 * and one decode step, which moves every row on by one token. Tokens are drawn on the device: a step needs no host data.
 * @module
 */
import type { Device, Program, Tensor } from "../../kernels/device.ts";
import type { MemoryKind } from "../../kernels/memory.ts";
import { plainEnds } from "../../kernels/attention.ts";
import { Scope } from "../../kernels/scope.ts";
import { embedding } from "../../kernels/embedding.ts";
import { NOT_FINITE } from "../../kernels/fragments/finite.ts";
import { filter, type FilterBuffers, unfilteredLogprob } from "../../kernels/filter.ts";
import { attendKv, type KvCache, storeKv } from "../../kernels/kv_cache.ts";
import { layernorm } from "../../kernels/layernorm.ts";
import { gatherRows } from "../../kernels/rows.ts";
import { sample, type SampleBuffers } from "../../kernels/sample.ts";
import type { ModelDims } from "../config.ts";
import {
  type Attend,
  attendWithin,
  blockDims,
  layerActivations,
  layerForward,
  layerTensors,
} from "../layers/forward.ts";
import { headLogits } from "../layers/head.ts";
import { logitsWidth } from "../layers/head_chunks.ts";
import { headName } from "../layout.ts";
import { logitsError } from "../logits.ts";
import type { Adapter } from "../lora/lora.ts";
import type { ParameterBuffers } from "../params.ts";
import type { Tokens } from "../rows.ts";
import type { Allocator } from "../workspace.ts";
import type { DistinctPrompts } from "./distinct.ts";
import type { TransposedWeights } from "./transposed.ts";

/** What one row received since the last report. */
export interface TokenUpdate {
  /** Index into the prompts. */
  row: number;
  tokens: Int32Array;
  /** Of each token under temperature, nats; with `filteredLogprobs`, as it was drawn. */
  logprobs: Float32Array;
  /** True once EOS was drawn. */
  finished: boolean;
}

/** What a session needs of a model. */
export interface SessionModel {
  readonly device: Device;
  readonly dims: ModelDims;
  readonly weights: ParameterBuffers;
  readonly adapter?: Adapter;
}

/** What a session is recorded for. */
export interface SessionShape {
  /** Rows. */
  B: number;
  /** Distinct prompts among them at most. */
  U: number;
  /** Most tokens of a prompt. */
  T: number;
  /** Most tokens of a prompt and its response. */
  S: number;
  /** Whether tokens are filtered before one is drawn. Default false. */
  filtered?: boolean;
  /** Whether the model's adapter adds its part. Default false. */
  adapted?: boolean;
}

type State = Omit<SampleBuffers, "logits" | "control">;

/** The programs of one shape. */
export class Session implements Disposable {
  #scope: Scope;
  #control: Tensor;
  #prompt: Record<"token" | "position" | "end" | "source" | "last", Tensor>;
  #state: State;
  #own: Tensor; // (B) 0, 1, …: in decoding each row is its own source
  #filter?: Pick<FilterBuffers, "filtered" | "norm" | "place">;
  #prefill: Program;
  #decode: Program;

  /**
   * Sessions may share `memory`, as a run needs nothing of the run before. Decoding reads `copies` where
   * they are given.
   */
  constructor(
    readonly model: SessionModel,
    readonly shape: SessionShape,
    readonly memory: Allocator,
    readonly copies?: TransposedWeights,
  ) {
    const { device, dims: { L, C, V } } = model, { B, U, T, S } = shape;
    const scope = this.#scope = new Scope(device);
    try {
      const words = (name: string, n: number): Tensor =>
        memory.alloc(n, `generate ${name}`, "u32", "other");
      const floats = (name: string, n: number, kind: MemoryKind = "other"): Tensor =>
        memory.alloc(n, `generate ${name}`, "f32", kind);
      this.#control = words("control", 16);
      this.#prompt = {
        token: words("prompt", U * T),
        position: words("prompt positions", U * T),
        end: words("prompt ends", U * T),
        source: words("prompt sources", B),
        last: words("last rows", B),
      };
      this.#state = {
        position: words("position", B),
        finished: words("finished", B),
        drawn: words("drawn", B),
        token: words("token", B),
        tokens: words("tokens", B * S),
        logprobs: floats("logprobs", B * S),
      };
      this.#own = words("rows", B);
      if (shape.filtered) {
        this.#filter = {
          filtered: floats("filtered logits", B * logitsWidth(V), "logits"),
          norm: floats("norm of logits", B * 2),
          place: words("places", B),
        };
      }
      const caches = Array.from({ length: L }, (_, l): KvCache => ({
        k: floats(`keys ${l}`, B * S * C, "cache"),
        v: floats(`values ${l}`, B * S * C, "cache"),
      }));
      const head: Head = {
        gathered: floats("gathered", B * C, "activations"),
        hidden: floats("hidden", B * C, "activations"),
        mean: floats("mean", B),
        rstd: floats("rstd", B),
        logits: floats("logits", B * logitsWidth(V), "logits"),
      };
      this.#prefill = this.#recordPrefill(head, caches);
      this.#decode = this.#recordDecode(head, caches);
    } catch (error) {
      scope[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Runs B rows of at most U distinct prompts, which have at most T tokens, and `maxNewTokens` more within
   * S; yields what each row received, after every `every` tokens, by one read-back each time.
   * `control` is `sampleControl`, and where the shape is filtered `filterControl` behind it; `first` the
   * index of the first row, for errors. The device stops a row at the end that `control` states; at the
   * others of `ends` it is cut when it is read.
   * @throws {Error} when logits are infinite or not numbers
   */
  async *run(
    { prompts, source }: DistinctPrompts,
    { control, maxNewTokens, every, ends, first }: {
      control: Uint32Array<ArrayBuffer>;
      ends: readonly number[];
      first: number;
      maxNewTokens: number;
      every: number;
    },
  ): AsyncGenerator<TokenUpdate[], void, void> {
    const { device } = this.model, { B, T, S } = this.shape;
    const { tokens, logprobs, drawn, finished, position } = this.#state;
    const lengths = source.map((u) => prompts[u].length);
    device.write(this.#control, control);
    this.#writePrompts(prompts);
    device.write(this.#prompt.source, source);
    device.write(this.#prompt.last, source.map((u, b) => u * T + lengths[b] - 1));
    device.write(this.#own, source.map((_, b) => b));
    device.write(position, lengths.map((length) => length - 1));
    if (this.#filter) { // the repetition penalty looks at whole rows
      const rows = new Uint32Array(B * S);
      source.forEach((u, b) => rows.set(Uint32Array.from(prompts[u]), b * S));
      device.write(tokens, rows);
    }
    device.zero(drawn);
    device.zero(finished);
    const seen = new Uint32Array(B), done = new Uint8Array(B);
    for (let count = 1; count <= maxNewTokens; count++) {
      if (count > 1) this.copies?.update();
      (count === 1 ? this.#prefill : this.#decode).run();
      if (count % every !== 0 && count < maxNewTokens) continue;
      const [ids, values, counts, stopped] = await device.read(tokens, logprobs, drawn, finished);
      const tokenUpdates: TokenUpdate[] = [];
      for (let row = 0; row < B; row++) {
        if (done[row]) continue;
        const start = row * S + lengths[row], from = start + seen[row];
        const fresh = ids.subarray(from, start + counts[row]);
        const end = fresh.findIndex((id: number) => ends.includes(id));
        if (end < 0 && stopped[row] === NOT_FINITE) {
          const where = `those after token ${lengths[row] + counts[row]} of prompt ${first + row}`;
          throw logitsError("draw a token", where);
        }
        if (fresh.length === 0) continue;
        const to = end < 0 ? start + counts[row] : from + end + 1;
        seen[row] = to - start;
        done[row] = end < 0 ? stopped[row] : 1;
        tokenUpdates.push({
          row,
          tokens: Int32Array.from(ids.subarray(from, to)),
          logprobs: Float32Array.from(values.subarray(from, to)),
          finished: done[row] === 1,
        });
      }
      yield tokenUpdates;
      if (done.every((end) => end === 1)) return;
    }
  }

  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }

  /** Sequences beyond the last prompt are empty, and no row's source. */
  #writePrompts(prompts: readonly Tokens[]): void {
    const { device } = this.model, { U, T } = this.shape;
    const token = new Uint32Array(U * T);
    prompts.forEach((prompt, u) => token.set(Uint32Array.from(prompt), u * T));
    device.write(this.#prompt.token, token);
    device.write(this.#prompt.position, token.map((_, n) => n % T));
    const lengths = prompts.map((prompt) => prompt.length);
    device.write(this.#prompt.end, plainEnds(lengths, { B: U, T }));
  }

  #recordPrefill(head: Head, caches: readonly KvCache[]): Program {
    const { device, dims: { H, D } } = this.model, { B, U, T, S } = this.shape;
    const { position, source, end } = this.#prompt, sizes = { B, U, T, H, D, S };
    const run = { ...this.#prompt, sequences: U, T };
    return this.#record("prefill", head, run, (layer, dims) => {
      const within = attendWithin(device, { end, position }, blockDims(dims, layer));
      return (a) => {
        storeKv(device, { ...caches[layer], qkv: a.qkv, position, source }, sizes);
        within(a);
      };
    });
  }

  #recordDecode(head: Head, caches: readonly KvCache[]): Program {
    const { device } = this.model, { B, S } = this.shape;
    const run = { ...this.#state, sequences: B, T: 1 };
    return this.#record("decode", head, run, (layer, dims) => (a) => {
      const { H, D, window, scale } = blockDims(dims, layer);
      const x = { ...caches[layer], qkv: a.qkv, position: this.#state.position };
      storeKv(device, { ...x, source: this.#own }, { B, T: 1, H, D, S });
      attendKv(device, { ...x, out: a.attended }, { B, S, H, D, window, scale });
    });
  }

  /** Records embedding and blocks for sequences of T tokens each, head and draw for B rows. */
  #record(
    label: string,
    head: Head,
    { token, position, sequences, T, last: index }: Sequences,
    attend: (layer: number, dims: ModelDims & { B: number; T: number }) => Attend,
  ): Program {
    const { device, weights } = this.model, { B, S } = this.shape;
    const adapter = this.shape.adapted ? this.model.adapter : undefined;
    const role = index ? undefined : "decode" as const; // one token a row
    const dims = { ...this.model.dims, B: sequences, T, rank: adapter?.rank, role },
      { C, V, P, L, eps } = dims,
      N = sequences * T;
    const x = [0, 1].map((i) => this.memory.alloc(N * C, `${label} x ${i}`, "f32", "activations"));
    const activations = layerActivations(this.memory, dims, label);
    const [wte, wpe] = [weights.get("wte.weight"), weights.get("wpe.weight")];
    const [weight, bias] = [weights.get("ln_f.weight"), weights.get("ln_f.bias")];
    return this.#scope.record(label, () => {
      embedding(device, { token, position, wte, wpe, out: x[0] }, { N, C, V, P });
      for (let l = 0; l < L; l++) {
        layerForward(
          device,
          {
            weights: layerTensors(weights, l, adapter?.parts(l), role && this.copies),
            x: x[l % 2],
            activations,
            out: x[(l + 1) % 2],
          },
          { dims, attend: attend(l, dims) },
        );
      }
      const { gathered, logits, ...norm } = head;
      let rows = x[L % 2];
      if (index) {
        gatherRows(device, { x: rows, index, out: gathered }, { N: B, R: N, C });
        rows = gathered;
      }
      layernorm(device, { x: rows, weight, bias, ...norm, out: norm.hidden }, { N: B, C, eps });
      const last = weights.get(headName(weights.layout));
      // One row of logits a draw, in either program.
      headLogits(device, { hidden: norm.hidden, head: last, logits }, {
        R: B,
        C,
        V,
        role: "decode",
      });
      const drawing = { ...this.#state, logits, control: this.#control };
      const sizes = { B, V, ld: logitsWidth(V), S };
      if (!this.#filter) return sample(device, drawing, sizes);
      const filtering = { ...drawing, ...this.#filter };
      filter(device, filtering, sizes);
      sample(device, { ...drawing, logits: this.#filter.filtered }, sizes);
      unfilteredLogprob(device, filtering, sizes);
    });
  }
}

/** What a program runs through the blocks. */
interface Sequences extends Record<"token" | "position", Tensor> {
  sequences: number;
  T: number;
  /** (B) the row of each draw among all their tokens; absent: each sequence is one. */
  last?: Tensor;
}

type Head = Record<"gathered" | "hidden" | "mean" | "rstd" | "logits", Tensor>;
