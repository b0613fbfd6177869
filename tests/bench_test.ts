import assert from "node:assert/strict";
import { checkOutputs, type KernelCase, prepareCase } from "../bench/_case.ts";
import { attentionCases, kernelCases } from "../bench/_cases.ts";
import { ATTENTION_FORMS } from "../bench/gpu/kernel_rows.ts";
import { KernelReport } from "../bench/_kernel_report.ts";
import { Batch, emptyWait, measure, median, recorded } from "../bench/_measure.ts";
import { halfLines } from "../bench/half_storage.ts";
import { benchOptions, Devices } from "../bench/_options.ts";
import { listening, profileStep, profileTable } from "../bench/_profile.ts";
import { SHAPES } from "../bench/_shapes.ts";
import { StepReport } from "../bench/_step_report.ts";
import { groupStep } from "../bench/_groups.ts";
import {
  decoding,
  madeUpScores,
  ppoUpdate,
  TimedPolicy,
  trainingFlop,
  trainingStep,
} from "../bench/_steps.ts";
import { formatTable, short } from "../bench/_table.ts";
import { workersLines } from "../bench/workers.ts";
import { CpuDevice } from "../kernels/devices/cpu.ts";
import type { Launch } from "../kernels/device.ts";
import { mix } from "../kernels/mix.ts";
import { Scope } from "../kernels/scope.ts";
import type { Policy } from "../rl/policy.ts";
import { Trainer } from "../rl/trainer.ts";
import { testOnDevices, testOnWebGpu } from "./_devices.ts";
import { hearLaunches } from "./kernels/_launches.ts";
import { TablePolicy } from "./rl/_table_policy.ts";

const TINY = {
  model: "tiny",
  batch: "2x5",
  B: 2,
  T: 5,
  C: 8,
  H: 2,
  I: 16,
  V: 13,
  P: 6,
  R: 7,
  parameters: 70,
  rowsOfPlain: 3,
} as const;
const SIZES = { vocab_size: 13, n_positions: 8, n_embd: 8, n_layer: 2, n_head: 2 };
const BATCH = { B: 2, T: 5 };
const QUICK = { target: 1e-4, most: 2 };

const once = { webgpu: QUICK, cpu: QUICK };

testOnWebGpu("every kernel case agrees with its twin and gives a line of the table", async () => {
  using open = new Devices();
  const report = new KernelReport(open, once), listed: string[] = [];
  for (const kernel of kernelCases(TINY)) {
    const entry = report.entry(TINY, kernel);
    if (!kernel.onlyWebgpu) await entry.sample("cpu");
    await entry.sample("webgpu");
    if (!entry.possible) continue; // this adapter lacks what the kernel needs
    listed.push(kernel.name);
    assert.ok(entry.error <= 1e-4, `${kernel.name}: ${entry.error}`);
    assert.ok(entry.result("webgpu")!.seconds > 0, kernel.name);
    assert.equal(entry.result("cpu") === undefined, kernel.onlyWebgpu === true, kernel.name);
  }
  report.end();
  const text = report.toString();
  assert.ok(listed.length >= kernelCases(TINY).filter(({ feature }) => !feature).length);
  for (const name of listed) assert.ok(text.includes(`| ${name} `), name);
  for (const { name, memory } of open.opened) {
    assert.ok(text.includes(name), "the device is named");
    assert.equal(memory.held, 256, "all is given back but the probe that is waited on");
  }
});

Deno.test("the cases launch every kernel there is", () => {
  const files = new Set<string>();
  using device = new CpuDevice();
  for (const { data, launch } of kernelCases(TINY)) {
    using scope = new Scope(device);
    const x = Object.fromEntries(
      Object.entries(data()).map(([name, values]) => [
        name,
        scope.alloc(values.length, name, values instanceof Uint32Array ? "u32" : "f32"),
      ]),
    );
    using heard = hearLaunches(device, { runs: false });
    launch(device, x);
    for (const { kernel } of heard.launches) {
      files.add(kernel.label.split(".")[0].replace(/_d\d+$|_parts$/, ""));
    }
  }
  const written = [...Deno.readDirSync("kernels")].map(({ name }) => name)
    .filter((name) => name.endsWith(".wgsl") && name !== "matmul_load.wgsl")
    .map((name) => name.replace(".wgsl", ""));
  assert.deepEqual([...files].sort(), written.sort());
});

