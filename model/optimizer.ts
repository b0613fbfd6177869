/** AdamW with global-norm clipping over the arenas of a model. @module */
import { adamw, advanceAdamw, hyperOf } from "../kernels/adamw.ts";
import type { Device, Program, Tensor } from "../kernels/device.ts";
import type { Scope } from "../kernels/scope.ts";
import { globalNorm, globalNormScratch } from "../kernels/global_norm.ts";
import { view } from "../kernels/tensor.ts";
import { isValueHead, type Layout, type Parameter } from "./layout.ts";
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
  /** The same of the value head's weight, times its learning rate. Default: `weightDecay`. */
  valueWeightDecay?: number;
  /** The gradient is scaled down to this global norm; 0 switches clipping off. Default 1. */
  maxGradNorm: number;
  /** The gradient of the value head is clipped apart from all others, each to `maxGradNorm`. Default false. */
  clipApart?: boolean;
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

/** Parameters with a learning rate and a step count of their own: the value head, and all others. */
export type ParameterGroup = "policy" | "value";

/** Gradients, moments and the recorded steps of one model (Loshchilov and Hutter, arXiv:1711.05101). */
export class Optimizer {
  readonly options: AdamwOptions;
  readonly gradients: ParameterBuffers;
  /** First and second moment of every gradient. */
  readonly moments: Readonly<Record<"m" | "v", ParameterBuffers>>;
  readonly device: Device;
  /** (2) global norm of the last step's gradient, before clipping, and what it was scaled by. */
  readonly norm: Tensor;
  #groups: ReadonlyMap<ParameterGroup, Group>;
  /** By the groups that move in it. */
  #programs: ReadonlyMap<string, Program>;

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
    this.moments = {
      m: new ParameterBuffers(scope, layout, "m"),
      v: new ParameterBuffers(scope, layout, "v"),
    };
    this.norm = scope.alloc(2, "gradient norm", "f32", "other");
    device.zero(this.norm);
    const apart = this.options.clipApart === true;
    const groups = this.#groups = new Map(
      [...groupRanges(layout)].map((
        [name, ranges],
      ) => [name, openGroup(scope, { name, ranges, apart })]),
    );
    const summed = [this.gradients.arenas, ...[...groups.values()].map(({ ranges }) => ranges)];
    const scratchLength = Math.max(...summed.map((parts) => globalNormScratch(parts)));
    const scratch = scope.alloc(scratchLength, "norm partials", "f32", "other");
    const all = [...groups.keys()];
    const moving = [all, [], ...(all.length > 1 ? all.map((one) => [one]) : [])];
    this.#programs = new Map(moving.map((names) => [
      names.join(),
      scope.record("step", () => this.#record(weights, scratch, names)),
    ]));
  }

  /** Steps of a group so far: those that were skipped, as a gradient was not finite, do not count. */
  async steps(name: ParameterGroup = "policy"): Promise<number> {
    return (await this.device.read(this.#group(name).taken))[0][0];
  }

  /**
   * Continues after `t` steps, those of the value head if it has had another number; to be set together
   * with the moments.
   * @throws {RangeError} when one is not a whole number below 2^32 - 1
   */
  setSteps(t: number, value: number = t): void {
    const wrong = [t, value].find((n) => !(Number.isInteger(n) && n >= 0 && n < 2 ** 32 - 1));
    if (wrong !== undefined) {
      throw new RangeError(
        `Cannot continue an optimizer as it counts its steps from 0 to 2^32 - 2: they are ${wrong}`,
      );
    }
    for (const [name, { taken }] of this.#groups) {
      this.device.write(taken, [name === "value" ? value : t]);
    }
  }

  /** True where there is a value head, whose steps are counted apart. */
  get hasValues(): boolean {
    return this.#groups.has("value");
  }

  /**
   * Enqueues one step; the gradients are zero afterwards. What has the learning rate 0 stays as it is, its
   * moments and its step count too, and its gradient is no part of the norm (where all stay, the norm is
   * that of all). Where the norm is not finite nothing else changes.
   * @throws {RangeError} when a learning rate is not from 0 to 1e6, or takes more than a whole weight
   * in decay
   */
  step(lr: number, valueLr: number = lr): void {
    const { weightDecay, valueWeightDecay = weightDecay } = this.options;
    const moves: [ParameterGroup, Group, number[]][] = [];
    for (const [name, group] of this.#groups) {
      const [rate, decay] = name === "value" ? [valueLr, valueWeightDecay] : [lr, weightDecay];
      checkRate(rate, decay);
      if (rate === 0) continue;
      moves.push([name, group, hyperOf({ ...this.options, lr: rate, weightDecay: decay })]);
    }
    for (const [, { hyper }, numbers] of moves) this.device.write(hyper, numbers);
    this.#programs.get(moves.map(([name]) => name).join())!.run();
    this.gradients.areZero = true;
  }

  /** Enqueues a step in which these groups move. */
  #record(weights: ParameterBuffers, scratch: Tensor, moving: readonly ParameterGroup[]): void {
    const { device, norm, gradients, moments, options: { maxGradNorm, clipApart } } = this;
    const isAll = moving.length === 0 || moving.length === this.#groups.size;
    const apart = clipApart && moving.length > 1;
    const part = ({ arenas }: ParameterBuffers, { arena, start, length }: Range): Tensor =>
      view(arenas[arena], start, length);
    const gradientsOf = ({ ranges }: Group) => ranges.map((range) => part(gradients, range));
    const grads = isAll ? gradients.arenas : gradientsOf(this.#group(moving[0]));
    globalNorm(device, { grads, scratch, norm }, { maxNorm: apart ? 0 : maxGradNorm });
    for (const [name, group] of this.#groups) {
      if (!moving.includes(name)) {
        for (const grad of gradientsOf(group)) device.zero(grad);
        continue;
      }
      const { hyper, taken, correction, ranges } = group;
      const state = { hyper, correction, norm: apart ? group.norm! : norm };
      if (apart) {
        const own = { grads: gradientsOf(group), scratch, norm: group.norm!, whole: norm };
        globalNorm(device, own, { maxNorm: maxGradNorm });
      }
      advanceAdamw(device, { ...state, taken });
      for (const range of ranges) {
        const [weight, grad, m, v] = [weights, gradients, moments.m, moments.v]
          .map((buffers) => part(buffers, range));
        const { length: N, decay } = range;
        adamw(device, { weight, grad, m, v, ...state }, { N, decay: decay ? 1 : 0 });
      }
    }
  }

  #group(name: ParameterGroup): Group {
    const group = this.#groups.get(name);
    if (group) return group;
    throw new Error(`Cannot tell the steps of the ${name} head as this model has none`);
  }
}

