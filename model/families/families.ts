/**
 * The linear maps of a block under the names that each family's files give them.
 *
 * In memory every family has GPT-2's layout: W is (from, to), and queries, keys and values are one map
 * `attn.c_attn` (C, 3C). A family whose files differ says here which part of which map a module is.
 * @module
 */
import { type ModelConfig, modelDims } from "../config.ts";
import type { TensorSpec } from "../tensor_source.ts";

/** One linear map of a block, as files and adapters name it. */
export interface LinearModule {
  /** Name inside block l, e.g. `attn.c_attn`; files add `transformer.h.l.` and `.weight`. */
  readonly name: string;
  /** The map in memory that it is, or is a part of. */
  readonly map: "attn.c_attn" | "attn.c_proj" | "mlp.c_fc" | "mlp.c_proj";
  /** Width of its input. */
  readonly from: number;
  /** Width of its output: columns [at, at + to) of the map. */
  readonly to: number;
  readonly at: number;
  /** Whether files hold W as (to, from), as PyTorch's Linear does; GPT-2's Conv1D is (from, to). */
  readonly transposed: boolean;
  readonly bias: boolean;
}

/** The modules of one block, those of one map side by side and in order. */
export function linearModules(config: ModelConfig): LinearModule[] {
  const { C, I } = modelDims(config);
  const map = (map: LinearModule["map"], from: number, to: number): LinearModule => ({
    name: map,
    map,
    from,
    to,
    at: 0,
    transposed: false,
    bias: true,
  });
  const gpt2 = [
    map("attn.c_attn", C, 3 * C),
    map("attn.c_proj", C, C),
    map("mlp.c_fc", C, I),
    map("mlp.c_proj", I, C),
  ];
  if (config.model_type === "gpt2") return gpt2;
  const [, out, ...mlp] = gpt2;
  const queries = ["q_proj", "k_proj", "v_proj"].map((name, part): LinearModule => ({
    ...map("attn.c_attn", C, C),
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
  const [, block, map, kind] = name.match(/^(h\.\d+)\.(.+)\.(weight|bias)$/) ?? [];
  const modules = linearModules(config).filter((module) => module.map === map);
  if (modules.length === 0) return [{ name, shape }];
  return modules.map((module) => {
    const part = `${block}.${module.name}.${kind}`;
    if (kind === "bias" || !module.transposed) return { name: part, shape };
    return { name: part, shape: [module.to, module.from], module };
  });
}

/** Writes W' (to, from) of a file, `part`, into the columns of its map, (from, wide). */
export function packPart(
  part: Float32Array,
  { map, wide, module }: { map: Float32Array; wide: number; module: LinearModule },
): void {
  const { from, to, at } = module;
  transpose({ data: part, at: 0, stride: from }, { data: map, at, stride: wide }, [to, from]);
}

/** What `packPart` was given for that module. */
export function unpackPart(
  map: ArrayLike<number>,
  { wide, module }: { wide: number; module: LinearModule },
): Float32Array<ArrayBuffer> {
  const { from, to, at } = module, part = new Float32Array(from * to);
  transpose({ data: map, at, stride: wide }, { data: part, at: 0, stride: from }, [from, to]);
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