Deno.test("both models have their shapes", () => {
  assert.deepEqual(SHAPES.map(({ model, B, T }) => [model, B, T]), [
    ["default", 48, 24],
    ["default", 8, 128],
    ["gpt2", 4, 64],
  ]);
});

Deno.test("a kernel that is wrong is not timed", async () => {
  using device = new CpuDevice();
  using scope = new Scope(device);
  const kernel = kernelCases(TINY).find(({ name }) => name === "add") as KernelCase;
  const { outputs, work } = await prepareCase(scope, kernel);
  using _work = work;
  const wrong = {
    out: outputs.out.map((x, i) => i === 3 ? x + 0.1 : x) as Float32Array<ArrayBuffer>,
  };
  assert.throws(
    () => checkOutputs("add at N 80", { got: wrong, want: outputs }),
    /^Error: Cannot time add at N 80 as its out must agree with the twin's within 0\.0001: the relative error is 0\.0/,
  );
  assert.equal(checkOutputs("add", { got: outputs, want: outputs }), 0);
});

Deno.test("a measurement takes the wait off, divides by the runs, and takes the median", async () => {
  using real = new CpuDevice();
  let now = 0; // milliseconds
  using _clock = fakeClock(() => now);
  const device = new Proxy(real, {
    get(target, key) {
      if (key === "read") return () => Promise.resolve(now += 11);
      const value = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const calls: number[] = [];
  const busy = {
    enqueue(runs: number) {
      calls.push(runs);
      now += runs * (calls.length % 3 === 0 ? 8 : 2); // every third sample is disturbed
    },
    [Symbol.dispose]() {},
  };
  const { seconds, runs, samples, spread } = await measure(device, busy, {
    target: 0.02,
    samples: 3,
  });
  assert.ok(Math.abs(seconds - 0.002) < 1e-9, `${seconds} s for 2 ms`);
  assert.ok(Math.abs(spread - 3) < 1e-6, `spread ${spread}`);
  assert.equal(samples, 3);
  assert.deepEqual(calls.slice(-3), [runs, runs, runs]);
  assert.equal(runs, 3); // 20 ms as a trial run of 8 ms each saw it
  assert.ok(Math.abs(await emptyWait(device) - 0.011) < 1e-9);
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 2, 9]), 3);
  assert.throws(() => median([]), /Cannot take a median as there are no values/);
});

function fakeClock(now: () => number): Disposable {
  performance.now = now;
  return {
    [Symbol.dispose]() {
      delete (performance as { now?: unknown }).now; // the prototype's comes back
    },
  };
}

testOnDevices("a batch runs what it says, and an idle device's wait is short", async (device) => {
  using scope = new Scope(device);
  const kernel = kernelCases(TINY).find(({ name }) => name === "embedding backward") as KernelCase;
  const { work } = await prepareCase(scope, kernel);
  using owned = work;
  const batch = await Batch.prepare(device, owned, { target: 1e-6, most: 3 });
  await batch.sample();
  assert.equal(batch.result().samples, 1);
  assert.ok(batch.runs <= 3);
  const wait = await emptyWait(device);
  assert.ok(wait >= 0 && wait < 60, `${wait} s`);
});

Deno.test("recorded work launches as often as it was asked to", async () => {
  using device = new CpuDevice();
  const x = device.alloc(1, "x");
  device.zero(x);
  const kernel = {
    label: "test.add",
    entryPoint: "add",
    code: "struct Dims { N: u32 } @group(0) @binding(1) var<storage, read_write> x: array<f32>;",
    twin: ({ x }: { x: Float32Array }) => x[0]++,
  };
  using work = recorded(device, () => {
    device.launch({ kernel, dims: { N: 1 }, bind: { x: [x, 1] }, threads: 1 });
  });
  work.enqueue(1);
  work.enqueue(4);
  work.enqueue(4);
  assert.equal((await device.read(x))[0][0], 9);
});

