import assert from "node:assert/strict";
import { choose, merged } from "../../../cli/tune/choose.ts";
import type { Candidate, Group, Trial } from "../../../cli/tune/trials.ts";
import { FULL, groupsOf, QUICK, type TuneSizes } from "../../../cli/tune/trials.ts";
import { tune } from "../../../cli/tune/tune.ts";
import { faultOf, tuningSchema } from "../../../experiment/folder/schemas.ts";
import { CpuDevice } from "../../../kernels/devices/cpu.ts";
import { matmul } from "../../../kernels/matmul.ts";
import { CountingDevice } from "../../../kernels/devices/counting.ts";
import { WebGpuDevice } from "../../../kernels/devices/webgpu.ts";
import { Scope } from "../../../kernels/scope.ts";
import { useTuning } from "../../../kernels/tuning.ts";
import { testOnWebGpu } from "../../_devices.ts";

const TINY: TuneSizes = {
  ...{ rows: [16, 32], narrow: [8, 16], wide: [512, 64], decode: [64, 64] },
  sums: { M: 2, N: 8, short: 2048, long: 8192 },
  weights: { side: 8, short: 512, long: 8192 },
  attention: { B: 1, T: 4, H: 1, D: 8 },
};
const effort = { samples: 2, target: 1e-4, budget: 600 };

testOnWebGpu("tune() times every way, and gives choices that a run can take", async () => {
  using device = await WebGpuDevice.open();
  const before = { parts: { "rows long": 3 } }, told: string[] = [];
  device.tuning = before;
  const report = (name: string, done: number, of: number) => told.push(`${name} ${done}/${of}`);
  const { choices, rows, skipped } = await tune(device, {
    ...{ groups: groupsOf(TINY), ...effort, report },
  });
  assert.equal(device.tuning, before, "the device is as it was");
  assert.equal(device.memory.live, 256, "all but the probe that is waited on is given back");
  assert.deepEqual(skipped, []);
  assert.ok(told.includes("product NN narrow 0/13"), told.join("\n"));
  const shuffles = device.features.has("subgroups-8");
  assert.equal(told.length, shuffles ? 13 : 10); // without lanes that shuffle there is one way for few rows
  const wide = rows.filter(({ name }) => name === "product TN wide");
  assert.equal(wide.length, 2 * (shuffles ? 10 : 4));
  const ofEach = Map.groupBy(rows, ({ name, size }) => `${name} ${size}`);
  for (const [what, ways] of ofEach) {
    assert.equal(ways.filter(({ isChosen }) => isChosen).length, 1, what);
    assert.ok(ways.filter(({ isBuiltIn }) => isBuiltIn).length <= 1, what);
    for (const { gflops, seconds } of ways) assert.ok(gflops > 0 && seconds > 0, what);
  }
  assert.equal(faultOf(tuningSchema, choices), undefined);
  useTuning(device, { adapter: device.name, choices });
});

testOnWebGpu("tune() stops in time, and keeps nothing of what it did not finish", async () => {
  using device = await WebGpuDevice.open();
  const groups = groupsOf(TINY).slice(0, 2);
  const { choices, rows, skipped } = await tune(device, { groups, ...effort, budget: 0 });
  assert.deepEqual([choices, rows, skipped], [{}, [], ["product NN narrow", "product NN wide"]]);
  const stopped = new Error("stopped"), controller = new AbortController();
  const report = () => controller.abort(stopped);
  const { signal } = controller;
  await assert.rejects(tune(device, { groups, ...effort, report, signal }), stopped);
  assert.ok(device.memory.live <= 256); // the probe that is waited on
  assert.equal(device.tuning, undefined);
});

testOnWebGpu("tune() measures nothing where there is one way", async () => {
  using device = await WebGpuDevice.open();
  const only = { name: "it", tuning: {}, isBuiltIn: true };
  const group = (): Trial[] => [{
    ...{ name: "one", size: "", flop: 1, candidates: [only] },
    prepare: () => assert.fail("it is prepared"),
  }];
  const result = await tune(device, { groups: [group], ...effort });
  assert.deepEqual(result, { choices: {}, rows: [], skipped: [] });
});

