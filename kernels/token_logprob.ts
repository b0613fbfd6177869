/** Log-probability of chosen tokens, with entropy: the CPU definition and the launchers. @module */
import type { Device, FloatArray, Tensor } from "./device.ts";
import { areFinite } from "./fragments/finite.ts";
import finite from "./fragments/finite.wgsl" with { type: "text" };
import { launchLogitsRows, type LogitsDims } from "./logits_rows.ts";
import { type Packed, packed } from "./fragments/pack.ts";
import { treeFor } from "./fragments/tree.ts";
import tokenCode from "./token_logprob.wgsl" with { type: "text" };

const textFor = (device: Device, ld: number): Packed["text"] =>
  packed(`${finite}\n${treeFor(device)}\n${tokenCode}`, ld).text;

/** Buffers, named as in the WGSL file. `entropy` and `lse` are written by forward, read by backward. */
export interface TokenLogprobBuffers {
  /** (N, ld); backward replaces them by their gradient. */
  logits: Tensor;
  /** u32 (N), each below V. */
  token: Tensor;
  /** (N), overwritten. */
  entropy: Tensor;
  /** (N, 2), overwritten: the largest logit, and log sum exp of the logits above it over temperature. */
  lse: Tensor;
}

interface Arrays {
  logits: FloatArray;
  token: Uint32Array;
  logprob: FloatArray;
  entropy: FloatArray;
  lse: FloatArray;
  dlogprob: FloatArray;
  dentropy: FloatArray;
}

/** The definition of the forward pass. */
export function tokenLogprobTwin(
  { logits, token, logprob, entropy, lse }: Arrays,
  { N, V, ld, temperature }: LogitsDims,
): void {
  for (let n = 0; n < N; n++) {
    const row = n * ld;
    let top = -Infinity;
    for (let v = 0; v < V; v++) if (logits[row + v] > top) top = logits[row + v];
    let sum = 0, weighted = 0;
    for (let v = 0; v < V; v++) {
      const x = (logits[row + v] - top) / temperature, e = Math.exp(x);
      sum += e;
      weighted += e * x;
    }
    const logSum = Math.log(sum);
    lse[2 * n] = top;
    lse[2 * n + 1] = logSum;
    logprob[n] = (logits[row + token[n]] - top) / temperature - logSum;
    entropy[n] = logSum - weighted / sum;
    if (!areFinite(logits, row, row + V)) logprob[n] = entropy[n] = NaN;
  }
}

/** The definition of the backward pass: logits become dlogits. */
export function tokenLogprobBackwardTwin(
  { logits, token, entropy, lse, dlogprob, dentropy }: Arrays,
  { N, V, ld, temperature }: LogitsDims,
): void {
  for (let n = 0; n < N; n++) {
    const row = n * ld, y = token[n], H = entropy[n], top = lse[2 * n], rest = lse[2 * n + 1];
    const dl = dlogprob[n] / temperature, dH = dentropy[n] / temperature;
    for (let v = 0; v < V; v++) {
      const logP = (logits[row + v] - top) / temperature - rest, p = Math.exp(logP);
      logits[row + v] = -p * (dl + dH * (logP + H));
    }
    logits[row + y] += dl;
    logits.fill(0, row + V, row + ld);
  }
}

const name = "token_logprob";
const FORWARD = { name, entryPoint: "forward", twin: tokenLogprobTwin };
const BACKWARD = { name, entryPoint: "backward", twin: tokenLogprobBackwardTwin };

/**
 * Enqueues the forward pass: `logprob` (N), `entropy` (N) and `lse` (N, 2) are overwritten; nats. Where a
 * logit is infinite or not a number, log-probability and entropy are NaN.
 * @throws {RangeError} when temperature is not positive, ld is below V, or a buffer is too small
 */
export function tokenLogprob(
  device: Device,
  x: TokenLogprobBuffers & { logprob: Tensor },
  dims: LogitsDims,
): void {
  const { N, ld } = dims;
  const bind = {
    logits: [x.logits, N * ld],
    token: [x.token, N],
    logprob: [x.logprob, N],
    entropy: [x.entropy, N],
    lse: [x.lse, 2 * N],
  } as const;
  launchLogitsRows(device, { ...FORWARD, ...textFor(device, ld) }, { bind, dims });
}

/**
 * Enqueues the backward pass: `dlogprob` (N) and `dentropy` (N) turn the logits into dlogits (N, ld)
 * in place; columns from V on become 0. Needs `entropy` and `lse` from forward.
 * @throws {RangeError} when temperature is not positive, ld is below V, or a buffer is too small
 */
export function tokenLogprobBackward(
  device: Device,
  x: TokenLogprobBuffers & { dlogprob: Tensor; dentropy: Tensor },
  dims: LogitsDims,
): void {
  const { N, ld } = dims;
  const bind = {
    logits: [x.logits, N * ld],
    token: [x.token, N],
    entropy: [x.entropy, N],
    lse: [x.lse, 2 * N],
    dlogprob: [x.dlogprob, N],
    dentropy: [x.dentropy, N],
  } as const;
  launchLogitsRows(device, { ...BACKWARD, ...textFor(device, ld) }, { bind, dims });
}
