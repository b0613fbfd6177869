/**
 * The recorded passes of one model, by shape. Shapes are rounded up so that batches of like size share a
 * pass, and all passes share the memory of the largest.
 * @module
 */
import type { Device, Tensor } from "../kernels/device.ts";
import type { ModelDims } from "./config.ts";
import type { Gpt2Options } from "./gpt2_options.ts";
import { type AdaptedModel, inUse, type PassParts, passParts } from "./lora/lora.ts";
import { Pass, type PassShape } from "./pass.ts";
import type { Rows } from "./rows.ts";
import { Workspace } from "./workspace.ts";

/** What passes need of a model. */
export interface PassedModel extends AdaptedModel {
  readonly device: Device;
  readonly dims: ModelDims;
  readonly loss: Tensor;
  readonly options: Readonly<Pick<Gpt2Options, "recompute" | "chunkBytes" | "shapes">>;
}

/** Records passes, and keeps those of the last shapes. */
export class Passes implements Disposable {
  #workspace: Workspace;
  #passes = new Map<string, Pass>(); // the most recently used one last

  constructor(readonly model: PassedModel) {
    this.#workspace = new Workspace(model.device);
  }

  /** The recorded pass for `rows`; `wanted` false leaves the adapter out. */
  get(rows: Rows, temperature: number, wanted?: boolean): Pass {
    const T = roundTime(rows.T, this.model.dims);
    // Where most rows are targets, all are: such batches then share one pass, whatever their padding.
    const targets = roundUp(rows.index.length);
    const R = 2 * targets > rows.B * T ? rows.B * T : targets;
    const shape = { B: rows.B, T, R, temperature };
    const { mode, ...parts } = passParts(this.model, wanted);
    const key = [mode, ...Object.values(shape)].join(" ");
    let pass = this.#passes.get(key);
    this.#passes.delete(key); // and set again below: the order of the map is that of use
    if (!pass) {
      pass = this.#record(shape, parts);
      this.#forget(Math.max(1, this.model.options.shapes ?? 32) - 1);
    }
    this.#passes.set(key, pass);
    return pass;
  }

  /** Preallocates the memory of every pass of at most these sizes, see `Gpt2.reserve`. */
  reserve({ B, T, R }: { B: number; T: number; R: number }): void {
    const time = roundTime(T, this.model.dims);
    // Of a shorter batch all rows may be targets, see `get`: that is less than twice as many.
    const rows = Math.min(B * time, 2 * roundUp(R) - 1);
    const shape = { B, T: time, R: rows, temperature: 1 };
    for (const wanted of inUse(this.model.adapter) ? [true, false] : [undefined]) {
      this.#record(shape, passParts(this.model, wanted))[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    this.#forget(0);
    this.#workspace[Symbol.dispose]();
  }

  #record(shape: PassShape, parts: Omit<PassParts, "mode">): Pass {
    const { device, dims, weights, loss } = this.model, workspace = this.#workspace;
    const { recompute = false, chunkBytes = 2 ** 27 } = this.model.options;
    const { generation } = workspace;
    try {
      return new Pass(
        { device, workspace, dims, weights, ...parts, loss, recompute, chunkBytes },
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