Deno.test("tune() confirms what is faster than built in, and drops what was so by chance", async () => {
  using device = new CpuDevice({ workers: 1 });
  const [usual, other] = [1, 2].map((parts): Candidate => ({
    ...{ name: `${parts} parts`, isBuiltIn: parts === 1 },
    tuning: { parts: { "rows long": parts } },
  }));
  const trial = (turns: (turn: number, isOther: boolean) => number): Trial => {
    let turn = 0;
    return {
      ...{ name: "it", size: "", flop: 1, candidates: [usual, other] },
      prepare(scope) {
        turn++;
        const [M, N, K] = [32, 32, 32], out = scope.alloc(M * N, "out");
        const x = { a: scope.alloc(M * K, "a"), b: scope.alloc(N * K, "b"), out };
        return () => {
          const isOther = device.tuning?.parts?.["rows long"] === 2;
          for (let i = 0; i < turns(turn, isOther); i++) {
            matmul(device, x, { M, N, K, orientation: "NN" });
          }
        };
      },
    };
  };
  const decided = async (
    turns: (turn: number, isOther: boolean) => number,
    { last, budget = effort.budget }: { last?: Group; budget?: number } = {},
  ) => {
    const one = trial(turns), groups = [() => [one], ...(last ? [last] : [])];
    const { choices, rows } = await tune(device, { groups, ...effort, samples: 3, budget });
    return [choices, rows.filter(({ isChosen }) => isChosen).map(({ way }) => way)];
  };
  assert.deepEqual(await decided((_, isOther) => isOther ? 1 : 40), [other.tuning, ["2 parts"]]);
  assert.deepEqual(await decided((turn, isOther) => isOther === (turn === 1) ? 1 : 40), [
    {},
    ["1 parts"],
  ]);
  // A group that takes most of the time leaves some, in which what was faster before is timed again.
  const budget = 2;
  const last: Group = () => {
    for (const from = performance.now(); performance.now() - from < 0.72e3 * budget;);
    return [trial(() => 1)];
  };
  assert.deepEqual(await decided((_, isOther) => isOther ? 1 : 40, { last, budget }), [
    ...[other.tuning, ["2 parts"]],
  ]);
});

/** On an adapter that computes nothing: which ways are compared. */
function waysOf(features: string[], software: boolean, sizes: TuneSizes): string[] {
  using device = new CountingDevice({
    ...{ kind: "webgpu", name: "none", software, features: new Set(features) },
    limits: { maxBinding: 2 ** 31, maxBuffer: 2 ** 31 },
  });
  return groupsOf(sizes).flatMap((group) =>
    group(device).map((trial) => {
      using scope = new Scope(device);
      const launch = trial.prepare(scope);
      for (const { tuning } of trial.candidates) {
        device.tuning = tuning;
        launch(); // checks sizes and bindings
      }
      device.tuning = undefined;
      const ways = trial.candidates.map(({ name, shape = "", isBuiltIn }) =>
        `${name} ${shape}`.trim() + (isBuiltIn ? "*" : "")
      );
      return `${trial.name} ${trial.size}: ${ways.join(", ")}`;
    })
  );
}

Deno.test("ways are all that an adapter could take, and one of each work is built in", () => {
  const card = waysOf([], false, FULL);
  assert.ok(card.includes(
    "product NN wide M 256 N 768 K 768: tile 8 x 4, tile 16 x 4, workgroup 64 x 64*, " +
      "workgroup 128 x 128",
  ));
  assert.ok(card.includes(
    "product TN narrow M 1024 N 128 K 512: tile 8 x 4, tile 16 x 4*, workgroup 64 x 64, " +
      "workgroup 128 x 128",
  ));
  assert.ok(card.includes("few rows NN M 1 N 768 K 3072: parts*"));
  assert.ok(card.includes("attention B 16 T 64 H 4 D 32: alone*"));
  assert.ok(card.includes("sums of rows short M 64 N 768 K 3072: whole, 2 parts, 3 parts*"));
  assert.ok(card.includes(
    "sums of weights short M 128 N 128 K 4096: whole, 2 parts, 4 parts, 8 parts, 16 parts*",
  ));
  const processor = waysOf(["subgroups-4", "subgroups-8"], true, QUICK);
  assert.ok(processor.includes(
    "product NT wide M 128 N 768 K 256: tile 8 x 4, tile 16 x 4, shuffle 16 x 4, " +
      "shuffle 16 x 8, shuffle 32 x 4, shuffle 32 x 8*, shuffle 64 x 4, shuffle 64 x 8, workgroup 64 x 64, workgroup 128 x 128",
  ));
  assert.ok(processor.includes("few rows NT M 8 N 768 K 768: shuffle*, along_k"));
  assert.ok(processor.includes("attention B 8 T 32 H 4 D 32: shuffle*, share, alone"));
  assert.ok(processor.includes("sums of rows short M 32 N 192 K 4096: whole*, 2 parts, 4 parts"));
  const unrolled = waysOf(["subgroups-4", "subgroups-8", "unrolled-loads"], true, QUICK);
  assert.ok(unrolled.some((line) => /^product NT wide M 128 .* shuffle 32 x 4\*/.test(line)));
  for (const line of [...card, ...processor, ...unrolled]) {
    assert.equal(line.split("*").length, 2, `built in is one of ${line}`);
  }
});

