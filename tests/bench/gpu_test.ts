import assert from "node:assert/strict";
import { recorded } from "../../bench/_measure.ts";
import { sameBytes, worstErrors } from "../../bench/gpu/checks.ts";
import { type GpuContext, Machine } from "../../bench/gpu/context.ts";
import { each } from "../../bench/gpu/kernel_rows.ts";
import { begun, benchGpu, chosenRows, ROWS } from "../../bench/gpu/main.ts";
import { BUDGET, gpuBenchOptions } from "../../bench/gpu/options.ts";
import { isCarried, packagesOf } from "../../bench/gpu/packages.ts";
import { MAX_BYTES, totalBytes } from "../../bench/gpu/prepare.ts";
import { GpuReport, lineText, type Results, tableText, takenOver } from "../../bench/gpu/report.ts";
import { AbsentError, type Line, type Row, type RowResult, runRows } from "../../bench/gpu/rows.ts";
import { SOFTWARE } from "../../bench/gpu/sizes.ts";
import { kernelCases } from "../../bench/_cases.ts";
import { Scope } from "../../kernels/scope.ts";
import { lacking, testOnWebGpu } from "../_devices.ts";
import { withFolder } from "../_folder.ts";
import { add } from "../../kernels/add.ts";

const results = (): Results => ({
  version: 1,
  started: "2026-01-02T03:04:05.000Z",
  adapter: "Some GPU",
  deno: "2.9.6",
  arguments: ["--short"],
  finished: false,
  rows: [],
});

const row = (name: string, lines: readonly (Line | Error)[], estimate = 1): Row<number> => ({
  name,
  estimate,
  async *run() {
    for (const line of lines) {
      if (line instanceof Error) throw line;
      yield await Promise.resolve(line);
    }
  },
});

/** Runs rows with a report that keeps what it would write and print. */
async function reported(rows: readonly Row<number>[], left: () => number) {
  const written: Results[] = [], printed: string[] = [], recovered: unknown[] = [];
  const report = new GpuReport(
    results(),
    (now) => written.push(structuredClone(now)),
    (text) => printed.push(text),
  );
  await runRows(rows, {
    context: () => 0,
    budget: { remaining: left },
    sink: report,
    recover: (error) => Promise.resolve(void recovered.push(error)),
  });
  return { written, printed, recovered, final: report.results };
}

Deno.test("arguments of the GPU bench, and what they are without", () => {
  assert.deepEqual(gpuBenchOptions([], 1000), {
    short: false,
    software: false,
    resume: false,
    out: "runs/bench-gpu",
    budget: BUDGET.full,
    since: 1000,
  });
  const args = ["--short", "--software", "--out", "x", "--since=5", "--only", "attention"];
  assert.deepEqual(gpuBenchOptions(args, 1000), {
    short: true,
    software: true,
    resume: false,
    out: "x",
    budget: BUDGET.short,
    since: 5,
    only: "attention",
  });
  assert.equal(gpuBenchOptions(["--budget", "30"], 1).budget, 30);
  assert.throws(
    () => gpuBenchOptions(["--budget", "soon"]),
    /^RangeError: Cannot bench as --budget must be a positive number of seconds: it is "soon"$/,
  );
  assert.throws(() => gpuBenchOptions(["--fast"]), TypeError);
  assert.ok(BUDGET.full < 480 && BUDGET.short < 180, "under 8 and under 3 minutes");
});

Deno.test("a short run is a part of the whole, ceilings come first, names are unique", () => {
  const all = chosenRows(gpuBenchOptions([])), some = chosenRows(gpuBenchOptions(["--short"]));
  assert.deepEqual(all, [...ROWS]);
  assert.ok(some.length < all.length && some.every((one) => all.includes(one)));
  assert.deepEqual(all.slice(0, 2).map(({ name }) => name), ["adapter", "ceilings"]);
  assert.equal(new Set(all.map(({ name }) => name)).size, all.length);
  assert.deepEqual(
    chosenRows(gpuBenchOptions(["--only", "colors"])).map(({ name }) => name),
    ["train colors"],
  );
});

