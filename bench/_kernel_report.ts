/** Collects the samples of the kernel benches, and prints them as one table a shape. @module */
import type { Device } from "../kernels/device.ts";
import { Scope } from "../kernels/scope.ts";
import { checkOutputs, type KernelCase, prepareCase, type Prepared } from "./_case.ts";
import { Batch, type BatchOptions, type Measurement } from "./_measure.ts";
import type { DeviceKind, Devices } from "./_options.ts";
import type { Shape } from "./_shapes.ts";
import { formatTable, mebibytes } from "./_table.ts";

/** Gives a device of a kind; `Devices` does. */
export type Open = Pick<Devices, "get" | "opened">;

/** One case on each device. */
export class Entry implements Disposable {
  /** Relative error of the WebGPU kernel; NaN where it did not run. */
  error = NaN;
  /** False where the device lacks the feature that the kernel needs. */
  possible = true;
  #batches = new Map<DeviceKind, Batch>();
  #outputs?: Prepared["outputs"];
  #scope?: Scope;
  #work?: Disposable;

  constructor(
    readonly shape: Shape,
    readonly kernel: KernelCase,
    readonly report: KernelReport,
    readonly options: Partial<Record<DeviceKind, BatchOptions>> = {},
  ) {}

  /** Prepares on the first call: uploads, compares with the twin, warms up. Then takes one sample. */
  async sample(
    kind: DeviceKind,
    context?: Pick<Deno.BenchContext, "start" | "end">,
  ): Promise<void> {
    let batch = this.#batches.get(kind);
    if (!batch) {
      const device = await this.report.open.get(kind);
      const { feature } = this.kernel;
      this.possible = feature === undefined || device.features.has(feature);
      if (this.possible) this.#batches.set(kind, batch = await this.#prepare(device));
    }
    context?.start();
    await batch?.sample();
    context?.end();
  }

  /** Median times on a device; undefined where it did not run. */
  result(kind: DeviceKind): Measurement | undefined {
    return this.#batches.get(kind)?.result();
  }

  /** Frees the buffers; results stay. */
  [Symbol.dispose](): void {
    this.#release();
    this.#outputs = undefined;
  }

  #release(): void {
    const device = this.#scope?.device;
    this.#work?.[Symbol.dispose]();
    this.#scope?.[Symbol.dispose]();
    this.#work = this.#scope = undefined;
    device?.trim(); // the next case has other sizes
  }

  async #prepare(device: Device): Promise<Batch> {
    this.report.begin(this);
    this.#release();
    this.#scope = new Scope(device);
    const { work, outputs } = await prepareCase(this.#scope, this.kernel);
    this.#work = work;
    if (device.kind === "cpu") this.#outputs = outputs;
    else {
      const want = this.#outputs ?? await this.#twin();
      const name = `${this.kernel.name} at ${this.kernel.size}`;
      this.error = checkOutputs(name, { got: outputs, want });
    }
    return await Batch.prepare(device, work, this.options[device.kind]);
  }

  async #twin(): Promise<Prepared["outputs"]> {
    using scope = new Scope(await this.report.open.get("cpu"));
    const { work, outputs } = await prepareCase(scope, this.kernel);
    work[Symbol.dispose]();
    return outputs;
  }
}

/** All entries of a run. */
export class KernelReport {
  #entries: Entry[] = [];
  #current?: Entry;

  constructor(readonly open: Open, readonly options: Entry["options"] = {}) {}

  /** Registers a case; nothing runs yet. */
  entry(shape: Shape, kernel: KernelCase): Entry {
    const entry = new Entry(shape, kernel, this, this.options);
    this.#entries.push(entry);
    return entry;
  }

  /** Frees what the case before held. */
  begin(entry: Entry): void {
    if (entry !== this.#current) this.#current?.[Symbol.dispose]();
    this.#current = entry;
  }

  /** Frees what the last case held. */
  end(): void {
    this.#current?.[Symbol.dispose]();
    this.#current = undefined;
  }

  /** One table a shape, the devices' names, and the most memory that was held. */
  toString(): string {
    const parts: string[] = [];
    for (const shape of new Set(this.#entries.map(({ shape }) => shape))) {
      const rows = this.#entries.filter((entry) => entry.shape === shape).flatMap(rowOf);
      if (rows.length === 0) continue;
      parts.push(`\n${shape.model} model, batch ${shape.batch}\n`, formatTable(COLUMNS, rows));
    }
    const names = this.open.opened.map((device) =>
      `${device.kind}: ${device.name}, at most ${mebibytes(device.memory.peak)} held`
    );
    return [...parts, "", LEGEND, ...names].join("\n");
  }
}

const COLUMNS = [
  "kernel",
  "size",
  "ms",
  "GFLOP/s",
  "GB/s",
  "cpu ms",
  "±%",
  "twin ms",
  "twin GFLOP/s",
  "twin GB/s",
  "twin cpu ms",
  "error",
];
const LEGEND =
  "ms: median of one run, the wait for the queue taken off. GFLOP/s: useful operations; " +
  "GB/s: every input read once,\nevery output written once. cpu ms: processor time of all threads, which other\nprocesses disturb less. " +
  "±%: half the spread of the samples. error: relative, to the twin.";

function rowOf(entry: Entry): (string | number)[][] {
  const { kernel: { name, size, flop, bytes } } = entry;
  const [gpu, cpu] = [entry.result("webgpu"), entry.result("cpu")];
  if (!gpu && !cpu) return [];
  const rates = (m?: Measurement): number[] =>
    m
      ? [
        m.seconds * 1e3,
        flop ? flop / m.seconds / 1e9 : NaN,
        bytes / m.seconds / 1e9,
        m.cpuSeconds * 1e3,
      ]
      : [NaN, NaN, NaN, NaN];
  return [[name, size, ...rates(gpu), (gpu?.spread ?? NaN) * 50, ...rates(cpu), entry.error]];
}
