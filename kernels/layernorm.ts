/** Layer normalisation (Ba et al. 2016, arXiv:1607.06450), forward and backward. @module */
import { combineChunks, rowChunks } from "./column_sum.ts";
import { align, view } from "./tensor.ts";
import type { Device, Tensor } from "./device.ts";
import code from "./layernorm.wgsl" with { type: "text" };
import { packSize } from "./fragments/pack.ts";
import { totalled } from "./fragments/total.ts";
import { layernormInputTwin, layernormParametersTwin, layernormTwin } from "./layernorm_cpu.ts";

const MAX_GROUPS = 65535;
const COLUMNS = 64; // packs of channels in one workgroup of `parameters`

/**
 * Enqueues out (N, C) = (x - mean) * rstd * weight + bias, row by row; `mean` (N) and `rstd` (N) are
 * kept for backward. `eps` is added to the variance (GPT-2: 1e-5).
 */
export function layernorm(
  device: Device,
  x: Record<"x" | "weight" | "bias" | "out" | "mean" | "rstd", Tensor>,
  { N, C, eps }: { N: number; C: number; eps: number },
): void {
  device.launch({
    kernel: {
      label: "layernorm.forward",
      entryPoint: "forward",
      twin: layernormTwin,
      ...totalled(device, code, C),
    },
    dims: { N, C, R: 0, eps },
    bind: {
      x: [x.x, N * C],
      weight: [x.weight, C],
      bias: [x.bias, C],
      out: [x.out, N * C],
      mean: [x.mean, N],
      rstd: [x.rstd, N],
    },
    groups: [Math.min(N, MAX_GROUPS)],
  });
}

/** Elements of `scratch` that `layernormBackward` needs. */
export function layernormScratch({ N, C }: { N: number; C: number }): number {
  return 2 * align(rowChunks(N).G * C);
}

/**
 * Enqueues the backward pass. `dx` (N, C), `dweight` (C) and `dbias` (C) are added to; `scratch` is
 * overwritten. `mean` and `rstd` come from the forward pass over the same `x`. A norm that is not
 * trained leaves `dweight` and `dbias` out.
 */
export function layernormBackward(
  device: Device,
  x:
    & Record<"x" | "weight" | "mean" | "rstd" | "dout" | "dx" | "scratch", Tensor>
    & { dweight?: Tensor; dbias?: Tensor },
  { N, C }: { N: number; C: number },
): void {
  const { G, R } = rowChunks(N);
  const text = totalled(device, code, C);
  const dims = { N, C, R, eps: 0 };
  const read = {
    x: [x.x, N * C],
    mean: [x.mean, N],
    rstd: [x.rstd, N],
    dout: [x.dout, N * C],
  } as const;
  device.launch({
    kernel: {
      label: "layernorm.input",
      entryPoint: "input",
      twin: layernormInputTwin,
      ...text,
    },
    dims,
    bind: { ...read, weight: [x.weight, C], dx: [x.dx, N * C] },
    groups: [Math.min(N, MAX_GROUPS)],
  });
  if (!x.dweight || !x.dbias) return;
  const half = align(G * C);
  const pweight = view(x.scratch, 0, G * C, "scratch of dweight");
  const pbias = view(x.scratch, half, G * C, "scratch of dbias");
  device.launch({
    kernel: {
      label: "layernorm.parameters",
      entryPoint: "parameters",
      twin: layernormParametersTwin,
      ...text,
      workgroup: COLUMNS,
    },
    dims,
    bind: { ...read, pweight: [pweight, G * C], pbias: [pbias, G * C] },
    groups: [Math.ceil(C / packSize(C) / COLUMNS), G],
  });
  combineChunks(device, { partial: pweight, out: x.dweight }, { G, C });
  combineChunks(device, { partial: pbias, out: x.dbias }, { G, C });
}
