/**
 * A forward and a backward pass recorded for one shape. Their memory is shared with other shapes.
 *
 * With gradients, every layer keeps its activations, or (`recompute`) only its input: backward then
 * runs a layer's forward again before its backward. Without gradients all layers share one set.
 * @module
 */
import type { Device, HostArray, Program, Tensor } from "../kernels/device.ts";
import { Scope } from "../kernels/scope.ts";
import { embedding, embeddingBackward } from "../kernels/embedding.ts";
import { allocGroups, type RowGroups, writeGroups } from "../kernels/row_groups.ts";
import { matmul } from "../kernels/matmul.ts";
import { mix } from "../kernels/mix.ts";
import { NO_ROW } from "../kernels/rows.ts";
import type { ModelDims } from "./config.ts";
import { backwardScratch, layerBackward } from "./layers/backward.ts";
import {
  attendWithin,
  blockDims,
  type LayerActivations,
  layerActivations,
  type LayerDims,
  layerForward,
  layerGradients,
  layerTensors,
} from "./layers/forward.ts";
import {
  type HeadActivations,
  headActivations,
  headBackward,
  type HeadBackwardDims,
  type HeadDims,
  headForward,
  type HeadGradients,
  headGradients,
  headHidden,
  type HeadTensors,
  type ValueHead,
} from "./layers/head.ts";
import { chunkRows } from "./layers/head_chunks.ts";
import type { ReferenceHead } from "./layers/head_kl.ts";
import type { Adapter } from "./lora/lora.ts";
import type { ParameterBuffers } from "./params.ts";
import { type OnUse, onUse } from "./on_use.ts";
import { padded, type Rows } from "./rows.ts";
import type { Workspace } from "./workspace.ts";

/** What a pass is recorded for. */
export interface PassShape {
  readonly B: number;
  readonly T: number;
  /** Target positions. */
  readonly R: number;
  /** Divides the logits. */
  readonly temperature: number;
}

/** What a pass works on. */
export interface PassModel {
  readonly device: Device;
  readonly workspace: Workspace;
  readonly dims: ModelDims;
  readonly weights: ParameterBuffers;
  readonly values?: ValueHead;
  /** The gradient of the value ends at the value head. */
  readonly valueDetached?: boolean;
  /** Adds its part to the blocks; its gradients lie in `gradients`. */
  readonly adapter?: Adapter;
  /** What KL compares with. Absent: there is no KL. */
  readonly reference?: ReferenceHead;
  /** Of what is trained. Absent: no backward pass is recorded. */
  readonly gradients?: ParameterBuffers;
  /** (1) to which the language-model loss is added. */
  readonly loss?: Tensor;
  /** Keep only each layer's input, and compute the rest again in backward. */
  readonly recompute: boolean;
  /** Most bytes of logits at a time. */
  readonly chunkBytes: number;
}

/** Gradients of the loss with respect to what a pass computed, (R) each; absent means zero. */
export interface RowGradients {
  dlogprob?: ArrayLike<number>;
  dentropy?: ArrayLike<number>;
  dvalue?: ArrayLike<number>;
  dkl?: ArrayLike<number>;
}

/** The recorded programs of one shape. */
export class Pass implements Disposable {
  /** Results, and the logits where all rows were one chunk. */
  readonly head: HeadActivations;
  /** True when `head.logits` holds every row. */
  readonly singleChunk: boolean;
  #programs: Scope;
  #hidden: Program;
  #forwardHead: Program;
  /** The head's, the same through KL, #forwardHead with it chunk by chunk, and the layers'. */
  #backward?: Record<"head" | "klHead" | "wholeHead" | "layers", OnUse>;
  #addLoss?: Program;
  #inputs: Record<"token" | "position" | "end" | "index" | "target", Tensor>;
  /** Which rows have a token, a position or a target in common: their gradients meet there. */
  #groups?: { asked: RowGroups<Tensor>; tokens?: RowGroups<Tensor>; positions?: RowGroups<Tensor> };
  #gradients?: HeadGradients;

