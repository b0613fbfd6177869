/**
 * From hidden states to log-probabilities: final layer norm, value head, and the head over the
 * vocabulary (tied or not), which runs in chunks of rows so that logits (R, V) never need to exist at once.
 *
 * R rows wanted of the N = B * T that exist, V vocabulary, `ld` columns of a logits row (V rounded
 * up), C channels.
 * @module
 */
import type { Device, Tensor } from "../../kernels/device.ts";
import { view } from "../../kernels/tensor.ts";
import { layernorm, layernormBackward, layernormScratch } from "../../kernels/layernorm.ts";
import { matmul } from "../../kernels/matmul.ts";
import { partialScratch } from "../../kernels/matmul_parts.ts";
import type { MemoryKind } from "../../kernels/memory.ts";
import { addRows } from "../../kernels/add_rows.ts";
import type { RowGroups } from "../../kernels/row_groups.ts";
import { gatherRows } from "../../kernels/rows.ts";
import { tokenLogprob, tokenLogprobBackward } from "../../kernels/token_logprob.ts";
import { valueHead, valueHeadBackward, valueHeadScratch } from "../../kernels/value_head.ts";
import type { ModelDims } from "../config.ts";
import { headName } from "../layout.ts";
import type { ParameterBuffers } from "../params.ts";
import type { Allocator } from "../workspace.ts";
import { chunkOf, chunks, logitsWidth, rowsOf } from "./head_chunks.ts";
import {
  addKlGradient,
  type KlActivations,
  klActivations,
  klBackward,
  klChunk,
  klForward,
  type ReferenceHead,
} from "./head_kl.ts";

/** Sizes of the head. */
export type HeadDims = Pick<ModelDims, "V" | "C" | "eps"> & {
  /** Rows of the hidden states. */
  readonly N: number;
  /** Rows wanted. */
  readonly R: number;
  /** Rows of logits held at a time; a multiple of `ALIGN`, or at least R. */
  readonly chunk: number;
  /** Divides the logits. */
  readonly temperature: number;
  readonly value: boolean;
  /** Compare with it; its hidden states are an input, `HeadActivations.reference`. */
  readonly reference?: ReferenceHead;
  /** The gradient of the value reaches the value head and nothing else. Default false. */
  readonly detached?: boolean;
};

/** What the head computes, all overwritten. */
export interface HeadActivations {
  /** (R, C) hidden states at the wanted rows, before and after the final norm. */
  readonly gathered: Tensor;
  readonly hidden: Tensor;
  readonly mean: Tensor;
  readonly rstd: Tensor;
  /** (min(R, chunk), ld) logits of the last chunk; their gradient replaces them in backward. */
  readonly logits: Tensor;
  /** (R) each. */
  readonly logprob: Tensor;
  readonly entropy: Tensor;
  /** (R, 2), see `tokenLogprob`. */
  readonly lse: Tensor;
  readonly value?: Tensor;
  readonly reference?: KlActivations;
}

/** Gradients and scratch of the head's backward pass; the first four are its input. */
export interface HeadGradients {
  /** (R) each. */
  readonly dlogprob: Tensor;
  readonly dentropy: Tensor;
  readonly dvalue?: Tensor;
  readonly dkl?: Tensor;
  /** (R, C) */
  readonly dhidden: Tensor;
  readonly dgathered: Tensor;
  readonly partial: Tensor;
}

/** Weight (1, C) and bias (1) of a value head, or their gradients. */
export type ValueHead = Record<"weight" | "bias", Tensor>;

/** The value head in `store`, where it has one. */
export function valueHeadIn(store: ParameterBuffers): ValueHead | undefined {
  const [weight, bias] = [store.find("v_head.weight"), store.find("v_head.bias")];
  return weight && bias && { weight, bias };
}

/** Takes the head's activations from `memory`. */
export function headActivations(
  memory: Allocator,
  { R, C, V, chunk, value, reference }: HeadDims,
): HeadActivations {
  const make = (name: string, length: number, kind: MemoryKind = "other"): Tensor =>
    memory.alloc(length, `head ${name}`, "f32", kind);
  const logits = Math.min(R, chunk) * logitsWidth(V);
  return {
    gathered: make("gathered", R * C, "activations"),
    hidden: make("hidden", R * C, "activations"),
    mean: make("mean", R),
    rstd: make("rstd", R),
    logits: make("logits", logits, "logits"),
    logprob: make("logprob", R),
    entropy: make("entropy", R),
    lse: make("lse", 2 * R),
    ...(value && { value: make("value", R) }),
    ...(reference && { reference: klActivations(memory, reference, { R, logits }) }),
  };
}

