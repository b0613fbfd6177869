/** The twins of layer normalisation, forward and backward. @module */
import type { FloatArray } from "./device.ts";

type Arrays = Record<string, FloatArray>;
type Dims = Record<string, number>;

/** The definition of the forward pass. */
export function layernormTwin(
  { x, weight, bias, out, mean, rstd }: Arrays,
  { N, C, eps }: Dims,
): void {
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

/** The definition of the gradient by the input. */
export function layernormInputTwin(
  { x, weight, mean, rstd, dout, dx }: Arrays,
  { N, C }: Dims,
): void {
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

/** The definition of the gradient by weight and bias, chunk by chunk of R rows. */
export function layernormParametersTwin(
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
