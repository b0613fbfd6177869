/**
 * KL(policy || reference) over the whole vocabulary: the CPU definition and the launchers. Exact, where
 * k1, k2 and k3 of rl/kl.ts are estimates from the one token that was drawn.
 * @module
 */
import type { Device, FloatArray, Tensor } from "./device.ts";
import { areFinite } from "./fragments/finite.ts";
import finite from "./fragments/finite.wgsl" with { type: "text" };
import { treeFor } from "./fragments/tree.ts";
import klCode from "./full_kl.wgsl" with { type: "text" };
import { launchLogitsRows, type LogitsDims } from "./logits_rows.ts";

const codeFor = (device: Device): string => `${finite}\n${treeFor(device)}\n${klCode}`;

/** Buffers, named as in the WGSL file; each `lse` (N, 2) is `tokenLogprob`'s of the same logits. */
export interface FullKlBuffers {
  /** (N, ld) of the policy. */
  logits: Tensor;
  /** (N, ld) of the reference; backward replaces them by the gradient with respect to `logits`. */
  reference: Tensor;
  lse: Tensor;
  referenceLse: Tensor;
  /** (N), overwritten by forward and read by backward: the plain sum of p (log p - log q). */
  mean: Tensor;
}

type Arrays = Record<
  "logits" | "reference" | "lse" | "reference_lse" | "kl" | "mean" | "dkl",
  FloatArray
>;

const logP = (logit: number, top: number, rest: number, temperature: number): number =>
  (logit - top) / temperature - rest;

/** The definition of the forward pass. */
export function fullKlTwin(
  { logits, reference, lse, reference_lse, kl, mean }: Arrays,
  { N, V, ld, temperature: T }: LogitsDims,
): void {
  for (let n = 0; n < N; n++) {
    const row = n * ld;
    let sum = 0, plain = 0;
    for (let v = 0; v < V; v++) {
      const a = logP(logits[row + v], lse[2 * n], lse[2 * n + 1], T), p = Math.exp(a);
      const b = logP(reference[row + v], reference_lse[2 * n], reference_lse[2 * n + 1], T);
      sum += p * (a - b - 1) + Math.exp(b); // of p - q alone the sum is 0; see the WGSL
      plain += p * (a - b);
    }
    const known = [logits, reference].every((x) => areFinite(x, row, row + V));
    kl[n] = known ? sum : NaN;
    mean[n] = plain;
  }
}

/** The definition of the backward pass: the reference's logits become the policy's dlogits. */
export function fullKlBackwardTwin(
  { logits, reference, lse, reference_lse, mean, dkl }: Arrays,
  { N, V, ld, temperature: T }: LogitsDims,
): void {
  for (let n = 0; n < N; n++) {
    const row = n * ld;
    for (let v = 0; v < V; v++) {
      const a = logP(logits[row + v], lse[2 * n], lse[2 * n + 1], T);
      const b = logP(reference[row + v], reference_lse[2 * n], reference_lse[2 * n + 1], T);
      reference[row + v] = dkl[n] * Math.exp(a) * (a - b - mean[n]) / T;
    }
    reference.fill(0, row + V, row + ld);
  }
}

const name = "full_kl";
const FORWARD = { name, entryPoint: "forward", twin: fullKlTwin };
const BACKWARD = { name, entryPoint: "backward", twin: fullKlBackwardTwin };

/**
 * Enqueues the forward pass: `kl` (N), nats, >= 0, and `mean` (N) are overwritten. Where a logit is
 * infinite or not a number, `kl` is NaN.
 * @throws {RangeError} when temperature is not positive, ld is below V, or a buffer is too small
 */
export function fullKl(
  device: Device,
  x: FullKlBuffers & { kl: Tensor },
  dims: LogitsDims,
): void {
  const { N, ld } = dims;
  const bind = {
    logits: [x.logits, N * ld],
    reference: [x.reference, N * ld],
    lse: [x.lse, 2 * N],
    reference_lse: [x.referenceLse, 2 * N],
    kl: [x.kl, N],
    mean: [x.mean, N],
  } as const;
  launchLogitsRows(device, { ...FORWARD, code: codeFor(device) }, { bind, dims });
}

/**
 * Enqueues the backward pass: `dkl` (N) turns the reference's logits into the gradient (N, ld) with
 * respect to the policy's, in place; columns from V on become 0. Needs `mean` from forward.
 * @throws {RangeError} when temperature is not positive, ld is below V, or a buffer is too small
 */
export function fullKlBackward(
  device: Device,
  x: FullKlBuffers & { dkl: Tensor },
  dims: LogitsDims,
): void {
  const { N, ld } = dims;
  const bind = {
    logits: [x.logits, N * ld],
    reference: [x.reference, N * ld],
    lse: [x.lse, 2 * N],
    reference_lse: [x.referenceLse, 2 * N],
    mean: [x.mean, N],
    dkl: [x.dkl, N],
  } as const;
  launchLogitsRows(device, { ...BACKWARD, code: codeFor(device) }, { bind, dims });
}
