/**
 * Low-rank adapters (LoRA, Hu et al. 2021, arXiv:2106.09685): the model stays as it is, and beside
 * chosen linear layers y = x W + b two small matrices learn: y += s (x A^T) B^T.
 *
 * A (rank, inFeatures) starts random and B (width, rank) zero, so that the first step starts from the model
 * itself. s is alpha / rank, or alpha / sqrt(rank) (rsLoRA, Kalajdzievski 2023, arXiv:2312.03732).
 * @module
 */
import { STREAMS } from "../../base/random.ts";
import type { Scope } from "../../kernels/scope.ts";
import type { Tensor } from "../../kernels/device.ts";
import { upload } from "../../kernels/tensor.ts";
import { matmul } from "../../kernels/matmul.ts";
import { type ModelConfig, modelDims } from "../config.ts";
import { type LinearModule, linearModules } from "../families/families.ts";
import type { LayerAdapters } from "../layers/forward.ts";
import { type ValueHead, valueHeadIn } from "../layers/head.ts";
import type { LinearAdapter } from "../layers/linear.ts";
import { placeParameters, type Spec, valueHeadSpecs } from "../layout.ts";
import { initialise, ParameterBuffers } from "../params.ts";
import { type AdaptedModule, adaptedModules, defaultTargets, fail } from "./targets.ts";

/** Settings of an adapter, as PEFT understands them. */
export interface LoraOptions {
  /** Rows of A and columns of B, 1 to 65536; 4 to 64 are usual. */
  rank: number;
  /** The addition is scaled by alpha / rank; > 0. Default 8. */
  alpha?: number;
  /**
   * Which linear layers: a list of names, each of which means all modules that end with it
   * (`c_proj` is both projections, `attn.c_proj` one); "all-linear"; or a regular expression that
   * matches whole names such as `transformer.h.0.attn.c_attn`. Default: queries, keys and values of
   * GPT-2 (`c_attn`), queries and values where a family keeps them apart (`q_proj`, `v_proj`).
   */
  targets?: string | readonly string[];
  /** Numbers of the blocks that have it, from 0. Default: all. */
  layers?: readonly number[];
  /** Names, or a regular expression, of layers that have none although `targets` means them. */
  exclude?: string | readonly string[];
  /** Scale by alpha / sqrt(rank). Default false. */
  rslora?: boolean;
}

/** What an adapter is attached to. */
export interface AdapterSite {
  readonly config: ModelConfig;
  /** Train a value head with it. Default false. */
  readonly valueHead?: boolean;
  /** Modules of a block. Default: those of the config. */
  readonly modules?: readonly LinearModule[];
}

/** The matrices of one adapter on a device, and the value head that is trained with them. */
export class Adapter {
  readonly options:
    & Required<Omit<LoraOptions, "layers" | "exclude">>
    & Pick<LoraOptions, "layers" | "exclude">;
  readonly modules: readonly AdaptedModule[];
  /** s */
  readonly scale: number;
  /** A, B and `v_head.*`: all that is trained. */
  readonly parameters: ParameterBuffers;
  #merged = false;

  /**
   * Allocates in `scope`, which frees it; zeros until `initialise` or a file fills them.
   * @throws {RangeError} when an option is out of its range, or no module is meant
   */
  constructor(scope: Scope, site: AdapterSite, lora: LoraOptions) {
    const { config, valueHead = false, modules = linearModules(config) } = site;
    const { rank, alpha = 8, rslora = false, layers, exclude } = lora;
    const { targets = defaultTargets(modules) } = lora;
    const where = { ...(layers && { layers }), ...(exclude && { exclude }) };
    this.options = { rank, alpha, rslora, targets, ...where };
    if (!Number.isInteger(rank) || rank < 1 || rank > 65536) {
      fail(`rank must be a whole number from 1 to 65536: it is ${rank}`);
    }
    if (!(alpha > 0 && alpha < Infinity)) fail(`alpha must be above 0: it is ${alpha}`);
    this.scale = alpha / (rslora ? Math.sqrt(rank) : rank);
    this.modules = adaptedModules(this.options, { layers: modelDims(config).L, modules });
    const specs = this.modules.flatMap(({ name, module: { inFeatures, outFeatures } }): Spec[] => [
      // PEFT's kaiming_uniform_ with a = sqrt(5)
      matrix(`${name}.lora_A.weight`, [rank, inFeatures], { bound: 1 / Math.sqrt(inFeatures) }),
      matrix(`${name}.lora_B.weight`, [outFeatures, rank], { value: 0 }),
    ]);
    const all = [...specs, ...(valueHead ? valueHeadSpecs(modelDims(config).C) : [])];
    this.parameters = new ParameterBuffers(
      scope,
      placeParameters(all, scope.device.limits),
      "adapter",
    );
  }

