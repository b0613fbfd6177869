/** AdamW with global-norm clipping over the arenas of a model. @module */
import { adamw, hyperOf } from "../kernels/adamw.ts";
import type { Device, Program, Scope, Tensor } from "../kernels/device.ts";
import { globalNorm, globalNormScratch } from "../kernels/global_norm.ts";
import { Store } from "./params.ts";
import { openSafetensors, writeSafetensors } from "./files/safetensors.ts";

/** Settings of the optimizer. */
export interface AdamwOptions {
  /** Decay of the first moment; 0 to 1. Default 0.9. */
  beta1: number;
  /** Decay of the second moment; 0 to 1. Default 0.999. */
  beta2: number;
  /** Added to the root of the second moment. Default 1e-8. */
  eps: number;
  /** Decoupled decay of matrices and embeddings, a step, times the learning rate. Default 0. */
  weightDecay: number;
  /** The gradient is scaled down to this global norm; 0 switches clipping off. Default 1. */
  maxGradNorm: number;
}

const DEFAULTS: Readonly<AdamwOptions> = Object.freeze({
  beta1: 0.9,
  beta2: 0.999,
  eps: 1e-8,
  weightDecay: 0,
  maxGradNorm: 1,
});

/** Gradients, moments and the recorded step of one model (Loshchilov and Hutter, arXiv:1711.05101). */
export class Optimizer {
  readonly options: AdamwOptions;
  readonly gradients: Store;
  readonly device: Device;
  #m: Store;
  #v: Store;
  /** (2) global norm of the last step's gradient, before clipping, and what it was scaled by. */
  readonly norm: Tensor;
  #hyper: Tensor;
  #program: Program;
  #t = 0;

  /**
   * Allocates in `scope`, which frees it.
   * @throws {RangeError} when an option is out of its range
   * @throws {TypeError} when weights are stored as f16, where small steps would be lost in rounding
   */
  constructor(scope: Scope, weights: Store, options: Partial<AdamwOptions> = {}) {
    const device = this.device = scope.device;
    this.options = checked({ ...DEFAULTS, ...options });
    const { layout } = weights;
    if (layout.arenas.some(({ dtype }) => dtype !== "f32")) {
      throw new TypeError(
        "Cannot train weights as they must be stored as f32: these are f16; " +
          "leave out matrixDtype, or freeze the model",
      );
    }
    this.gradients = new Store(scope, layout, "gradient");
    this.#m = new Store(scope, layout, "m");
    this.#v = new Store(scope, layout, "v");
    const grads = this.gradients.arenas;
    const scratch = scope.alloc(globalNormScratch(grads), "norm partials");
    const hyper = this.#hyper = scope.alloc(8, "adamw hyper");
    const norm = this.norm = scope.alloc(2, "gradient norm");
    device.zero(norm);
    this.#program = scope.record("step", () => {
      globalNorm(device, { grads, scratch, norm }, { maxNorm: this.options.maxGradNorm });
      layout.arenas.forEach(({ decay, length }, a) => {
        const [weight, grad, m, v] = [weights, this.gradients, this.#m, this.#v]
          .map(({ arenas }) => arenas[a]);
        adamw(device, { weight, grad, m, v, hyper, norm }, { N: length, decay: decay ? 1 : 0 });
      });
    });
  }

  /** Steps taken so far. */
  get t(): number {
    return this.#t;
  }

  /** Enqueues one step; the gradients are zero afterwards. */
  step(lr: number): void {
    if (!(lr >= 0 && lr < Infinity)) {
      throw new RangeError(`Cannot step as the learning rate must be finite and >= 0: it is ${lr}`);
    }
    this.#t++;
    this.device.write(this.#hyper, hyperOf({ lr, ...this.options }, this.#t));
    this.#program.run();
  }

  /** Writes both moments and the step count to a safetensors file, all or nothing. */
  async exportState(path: string): Promise<void> {
    const moments = [["m", this.#m], ["v", this.#v]] as const;
    const order = this.gradients.order;
    await writeSafetensors(path, {
      tensors: moments.flatMap(([kind]) =>
        order.map(({ name, shape }) => ({ name: `${kind}.${name}`, shape }))
      ),
      data: async function* () {
        for (const [, store] of moments) for await (const [, data] of store.read()) yield data;
      },
      metadata: { t: String(this.#t) },
    });
  }

  /**
   * Reads what `exportState` wrote.
   * @throws {Error} naming every moment that is missing or of another shape
   */
  async importState(path: string): Promise<void> {
    using file = await openSafetensors(path);
    const t = Number(file.metadata.t);
    if (!Number.isSafeInteger(t) || t < 0) {
      throw new TypeError(
        `Cannot read the optimizer from ${path} as its metadata must say the step t: it says ${file.metadata.t}`,
      );
    }
    const targets = [["m", this.#m], ["v", this.#v]] as const;
    file.expect(
      targets.flatMap(([kind]) =>
        this.gradients.order.map(({ name, shape }) => ({ name: `${kind}.${name}`, shape }))
      ),
    );
    for (const [kind, store] of targets) {
      for (const { name } of store.order) {
        this.device.write(store.get(name), await file.read(`${kind}.${name}`));
      }
    }
    this.#t = t;
  }
}

function checked(options: AdamwOptions): AdamwOptions {
  const rules: [keyof AdamwOptions, (x: number) => boolean, string][] = [
    ["beta1", (x) => x >= 0 && x < 1, "at least 0 and below 1"],
    ["beta2", (x) => x >= 0 && x < 1, "at least 0 and below 1"],
    ["eps", (x) => x > 0 && x < Infinity, "above 0"],
    ["weightDecay", (x) => x >= 0 && x < Infinity, "finite and >= 0"],
    ["maxGradNorm", (x) => x >= 0 && x < Infinity, "finite and >= 0 (0 for no clipping)"],
  ];
  for (const [key, holds, rule] of rules) {
    if (!holds(options[key])) {
      throw new RangeError(`Cannot use AdamW as ${key} must be ${rule}: it is ${options[key]}`);
    }
  }
  return options;
}
