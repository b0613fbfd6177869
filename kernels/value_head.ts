/** A value for every row: a linear layer with one output, forward and backward. @module */
import { combineChunks, rowChunks } from "./column_sum.ts";
import { align, view } from "./tensor.ts";
import type { Device, FloatArray, Tensor } from "./device.ts";
import { packed } from "./fragments/pack.ts";
import code from "./value_head.wgsl" with { type: "text" };

type Arrays = Record<string, FloatArray>;
type Dims = Record<"N" | "C" | "R", number>;

const MAX_GROUPS = 65535;
const LANES = 32; // packs of one row in one workgroup of `input` and `parameters`

function forward({ x, weight, bias, value }: Arrays, { N, C }: Dims): void {
  for (let n = 0; n < N; n++) {
    let sum = bias[0];
    for (let c = 0; c < C; c++) sum += x[n * C + c] * weight[c];
    value[n] = sum;
  }
}

function input({ weight, dvalue, dx }: Arrays, { N, C }: Dims): void {
  for (let n = 0; n < N; n++) {
    const d = dvalue[n];
    for (let c = 0; c < C; c++) dx[n * C + c] += d * weight[c];
  }
}

function parameters({ x, dvalue, pweight, pbias }: Arrays, { N, C, R }: Dims): void {
  for (let g = 0; g * R < N; g++) {
    const end = Math.min(N, (g + 1) * R);
    for (let c = 0; c < C; c++) {
      let dweight = 0;
      for (let n = g * R; n < end; n++) dweight += dvalue[n] * x[n * C + c];
      pweight[g * C + c] = dweight;
    }
    let dbias = 0;
    for (let n = g * R; n < end; n++) dbias += dvalue[n];
    pbias[g] = dbias;
  }
}

/** Enqueues value (N) = x (N, C) · weight (C) + bias (1). */
export function valueHead(
  device: Device,
  x: Record<"x" | "weight" | "bias" | "value", Tensor>,
  { N, C }: { N: number; C: number },
): void {
  const { text } = packed(code, C);
  const workgroup = device.software ? 8 : 64; // a software adapter runs 8 lanes at once
  device.launch({
    kernel: {
      label: "value_head.forward",
      entryPoint: "forward",
      twin: forward,
      workgroup,
      ...text,
    },
    dims: { N, C, R: 0 },
    bind: { x: [x.x, N * C], weight: [x.weight, C], bias: [x.bias, 1], value: [x.value, N] },
    groups: [Math.min(N, MAX_GROUPS)],
  });
}

/** Elements of `scratch` that `valueHeadBackward` needs. */
export function valueHeadScratch({ N, C }: { N: number; C: number }): number {
  const { G } = rowChunks(N);
  return align(G * C) + align(G);
}

/**
 * Enqueues the backward pass for dvalue (N). `dx` (N, C), `dweight` (C) and `dbias` (1) are added to;
 * `scratch` is overwritten. Without `dx` the gradient ends here: the head is detached.
 */
export function valueHeadBackward(
  device: Device,
  x: Record<"x" | "weight" | "dvalue" | "dweight" | "dbias" | "scratch", Tensor> & { dx?: Tensor },
  { N, C }: { N: number; C: number },
): void {
  const { G, R } = rowChunks(N);
  const { PACK, text } = packed(code, C);
  const columns = Math.ceil(C / PACK / LANES);
  if (x.dx) {
    device.launch({
      kernel: {
        label: "value_head.input",
        entryPoint: "input",
        twin: input,
        workgroup: LANES,
        ...text,
      },
      dims: { N, C, R },
      bind: { weight: [x.weight, C], dvalue: [x.dvalue, N], dx: [x.dx, N * C] },
      groups: [columns, Math.min(N, MAX_GROUPS)],
    });
  }
  const pweight = view(x.scratch, 0, G * C, "scratch of dweight");
  const pbias = view(x.scratch, align(G * C), G, "scratch of dbias");
  device.launch({
    kernel: {
      label: "value_head.parameters",
      entryPoint: "parameters",
      twin: parameters,
      workgroup: LANES,
      ...text,
    },
    dims: { N, C, R },
    bind: {
      x: [x.x, N * C],
      dvalue: [x.dvalue, N],
      pweight: [pweight, G * C],
      pbias: [pbias, G],
    },
    groups: [columns, G],
  });
  combineChunks(device, { partial: pweight, out: x.dweight }, { G, C });
  combineChunks(device, { partial: pbias, out: x.dbias }, { G, C: 1 });
}
