/**
 * The recorded passes of one model, by shape. Shapes are rounded up so that batches of like size share a
 * pass, and all passes share the memory of the largest.
 * @module
 */
import type { Device, Tensor } from "../kernels/device.ts";
import { mix } from "../kernels/mix.ts";
import type { ModelDims } from "./config.ts";
import type { BatchSizes, Gpt2Options } from "./gpt2_options.ts";
import { type AdaptedModel, inUse, type PassParts, passParts } from "./lora/lora.ts";
import type { ReferenceHead } from "./layers/head_kl.ts";
import { Pass, type PassModel, type PassShape } from "./pass.ts";
import { roundRows } from "./prefix_tree.ts";
import type { Rows } from "./rows.ts";
import { Workspace } from "./workspace.ts";

/** What passes need of a model. */
export interface PassedModel extends AdaptedModel {
  readonly device: Device;
  readonly dims: ModelDims;
  readonly loss: Tensor;
  readonly options: Readonly<
    Pick<Gpt2Options, "recompute" | "chunkBytes" | "shapes" | "valueDetached">
  >;
}

/** Which of a model's passes. */
export interface PassChoice {
  /** False leaves the adapter out. Default true. */
  wanted?: boolean;
  /** What KL compares with. Default: there is no KL. */
  reference?: ReferenceHead;
}

type RecordedParts = Omit<PassParts, "mode"> & Pick<PassModel, "reference">;

/** Records passes, and keeps those of the last shapes. */
export class Passes implements Disposable {
  #workspace: Workspace;
  #passes = new Map<string, Pass>(); // the most recently used one last

  constructor(readonly model: PassedModel) {
    this.#workspace = new Workspace(model.device);
  }

  /** The recorded pass for `rows`, with KL where there is a reference. */
  get(rows: Rows, temperature: number, { wanted, reference }: PassChoice = {}): Pass {
    const shape = { ...this.#sizes(rows), temperature };
    const { mode, ...parts } = passParts(this.model, wanted);
    const key = [reference ? "kl" : "", mode, ...Object.values(shape)].join(" ");
    let pass = this.#passes.get(key);
    this.#passes.delete(key); // and set again below: the order of the map is that of use
    if (pass && pass.model.reference?.weight !== reference?.weight) {
      pass[Symbol.dispose](); // it compares with another model
      pass = undefined;
    }
    if (!pass) {
      pass = this.#record(shape, { ...parts, reference });
      this.#forget(Math.max(1, this.model.options.shapes ?? 32) - 1);
    }
    this.#passes.set(key, pass);
    return pass;
  }

  /** The sizes of the pass that `rows` run in. */
  #sizes({ B, T, isTree, index }: Rows): { B: number; T: number; R: number } {
    if (isTree) return { B, T, R: roundRows(index.length) };
    // Where most rows are targets, all are: such batches then share one pass, whatever their padding.
    const time = roundTime(T, this.model.dims), targets = roundUp(index.length);
    return { B, T: time, R: 2 * targets > B * time ? B * time : targets };
  }

  /** Enqueues a copy of (R) numbers that the next pass would overwrite; there is one copy at a time. */
  keep(x: Tensor, R: number): Tensor {
    const out = this.#workspace.alloc(R, "kept rows", "f32", "other");
    mix(this.model.device, { x, out }, { N: R, alpha: 1, beta: 0 });
    return out;
  }

  /** Preallocates the memory of every pass of at most these sizes, see `Gpt2.reserve`. */
  reserve({ B, T, R, treeRows, reference }: BatchSizes & { reference?: ReferenceHead }): void {
    const time = roundTime(T, this.model.dims);
    // Of a shorter batch all rows may be targets, see `#sizes`: that is less than twice as many.
    const most = { B, T: time, R: Math.min(B * time, 2 * roundUp(R) - 1) };
    const tree = treeRows && { B: 1, T: roundRows(treeRows), R: roundRows(R) };
    const shape = { ...(tree || most), temperature: 1 };
    const isOwnReference = inUse(this.model.adapter);
    if (isOwnReference) this.#workspace.alloc(shape.R, "kept rows", "f32", "other");
    for (const wanted of isOwnReference ? [true, false] : [undefined]) {
      const parts = { ...passParts(this.model, wanted), reference };
      this.#record(shape, parts)[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    this.#forget(0);
    this.#workspace[Symbol.dispose]();
  }

  #record(shape: PassShape, parts: RecordedParts): Pass {
    const { device, dims, weights, loss } = this.model, workspace = this.#workspace;
    const { recompute = false, chunkBytes = 2 ** 27, valueDetached } = this.model.options;
    const { generation } = workspace;
    try {
      return new Pass(
        { device, workspace, dims, weights, ...parts, loss, recompute, chunkBytes, valueDetached },
        shape,
      );
    } finally {
      if (workspace.generation !== generation) this.#forget(0); // they bind memory that is gone
    }
  }

  /** Drops the passes that were used longest ago, all but `keep` of them. */
  #forget(keep: number): void {
    for (const [key, pass] of this.#passes) {
      if (this.#passes.size <= keep) break;
      this.#passes.delete(key);
      pass[Symbol.dispose]();
    }
  }
}

/** Tokens of a pass: a multiple of 8, or as many as the model has positions. */
const roundTime = (T: number, { P }: ModelDims): number => Math.min(Math.ceil(T / 8) * 8, P);

/** Rounds up by at most a quarter: 8, 16, … 64, 80, 96, 112, 128, 160, …. */
function roundUp(rows: number): number {
  const unit = Math.max(8, 2 ** Math.floor(Math.log2(rows) - 2));
  return Math.ceil(rows / unit) * unit;
}
