/** Page 6: a model whose layer norm lacks a term in its gradient, beside the right one. @module */
import type { Launch } from "../../kernels/device.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { Gpt2 } from "../../model/gpt2.ts";
import { languageModelRows } from "../../model/rows.ts";
import { type Figure, lineChart } from "./_svg.ts";

/** As on the page: dx without the term that keeps a row's variance at 1. */
function short(
  { weight, rstd, dout, dx }: Record<string, Float64Array>,
  { N, C }: Record<string, number>,
): void {
  for (let n = 0; n < N; n++) {
    let plain = 0;
    for (let c = 0; c < C; c++) plain += dout[n * C + c] * weight[c] / C;
    for (let c = 0; c < C; c++) dx[n * C + c] += rstd[n] * (dout[n * C + c] * weight[c] - plain);
  }
}

class Broken extends CpuDevice {
  override launch(launch: Launch): void {
    const { kernel } = launch;
    const isWrong = kernel.label === "layernorm.input";
    super.launch(isWrong ? { ...launch, kernel: { ...kernel, twin: short } } : launch);
  }
}

const UPDATES = 60;

async function losses(device: CpuDevice): Promise<[number, number][]> {
  using model = Gpt2.create(device, {
    ...{ vocab_size: 11, n_positions: 8, n_embd: 6, n_layer: 2, n_head: 2 },
    initializer_range: 0.3,
  }, { seed: 1 });
  const rows = languageModelRows([[3, 1, 4, 1, 5], [9, 2, 6]]);
  const found: [number, number][] = [];
  for (let update = 0; update <= UPDATES; update++) {
    model.languageModel(rows);
    found.push([update, await model.readLoss()]);
    model.step(0.01);
  }
  return found;
}

async function draw(): Promise<string> {
  using right = new CpuDevice({ precision: "f64" }), broken = new Broken({ precision: "f64" });
  const series = [
    { name: "right", points: await losses(right) },
    { name: "one term of layer norm's gradient dropped", points: await losses(broken), tone: 5 },
  ];
  const last = series.map(({ points }) => points.at(-1)![1].toFixed(2));
  return lineChart({
    title: "A wrong gradient trains too",
    desc:
      `Loss over ${UPDATES} updates. Both curves fall without a break: to ${
        last[0]
      } with the right ` +
      `gradient, to ${last[1]} with one term dropped.`,
    x: { label: "updates" },
    y: { label: "loss, nats per token", range: [0, 2.75] },
    series,
  });
}

export const figures: readonly Figure[] = [{ file: "06-dropped-term.svg", draw }];