  constructor(readonly model: PassModel, readonly shape: PassShape) {
    this.#programs = new Scope(model.device);
    try {
      const { device, dims, workspace } = model;
      const { B, T, R, temperature } = shape;
      const N = B * T;
      const make = (name: string, length: number): Tensor =>
        workspace.alloc(length, name, "u32", "other");
      this.#inputs = {
        token: make("token", N),
        position: make("position", N),
        end: make("end", N),
        index: make("index", R),
        target: make("target", R),
      };
      const value = model.values !== undefined;
      const chunk = chunkRows(device.limits, { V: dims.V, R, bytes: model.chunkBytes });
      const { reference, valueDetached: detached } = model;
      const sizes = { ...dims, N, R, chunk, temperature };
      const headDims: HeadDims = { ...sizes, value, detached, reference };
      this.singleChunk = R <= chunk;
      this.head = headActivations(workspace, headDims);
      const layers = this.#layers({ ...dims, B, T, rank: model.adapter?.rank });
      const head = this.#headTensors(layers.x[dims.L]);
      this.#hidden = this.#programs.record("hidden", () => {
        this.#runLayers(layers);
        headHidden(device, head, headDims);
      });
      this.#forwardHead = this.#programs.record("head", () => headForward(device, head, headDims));
      if (model.gradients) this.#recordBackward(layers, headDims, model.gradients);
    } catch (error) {
      this.#programs[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Enqueues the forward pass of `rows`, whose shape may be smaller than this pass's: sequences are
   * padded to T, and target positions to R.
   */
  forward(rows: Rows): void {
    this.hidden(rows);
    this.#forwardHead.run();
  }

  /** As `forward`, but no further than `head.hidden`, which is returned: (R, C). */
  hidden(rows: Rows): Tensor {
    this.#writeRows(rows);
    this.#hidden.run();
    return this.head.hidden;
  }

  /** Enqueues the reference's hidden states of the first `rows` target positions, for the next `forward`. */
  compareWith(hidden: Tensor, rows: number): void {
    const { device, reference } = this.model, out = this.head.reference!.hidden;
    device.zero(out); // beyond `rows`: whatever is left there must be finite
    mix(device, { x: hidden, out }, { N: rows * reference!.C, alpha: 1, beta: 0 });
  }

  #writeRows(rows: Rows): void {
    const { device } = this.model;
    const { B, T, R } = this.shape;
    const spread = (of: Uint32Array, out = new Uint32Array(B * T)): HostArray & Uint32Array => {
      for (let b = 0; b < B; b++) out.set(of.subarray(b * rows.T, (b + 1) * rows.T), b * T);
      return out;
    };
    const [token, position, end] = [rows.tokens, rows.position, rows.end].map((of) => spread(of));
    const index = new Uint32Array(R).fill(NO_ROW);
    rows.index.forEach((row, r) => index[r] = Math.floor(row / rows.T) * T + row % rows.T);
    const inputs = { token, position, end, index, target: padded(rows.target, R) };
    for (const [name, data] of Object.entries(inputs)) {
      device.write(this.#inputs[name as keyof typeof inputs], data);
    }
    const real = (of: Uint32Array) => of.map((key, n) => end[n] > 0 ? key : NO_ROW);
    const { asked, tokens, positions } = this.#groups ?? {};
    if (asked) writeGroups(device, asked, index);
    if (tokens) writeGroups(device, tokens, real(token));
    if (positions) writeGroups(device, positions, real(position));
  }

  /** Enqueues the backward pass of the last `forward`: adds into the model's gradients. */
  backward(gradients: RowGradients): void {
    this.#writeGradients(gradients);
    const { head, klHead, layers } = this.#backward!, fresh = this.#takeZeros();
    (gradients.dkl && this.model.reference ? klHead : head)(fresh).run();
    layers(fresh).run();
  }

  /**
   * Enqueues forward and backward of the loss -sum(logprob) / count, which is added to `model.loss`. Its
   * gradient is known before the forward pass, so that of several chunks each is computed once for both.
   */
  languageModel(rows: Rows, count: number): void {
    this.#writeGradients({ dlogprob: new Float64Array(rows.index.length).fill(-1 / count) });
    this.hidden(rows);
    const { head, wholeHead, layers } = this.#backward!, fresh = this.#takeZeros();
    if (this.singleChunk) {
      this.#forwardHead.run();
      head(fresh).run();
    } else wholeHead(fresh).run();
    this.#addLoss!.run();
    layers(fresh).run();
  }

  [Symbol.dispose](): void {
    this.#programs[Symbol.dispose]();
  }

  /** Whether gradients are zero; they no longer are when what was asked for has run. */
  #takeZeros(): boolean {
    const { areZero } = this.model.gradients!;
    this.model.gradients!.areZero = false;
    return areZero;
  }

  #writeGradients(gradients: RowGradients): void {
    const { dlogprob, dentropy, dvalue, dkl } = this.#gradients!;
    const write = (tensor: Tensor, data?: ArrayLike<number>): void =>
      this.model.device.write(tensor, padded(Float64Array.from(data ?? []), this.shape.R));
    write(dlogprob, gradients.dlogprob);
    write(dentropy, gradients.dentropy);
    if (dvalue) write(dvalue, gradients.dvalue);
    if (dkl && gradients.dkl) write(dkl, gradients.dkl);
  }

  /** The layers' memory: inputs x[0..L], and activations. */
  #layers(dims: LayerDims & ModelDims): Layers {
    const { B, T, C, L } = dims;
    const { gradients, recompute, workspace } = this.model;
    const keep = gradients !== undefined && !recompute;
    const inputs = Array.from(
      { length: gradients ? L + 1 : 2 }, // without backward the stream goes back and forth
      (_, l) => workspace.alloc(B * T * C, `x ${l}`, "f32", "activations"),
    );
    const sets = Array.from(
      { length: keep ? L : 1 },
      (_, l) => layerActivations(workspace, dims, `layer ${l}`),
    );
    return {
      dims,
      x: Array.from({ length: L + 1 }, (_, l) => inputs[l % inputs.length]),
      activations: Array.from({ length: L }, (_, l) => sets[l % sets.length]),
    };
  }

  /** What the head works on, with the last layer's output. */
  #headTensors(x: Tensor): HeadTensors {
    const { weights, values } = this.model, { index, target } = this.#inputs;
    return { x, index, target, weights, values, activations: this.head };
  }

  /** Enqueues embedding and blocks. */
  #runLayers({ dims, x, activations }: Layers): void {
    const { device, weights, adapter } = this.model, { token, position, end } = this.#inputs;
    const { B, T, C, V, P, L } = dims;
    const [wte, wpe] = [weights.get("wte.weight"), weights.get("wpe.weight")];
    embedding(device, { token, position, wte, wpe, out: x[0] }, { N: B * T, C, V, P });
    for (let l = 0; l < L; l++) {
      const block = blockDims(dims, l);
      layerForward(
        device,
        {
          weights: layerTensors(weights, l, adapter?.parts(l)),
          x: x[l],
          activations: activations[l],
          out: x[l + 1],
        },
        { dims: block, attend: attendWithin(device, { end, position }, block) },
      );
    }
  }

  #recordBackward(
    { dims, x, activations }: Layers,
    headDims: HeadDims,
    gradients: ParameterBuffers,
  ): void {
    const { device, weights, values, adapter, recompute, loss, workspace } = this.model;
    const { end, position, target } = this.#inputs, seen = { end, position };
    const { B, T, C, V, P, L } = dims;
    const N = B * T;
    const group = (label: string, rows = N) => allocGroups(workspace, rows, label);
    const [dwte, dwpe] = [gradients.find("wte.weight"), gradients.find("wpe.weight")];
    const tables = dwte && dwpe && { dwte, dwpe };
    const lookups = tables && { tokens: group("token"), positions: group("position") };
    const asked = group("target", headDims.R);
    this.#groups = { asked, ...lookups };
    const head = this.#gradients = headGradients(workspace, headDims);
    const scratch = backwardScratch(workspace, dims);
    const dx = workspace.alloc(N * C, "dx", "f32", "activations");
    const tensors = { asked, target, weights, values, gradients, activations: this.head, head, dx };
    const recordHead = (of: HeadBackwardDims): OnUse =>
      onUse((fresh) => {
        const build = () => headBackward(device, tensors, { ...of, fresh });
        return this.#programs.record("head backward", build);
      });
    const plain = { ...headDims, reference: undefined };
    const recordLayers = (fresh: boolean): Program =>
      this.#programs.record("layers backward", () => {
        for (let l = L - 1; l >= 0; l--) {
          const own = layerTensors(weights, l, adapter?.parts(l));
          const layer = { weights: own, x: x[l], activations: activations[l] };
          const block = blockDims(dims, l), attend = attendWithin(device, seen, block);
          if (recompute) layerForward(device, layer, { dims: block, attend });
          layerBackward(
            device,
            {
              ...layer,
              gradients: layerGradients(gradients, l, adapter?.parts(l, gradients)),
              ...{ seen, dx, scratch, fresh },
            },
            block,
          );
        }
        if (!tables) return;
        embeddingBackward(device, { dout: dx, ...tables, ...lookups! }, { N, C, V, P });
      });
    const backward = this.#backward = {
      head: recordHead(plain),
      klHead: recordHead(headDims),
      wholeHead: recordHead({ ...plain, alsoForward: true }),
      layers: onUse(recordLayers),
    };
    for (const one of [backward.head, backward.layers]) one(true); // what every run needs
    if (loss) this.#addLoss = this.#recordLoss(loss, { dlogprob: head.dlogprob, R: headDims.R });
  }

  /** Adds the inner product of the log-probabilities with their gradient, -1 / count: the loss. */
  #recordLoss(out: Tensor, { dlogprob, R }: { dlogprob: Tensor; R: number }): Program {
    return this.#programs.record("loss", () => {
      matmul(
        this.model.device,
        { a: this.head.logprob, b: dlogprob, out },
        { M: 1, N: 1, K: R, orientation: "NN", accumulate: true },
      );
    });
  }
}

interface Layers {
  dims: LayerDims & ModelDims;
  x: Tensor[];
  activations: LayerActivations[];
}
