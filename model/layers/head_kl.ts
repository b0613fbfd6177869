/**
 * KL to a reference over the whole vocabulary, beside the head: the reference's hidden states of the same
 * rows become logits in the same chunks, so that neither model's logits (R, V) need to exist at once.
 *
 * R rows wanted, V vocabulary, `ld` columns of a logits row (V rounded up), C channels of the reference.
 * @module
 */
import type { Device, Tensor } from "../../kernels/device.ts";
import { fullKl, fullKlBackward } from "../../kernels/full_kl.ts";
import { mix } from "../../kernels/mix.ts";
import { view } from "../../kernels/tensor.ts";
import type { LogitsDims } from "../../kernels/logits_rows.ts";
import { tokenLogprob } from "../../kernels/token_logprob.ts";
import type { Allocator } from "../workspace.ts";

/** The head of the model that is compared with. */
export interface ReferenceHead {
  /** (V, C) */
  readonly weight: Tensor;
  readonly C: number;
}

/** What the comparison computes, all overwritten. */
export interface KlActivations {
  /** (R, C) the reference's hidden states after its final norm; its input. */
  readonly hidden: Tensor;
  /** (min(R, chunk), ld) logits of the last chunk; backward leaves their part of the policy's gradient. */
  readonly logits: Tensor;
  /** (R) each, of the reference. */
  readonly logprob: Tensor;
  readonly entropy: Tensor;
  /** (R, 2), likewise. */
  readonly lse: Tensor;
  /** (R) each, see `fullKl`. */
  readonly kl: Tensor;
  readonly mean: Tensor;
}

/** Takes them from `memory`; `logits` is the length of the policy's own. */
export function klActivations(
  memory: Allocator,
  { C }: ReferenceHead,
  { R, logits }: { R: number; logits: number },
): KlActivations {
  const make = (name: string, length: number): Tensor =>
    memory.alloc(length, `reference ${name}`, "f32", "other");
  return {
    hidden: memory.alloc(R * C, "reference hidden", "f32", "activations"),
    logits: memory.alloc(logits, "reference logits", "f32", "logits"),
    logprob: make("logprob", R),
    entropy: make("entropy", R),
    lse: make("lse", 2 * R),
    kl: make("kl", R),
    mean: make("mean", R),
  };
}

/** The rows of one chunk. */
export function klChunk(
  { hidden, logits, logprob, entropy, lse, kl, mean }: KlActivations,
  { start, rows, C, ld }: { start: number; rows: number; C: number; ld: number },
): KlActivations {
  const of = (x: Tensor, width = 1): Tensor => view(x, start * width, rows * width);
  return {
    hidden: of(hidden, C),
    logits: view(logits, 0, rows * ld),
    logprob: of(logprob),
    entropy: of(entropy),
    lse: of(lse, 2),
    kl: of(kl),
    mean: of(mean),
  };
}

/** Enqueues kl of one chunk, whose logits of policy and reference are there. */
export function klForward(
  device: Device,
  { logits, lse, token, reference: r }: {
    logits: Tensor;
    lse: Tensor;
    token: Tensor;
    reference: KlActivations;
  },
  dims: LogitsDims,
): void {
  tokenLogprob(device, { ...r, token }, dims);
  fullKl(device, { ...r, logits, lse, reference: r.logits, referenceLse: r.lse }, dims);
}

/** Enqueues the backward pass of one chunk, before the policy's logits become their gradient. */
export function klBackward(
  device: Device,
  { logits, lse, dkl, reference: r }: {
    logits: Tensor;
    lse: Tensor;
    dkl: Tensor;
    reference: KlActivations;
  },
  dims: LogitsDims,
): void {
  const both = { logits, lse, reference: r.logits, referenceLse: r.lse, mean: r.mean };
  fullKlBackward(device, { ...both, dkl }, dims);
}

/** Enqueues, after that, the addition of what `klBackward` left to the gradient in `logits`. */
export function addKlGradient(
  device: Device,
  { logits, reference }: { logits: Tensor; reference: KlActivations },
  { N, ld }: LogitsDims,
): void {
  mix(device, { x: reference.logits, out: logits }, { N: N * ld, alpha: 1, beta: 1 });
}
