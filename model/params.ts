/**
 * One number for every parameter of a layout. Weight, gradient and both moments have the same layout:
 * those of one name are the same range of their arenas.
 * @module
 */
import { type RandomStreams, STREAMS } from "../base/random.ts";
import type { Device, FloatArray, Tensor } from "../kernels/device.ts";
import type { MemoryKind } from "../kernels/memory.ts";
import type { Scope } from "../kernels/scope.ts";
import { view } from "../kernels/tensor.ts";
import type { Layout, Parameter } from "./layout.ts";
import { fillNormal, fillUniform } from "./random.ts";

/** What the numbers of parameters are, and the kind of memory that they count as. */
const MEMORY_KIND_OF = {
  weight: "weights",
  adapter: "weights",
  gradient: "gradients",
  m: "moments",
  v: "moments",
} as const satisfies Record<string, MemoryKind>;

/** One number for every parameter: the weights, or the gradients, or a moment. */
export class ParameterBuffers {
  /** One tensor an arena. */
  readonly arenas: readonly Tensor[];
  readonly device: Device;
  /**
   * All of them are 0, as far as those say that change them: what adds to zeros may overwrite them. Whoever
   * writes other numbers before such a pass says so.
   */
  areZero = true;
  #views: ReadonlyMap<string, Tensor>;

  /** Allocates zeros in `scope`, which frees them. `kind` names it in labels. */
  constructor(scope: Scope, readonly layout: Layout, readonly kind: keyof typeof MEMORY_KIND_OF) {
    this.device = scope.device;
    this.arenas = layout.arenas.map(({ length, label, dtype }) =>
      scope.alloc(length, `${kind} ${label}`, dtype, MEMORY_KIND_OF[kind])
    );
    this.zero();
    this.#views = new Map(
      layout.parameters.map(({ name, arena, offset, length }) => [
        name,
        view(this.arenas[arena], offset, length, `${kind} ${name}`),
      ]),
    );
  }

  /** The tensor of one parameter, where there is one. */
  find(name: string): Tensor | undefined {
    return this.#views.get(name);
  }

  /** The tensor of one parameter. @throws {RangeError} for an unknown name */
  get(name: string): Tensor {
    const found = this.find(name);
    if (!found) throw new RangeError(`Cannot find the ${this.kind} of ${name}: no such parameter`);
    return found;
  }

  /** Enqueues zeros into every arena. */
  zero(): void {
    for (const arena of this.arenas) this.device.zero(arena);
    this.areZero = true;
  }

  /** The parameters in the order in which `read` gives them. */
  get order(): Parameter[] {
    return this.layout.parameters.toSorted((a, b) => a.arena - b.arena);
  }

  /** Copies one parameter after another to the host, arena by arena; one host sync an arena. */
  async *read(): AsyncGenerator<[Parameter, FloatArray]> {
    let at = -1;
    let data: FloatArray | undefined;
    for (const parameter of this.order) {
      if (parameter.arena !== at) {
        data = undefined; // let the last block go before the next one arrives
        at = parameter.arena;
        [data] = await this.device.read(this.arenas[at]) as FloatArray[];
      }
      const { offset, length } = parameter;
      yield [parameter, data!.subarray(offset, offset + length) as FloatArray];
    }
  }
}

/**
 * Writes fresh values, for a GPT-2 its initialisation (normal 0.02, residual projections over
 * sqrt(2 L)), into `weights`. `stream` says which random numbers a parameter gets, counted from 0.
 */
export function initialise(
  weights: ParameterBuffers,
  seed: number,
  stream: RandomStreams["weights"] = STREAMS.weights,
): void {
  const { layout, device } = weights;
  layout.parameters.forEach(({ name, length, init }, parameter) => {
    const data = new Float32Array(length), draws = { seed, parameter, stream };
    if ("value" in init) data.fill(init.value);
    else if ("bound" in init) fillUniform(data, { bound: init.bound, ...draws });
    else fillNormal(data, { std: init.std, ...draws });
    device.write(weights.get(name), data);
  });
}

/**
 * Writes a fresh value head into `store`, where it has one: zeros, or normal draws of standard deviation
 * 1 / (C + 1) with bias 0 ("normal"; OpenRLHF begins so).
 */
export function initialiseValueHead(
  store: ParameterBuffers,
  { init = "zero", seed = 0 }: { init?: "zero" | "normal"; seed?: number },
): void {
  const weight = store.find("v_head.weight");
  if (!weight) return;
  const data = new Float32Array(weight.length);
  if (init === "normal") {
    const std = 1 / (weight.length + 1);
    fillNormal(data, { std, seed, parameter: 0, stream: STREAMS.valueHead });
  }
  store.device.write(weight, data);
  store.device.write(store.get("v_head.bias"), [0]);
}