Deno.test("a row that throws is reported with its lines, and the next one runs", async () => {
  const { final, recovered, written, printed } = await reported([
    row("bad", [{ name: "half", seconds: 0.5 }, new RangeError("it broke\nand more")]),
    row("none", [new AbsentError("no such program")]),
    row("good", [{ name: "one", seconds: 1 }]),
  ], () => 100);
  assert.deepEqual(final.rows.map(({ name, state, reason }) => [name, state, reason]), [
    ["bad", "failed", "it broke\nand more"],
    ["none", "absent", "no such program"],
    ["good", "ok", undefined],
  ]);
  assert.deepEqual(final.rows[0].lines, [{ name: "half", seconds: 0.5 }]);
  assert.equal(recovered.length, 1, "only a failure asks for a new device");
  assert.ok(printed.includes("bad: FAILED: it broke"));
  assert.ok(printed.includes("none: not here: no such program"));
  // After the first line and before the error, a file already holds the line and names the row.
  const early = written.find(({ rows }) => rows[0]?.lines.length === 1)!;
  assert.equal(early.running, "bad");
  assert.equal(written.at(-1)!.running, undefined);
});

Deno.test("a row that would not fit is skipped, and one that overruns is cut", async () => {
  let left = 10;
  const slow: Row<number> = {
    name: "slow",
    estimate: 2,
    async *run() {
      for (const name of ["a", "b", "c"]) {
        left -= 4;
        yield await Promise.resolve({ name });
      }
    },
  };
  const { final, printed } = await reported(
    [row("long", [], 60), slow, row("late", [])],
    () => left,
  );
  assert.deepEqual(final.rows.map(({ name, state }) => [name, state]), [
    ["long", "skipped"],
    ["slow", "cut"],
    ["late", "skipped"],
  ]);
  assert.equal(final.rows[1].lines.length, 3, "the lines before the end are kept");
  assert.ok(printed.includes("long: skipped: it may take 60 s, and 10 s are left"));
});

Deno.test("the table has a line for each figure, and the rows that have none below", () => {
  const now = results();
  const line = { name: "matmul NN", size: "M 1", seconds: 2e-3, flop: 4e9, spread: 0.1 };
  const bad: RowResult = { name: "bad", state: "failed", seconds: 0, lines: [], reason: "why" };
  now.rows.push({ name: "products", state: "ok", seconds: 1, lines: [line] }, bad);
  assert.equal(
    tableText(now),
    "Some GPU, 2026-01-02T03:04:05.000Z\n\n" +
      "| measurement | size | ms | ±% | GFLOP/s |\n" +
      "| ----------- | ---- | -: | -: | ------: |\n" +
      "| matmul NN   | M 1  |  2 |  5 |    2000 |\n\n" +
      "bad: FAILED: why\n",
  );
  // The device's own time decides the rate where there is one.
  assert.match(lineText({ ...line, deviceSeconds: 1e-3 }), / 2 +1 +5 +4000$/);
  assert.match(tableText(results()), /nothing measured/);
});

Deno.test("results go through JSON, and a crash leaves a failed row", async () => {
  const now = results();
  now.rows.push(
    { name: "done", state: "ok", seconds: 1, lines: [{ name: "x", seconds: 1 }] },
    { name: "ran", state: "ok", seconds: 0, lines: [{ name: "y" }] },
  );
  now.running = "ran";
  const read: Results = JSON.parse(JSON.stringify(now));
  assert.deepEqual(read, now);
  assert.deepEqual(takenOver(read).map(({ name, state, lines }) => [name, state, lines.length]), [
    ["done", "ok", 1],
    ["ran", "failed", 1],
  ]);
  await withFolder(async (out) => {
    await Deno.writeTextFile(`${out}/results.json`, JSON.stringify(now));
    const again = await begun({ ...gpuBenchOptions(["--resume"]), out }, []);
    assert.deepEqual([again.started, again.rows.length], [now.started, 2]);
    const afresh = await begun({ ...gpuBenchOptions([]), out }, []);
    assert.equal(afresh.rows.length, 0);
  });
});

Deno.test("a folder of more than 60 MB is refused, with what is large", () => {
  const part = (path: string, bytes: number) => ({ path, bytes, sha256: "" });
  assert.equal(MAX_BYTES, 60e6);
  assert.equal(totalBytes([part("a", 59e6), part("b", 1e6)]), 60e6);
  assert.throws(
    () => totalBytes([part("b", 2e6), part("deno.xz", 59e6)]),
    /^RangeError: Cannot prepare the folder as it may hold 60 MB: it would hold 61 MB, deno\.xz 59 MB, b 2 MB$/,
  );
});