/** Consecutive parameters of one group in an arena. */
interface Range {
  readonly arena: number;
  /** First element, and elements. */
  readonly start: number;
  readonly length: number;
  readonly decay: boolean;
}

/** What the steps of a group need beside weights, gradients and moments. */
interface Group {
  readonly ranges: readonly Range[];
  /** (8), see `hyperOf`. */
  readonly hyper: Tensor;
  /** (1) u32 */
  readonly taken: Tensor;
  /** (2) */
  readonly correction: Tensor;
  /** (2) of its gradients alone, where they are clipped apart. */
  readonly norm?: Tensor;
}

function openGroup(
  scope: Scope,
  { name, ranges, apart }: { name: ParameterGroup; ranges: readonly Range[]; apart: boolean },
): Group {
  const make = (length: number, what: string, dtype: "f32" | "u32" = "f32"): Tensor =>
    scope.alloc(length, `${what} (${name})`, dtype, "other");
  const group = {
    ranges,
    hyper: make(8, "adamw hyper"),
    taken: make(1, "steps taken", "u32"),
    correction: make(2, "bias correction"),
    ...(apart && { norm: make(2, "gradient norm") }),
  };
  for (const tensor of [group.taken, group.correction]) scope.device.zero(tensor);
  return group;
}

/** The places of each group's parameters; without a value head there is one group. */
function groupRanges({ parameters, arenas }: Layout): Map<ParameterGroup, Range[]> {
  const found = new Map<ParameterGroup, Range[]>();
  arenas.forEach(({ length: end, decay }, arena) => {
    const inside = parameters.filter((parameter) => parameter.arena === arena);
    const groupOf = ({ name }: Parameter) => isValueHead(name) ? "value" : "policy";
    const first = inside.filter((one, i) => i === 0 || groupOf(one) !== groupOf(inside[i - 1]));
    first.forEach((one, i) => {
      const start = one.offset, length = (first[i + 1]?.offset ?? end) - start;
      found.set(groupOf(one), [...found.get(groupOf(one)) ?? [], { arena, start, length, decay }]);
    });
  });
  return found;
}

/** @throws {RangeError} for a learning rate out of range, or one that takes more than a whole weight */
function checkRate(rate: number, weightDecay: number): void {
  if (!(rate >= 0 && rate <= MAX_LEARNING_RATE)) {
    throw new RangeError(
      `Cannot step as the learning rate must be from 0 to ${MAX_LEARNING_RATE}: it is ${rate}`,
    );
  }
  const decay = rate * weightDecay;
  if (decay > 1) {
    throw new RangeError(
      "Cannot step as the learning rate times weightDecay is the share of a weight that is taken " +
        `off, at most 1: it is ${decay}; lower one of them`,
    );
  }
}

function checked(options: AdamwOptions): AdamwOptions {
  const rules: [Exclude<keyof AdamwOptions, "clipApart">, (x: number) => boolean, string][] = [
    ["beta1", (x) => x >= 0 && x < 1, "at least 0 and below 1"],
    ["beta2", (x) => x >= 0 && x < 1, "at least 0 and below 1"],
    ["eps", (x) => x > 0 && x < Infinity, "above 0"],
    ["weightDecay", (x) => x >= 0 && x < Infinity, "finite and >= 0"],
    ["valueWeightDecay", (x) => x >= 0 && x < Infinity, "finite and >= 0"],
    ["maxGradNorm", (x) => x >= 0 && x < Infinity, "finite and >= 0 (0 for no clipping)"],
  ];
  for (const [key, holds, rule] of rules) {
    const value = options[key];
    if (value !== undefined && !holds(value)) {
      throw new RangeError(`Cannot use AdamW as ${key} must be ${rule}: it is ${value}`);
    }
  }
  return options;
}