testOnDevices("training, decoding and PPO are measured in their phases", async (device) => {
  const { seconds } = await measure(device, trainingStep(device, SIZES, BATCH), {
    ...QUICK,
    samples: 1,
  });
  assert.ok(seconds > 0);
  using draws = decoding(device, SIZES, { B: 2, T: 3, tokens: 2 });
  assert.deepEqual(Object.keys(await draws.sample()), ["prefill", "decode step"]);
  using step = await groupStep(device, SIZES, { B: 4, T: 3, G: 2 });
  assert.deepEqual(Object.keys(await step.sample()), [
    "generate",
    "update",
    "whole step",
    "generate, by row",
    "update, by row",
    "whole step, by row",
  ]);
  using update = await ppoUpdate(device, SIZES, { B: 2, T: 3 });
  const phases = await update.sample();
  assert.deepEqual(Object.keys(phases).sort(), [
    "epochs",
    "generate",
    "old logprobs",
    "reference",
    "whole update",
  ]);
  const { "whole update": whole, ...parts } = phases;
  const sum = Object.values(parts).reduce((total, { wall }) => total + wall, 0);
  assert.ok(sum <= whole.wall, "the parts are parts");
  const report = new StepReport();
  report.add("PPO", { device, tokensOf: () => 10, phases });
  report.set({ work: "step", tokens: 10, flop: 1e6 }, device, {
    seconds: 0.5,
    cpuSeconds: 1,
    spread: 0,
  });
  const text = report.toString();
  for (const name of ["PPO: old logprobs", "step ", device.name, "MiB"]) {
    assert.ok(text.includes(name), name);
  }
  assert.match(text, /\| step +\| \w+ +\| +500 \| +20 \| +0\.00200 \| +1000 \|/);
});

Deno.test("a policy that is timed is asked for what its algorithm wants, and says what it has", async () => {
  const table = new TablePolicy(5), policy = new TimedPolicy(table);
  assert.deepEqual([policy.hasKl, policy.valueDetached, policy.hasValues], [true, true, undefined]);
  const settings = { totalSteps: 3, maxNewTokens: 2, klEstimator: "full", epochs: 2 } as const;
  const prompts = [Int32Array.of(1), Int32Array.of(2)];
  const { metrics } = await new Trainer(policy, settings).step(prompts, madeUpScores);
  assert.ok(table.klAsked[0], "KL over the vocabulary is asked for");
  assert.equal(metrics["kl/reference"], 0); // of a policy that is still the reference
  assert.ok(policy.phases.reference, "the reference is a phase of its own");
  const last = new TimedPolicy({ ...table, lastPass: "a pass" } as unknown as Policy).lastPass;
  assert.equal(last, "a pass");
});

testOnDevices("a profile names every launch of a training step once", async (device) => {
  const lines = await profileStep(device, SIZES, BATCH, { ...QUICK, samples: 1 });
  const count = (label: string) =>
    lines.filter(({ kernel }) => kernel.startsWith(label)).reduce((n, { count }) => n + count, 0);
  assert.equal(count("layernorm.forward"), 5); // two a layer and the last
  assert.equal(count("matmul"), 12 * 2 + 3 + 1); // per layer; the head; the loss
  assert.match(profileTable(lines), /\| attention\w*\.forward B 2 T 8 H 2 D 4 +\| +2 \|/);
});

