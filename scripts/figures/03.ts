/** Page 3: how many launches a forward and backward pass is, by kernel. @module */
import config from "../../assets/tiny/config.json" with { type: "json" };
import type { Launch } from "../../kernels/device.ts";
import { CountingDevice } from "../../kernels/devices/counting.ts";
import { Gpt2 } from "../../model/gpt2.ts";
import { languageModelRows } from "../../model/rows.ts";
import { bars, type Figure, svg, text } from "./_svg.ts";

/** Counts every launch by its file of WGSL. */
class LaunchCounter extends CountingDevice {
  readonly launches = new Map<string, number>();

  constructor() {
    const limits = { maxBinding: 2 ** 27, maxBuffer: 2 ** 28 };
    super({
      kind: "webgpu",
      name: "counts launches",
      software: false,
      limits,
      features: new Set(),
    });
  }

  override launch(launch: Launch): void {
    const [file] = launch.kernel.label.split(/[.]|_d\d/);
    this.launches.set(file, (this.launches.get(file) ?? 0) + 1);
    super.launch(launch);
  }
}

/** Launches of one pass forward and backward of the default model, most frequent first. */
function launchesOfPass(): [file: string, launches: number][] {
  using device = new LaunchCounter();
  using model = Gpt2.create(device, config, { seed: 1 });
  device.launches.clear();
  model.languageModel(languageModelRows([Array.from({ length: 24 }, (_, i) => i)]));
  return [...device.launches].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
}

function draw(): string {
  const counts = launchesOfPass(), sum = counts.reduce((n, [, count]) => n + count, 0);
  const groups = counts.map(([name, count]) => ({ name, values: [count] }));
  const [width, height] = [760, 280];
  const title = `${sum} launches: one forward and backward pass of the default model`;
  return svg(
    {
      title,
      desc: `Launches by kernel file: ${counts.map(([name, n]) => `${name} ${n}`).join(", ")}.`,
      width,
      height,
    },
    bars({ x: 0, y: 0, width, height: height - 12 }, {
      heading: title,
      y: { label: "launches" },
      bars: ["launches"],
      groups,
    }),
    text(width / 2, height - 10, "file of kernels/", { anchor: "middle", size: 11, soft: true }),
  );
}

export const figures: readonly Figure[] = [{ file: "03-launches.svg", draw }];
