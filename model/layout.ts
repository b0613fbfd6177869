/**
 * The parameters of a model: their names, shapes and places in memory.
 *
 * Parameters lie one after another in arenas, each small enough for one binding, so that AdamW and
 * the gradient norm are a few launches and not one a parameter.
 * @module
 */
import { align, alignOf, bytesOf } from "../kernels/tensor.ts";
import type { DeviceLimits } from "../kernels/device.ts";
import { type ModelConfig, modelDims } from "./config.ts";
import { type LinearModule, linearModules } from "./families/families.ts";

const MAX_ARENA = 2 ** 28; // bytes it is filled to at most, so that a read-back stays a modest block

/** How matrices and embeddings are stored: f16 takes half the memory and rounds to 11 bits. */
export type MatrixDtype = "f32" | "f16";

/** One parameter. */
export interface Parameter {
  /** Its name in Hugging Face folders of GPT-2, without the prefix `transformer.`. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Elements. */
  readonly length: number;
  /** Whether weight decay applies: weights and embeddings yes, biases and layer norms no. */
  readonly decay: boolean;
  /**
   * Its fresh value: this number everywhere, normal draws of that standard deviation, or uniform ones
   * between minus and plus the bound.
   */
  readonly init:
    | { readonly value: number }
    | { readonly std: number }
    | { readonly bound: number };
  readonly dtype: MatrixDtype;
  /** Index into `Layout.arenas`. */
  readonly arena: number;
  /** First element in the arena; a multiple of `alignOf(dtype)`. */
  readonly offset: number;
}

/** A run of parameters in one tensor. */
export interface Arena {
  readonly label: string;
  readonly decay: boolean;
  readonly dtype: MatrixDtype;
  /** Elements. */
  readonly length: number;
}

/** Where every parameter lies. */
export interface Layout {
  readonly parameters: readonly Parameter[];
  readonly arenas: readonly Arena[];
  /** Parameter by name. */
  readonly byName: ReadonlyMap<string, Parameter>;
}

/** A parameter that has no place yet. */
export type Spec = Omit<Parameter, "length" | "dtype" | "arena" | "offset">;

/** Names, shapes and fresh values in the order of the network; `valueHead` adds `v_head.*`. */
export function parameterSpecs(config: ModelConfig, valueHead = false): Spec[] {
  const { V, P, C, L, I } = modelDims(config);
  const std = config.initializer_range;
  // Each layer adds two branches to the residual stream; GPT-2 shrinks them so that their sum keeps
  // its size (Radford et al. 2019, section 2.3). GPT-Neo does not.
  const branch = config.model_type === "gpt2" ? std / Math.sqrt(2 * L) : std;
  const biased = new Set(
    linearModules(config).filter(({ bias }) => bias).map(({ linear }) => linear),
  );
  const weight = (name: string, shape: number[], d = std): Spec => ({
    name: `${name}.weight`,
    shape,
    decay: true,
    init: { std: d },
  });
  const vector = (name: string, length: number, value: number): Spec => ({
    name,
    shape: [length],
    decay: false,
    init: { value },
  });
  const norm = (name: string): Spec[] => [
    vector(`${name}.weight`, C, 1),
    vector(`${name}.bias`, C, 0),
  ];
  const layer = (l: number): Spec[] => {
    const linear = (
      name: LinearModule["linear"],
      inFeatures: number,
      outFeatures: number,
      d?: number,
    ): Spec[] => [
      weight(`h.${l}.${name}`, [inFeatures, outFeatures], d), // y = x W + b
      ...(biased.has(name) ? [vector(`h.${l}.${name}.bias`, outFeatures, 0)] : []),
    ];
    return [
      ...norm(`h.${l}.ln_1`),
      ...linear("attn.c_attn", C, 3 * C),
      ...linear("attn.c_proj", C, C, branch),
      ...norm(`h.${l}.ln_2`),
      ...linear("mlp.c_fc", C, I),
      ...linear("mlp.c_proj", I, C, branch),
    ];
  };
  return [
    weight("wte", [V, C]),
    weight("wpe", [P, C]),
    ...Array.from({ length: L }, (_, l) => layer(l)).flat(),
    ...norm("ln_f"),
    ...(config.tie_word_embeddings ? [] : [weight("lm_head", [V, C])]),
    ...(valueHead ? valueHeadSpecs(C) : []),
  ];
}

/** Whether a parameter is of the value head. */
export const isValueHead = (name: string): boolean => name.startsWith("v_head.");

/** A linear estimate of value on C channels; zero at first, see `initialiseValueHead`. */
export function valueHeadSpecs(C: number): Spec[] {
  return [
    { name: "v_head.weight", shape: [1, C], decay: true, init: { value: 0 } },
    { name: "v_head.bias", shape: [1], decay: false, init: { value: 0 } },
  ];
}

/**
 * Places every parameter of `config`. `matrixDtype` is that of every parameter that kernels read as f16
 * too: matrices and embeddings, but not the value head.
 */
export function layoutParameters(
  config: ModelConfig,
  limits: DeviceLimits,
  { valueHead = false, matrixDtype = "f32" }: {
    valueHead?: boolean;
    matrixDtype?: MatrixDtype;
  } = {},
): Layout {
  return placeParameters(parameterSpecs(config, valueHead), limits, matrixDtype);
}

/**
 * Places parameters in arenas. One that is larger than a binding has an arena to itself.
 * The result depends on the device's limits alone, never on the data.
 */
export function placeParameters(
  specs: readonly Spec[],
  limits: DeviceLimits,
  matrixDtype: MatrixDtype = "f32",
): Layout {
  const arenas: { label: string; decay: boolean; dtype: MatrixDtype; length: number }[] = [];
  const open = new Map<string, number>(); // decay and type -> index of the arena being filled
  const parameters = specs.map((spec): Parameter => {
    const length = spec.shape.reduce((product, n) => product * n, 1);
    const isMatrix = spec.shape.length > 1 && !isValueHead(spec.name);
    const dtype = isMatrix ? matrixDtype : "f32";
    const unit = alignOf(dtype);
    const most = Math.floor(Math.min(limits.maxBinding, MAX_ARENA) / bytesOf(dtype) / unit) * unit;
    const space = align(length, dtype);
    const kind = `${spec.decay ? "decay" : "no decay"}${dtype === "f16" ? ", f16" : ""}`;
    let arena = open.get(kind);
    if (arena === undefined || arenas[arena].length + space > most) {
      arena = arenas.length;
      arenas.push({ label: `arena ${arena} (${kind})`, decay: spec.decay, dtype, length: 0 });
      if (space <= most) open.set(kind, arena);
    }
    const offset = arenas[arena].length;
    arenas[arena].length += space;
    return { ...spec, length, dtype, arena, offset };
  });
  return { parameters, arenas, byName: new Map(parameters.map((p) => [p.name, p])) };
}

/** The parameter that turns hidden states into logits, (V, C): the token embedding where it is tied. */
export const headName = ({ byName }: Layout): string =>
  byName.has("lm_head.weight") ? "lm_head.weight" : "wte.weight";