testOnDevices("a profile counts what ran, and nothing that was only recorded", (device) => {
  const heard: Launch[] = [], noting = listening(device, heard);
  using scope = new Scope(noting);
  const x = scope.alloc(4, "x"), out = scope.alloc(4, "out");
  const mixing = (alpha: number) => () => mix(noting, { x, out }, { N: 4, alpha, beta: 0 });
  const [twice, never, once] = [2, 3, 4].map((alpha) => scope.record(`by ${alpha}`, mixing(alpha)));
  assert.deepEqual([heard, never.label, never.length], [[], "by 3", 1]);
  for (const program of [twice, once, twice]) program.run();
  mixing(5)();
  assert.deepEqual(heard.map(({ dims }) => dims.alpha), [2, 4, 2, 5]);
  never[Symbol.dispose]();
  assert.throws(() => never.run(), /by 3/);
  assert.equal(heard.length, 4, "what is refused did not run");
});

Deno.test("attention's forms are cases of their own, where an adapter has what they need", () => {
  const cases = attentionCases({ B: 1, T: 2, H: 1, C: 64 }, ATTENTION_FORMS);
  assert.deepEqual(
    cases.filter((_, i) => i % 2 === 0).map(({ name, feature }) => [name, feature]),
    [
      ["attention, share", "subgroups-4"],
      ["attention, alone", undefined],
      ["attention, shuffle", "subgroups-8"],
    ],
  );
});

Deno.test("the operations of a step are three times those of its forward pass", () => {
  // By hand, one layer, C 2, V 3, B 1, T 2: weights 12 * 4 + 3 * 2 = 54; 6 * 2 tokens * 54; 3 pairs * 18 * 2.
  const sizes = { vocab_size: 3, n_positions: 2, n_embd: 2, n_layer: 1, n_head: 1 };
  assert.equal(trainingFlop(sizes, { B: 1, T: 2 }), 648 + 108);
});

testOnDevices("each kernel that takes f16 is timed by f32, too", async (device) => {
  const before = device.memory.live;
  const lines = await halfLines(device, TINY, { ...QUICK, samples: 2 });
  assert.deepEqual(lines.map(({ name }) => name), [
    "matmul NN MLP in",
    "matmul NT logits",
    "matmul NT MLP in, dx",
    "embedding",
  ]);
  for (const { name, f32, f16 } of lines) assert.ok(f32 > 0 && f16 > 0, name);
  assert.ok(device.memory.live - before <= 256, "no more than the probe is left");
});

Deno.test("arguments choose devices and models; others are refused", () => {
  const standard = { model: "both" } as const;
  assert.deepEqual(benchOptions([], standard), {
    devices: ["cpu", "webgpu"],
    models: ["default", "gpt2"],
  });
  assert.deepEqual(
    benchOptions(["--", "--device", "cpu", "--model=gpt2", "--samples", "2"], standard),
    {
      devices: ["cpu"],
      models: ["gpt2"],
      samples: 2,
    },
  );
  assert.throws(
    () => benchOptions(["--device", "tpu"], standard),
    /^TypeError: Cannot bench as --device must be one of webgpu, cpu, both: it is "tpu"$/,
  );
  assert.throws(
    () => benchOptions(["--samples", "0"], standard),
    /^RangeError: Cannot bench as --samples must be a positive whole number: it is "0"$/,
  );
  assert.throws(() => benchOptions(["--fast"], standard), TypeError);
});

Deno.test("tables align numbers to the right and leave out what was not measured", () => {
  assert.equal(
    formatTable(["a", "n"], [["x", 1.5], ["longer", NaN], ["y", 1234.5]]),
    "| a      |    n |\n| ------ | ---: |\n| x      | 1.50 |\n| longer |      |\n| y      | 1235 |",
  );
  assert.deepEqual([0, 12.34, 0.000123, 99.95, 123].map(short), [
    "0",
    "12.3",
    "1e-4",
    "100",
    "123",
  ]);
});

Deno.test("a training step is timed by each number of workers", async () => {
  const lines = await workersLines(SIZES, BATCH, { workers: [1, 2], samples: 3 });
  assert.deepEqual(lines.map(({ workers }) => workers), [1, 2]);
  for (const { least, seconds, cpuSeconds } of lines) {
    assert.ok(0 < least && least <= seconds && cpuSeconds > 0);
  }
});
