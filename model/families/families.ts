/**
 * The linear layers of a block under the names that each family's files give them.
 *
 * In memory every family has GPT-2's layout: W is (in, out features), and queries, keys and values are one
 * layer `attn.c_attn` (C, 3C). A family whose files differ says here which part of which layer a module is.
 * @module
 */
import { type ModelConfig, modelWidths } from "../config.ts";
import type { TensorSpec } from "../tensor_source.ts";

/** One linear layer of a block, as files and adapters name it. */
export interface LinearModule {
  /** Name inside block l, e.g. `attn.c_attn`; files add `transformer.h.l.` and `.weight`. */
  readonly name: string;
  /** The layer in memory that it is, or is a part of. */
  readonly linear: "attn.c_attn" | "attn.c_proj" | "mlp.c_fc" | "mlp.c_proj";
  /** Elements of an input row. */
  readonly inFeatures: number;
  /** Elements of an output row: columns [at, at + outFeatures) of the layer. */
  readonly outFeatures: number;
  readonly at: number;
  /** Whether files hold W as (out, in), as PyTorch's Linear does; GPT-2's Conv1D is (in, out). */
  readonly transposed: boolean;
  readonly bias: boolean;
}

/** The modules of one block, those of one layer side by side and in order. */
export function linearModules(config: ModelConfig): LinearModule[] {
  const { C, I } = modelWidths(config); // once for each tensor: not all dims
  const module = (
    linear: LinearModule["linear"],
    inFeatures: number,
    outFeatures: number,
  ): LinearModule => ({
    name: linear,
    linear,
    inFeatures,
    outFeatures,
    at: 0,
    transposed: false,
    bias: true,
  });
  const gpt2 = [
    module("attn.c_attn", C, 3 * C),
    module("attn.c_proj", C, C),
    module("mlp.c_fc", C, I),
    module("mlp.c_proj", I, C),
  ];
  if (config.model_type === "gpt2") return gpt2;
  const [, out, ...mlp] = gpt2;
  const queries = ["q_proj", "k_proj", "v_proj"].map((name, part): LinearModule => ({
    ...module("attn.c_attn", C, C),
    name: `attn.attention.${name}`,
    at: part * C,
    bias: false,
  }));
  const rest = [{ ...out, name: "attn.attention.out_proj" }, ...mlp];
  return [...queries, ...rest].map((module) => ({ ...module, transposed: true }));
}

/** A tensor of a file, under its name without the prefix `transformer.`: a parameter, or a part of one. */
export interface FilePart extends TensorSpec {
  /** The module whose weight it is, where files hold that in another layout than memory. */
  readonly module?: LinearModule;
}

/** The tensors in which files hold the parameter `spec`, in the order of its columns. */
export function fileParts(config: ModelConfig, { name, shape }: TensorSpec): FilePart[] {
  const [, block, linear, kind] = name.match(/^(h\.\d+)\.(.+)\.(weight|bias)$/) ?? [];
  const modules = linearModules(config).filter((module) => module.linear === linear);
  if (modules.length === 0) return [{ name, shape }];
  return modules.map((module) => {
    const part = `${block}.${module.name}.${kind}`;
    if (kind === "bias" || !module.transposed) return { name: part, shape };
    return { name: part, shape: [module.outFeatures, module.inFeatures], module };
  });
}

/** Writes W' (outFeatures, inFeatures) of a file, `part`, into its columns of `matrix`, (inFeatures, wide). */
export function packPart(
  part: Float32Array,
  { matrix, wide, module }: { matrix: Float32Array; wide: number; module: LinearModule },
): void {
  const { inFeatures, outFeatures, at } = module;
  transpose(
    { data: part, at: 0, stride: inFeatures },
    { data: matrix, at, stride: wide },
    [outFeatures, inFeatures],
  );
}

/** What `packPart` was given for that module. */
export function unpackPart(
  matrix: ArrayLike<number>,
  { wide, module }: { wide: number; module: LinearModule },
): Float32Array<ArrayBuffer> {
  const { inFeatures, outFeatures, at } = module;
  const part = new Float32Array(inFeatures * outFeatures);
  transpose(
    { data: matrix, at, stride: wide },
    { data: part, at: 0, stride: inFeatures },
    [inFeatures, outFeatures],
  );
  return part;
}

/** A matrix inside an array: its first element, and elements from one row to the next. */
interface Place<A> {
  data: A;
  at: number;
  stride: number;
}

const BLOCK = 32; // rows and columns of both sides that stay in the cache

/** Writes x (rows, columns) as y (columns, rows). */
function transpose(
  { data: x, at: atX, stride: strideX }: Place<ArrayLike<number>>,
  { data: y, at: atY, stride: strideY }: Place<Float32Array>,
  [rows, columns]: [number, number],
): void {
  for (let top = 0; top < rows; top += BLOCK) {
    const bottom = Math.min(top + BLOCK, rows);
    for (let left = 0; left < columns; left += BLOCK) {
      const right = Math.min(left + BLOCK, columns);
      for (let r = top; r < bottom; r++) {
        for (let c = left; c < right; c++) y[atY + c * strideY + r] = x[atX + r * strideX + c];
      }
    }
  }
}