  /** Columns of the scratch that a pass needs. */
  get rank(): number {
    return this.options.rank;
  }

  /** Whether its low-rank update is in the model's weights now. */
  get merged(): boolean {
    return this.#merged;
  }

  /** Writes fresh values: A uniform within 1 / sqrt(inFeatures), B and the value head zero. */
  initialise(seed: number): void {
    initialise(this.parameters, seed, STREAMS.adapter);
  }

  /** What it adds to block `layer`; with `buffers` the gradients', the gradients of that. */
  parts(layer: number, buffers: ParameterBuffers = this.parameters): LayerAdapters {
    const { rank, scale } = this;
    const parts: { [linear in LinearModule["linear"]]?: LinearAdapter[] } = {};
    for (const { layer: own, name, module: { linear, at, outFeatures: width } } of this.modules) {
      if (own !== layer) continue;
      const [a, b] = [buffers.get(`${name}.lora_A.weight`), buffers.get(`${name}.lora_B.weight`)];
      (parts[linear] ??= []).push({ a, b, rank, scale, at, width });
    }
    return parts;
  }

  /**
   * Adds the low-rank update s (B A)^T to each W in `weights`, or subtracts it where it was added. That
   * gives back W within the rounding of two f32 additions, and not its bits.
   * @throws {TypeError} when a weight is not held in f32
   */
  async merge(weights: ParameterBuffers): Promise<void> {
    const { device } = weights;
    const target = (of: AdaptedModule): Tensor =>
      weights.get(`h.${of.layer}.${of.module.linear}.weight`);
    const narrow = this.modules.map(target).find(({ dtype }) => dtype !== "f32");
    if (narrow) {
      throw new TypeError(
        `Cannot merge an adapter into ${narrow.label} as weights must be f32 for that: it is ` +
          `${narrow.dtype}; load the model without matrixDtype, and merge then`,
      );
    }
    const byName = new Map(this.modules.map((one) => [`${one.name}.lora_B.weight`, one]));
    const { rank, scale } = this;
    for await (const [{ name }, data] of this.parameters.read()) {
      const one = byName.get(name);
      if (!one) continue;
      const { module: { inFeatures, outFeatures, at, linear } } = one;
      const transposed = data.slice(); // (rank, outFeatures): the product has no orientation TT
      for (let c = 0; c < outFeatures; c++) {
        for (let r = 0; r < rank; r++) transposed[r * outFeatures + c] = data[c * rank + r];
      }
      const b = upload(device, transposed, `${name} transposed`);
      const a = this.parameters.get(`${one.name}.lora_A.weight`);
      const width = weights.layout.byName.get(`h.${one.layer}.${linear}.weight`)!.shape[1];
      matmul(device, { a, b, out: target(one) }, {
        ...{ M: inFeatures, N: outFeatures, K: rank, ldOut: width, atOut: at },
        scale: this.#merged ? -scale : scale,
        orientation: "TN",
        accumulate: true,
      });
      device.free(b);
    }
    this.#merged = !this.#merged;
  }
}

/**
 * Whether a pass has to add the low-rank update: it is there, wanted, and not in the weights already.
 * @throws {Error} when it is not wanted, but is in the weights
 */
export function inUse(adapter: Adapter | undefined, wanted = true): boolean {
  if (!wanted && adapter?.merged) {
    throw new Error(
      "Cannot leave the adapter out as it is merged into the weights: call unmerge first",
    );
  }
  return adapter !== undefined && wanted && !adapter.merged;
}

/** What of a model a pass computes with and trains; `mode` tells one choice from another. */
export interface PassParts {
  readonly mode: "plain" | "adapted" | "merged" | "base";
  readonly adapter?: Adapter;
  readonly values?: ValueHead;
  readonly gradients?: ParameterBuffers;
}

/** What of a model says how a pass computes. */
export interface AdaptedModel {
  readonly weights: ParameterBuffers;
  readonly adapter?: Adapter;
  readonly optimizer?: { readonly gradients: ParameterBuffers };
}

/** The parts of a pass of a model: `wanted` false leaves the adapter out. */
export function passParts(
  { weights, adapter, optimizer }: AdaptedModel,
  wanted?: boolean,
): PassParts {
  const gradients = optimizer?.gradients;
  if (!adapter) return { mode: "plain", values: valueHeadIn(weights), gradients };
  const values = valueHeadIn(adapter.parameters);
  if (inUse(adapter, wanted)) return { mode: "adapted", adapter, values, gradients };
  return adapter.merged ? { mode: "merged", values } : { mode: "base" };
}

const matrix = (name: string, shape: number[], init: Spec["init"]): Spec => ({
  name,
  shape,
  decay: true,
  init,
});
