/** Work is handed to a graphics card in portions. */
import assert from "node:assert/strict";
import { CpuDevice } from "../../../kernels/devices/cpu.ts";
import { Pace, workOf } from "../../../kernels/devices/webgpu/pace.ts";
import { partsOf, type Step } from "../../../kernels/devices/webgpu/steps.ts";
import { Submissions } from "../../../kernels/devices/webgpu/submissions.ts";
import { attention } from "../../../kernels/attention.ts";
import { matmul } from "../../../kernels/matmul.ts";
import { plainRows } from "../_attention.ts";
import { hearLaunches } from "../_launches.ts";
import { floats, launchOf } from "./_scale.ts";

const launch = (work: number, name = `${work}`) =>
  ({ work, pipeline: name, group: name, grid: [1, 1, 1] }) as unknown as Step;
const clear = { clear: "clear", offset: 0, size: 4 } as unknown as Step;

/** A device that notes what is encoded and submitted. */
function noting(): { device: GPUDevice; submitted: string[][] } {
  const submitted: string[][] = [];
  const createCommandEncoder = () => {
    const done: string[] = [];
    const pass = {
      setPipeline: (name: string) => done.push(name),
      setBindGroup: () => {},
      dispatchWorkgroups: () => {},
      end: () => done.push("end"),
    };
    return {
      clearBuffer: (name: string) => done.push(name),
      beginComputePass: () => pass,
      finish: () => done,
    };
  };
  const queue = {
    submit: (commands: string[][]) => submitted.push(...commands),
    writeBuffer: () => {},
  };
  return { device: { createCommandEncoder, queue } as unknown as GPUDevice, submitted };
}

Deno.test("the work of a launch: multiply-adds by the letters of its dims, and its elements", () => {
  using device = new CpuDevice();
  using heard = hearLaunches(device);
  const tensor = (length: number) => floats(device, Array<number>(length).fill(1));
  const x = tensor(10), out = tensor(10);
  assert.equal(workOf(launchOf(x, out, 1, 10)), 5 * 20);
  const [M, N, K] = [4, 6, 5];
  const product = { a: tensor(M * K), b: tensor(K * N), out: tensor(M * N) };
  matmul(device, product, { M, N, K, orientation: "NN" });
  assert.equal(workOf(heard.launches.pop()!), M * N * K + 5 * (M * K + K * N + M * N));
  const [B, T, H, D] = [2, 8, 1, 4], rows = plainRows(device, [T, T], T);
  const qkv = tensor(B * T * 3 * H * D), lse = tensor(2 * B * T * H);
  attention(device, { qkv, ...rows, out: tensor(B * T * H * D), lse }, { B, T, H, D });
  const elements = B * T * 3 * H * D + 2 * B * T + B * T * H * D + 2 * B * T * H;
  assert.equal(workOf(heard.launches.pop()!), B * H * T * T * D + 5 * elements);
});

Deno.test("steps are cut where a portion would be more than the most, and lose nothing", () => {
  const cut = (steps: Step[], most: number) =>
    [...partsOf(steps, most)].map(({ steps, work }) => [steps.length, work]);
  const steps = [launch(3), launch(4), clear, launch(9), launch(1), launch(1), clear];
  assert.deepEqual(cut(steps, Infinity), [[7, 18]]);
  assert.deepEqual(cut(steps, 7), [[3, 7], [1, 9], [3, 2]]);
  assert.deepEqual(cut(steps, 1), [[1, 3], [1, 4], [2, 9], [1, 1], [2, 1]]);
  assert.deepEqual(cut([], 7), [[0, 0]]);
  assert.deepEqual([...partsOf(steps, 7)].flatMap(({ steps }) => steps), steps);
});

Deno.test("a graphics card gets portions in their order, a processor all at once", () => {
  const steps = [launch(2e9, "a"), launch(2e9, "b"), clear, launch(2e9, "c")];
  const card = noting();
  new Submissions(card.device, true).run("step", steps); // 2.5e9 is 0.1 s of a slow card
  assert.deepEqual(card.submitted, [["a", "end"], ["b", "end", "clear"], ["c", "end"]]);
  const processor = noting();
  new Submissions(processor.device, false).run("step", steps);
  assert.deepEqual(processor.submitted, [["a", "b", "end", "clear", "c", "end"]]);
});

Deno.test("portions grow with the slowest of the last waits, and are never below a slow card's", () => {
  const pace = new Pace(), slow = pace.most;
  assert.equal(slow, 2.5e9);
  let now = 0;
  const wait = (rate: number, seconds = 0.5) => {
    pace.submit(rate * seconds / 2, now);
    pace.submit(rate * seconds / 2, now + seconds / 2);
    pace.done(now += seconds);
  };
  const near = (want: number) => assert.ok(Math.abs(pace.most / want - 1) < 1e-9, `${pace.most}`);
  wait(1e12);
  near(1e11);
  wait(4e12);
  near(1e11);
  wait(1e11, 0.004); // too short to tell
  near(1e11);
  pace.done(now += 9); // nothing was enqueued
  near(1e11);
  for (let i = 0; i < 7; i++) wait(4e12); // by now the first is forgotten
  near(4e11);
  wait(1e3); // the host did something else
  assert.equal(pace.most, slow);
});