/** Takes what the head's backward pass needs from `memory`. */
export function headGradients(
  memory: Allocator,
  { R, C, V, chunk, value, reference }: HeadDims,
): HeadGradients {
  const make = (name: string, length: number, kind: MemoryKind = "other"): Tensor =>
    memory.alloc(length, `head ${name}`, "f32", kind);
  const rows = Math.min(R, chunk);
  const scratch = [
    layernormScratch({ N: R, C }),
    value ? valueHeadScratch({ N: R, C }) : 0,
    partialScratch(memory.device, { orientation: "NN", M: rows, N: C, K: V }),
    partialScratch(memory.device, { orientation: "TN", M: V, N: C, K: rows }),
  ];
  return {
    dlogprob: make("dlogprob", R),
    dentropy: make("dentropy", R),
    ...(value && { dvalue: make("dvalue", R) }),
    ...(reference && { dkl: make("dkl", R) }),
    dhidden: make("dhidden", R * C, "activations"),
    dgathered: make("dgathered", R * C, "activations"),
    partial: make("partial sums", Math.max(...scratch), "activations"),
  };
}

/** Enqueues logits (R, ld) = hidden (R, C) head (V, C)^T. Columns from V on are left as they are; `role` as in `matmul`. */
export function headLogits(
  device: Device,
  { hidden, head, logits }: { hidden: Tensor; head: Tensor; logits: Tensor },
  { R, C, V, role }: { R: number; C: number; V: number; role?: "decode" },
): void {
  matmul(
    device,
    { a: hidden, b: head, out: logits },
    { M: R, N: V, K: C, orientation: "NT", ldOut: logitsWidth(V), role },
  );
}

/** What the head's forward pass works on. */
export interface HeadTensors {
  /** (N, C) */
  readonly x: Tensor;
  /** (R) u32 */
  readonly index: Tensor;
  readonly target: Tensor;
  readonly weights: ParameterBuffers;
  readonly values?: ValueHead;
  readonly activations: HeadActivations;
}

/** Enqueues the head's first part: x (N, C) and `index` (R) u32 give `hidden` (R, C). */
export function headHidden(
  device: Device,
  { x, index, weights, activations: a }: Pick<
    HeadTensors,
    "x" | "index" | "weights" | "activations"
  >,
  { N, R, C, eps }: HeadDims,
): void {
  gatherRows(device, { x, index, out: a.gathered }, { N: R, R: N, C });
  const [weight, bias] = [weights.get("ln_f.weight"), weights.get("ln_f.bias")];
  layernorm(
    device,
    { x: a.gathered, weight, bias, out: a.hidden, mean: a.mean, rstd: a.rstd },
    { N: R, C, eps },
  );
}

/**
 * Enqueues the head's second part: `hidden` gives logprob and entropy of `target`, value, and where there
 * is a reference KL to it.
 */
export function headForward(device: Device, tensors: HeadTensors, dims: HeadDims): void {
  const { target, weights, values, activations: a } = tensors, { R, C, V, reference } = dims;
  const ld = logitsWidth(V);
  if (a.value) {
    valueHead(device, { x: a.hidden, ...values!, value: a.value }, { N: R, C });
  }
  const head = weights.get(headName(weights.layout));
  for (const chunk of chunks(dims)) {
    const { at, logits } = chunkOf(chunk, a, dims), { start, rows } = chunk;
    const token = view(target, start, rows), size = { ...dims, N: rows, ld };
    headLogits(device, { ...at, head, logits }, { R: rows, C, V });
    tokenLogprob(device, { ...at, logits, token }, size);
    if (!reference) continue;
    const against = klChunk(a.reference!, { start, rows, C: reference.C, ld });
    headLogits(device, { ...against, head: reference.weight }, { R: rows, C: reference.C, V });
    klForward(device, { ...at, logits, token, reference: against }, size);
  }
}

