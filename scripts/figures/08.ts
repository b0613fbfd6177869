/** Page 8: what one more token takes, with and without a cache of keys and values. @module */
import { fileURLToPath } from "node:url";
import type { Launch, Program } from "../../kernels/device.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { generate } from "../../model/generation/generate.ts";
import { loadModel } from "../../model/hub/load.ts";
import { type Figure, lineChart } from "./_svg.ts";

const FOLDER = fileURLToPath(new URL("../../assets/tiny", import.meta.url));

/** Adds up the multiplications of the products that each program is recorded with. */
class WorkCounter extends CpuDevice {
  readonly work = new Map<string, number>();
  #program = "";

  override record(label: string, build: () => void): Program {
    this.#program = label;
    this.work.set(label, 0);
    return super.record(label, build);
  }

  override launch(launch: Launch): void {
    const { M, N, K } = launch.dims, before = this.work.get(this.#program);
    if (before !== undefined && K !== undefined) this.work.set(this.#program, before + M * N * K);
    super.launch(launch);
  }
}

async function draw(): Promise<string> {
  using device = new WorkCounter();
  using model = await loadModel(device, FOLDER, { frozen: true });
  const plain: [number, number][] = [], cached: [number, number][] = [];
  for (const before of [1, 16, 32, 48, 64, 80, 96]) {
    const prompt = Array.from({ length: before }, (_, i) => i);
    await generate(model, [prompt], { greedy: true, eos: null, maxNewTokens: 2 });
    plain.push([before, device.work.get("prefill")! / 1e6]);
    cached.push([before, device.work.get("decode")! / 1e6]);
  }
  const [token] = [cached[0][1]], long = plain.at(-1)!;
  return lineChart({
    title: "Multiplications that one more token takes",
    desc:
      `With a cache ${
        token.toFixed(1)
      } million wherever it stands; without one it grows with the ` +
      `text, to ${long[1].toFixed(0)} million after ${
        long[0]
      } tokens. Products of the default model.`,
    x: { label: "tokens before it", range: [0, 100] },
    y: { label: "millions" },
    series: [
      { name: "without a cache", points: plain, tone: 5 },
      { name: "with a cache", points: cached, tone: 1 },
    ],
  });
}

export const figures: readonly Figure[] = [{ file: "08-work.svg", draw }];
