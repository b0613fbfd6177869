/** What the adapter can do at most, and what each wait and dispatch costs. @module */
import type { Kernel, Program } from "../../kernels/device.ts";
import { Scope } from "../../kernels/scope.ts";
import { emptyWait, median, recorded, type Work } from "../_measure.ts";
import { mebibytes } from "../_table.ts";
import type { GpuContext } from "./context.ts";
import copyCode from "./copy.wgsl" with { type: "text" };
import multiplyAddCode from "./multiply_add.wgsl" with { type: "text" };
import type { Line, Row } from "./rows.ts";
import { timeTogether } from "./timing.ts";

const noTwin = (): never => {
  throw new Error("Cannot run a measurement of the adapter on the CPU: it has no twin");
};
const COPY: Kernel = {
  label: "copy.run",
  entryPoint: "run",
  code: copyCode,
  twin: noTwin,
  workgroup: 256,
};
const MULTIPLY_ADD: Kernel = {
  label: "multiply_add.run",
  entryPoint: "run",
  code: multiplyAddCode,
  twin: noTwin,
};
/** Dispatches of the two lists: about those of a training step of GPT-2. */
const DISPATCHES = 400;

/** The first rows. */
export const ceilingRows: readonly Row<GpuContext>[] = [
  { name: "adapter", estimate: 1, short: true, run: adapter },
  { name: "ceilings", estimate: 15, short: true, run: ceilings },
  { name: "waits and dispatches", estimate: 10, short: true, run: dispatches },
];

async function* adapter({ device, clock }: GpuContext): AsyncGenerator<Line> {
  const { maxBinding, maxBuffer } = device.limits;
  yield { name: "adapter", note: device.name };
  yield {
    name: "limits",
    note: `binding ${mebibytes(maxBinding)}, buffer ${mebibytes(maxBuffer)}; ` +
      [...device.features].sort().join(", "),
  };
  yield await Promise.resolve({ name: "timestamps", note: clock ? "yes" : "no" });
}

/** Multiply-adds first: they bring the clock rate up and calibrate the timestamps. */
async function* ceilings(context: GpuContext): AsyncGenerator<Line> {
  const { device, clock, sizes } = context;
  using scope = new Scope(device);
  const { threads: N, rounds: ROUNDS } = sizes.multiplyAdd;
  const sums = scope.alloc(N, "sums");
  using adds = recorded(device, () =>
    device.launch({
      kernel: MULTIPLY_ADD,
      dims: { N, ROUNDS, factor: 0.999 },
      bind: { out: [sums, N] },
      threads: N,
    }));
  const until = performance.now() + (context.software ? 50 : 500);
  while (performance.now() < until) {
    adds.enqueue(1);
    await device.read(sums);
  }
  const flop = N * ROUNDS * 8 * 4 * 4 * 2;
  const [line] = await timeTogether(context, [{
    line: { name: "multiply-adds", size: `N ${N}`, flop },
    work: adds,
  }]);
  yield line;
  if (clock && line.seconds) {
    const runs = Math.max(1, Math.round(0.1 / line.seconds)), wait = await emptyWait(device);
    adds.enqueue(runs); // records that many
    await device.read(sums);
    const factor = await clock.calibrate(async () => {
      const from = performance.now();
      adds.enqueue(runs);
      await device.read(sums);
      return (performance.now() - from) / 1e3 - wait;
    });
    yield { name: "wall time over timestamps", note: factor.toPrecision(4) };
  }
  yield* copies(context);
}

async function* copies(context: GpuContext): AsyncGenerator<Line> {
  const { device, sizes } = context;
  using scope = new Scope(device);
  const bytes = Math.min(sizes.copyBytes, device.limits.maxBinding, device.limits.maxBuffer);
  const n = Math.floor(bytes / 256) * 64;
  const [x, out] = ["x", "out"].map((name) => scope.alloc(n, name));
  device.zero(x);
  using work = recorded(device, () =>
    device.launch({
      kernel: COPY,
      dims: { N: n },
      bind: { x: [x, n], out: [out, n] },
      threads: n / 4,
    }));
  yield* await timeTogether(context, [{
    line: { name: "copy", size: mebibytes(4 * n), bytes: 8 * n },
    work,
  }]);
}

/** Replays a program as often as it is told to, one submission each. */
const replays = (program: Program): Work => ({
  enqueue(runs) {
    for (let i = 0; i < runs; i++) program.run();
  },
  [Symbol.dispose]() {},
});

async function* dispatches(context: GpuContext): AsyncGenerator<Line> {
  const { device } = context;
  using scope = new Scope(device);
  const small = scope.alloc(64, "small");
  device.zero(small);
  yield { name: "empty read, shortest of nine", seconds: await emptyWait(device) };
  const samples: number[] = [];
  for (let i = 0; i < 9; i++) {
    const from = performance.now();
    await device.read(small);
    samples.push((performance.now() - from) / 1e3);
  }
  yield { name: "empty read, median", seconds: median(samples) };
  const many = Array.from({ length: DISPATCHES }, (_, i) => scope.alloc(64, `out ${i}`));
  const copy = (out: typeof small) =>
    device.launch({
      kernel: COPY,
      dims: { N: 64 },
      bind: { x: [small, 64], out: [out, 64] },
      threads: 16,
    });
  const programs = {
    dependent: scope.record("dependent", () => many.forEach(() => copy(many[0]))),
    independent: scope.record("independent", () => many.forEach(copy)),
  };
  yield* await timeTogether(
    context,
    Object.entries(programs).map(([name, program]) => ({
      line: { name: `${DISPATCHES} ${name} dispatches`, note: "of one submission" },
      work: replays(program),
    })),
  );
}
