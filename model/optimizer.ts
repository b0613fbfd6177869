/** AdamW with global-norm clipping over the arenas of a model. @module */
import { adamw, advanceAdamw, hyperOf } from "../kernels/adamw.ts";
import type { Device, Program, Tensor } from "../kernels/device.ts";
import type { Scope } from "../kernels/scope.ts";
import { globalNorm, globalNormScratch } from "../kernels/global_norm.ts";
import { ParameterBuffers } from "./params.ts";

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

/**
 * The largest learning rate: a step moves a weight by a few times that, which is far from where f32
 * ends, and far beyond any that learns.
 */
const MAX_LEARNING_RATE = 1e6;

/** Gradients, moments and the recorded step of one model (Loshchilov and Hutter, arXiv:1711.05101). */
export class Optimizer {
  readonly options: AdamwOptions;
  readonly gradients: ParameterBuffers;
  /** First and second moment of every gradient. */
  readonly moments: Readonly<Record<"m" | "v", ParameterBuffers>>;
  readonly device: Device;
  /** (2) global norm of the last step's gradient, before clipping, and what it was scaled by. */
  readonly norm: Tensor;
  #hyper: Tensor;
  #taken: Tensor;
  #program: Program;

  /**
   * Allocates in `scope`, which frees it.
   * @throws {RangeError} when an option is out of its range
   * @throws {TypeError} when weights are stored as f16, where small steps would be lost in rounding
   */
  constructor(scope: Scope, weights: ParameterBuffers, options: Partial<AdamwOptions> = {}) {
    const device = this.device = scope.device;
    this.options = checked({ ...DEFAULTS, ...options });
    const { layout } = weights;
    if (layout.arenas.some(({ dtype }) => dtype !== "f32")) {
      throw new TypeError(
        "Cannot train weights as they must be stored as f32: these are f16; " +
          "leave out matrixDtype, or freeze the model",
      );
    }
    this.gradients = new ParameterBuffers(scope, layout, "gradient");
    const moments = this.moments = {
      m: new ParameterBuffers(scope, layout, "m"),
      v: new ParameterBuffers(scope, layout, "v"),
    };
    const grads = this.gradients.arenas;
    const scratch = scope.alloc(globalNormScratch(grads), "norm partials", "f32", "other");
    const hyper = this.#hyper = scope.alloc(8, "adamw hyper", "f32", "other");
    const norm = this.norm = scope.alloc(2, "gradient norm", "f32", "other");
    const taken = this.#taken = scope.alloc(1, "steps taken", "u32", "other");
    const correction = scope.alloc(2, "bias correction", "f32", "other");
    for (const tensor of [norm, taken, correction]) device.zero(tensor);
    this.#program = scope.record("step", () => {
      globalNorm(device, { grads, scratch, norm }, { maxNorm: this.options.maxGradNorm });
      advanceAdamw(device, { hyper, norm, taken, correction });
      layout.arenas.forEach(({ decay, length }, a) => {
        const [weight, grad, m, v] = [weights, this.gradients, moments.m, moments.v]
          .map(({ arenas }) => arenas[a]);
        const state = { hyper, norm, correction };
        adamw(device, { weight, grad, m, v, ...state }, { N: length, decay: decay ? 1 : 0 });
      });
    });
  }

  /** Steps taken so far: those that were skipped, as a gradient was not finite, do not count. */
  async steps(): Promise<number> {
    return (await this.device.read(this.#taken))[0][0];
  }

  /**
   * Continues after `t` steps; to be set together with the moments.
   * @throws {RangeError} when `t` is not a whole number below 2^32 - 1
   */
  setSteps(t: number): void {
    if (!(Number.isInteger(t) && t >= 0 && t < 2 ** 32 - 1)) {
      throw new RangeError(
        `Cannot continue an optimizer as it counts its steps from 0 to 2^32 - 2: they are ${t}`,
      );
    }
    this.device.write(this.#taken, [t]);
  }

  /**
   * Enqueues one step; the gradients are zero afterwards. Where their norm is not finite nothing else
   * changes.
   * @throws {RangeError} when the learning rate is not from 0 to 1e6, or takes more than a whole weight
   * in decay
   */
  step(lr: number): void {
    if (!(lr >= 0 && lr <= MAX_LEARNING_RATE)) {
      throw new RangeError(
        `Cannot step as the learning rate must be from 0 to ${MAX_LEARNING_RATE}: it is ${lr}`,
      );
    }
    const decay = lr * this.options.weightDecay;
    if (decay > 1) {
      throw new RangeError(
        "Cannot step as the learning rate times weightDecay is the share of a weight that is taken " +
          `off, at most 1: it is ${decay}; lower one of them`,
      );
    }
    this.device.write(this.#hyper, hyperOf({ lr, ...this.options }));
    this.#program.run();
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
