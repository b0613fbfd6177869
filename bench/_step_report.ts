/** Collects what the model benches measured, and prints it as one table. @module */
import type { Device } from "../kernels/device.ts";
import { type Measurement, median } from "./_measure.ts";
import { type DeviceKind, openDevice } from "./_options.ts";
import type { Phases } from "./_steps.ts";
import { formatTable, mebibytes } from "./_table.ts";

/** A line of the table before it has numbers. */
export interface StepRow {
  work: string;
  /** Tokens that one run moves through the model, or draws. */
  tokens: number;
  /** Operations of one run; absent where they are not counted. */
  flop?: number;
}

interface Line extends StepRow, Pick<Measurement, "seconds" | "cpuSeconds" | "spread"> {
  kind: DeviceKind;
  device: string;
  peak: number;
}

const COLUMNS = ["work", "device", "ms", "tokens/s", "GFLOP/s", "cpu ms", "±%", "peak memory"];

/** Owns one device at a time: that of the bench which runs. */
export class StepReport {
  #lines = new Map<string, Line>();
  #samples = new Map<string, Phases[]>();
  #current: Disposable[] = [];

  /** Closes the device of the bench before, and opens one. */
  async begin(kind: DeviceKind): Promise<Device> {
    this.end();
    return this.own(await openDevice(kind));
  }

  /** Disposes of `owned` when the next bench begins. */
  own<T extends Disposable>(owned: T): T {
    this.#current.push(owned);
    return owned;
  }

  /** Closes what is open. */
  end(): void {
    for (const owned of this.#current.splice(0).reverse()) owned[Symbol.dispose]();
  }

  /** Sets a line. */
  set(
    row: StepRow,
    device: Device,
    { seconds, cpuSeconds, spread }: Pick<Measurement, "seconds" | "cpuSeconds" | "spread">,
  ): void {
    const { kind, name, memory: { peak } } = device;
    const line = { ...row, seconds, cpuSeconds, spread, kind, device: name, peak };
    this.#lines.set(`${kind} ${row.work}`, line);
  }

  /** Adds a sample of work in phases, one line a phase. */
  add(
    work: string,
    { device, tokensOf, phases }: {
      device: Device;
      tokensOf: (phase: string) => number;
      phases: Phases;
    },
  ): void {
    const key = `${device.kind} ${work}`;
    const samples = this.#samples.get(key) ?? [];
    this.#samples.set(key, [...samples, phases]);
    for (const phase of Object.keys(phases)) {
      const wall = [...samples, phases].map((sample) => sample[phase].wall);
      const cpu = [...samples, phases].map((sample) => sample[phase].cpu);
      const seconds = median(wall);
      const spread = (Math.max(...wall) - Math.min(...wall)) / seconds;
      this.set({ work: `${work}: ${phase}`, tokens: tokensOf(phase) }, device, {
        seconds,
        cpuSeconds: median(cpu),
        spread,
      });
    }
  }

  /** The table, and the names of the devices. */
  toString(): string {
    const lines = [...this.#lines.values()];
    const rows = lines.map((line) => [
      line.work,
      line.kind,
      line.seconds * 1e3,
      line.tokens / line.seconds,
      line.flop ? line.flop / line.seconds / 1e9 : NaN,
      line.cpuSeconds * 1e3,
      line.spread * 50,
      mebibytes(line.peak),
    ]);
    const names = new Set(lines.map(({ kind, device }) => `${kind}: ${device}`));
    return ["", formatTable(COLUMNS, rows), "", ...names].join("\n");
  }
}