Deno.test("carried are the packages that modules import, and what those depend on", () => {
  const known = (name: string, dependencies: string[], localPath?: string) => ({
    name,
    version: "1.0.0",
    dependencies,
    ...(localPath && { localPath }),
  });
  const graph = {
    modules: [{ kind: "esm" }, { kind: "npm", npmPackage: "a@1.0.0" }],
    npmPackages: {
      "b@1.0.0": known("b", ["a@1.0.0"], "/cache/b"),
      "a@1.0.0": known("a", ["b@1.0.0"], "/cache/a"),
      "typescript@1.0.0": known("typescript", [], "/cache/typescript"),
    },
  };
  assert.deepEqual(packagesOf(graph), [
    { name: "a", version: "1.0.0", folder: "/cache/a" },
    { name: "b", version: "1.0.0", folder: "/cache/b" },
    { name: "typescript", version: "1.0.0" },
  ]);
  const lacking = { ...graph, npmPackages: { ...graph.npmPackages, "b@1.0.0": known("b", []) } };
  assert.throws(() => packagesOf(lacking), /^Error: Cannot carry b@1\.0\.0 as Deno's cache must/);
  const paths = ["build/vega.js", "index.d.ts", "a.d.mts", "x.js.map", "README.md", "docs/a.js"];
  assert.deepEqual(paths.filter(isCarried), ["build/vega.js"]);
});

Deno.test("errors are told in last places and as they are; bytes are compared as bytes", () => {
  const x = Float32Array.of(1, 2);
  const { ulps, absolute } = worstErrors(x, [1, 2 + 2 ** -21], (value) => value);
  assert.deepEqual([ulps, absolute], [2, 2 ** -21]);
  assert.ok(Number.isNaN(worstErrors(x, [NaN, 2], (value) => value).ulps));
  const zero = { out: Float32Array.of(0) };
  assert.ok(sameBytes(zero, { out: Float32Array.of(0) }));
  assert.ok(!sameBytes(zero, { out: Float32Array.of(-0) }));
});

const software = () => gpuBenchOptions(["--software"]);
const lacksSoftware = await lacking("software");

testOnWebGpu("the device's clock sees the passes of work, and none outside of it", async () => {
  using machine = await Machine.open(software());
  const { device, clock } = machine.context();
  assert.ok(clock, "the software adapter has timestamps");
  using scope = new Scope(device);
  const N = 4096, [a, b, out] = ["a", "b", "out"].map((name) => scope.alloc(N, name));
  device.zero(a);
  device.zero(b);
  using work = recorded(device, () => add(device, { a, b, out }, { N }));
  work.enqueue(1); // compiles
  await device.read(out);
  assert.equal(await clock.time(() => Promise.resolve()), undefined);
  const from = performance.now();
  const seconds = await clock.time(async () => {
    work.enqueue(1);
    await device.read(out);
  });
  assert.ok(seconds! > 0 && seconds! <= (performance.now() - from) / 1e3, `${seconds} s`);
}, lacksSoftware);

testOnWebGpu(
  "a case that fails is a line, the others still run, and then the row fails",
  async () => {
    using machine = await Machine.open(software());
    const context: GpuContext = {
      ...machine.context(),
      sampling: { target: 1e-6, samples: 1, most: 1 },
    };
    const good = kernelCases(SOFTWARE.pass).find(({ name }) => name === "add")!;
    const bad = {
      ...good,
      name: "bad",
      launch: () => {
        throw new Error("it broke");
      },
    };
    const lines: Line[] = [];
    await assert.rejects(async () => {
      for await (const line of each(context, [bad, good])) lines.push(line);
    }, /it broke/);
    assert.deepEqual(lines.map(({ name, note }) => [name, note]), [
      ["bad", "FAILED: Error: it broke"],
      ["add", undefined],
    ]);
  },
  lacksSoftware,
);

testOnWebGpu(
  "a run on the software adapter writes its files and ends well",
  () =>
    withFolder(async (out) => {
      const { log } = console;
      const said: string[] = [];
      console.log = (text: string) => said.push(text);
      try {
        const flags = ["--software", "--out", out, "--only", "orientations"];
        assert.equal(await benchGpu(flags), 0);
        const written: Results = JSON.parse(await Deno.readTextFile(`${out}/results.json`));
        assert.equal(written.finished, true);
        assert.deepEqual(written.rows.map(({ name, state }) => [name, state]), [[
          "orientations",
          "ok",
        ]]);
        assert.equal(written.rows[0].lines.length, 3);
        for (const { seconds } of written.rows[0].lines) assert.ok(seconds! > 0);
        const table = await Deno.readTextFile(`${out}/table.md`);
        assert.ok(table.includes("matmul TN one size each way") && said.join("\n").includes(table));
      } finally {
        console.log = log;
      }
    }),
  lacksSoftware,
);

Deno.test("without --software a software adapter is refused", async () => {
  const answer = await Machine.open(gpuBenchOptions([])).catch((error: Error) => error);
  if (answer instanceof Error) {
    assert.match(answer.message, /Cannot open a hardware WebGPU adapter/);
  } else {
    assert.equal(answer.context().device.software, false);
    answer[Symbol.dispose]();
  }
});
