/** The weights of an encoder on a device, from the tensors of either family. @module */
import type { Scope } from "../../kernels/scope.ts";
import type { Tensor } from "../../kernels/device.ts";
import type { MatrixDtype } from "../layout.ts";
import type { TensorSource, TensorSpec } from "../tensor_source.ts";
import type { EncoderConfig } from "./config.ts";

/** A matrix (out, in), as PyTorch's Linear keeps it, and its bias (out). */
export interface Linear {
  readonly weight: Tensor;
  readonly bias: Tensor;
}

/** Gain (C) and bias (C) of a layer norm. */
export type Norm = Linear;

/** One block. */
export interface EncoderLayer {
  /** (3C, C): the rows of query, key and value one below the other. */
  readonly qkv: Linear;
  /** (C, C) */
  readonly out: Linear;
  readonly norm1: Norm;
  /** (I, C) */
  readonly fc: Linear;
  /** (C, I) */
  readonly proj: Linear;
  readonly norm2: Norm;
}

/** All weights. */
export interface EncoderWeights {
  /** (V, C) */
  readonly token: Tensor;
  /** (P, C), with the embedding of token type 0 added to every row: single texts have no other. */
  readonly position: Tensor;
  readonly norm: Norm;
  readonly layers: readonly EncoderLayer[];
  /** Head of a sequence classifier: (C, C), then (classes, C). */
  readonly classifier?: { readonly before: Linear; readonly last: Linear };
}

type Part = "q" | "k" | "v" | "out" | "norm1" | "fc" | "proj" | "norm2";

/** What transformers calls the parts of a block. */
const FAMILIES: Record<EncoderConfig["family"], { layer: string; parts: Record<Part, string> }> = {
  bert: {
    layer: "encoder.layer",
    parts: {
      q: "attention.self.query",
      k: "attention.self.key",
      v: "attention.self.value",
      out: "attention.output.dense",
      norm1: "attention.output.LayerNorm",
      fc: "intermediate.dense",
      proj: "output.dense",
      norm2: "output.LayerNorm",
    },
  },
  distilbert: {
    layer: "transformer.layer",
    parts: {
      q: "attention.q_lin",
      k: "attention.k_lin",
      v: "attention.v_lin",
      out: "attention.out_lin",
      norm1: "sa_layer_norm",
      fc: "ffn.lin1",
      proj: "ffn.lin2",
      norm2: "output_layer_norm",
    },
  },
};

/** Parts of other tasks' heads, and position numbers, which a file may hold and no text needs. */
const UNUSED = /^(embeddings\.position_ids|pooler\.|cls\.|vocab_\w+\.|qa_outputs\.|dropout\.)/;

/** Names and shapes of everything that is read, without the prefix `bert.` or `distilbert.`. */
function specs({ family, types, dims }: EncoderConfig, classes: number): TensorSpec[] {
  const { V, P, C, L, I } = dims;
  const linear = (name: string, outFeatures: number, inFeatures: number): TensorSpec[] => [
    { name: `${name}.weight`, shape: [outFeatures, inFeatures] },
    { name: `${name}.bias`, shape: [outFeatures] },
  ];
  const norm = (name: string): TensorSpec[] => [
    { name: `${name}.weight`, shape: [C] },
    { name: `${name}.bias`, shape: [C] },
  ];
  const table = (name: string, rows: number): TensorSpec => ({
    name: `embeddings.${name}_embeddings.weight`,
    shape: [rows, C],
  });
  const { parts } = FAMILIES[family];
  const layer = (l: number): TensorSpec[] => {
    const at = (part: Part): string => partName(family, l, part);
    return (Object.keys(parts) as Part[]).flatMap((part) =>
      part.startsWith("norm")
        ? norm(at(part))
        : linear(at(part), part === "fc" ? I : C, part === "proj" ? I : C)
    );
  };
  return [
    table("word", V),
    table("position", P),
    ...(types > 0 ? [table("token_type", types)] : []),
    ...norm("embeddings.LayerNorm"),
    ...Array.from({ length: L }, (_, l) => layer(l)).flat(),
    ...(classes > 0
      ? [...linear("pre_classifier", C, C), ...linear("classifier", classes, C)]
      : []),
  ];
}

