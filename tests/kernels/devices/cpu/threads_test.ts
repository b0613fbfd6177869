import assert from "node:assert/strict";
import { CpuDevice } from "../../../../kernels/devices/cpu.ts";
import type { SharedLaunch } from "../../../../kernels/devices/cpu/launches.ts";
import { sharedMemory, threadsFor } from "../../../../kernels/devices/cpu/machine.ts";
import { type Step, Threads } from "../../../../kernels/devices/cpu/threads.ts";
import { matmul } from "../../../../kernels/matmul.ts";
import { upload } from "../../../../kernels/tensor.ts";
import { launchOf, read } from "../_scale.ts";
import { buffersOf, CASES, trained } from "./_cases.ts";

/** Runs `work` until workers have computed a part, which they begin with as soon as they have started. */
async function untilHelped(device: { helped: number }, work: () => unknown): Promise<void> {
  for (const before = device.helped; device.helped === before;) {
    await work();
    await new Promise((resolve) => setTimeout(resolve, 5)); // a core may be busy with others
  }
}

const product = (device: CpuDevice): void => {
  const [a, b, out] = [2000 * 20, 20 * 40, 2000 * 40].map((n) => device.alloc(n, "x"));
  matmul(device, { a, b, out }, { M: 2000, N: 40, K: 20, orientation: "NN" });
  for (const tensor of [a, b, out]) device.free(tensor);
};

for (const precision of ["f32", "f64"] as const) {
  Deno.test(`${precision}: bytes are the same for 1, 2 and 3 workers`, async () => {
    using one = new CpuDevice({ precision, workers: 1 });
    const want = [];
    for (const kernel of CASES) want.push(await buffersOf(one, kernel, 3));
    const weights = await trained(one, 3);
    assert.equal(one.helped, 0);
    for (const workers of [2, 3]) {
      using device = new CpuDevice({ precision, workers, leastShared: 0 });
      await untilHelped(device, () => product(device));
      for (const [i, kernel] of CASES.entries()) {
        const got = await buffersOf(device, kernel, 3);
        assert.deepEqual(got, want[i], `${kernel.name} ${kernel.size}, ${workers} workers`);
      }
      assert.deepEqual(await trained(device, 3), weights);
    }
  });
}

Deno.test("workers start only where there is enough to do", async () => {
  using device = new CpuDevice({ workers: 2 });
  for (let i = 0; i < 5; i++) product(device); // too small to share
  await new Promise((resolve) => setTimeout(resolve, 50));
  product(device);
  assert.equal(device.helped, 0);
});

Deno.test("steps run in order, shared or not, whether a program keeps them or not", async () => {
  using device = new CpuDevice({ workers: 2, leastShared: 0 });
  await untilHelped(device, () => product(device));
  const M = 512, N = 8;
  const a = upload(device, new Float32Array(M * M).map((_, i) => Number(i % (M + 1) === 0)), "a");
  const x = upload(device, new Float32Array(M * N).map((_, i) => i), "x");
  const y = device.alloc(M * N, "y");
  const turn = () => {
    matmul(device, { a, b: x, out: y }, { M, N, K: M, orientation: "NN" }); // y = x
    device.zero(x);
    device.launch(launchOf(y, x, 2)); // x = 2 y
  };
  using program = device.record("turn", turn);
  for (let i = 0; i < 5; i++) {
    program.run();
    turn();
  }
  assert.deepEqual(await read(device, x), Array.from({ length: M * N }, (_, i) => 1024 * i));
});

/** A launch of 40 lines that nobody can compute: its twin has no such name. */
const unknown = (): SharedLaunch => ({
  twin: "none",
  arrays: {},
  dims: {},
  bounds: Array.from({ length: 41 }, (_, i) => i),
  work: 1,
});

/** One whose name only this thread can read: what is sent to another has no getters of a class. */
class HalfKnown {
  arrays = { x: floatsOf(4000), out: floatsOf(4000) };
  dims = { N: 4000 };
  bounds = Array.from({ length: 41 }, (_, i) => 100 * i);
  work = 1;
  get twin(): string {
    return "exact GELU";
  }
}
const floatsOf = (n: number): Float32Array<ArrayBuffer> =>
  new Float32Array(sharedMemory(4 * n) as unknown as ArrayBuffer);

Deno.test("what a twin throws is thrown by the run, and the next one goes well", async () => {
  using threads = new Threads(2, 0);
  const done: string[] = [];
  const step = (name: string): Step => ({ alone: () => done.push(name) });
  const bad: Step = { alone() {}, shared: unknown() };
  for (let i = 0; i < 20; i++) {
    assert.throws(
      () => threads.run([step("before"), bad, step("after")]),
      new TypeError('Cannot compute "none" on another thread: it is not listed'),
    );
  }
  assert.deepEqual(new Set(done), new Set(["before"]));
  const failing = {
    alone() {
      throw new RangeError("alone");
    },
  };
  assert.throws(() => threads.run([bad, failing]), /"none"/);
  const good: Step = { alone() {}, shared: { ...new HalfKnown(), twin: "exact GELU" } };
  assert.throws(() => threads.run([good, failing]), new RangeError("alone"));
  await untilHelped(threads, () => threads.run([good]));
});

Deno.test("what a worker alone throws is thrown as well", async () => {
  using threads = new Threads(2, 0);
  const steps: Step[] = [{ alone() {}, shared: new HalfKnown() }];
  let thrown: unknown;
  await untilHelped(threads, () => {
    try {
      threads.run(steps);
    } catch (error) {
      thrown = error;
    }
  });
  assert.equal(
    (thrown as Error).message,
    "Cannot compute exact GELU as a worker failed: " +
      'TypeError: Cannot compute "undefined" on another thread: it is not listed',
  );
});

Deno.test("workers are an integer from 1 to 64; without shared memory there is one", () => {
  assert.equal(threadsFor(3), 3);
  assert.ok(threadsFor() >= 1 && threadsFor() <= 8);
  for (const workers of [0, -1, 65, 1.5, NaN]) {
    assert.throws(
      () => new CpuDevice({ workers }),
      new RangeError(
        `Cannot compute on the CPU as workers, this thread among them, are 1 to 64: ${workers}`,
      ),
    );
  }
  const { SharedArrayBuffer: kept } = globalThis;
  try {
    Reflect.deleteProperty(globalThis, "SharedArrayBuffer");
    assert.equal(threadsFor(3), 1);
  } finally {
    globalThis.SharedArrayBuffer = kept;
  }
});
