/** Layer normalisation (Ba et al. 2016, arXiv:1607.06450), forward and backward. @module */
import { combineChunks, rowChunks } from "./column_sum.ts";
import { align, type Device, type FloatArray, type Tensor, view } from "./device.ts";
import code from "./layernorm.wgsl" with { type: "text" };
import { packing } from "./fragments/pack.ts";

type Arrays = Record<string, FloatArray>;
type Dims = Record<string, number>;

const MAX_GROUPS = 65535;
const COLUMNS = 64; // packs of channels in one workgroup of `parameters`

// A software adapter runs 8 lanes at once; more of them in a row only wait at barriers.
const lanes = (device: Device): number => device.software ? 8 : 64;

function forward({ x, weight, bias, out, mean, rstd }: Arrays, { N, C, eps }: Dims): void {
  for (let n = 0; n < N; n++) {
    const row = n * C;
    let m = 0;
    for (let c = 0; c < C; c++) m += x[row + c];
    m /= C;
    let squares = 0;
    for (let c = 0; c < C; c++) {
      const d = x[row + c] - m;
      squares += d * d;
    }
    const r = 1 / Math.sqrt(squares / C + eps);
    for (let c = 0; c < C; c++) out[row + c] = (x[row + c] - m) * r * weight[c] + bias[c];
    mean[n] = m;
    rstd[n] = r;
  }
}

function input({ x, weight, mean, rstd, dout, dx }: Arrays, { N, C }: Dims): void {
  for (let n = 0; n < N; n++) {
    const row = n * C, m = mean[n], r = rstd[n];
    let plain = 0, along = 0;
    for (let c = 0; c < C; c++) {
      const dxhat = dout[row + c] * weight[c];
      plain += dxhat;
      along += dxhat * (x[row + c] - m) * r;
    }
    plain /= C;
    along /= C;
    for (let c = 0; c < C; c++) {
      const xhat = (x[row + c] - m) * r;
      dx[row + c] += r * (dout[row + c] * weight[c] - plain - xhat * along);
    }
  }
}

function parameters(
  { x, mean, rstd, dout, pweight, pbias }: Arrays,
  { N, C, R }: Dims,
): void {
  for (let g = 0; g * R < N; g++) {
    const end = Math.min(N, (g + 1) * R);
    for (let c = 0; c < C; c++) {
      let dweight = 0, dbias = 0;
      for (let n = g * R; n < end; n++) {
        const d = dout[n * C + c];
        dweight += d * (x[n * C + c] - mean[n]) * rstd[n];
        dbias += d;
      }
      pweight[g * C + c] = dweight;
      pbias[g * C + c] = dbias;
    }
  }
}

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
      twin: forward,
      ...packing(code, C),
      workgroup: lanes(device),
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
  const wide = packing(code, C);
  const dims = { N, C, R, eps: 0 };
  const read = {
    x: [x.x, N * C],
    mean: [x.mean, N],
    rstd: [x.rstd, N],
    dout: [x.dout, N * C],
  } as const;
  device.launch({
    kernel: { label: "layernorm.input", twin: input, ...wide, workgroup: lanes(device) },
    dims,
    bind: { ...read, weight: [x.weight, C], dx: [x.dx, N * C] },
    groups: [Math.min(N, MAX_GROUPS)],
  });
  if (!x.dweight || !x.dbias) return;
  const half = align(G * C);
  const pweight = view(x.scratch, 0, G * C, "scratch of dweight");
  const pbias = view(x.scratch, half, G * C, "scratch of dbias");
  device.launch({
    kernel: { label: "layernorm.parameters", twin: parameters, ...wide, workgroup: COLUMNS },
    dims,
    bind: { ...read, pweight: [pweight, G * C], pbias: [pbias, G * C] },
    groups: [Math.ceil(C / wide.constants.PACK / COLUMNS), G],
  });
  combineChunks(device, { partial: pweight, out: x.dweight }, { G, C });
  combineChunks(device, { partial: pbias, out: x.dbias }, { G, C });
}