const partName = (family: EncoderConfig["family"], l: number, part: Part): string =>
  `${FAMILIES[family].layer}.${l}.${FAMILIES[family].parts[part]}`;

/**
 * Reads `file` into tensors that `scope` frees. `classes` > 0 reads a DistilBERT's classifier head as
 * well; without it a head in the file is passed over. Matrices and embeddings are stored as `matrixDtype`.
 * @throws {Error} listing what is missing, not known or of another shape
 * @throws {RangeError} when a number is too large for f16
 */
export async function readEncoderWeights(
  scope: Scope,
  file: TensorSource,
  config: EncoderConfig,
  { classes = 0, matrixDtype = "f32" }: { classes?: number; matrixDtype?: MatrixDtype } = {},
): Promise<EncoderWeights> {
  const wanted = specs(config, classes);
  const places = file.expect(wanted, (name) => {
    const plain = name.replace(/^(distil)?bert\./, "")
      .replace(/LayerNorm\.gamma$/, "LayerNorm.weight") // as files from before 2019 have it
      .replace(/LayerNorm\.beta$/, "LayerNorm.bias");
    const isHead = /^(pre_)?classifier\./.test(plain);
    return UNUSED.test(plain) || (isHead && classes === 0) ? undefined : plain;
  });
  const shapes = new Map(wanted.map(({ name, shape }) => [name, shape]));
  const read = (name: string): Promise<Float32Array<ArrayBuffer>> => file.read(places.get(name)!);
  const store = (label: string, data: Float32Array<ArrayBuffer>, isMatrix: boolean): Tensor => {
    const tensor = scope.alloc(data.length, label, isMatrix ? matrixDtype : "f32", "weights");
    scope.device.write(tensor, data);
    return tensor;
  };
  /** One tensor with the numbers of all `names`, one after another. */
  const join = async (names: readonly string[]): Promise<Tensor> => {
    const parts: Float32Array<ArrayBuffer>[] = [];
    for (const name of names) parts.push(await read(name));
    return store(names[0], joined(parts), shapes.get(names[0])!.length > 1);
  };
  const linear = async (...names: string[]): Promise<Linear> => ({
    weight: await join(names.map((name) => `${name}.weight`)),
    bias: await join(names.map((name) => `${name}.bias`)),
  });
  const layers: EncoderLayer[] = [];
  for (let l = 0; l < config.dims.L; l++) {
    const at = (part: Part): string => partName(config.family, l, part);
    layers.push({
      qkv: await linear(at("q"), at("k"), at("v")),
      out: await linear(at("out")),
      norm1: await linear(at("norm1")),
      fc: await linear(at("fc")),
      proj: await linear(at("proj")),
      norm2: await linear(at("norm2")),
    });
  }
  const { C } = config.dims;
  const table = await read("embeddings.position_embeddings.weight");
  if (config.types > 0) {
    const type = await read("embeddings.token_type_embeddings.weight");
    for (let i = 0; i < table.length; i++) table[i] += type[i % C];
  }
  return {
    token: await join(["embeddings.word_embeddings.weight"]),
    position: store("embeddings.position", table, true),
    norm: await linear("embeddings.LayerNorm"),
    layers,
    classifier: classes > 0
      ? { before: await linear("pre_classifier"), last: await linear("classifier") }
      : undefined,
  };
}

/** All numbers of `parts`, one after another. */
function joined(parts: readonly Float32Array<ArrayBuffer>[]): Float32Array<ArrayBuffer> {
  if (parts.length === 1) return parts[0]; // an embedding is large: no second copy
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