/** A trial whose candidates, [name, shape, seconds], took so long; the first is built in. */
function timed(...all: [name: string, shape: string, seconds: number][]) {
  const seconds = new Map(all.map(([name, shape, seconds], i): [Candidate, number] => [{
    ...{ name, shape, isBuiltIn: i === 0 },
    tuning: { parts: { "rows long": 1 + i } },
  }, seconds]));
  return { trial: {} as Trial, seconds };
}
const chosenOf = (...all: ReturnType<typeof timed>[]) =>
  [...choose(all).candidates].map(({ name, shape }) => `${name} ${shape}`);

Deno.test("the fastest is chosen, where it is faster than noise than what is built in", () => {
  assert.deepEqual(chosenOf(timed(["a", "1", 1], ["b", "1", 0.96])), ["a 1"]);
  assert.deepEqual(chosenOf(timed(["a", "1", 1], ["b", "1", 0.9])), ["b 1"]);
  assert.deepEqual(chosenOf(timed(["a", "1", 1], ["a", "2", 0.96], ["a", "3", 1.2])), ["a 1"]);
  assert.deepEqual(chosenOf(timed(["a", "1", 1], ["a", "2", 0.8], ["a", "3", 0.7])), ["a 3"]);
  assert.deepEqual(choose([timed(["a", "1", 1], ["b", "1", 0.96])]).choices, {});
  assert.deepEqual(choose([timed(["a", "1", 1], ["b", "1", 0.5])]).choices, {
    parts: { "rows long": 2 },
  });
});

Deno.test("trials share a name, and each counts by how much slower it gets", () => {
  // b is far faster in the short one, and a by a tenth in the long one.
  const [long, short] = [
    timed(["a", "1", 10], ["b", "1", 11]),
    timed(["a", "1", 2], ["b", "1", 1]),
  ];
  assert.deepEqual(chosenOf(long, short), ["b 1", "b 1"]);
  const [fast, slow] = [
    timed(["a", "1", 1], ["b", "1", 2], ["b", "2", 3]),
    timed(
      ...[["a", "1", 3], ["b", "1", 2], ["b", "2", 1]] as [string, string, number][],
    ),
  ];
  assert.deepEqual(chosenOf(fast, slow), ["b 1", "b 2"]); // 2 + 1 against 1 + 3
});

Deno.test("choices are merged field by field", () => {
  const [few, many] = [{ rows: 64, columns: 64 }, { rows: 128, columns: 128 }];
  assert.deepEqual(
    merged(
      { products: { "NN wide": { variant: "workgroup", few } }, attention: "shuffle" },
      { products: { "NN wide": { variant: "workgroup", many } }, attention: "alone" },
    ),
    { products: { "NN wide": { variant: "workgroup", few, many } }, attention: "alone" },
  );
});

Deno.test("only choices of kernels that are tested are read from a file", () => {
  const tile = (rows: number, columns: number) => ({ rows, columns });
  const good = [
    {},
    { products: { "NN wide": { variant: "tile", few: tile(32, 8) } } },
    { products: { "TN narrow": { variant: "workgroup", many: tile(64, 64) } } },
    { parts: { "rows long": 64 }, fewRows: { NN: "parts" }, attention: "alone" },
  ];
  for (const one of good) assert.equal(faultOf(tuningSchema, one), undefined);
  assert.equal(faultOf(tuningSchema, { attentionShuffles: false }), undefined); // of earlier versions
  const bad = [
    { products: { "NN wide": { variant: "plain" } } },
    { products: { "NN wide": { variant: "tile", few: tile(1e9, 4) } } },
    { products: { "NN wide": { variant: "workgroup", few: tile(64, 128) } } },
    { products: { "NN wide": { variant: "workgroup", few: tile(16, 4) } } },
    { products: { "NN middle": { variant: "tile" } } },
    { parts: { "rows long": 0 } },
    { parts: { "rows long": 65 } },
    { parts: { "rows long": 1.5 } },
    { fewRows: { NT: "parts" } },
    { attention: "yes" },
    { attentionShuffles: "yes" },
    { attentionShuffles: true, attention: "shuffle" },
    { attentionShuffles: null },
    { code: "fn main() {}" },
    [],
  ];
  for (const one of bad) {
    assert.notEqual(faultOf(tuningSchema, one), undefined, JSON.stringify(one));
  }
});