/** What the head's backward pass works on. */
export interface HeadBackwardTensors {
  /** The R targets, grouped by `index`. */
  readonly asked: RowGroups<Tensor>;
  /** (R) u32 */
  readonly target: Tensor;
  readonly weights: ParameterBuffers;
  readonly values?: ValueHead;
  readonly gradients: ParameterBuffers;
  readonly activations: HeadActivations;
  readonly head: HeadGradients;
  /** (N, C) */
  readonly dx: Tensor;
}

/** Sizes of the head's backward pass. */
export interface HeadBackwardDims extends HeadDims {
  /** Only `headHidden` went before: log-probabilities are computed here, as each chunk's logits are. */
  readonly alsoForward?: boolean;
  /** All gradients are zero: that of the head is overwritten, and added to from the second chunk on. */
  readonly fresh?: boolean;
}

/**
 * Enqueues the backward pass of `headForward`: dx (N, C) is overwritten, `gradients` are added to,
 * and what they lack is not trained. KL has a gradient where `dims` have its reference.
 */
export function headBackward(
  device: Device,
  tensors: HeadBackwardTensors,
  dims: HeadBackwardDims,
): void {
  const { asked, weights, values, gradients, activations: a, head: d, dx } = tensors;
  const { N, R, C } = dims;
  logitsBackward(device, tensors, dims);
  if (d.dvalue) {
    const dvalues = valueHeadIn(gradients)!;
    valueHeadBackward(device, {
      x: a.hidden,
      weight: values!.weight,
      dvalue: d.dvalue,
      ...(!dims.detached && { dx: d.dhidden }),
      dweight: dvalues.weight,
      dbias: dvalues.bias,
      scratch: d.partial,
    }, { N: R, C });
  }
  device.zero(d.dgathered); // the norm's backward adds
  layernormBackward(device, {
    x: a.gathered,
    weight: weights.get("ln_f.weight"),
    mean: a.mean,
    rstd: a.rstd,
    dout: d.dhidden,
    dx: d.dgathered,
    dweight: gradients.find("ln_f.weight"),
    dbias: gradients.find("ln_f.bias"),
    scratch: d.partial,
  }, { N: R, C });
  device.zero(dx);
  addRows(device, { dout: d.dgathered, groups: asked, table: dx }, { N: R, C, V: N });
}

/**
 * From log-probabilities and entropies to hidden states. Where all rows were one chunk its logits are
 * still there; else each chunk is computed again, or with `alsoForward` for the first time.
 */
function logitsBackward(
  device: Device,
  { target, weights, gradients, activations: a, head: d }: HeadBackwardTensors,
  dims: HeadBackwardDims,
): void {
  const { R, C, V, reference, alsoForward, fresh } = dims;
  const ld = logitsWidth(V);
  const name = headName(weights.layout);
  const [head, dhead] = [weights.get(name), gradients.find(name)];
  for (const { start, rows } of chunks(dims)) {
    const { at, logits } = chunkOf({ start, rows }, a, dims);
    const size = { ...dims, N: rows, ld }, token = view(target, start, rows);
    if (rows < R || alsoForward) headLogits(device, { ...at, head, logits }, { R: rows, C, V });
    if (alsoForward) tokenLogprob(device, { ...at, logits, token }, size);
    const against = reference && klChunk(a.reference!, { start, rows, C: reference.C, ld });
    if (against) {
      const head = reference.weight, dkl = view(d.dkl!, start, rows);
      if (rows < R) headLogits(device, { ...against, head }, { R: rows, C: reference.C, V });
      klBackward(device, { ...at, logits, dkl, reference: against }, size);
    }
    tokenLogprobBackward(device, {
      ...at,
      logits,
      token,
      dlogprob: view(d.dlogprob, start, rows),
      dentropy: view(d.dentropy, start, rows),
    }, size);
    if (against) addKlGradient(device, { logits, reference: against }, size);
    matmul(
      device,
      {
        ...{ a: logits, b: head, partial: d.partial },
        out: rowsOf(d.dhidden, C, start, start + rows),
      },
      { M: rows, N: C, K: V, orientation: "NN", ldA: ld },
    );
    if (!dhead) continue;
    matmul(
      device,
      { a: logits, b: at.hidden, out: dhead, partial: d.partial },
      { M: V, N: C, K: rows, orientation: "TN", ldA: ld, accumulate: !fresh || start > 0 },
    );
  }
}
