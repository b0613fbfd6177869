import assert from "node:assert/strict";
import { doctor } from "../../cli/commands/doctor.ts";
import { examine } from "../../cli/doctor/findings.ts";
import { type Machine, thisMachine } from "../../cli/doctor/machine.ts";
import { bestAndWorst, Pace, Progress, tokensOf } from "../../cli/progress.ts";
import { closing } from "../../cli/report/table.ts";
import {
  clip,
  clipStart,
  columns,
  duration,
  joinedLines,
  printable,
  short,
  type Terminal,
} from "../../cli/terminal.ts";
import { watch } from "../../cli/train/run.ts";
import type { RunFolder } from "../../experiment/folder/run_folder.ts";
import { WebGpuDevice } from "../../kernels/devices/webgpu.ts";
import { testOnWebGpu } from "../_devices.ts";
import { fakeMetrics, HOSTILE } from "./_fake.ts";
import { completion, info, summary, timings } from "./_folders.ts";

/** A terminal that remembers. */
function remembering(): Terminal & { said: string[]; printed: string[] } {
  const said: string[] = [], printed: string[] = [];
  return {
    said,
    printed,
    out: (line) => printed.push(line),
    write: (text) => printed.push(text),
    err: (line) => said.push(line),
    fancy: false,
    columns: 100,
  };
}

Deno.test("no text reaches the terminal with escape, control or direction characters", () => {
  for (const text of HOSTILE) {
    // deno-lint-ignore no-control-regex -- they must be gone
    assert.doesNotMatch(printable(text), /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    assert.ok(printable(text).isWellFormed());
  }
  assert.equal(printable("\u001b[31mred\u001b[0m\n"), "\\u{1b}[31mred\\u{1b}[0m\\n");
  assert.equal(printable("\u001b]52;c;aGk=\u0007x"), "\\u{1b}]52;c;aGk=\\u{7}x");
  assert.equal(printable("\u202ea\u0000"), "\\u{202e}a\\u{0}");
  assert.equal(printable("naïve ＝ 日本"), "naïve ＝ 日本");
});

Deno.test("texts, times and numbers are shortened for people", () => {
  assert.equal(clip("abcdef", 4), "abc~");
  assert.equal(clip("abcdef", 6), "abcdef");
  assert.equal(clip("🙂🙂🙂", 2, true), "🙂…");
  assert.equal(clipStart("abc🙂ef", 4), "~🙂ef");
  assert.equal(duration(185), "3:05");
  assert.equal(duration(3723), "1:02:03");
  assert.equal(duration(NaN), "-");
  assert.deepEqual([0.123456, 0, -0, 1e-7, 12345678, NaN].map(short), [
    "0.1235",
    "0",
    "0",
    "1.00e-7",
    "1.23e+7",
    "-",
  ]);
  assert.equal(short(null), "-");
  assert.deepEqual(columns([["name", "n"], ["a", "10"], ["bcd", "5"]]), [
    "name   n",
    "a     10",
    "bcd    5",
  ]);
});

Deno.test("a line is due at the first, the last and every twentieth step, and after 30 seconds", () => {
  let now = 0;
  const due = (steps: number, seconds: number) => {
    const pace = new Pace(steps, () => now);
    return Array.from({ length: steps }, (_, i) => {
      now += seconds;
      return pace.tick(i + 1).due ? i + 1 : 0;
    }).filter(Boolean);
  };
  assert.deepEqual(due(40, 0.1), [1, ...Array.from({ length: 20 }, (_, i) => 2 * i + 2)]);
  assert.deepEqual(due(100, 31).length, 100);
});

Deno.test("time left is the median step's, without the first step and without pauses", () => {
  let now = 0;
  const pace = new Pace(10, () => now);
  now += 60; // compiles
  assert.equal(pace.tick(1).left, "-");
  for (const [step, seconds] of [[2, 10], [3, 10], [4, 90], [5, 10]]) {
    now += seconds;
    assert.equal(pace.tick(step).seconds, 10);
  }
  now += 500;
  pace.skip();
  now += 10;
  assert.deepEqual(pace.tick(6), { seconds: 10, left: "0:40", due: true });
});

Deno.test("a log line shows step, reward with its direction, KL, speed, and two aligned completions", () => {
  const terminal = remembering();
  let now = 0;
  const progress = new Progress(terminal, () => "runs/x", () => now);
  progress.start({ ...info(), steps: 2 });
  const lengths = { "tokens/queries_len_mean": 6, "tokens/responses_len_mean": 4 };
  const metrics = { ...fakeMetrics(0), ...lengths, "score/mean": 0.25 };
  const rows = [" blue", " purple", " red"].map((text, i) => ({
    ...completion(1, "train", text),
    reward: [0.5, 1, -1][i],
  }));
  progress.step({ step: 1, metrics, completions: rows, timings });
  now += 2;
  progress.step({
    step: 2,
    metrics: { ...metrics, "score/mean": 0.5 },
    completions: rows,
    timings,
  });
  progress.close();
  const [head, legend, title, first, best, worst, second] = terminal.said;
  assert.equal(
    legend,
    "^ v = reward since the line before; below it the step's best and worst completion, ~ cut",
  );
  assert.equal(head, "colors - ppo (exact) - tiny - seed 1 - fake (cpu, software) - runs/x");
  assert.match(title, /^ {2}step {3}reward +KL +entropy +clipped +tok\/s +left$/);
  assert.match(first, /^ {5}1 {5}0\.25 /);
  assert.match(best, /^ +red and blue make -> {2}purple +1$/);
  assert.match(worst, /^ +red and blue make -> {2}red +-1$/);
  assert.equal(best.length, worst.length);
  assert.match(second, /^ {5}2 {6}0\.5 \^ .* 15 +0:00$/); // 3 completions of 10 tokens in 2 s
  assert.equal(title.length, second.length);
  assert.ok(Number.isNaN(tokensOf({}, 3)));
  assert.deepEqual(bestAndWorst([{ ...rows[0], reward: null }]).length, 1);
});

Deno.test("at 40 columns no line of a run is longer, and what it says is there", () => {
  const said: string[] = [];
  const terminal = { ...remembering(), columns: 40, err: (line: string) => said.push(line) };
  const progress = new Progress(terminal, () => "runs/colors-ppo-1-2026-11-26-150000");
  const name = "llvmpipe (LLVM 15.0.6, 256 bits)";
  progress.start({ ...info(), device: { kind: "webgpu", name, software: true } });
  progress.notice("model tiny, the default model of PlainRL, from the folder assets/tiny");
  const metrics = { ...fakeMetrics(0), "score/mean": 0.25 };
  const rows = ["a ".repeat(60), "red"].map((text) => completion(1, "train", text));
  progress.step({ step: 1, metrics, completions: rows, timings });
  progress.step({ step: 2, metrics, completions: [], timings });
  assert.ok(said.every((line) => line.length <= 40), said.join("\n"));
  assert.deepEqual(said.slice(0, 4), [
    "colors - ppo (exact) - tiny - seed 1",
    "llvmpipe (LLVM 15.0.6, 256 bits)",
    "(webgpu, software)",
    "runs/colors-ppo-1-2026-11-26-150000",
  ]);
  assert.deepEqual(said.slice(6, 9), [
    "^ v = reward since the line before;",
    "below it the step's best and worst",
    "completion, ~ cut",
  ]);
  said.splice(6, 3);
  assert.match(said[6], /^ {2}step {3}reward {10}KL {6}left$/);
  assert.match(said[7], /^ {5}1 {5}0\.25 /);
  assert.deepEqual(said.slice(8, 10), [
    "  red and blue make",
    `    -> ${"a ".repeat(12).slice(0, 23)}~     0.5`,
  ]);
  const window = { ...terminal, columns: 50 }; // one that changes amid a run
  const wider = new Progress(window, () => "");
  wider.start({ ...info(), steps: 2 });
  wider.step({ step: 1, metrics, completions: [], timings });
  window.columns = 100;
  said.length = 0;
  wider.step({ step: 2, metrics, completions: [], timings });
  assert.match(said[0], /entropy +clipped +tok\/s +left$/);
});

Deno.test("the header and the closing table show what each reward counts", () => {
  const weights = { semantic: 0.5, format: 0.2, exact: 0, length: 1, repetition: -2 };
  const rewards = Object.keys(weights);
  const sum = "semantic x 0.5 + format x 0.2 + exact x 0 + length + repetition x -2";
  const terminal = remembering();
  new Progress(terminal, () => "runs/x").start({ ...info(), rewards, weights });
  assert.equal(terminal.said[0], `colors - ppo (${sum}) - tiny - seed 1`);
  const config = { ...info(), rewards, weights, command: "", request: {}, versions: {} };
  const run = { folder: "x", config, names: [], metrics: [], completions: [], summary };
  assert.equal(closing(run, terminal)[4], `reward = ${sum}`);
  assert.deepEqual(closing(run, { ...terminal, columns: 40 }).slice(6, 8), [
    "reward = semantic x 0.5 + format x 0.2 +",
    "  exact x 0 + length + repetition x -2",
  ]);
  const half = { ...config, rewards: ["exact"], weights: { exact: 0.5 } };
  assert.equal(closing({ ...run, config: half }, terminal)[4], "reward = exact x 0.5");
  const old = { ...config, rewards: ["exact", "length"], weights: undefined };
  assert.equal(closing({ ...run, config: old }, terminal)[4], "reward = exact + length");
  const one = { ...config, rewards: ["exact"], weights: { exact: 1 } };
  assert.equal(closing({ ...run, config: one }, terminal)[4], "");
});

Deno.test("joinedLines() fills lines, keeps parts whole where they fit, and never breaks a word", () => {
  assert.deepEqual(joinedLines(["ab", "cd", "ef"], " - ", 7), ["ab - cd", "ef"]);
  assert.deepEqual(joinedLines(["a", "long part here", "b"], " - ", 9), [
    "a",
    "long part",
    "here - b",
  ]);
  assert.deepEqual(joinedLines(["/a/path/to/copy"], " - ", 5), ["/a/path/to/copy"]);
  assert.deepEqual(joinedLines(["\u001b[1mab\u001b[22m", "cd"], " - ", 7), [
    "\u001b[1mab\u001b[22m - cd",
  ]);
  assert.deepEqual(joinedLines([], " ", 7), []);
});

Deno.test("every step lets the event loop turn once, so that Ctrl-C arrives", async () => {
  let turned = false;
  setTimeout(() => turned = true, 0);
  const silent = { step() {} } as unknown as RunFolder;
  await watch(silent).step({ step: 1, metrics: {}, completions: [], timings });
  assert.ok(turned);
});

Deno.test("the closing table aligns before and after, and says where the run lies", () => {
  const terminal = remembering();
  const completions = ["before", "after"].map((when) =>
    completion(0, `${when}:heldout`, ` ${when}\u001b[2J`)
  );
  const config = { ...info(), command: "", request: {}, versions: {} };
  const run = { folder: "runs/x", config, names: [], metrics: [], completions, summary };
  assert.deepEqual(closing(run, terminal), [
    "",
    "          exact before  after  reward before  after",
    "training         0.000  1.000          0.000  1.000",
    "held-out         0.000  1.000          0.000  1.000",
    "",
    "held-out prompt    before            after            wanted",
    "red and blue make   before\\u{1b}[2J   after\\u{1b}[2J  purple",
    "",
    "done in 0:01, 10 tokens/s",
    "folder  runs/x",
    "report  runs/x/report.html",
    "ask it  deno task generate --model runs/x 'red and blue make'",
  ]);
  assert.deepEqual(closing({ ...run, summary: undefined }, terminal), []);
  const narrow = closing(run, { ...terminal, columns: 40 });
  assert.deepEqual(narrow, [
    "",
    "                  before  after",
    "exact, training    0.000  1.000",
    "exact, held-out    0.000  1.000",
    "reward, training   0.000  1.000",
    "reward, held-out   0.000  1.000",
    "",
    "held-out prompts",
    "red and blue make",
    "  before   before\\u{1b}[2J",
    "  after    after\\u{1b}[2J",
    "  wanted  purple",
    "",
    "done in 0:01, 10 tokens/s",
    "folder",
    "  runs/x",
    "report",
    "  report.html there",
    "ask it",
    "  deno task generate --model runs/x 'red and blue make'",
  ]);
  for (const columns of [40, 59, 60, 80, 100]) {
    const long = completions.map((row) => ({
      ...row,
      prompt: "word ".repeat(30),
      completion: "word ".repeat(30),
      answer: "word ".repeat(30),
    }));
    const lines = closing({ ...run, completions: long }, { ...terminal, columns })
      .filter((line) => !line.includes("deno task")); // which is one line, to be copied
    assert.ok(lines.every((line) => line.length <= columns), `${columns}: ${lines.join("\n")}`);
  }
});

Deno.test("the closing lines ask the trained model a prompt that it answers otherwise now, ready to paste", () => {
  const config = { ...info(), command: "", request: {}, versions: {}, config: { maxNewTokens: 2 } };
  const prompt = "it's red and blue => ";
  /** What `ask it` says of one prompt. */
  const ask = (
    before: string,
    after: string,
    { folder = "runs/x", columns = 100, ...changed }: {
      folder?: string;
      columns?: number;
      prompt?: string;
    } = {},
  ) => {
    const completions = [
      completion(0, "before:heldout", before),
      completion(9, "after:heldout", after),
    ]
      .map((row) => ({ ...row, prompt, ...changed }));
    const run = { folder, config, names: [], metrics: [], completions, summary };
    const lines = closing(run, { ...remembering(), columns });
    return lines.slice(lines.findLastIndex((line) => line.includes("report.html")) + 1);
  };
  const command = "deno task generate --model runs/x --tokens 2 'it'\\''s red and blue => '";
  assert.deepEqual(ask(" red", " Purple "), [`ask it  ${command}`]);
  assert.deepEqual(ask(" red", " purple", { columns: 40 }), ["ask it", `  ${command}`]);
  assert.match(ask("red", "purple", { folder: "runs/my x" })[0], / --model 'runs\/my x' /);
  assert.deepEqual(ask("purple", "purple"), []); // was right before
  assert.deepEqual(ask("red", "red"), []);
  assert.deepEqual(ask("red", "green"), [`ask it  ${command}`]); // another answer, if not a right one
  assert.deepEqual(ask("red", "purple", { prompt: "two\nlines" }), []); // is not shown as it is
  assert.deepEqual(ask("red", "purple", { prompt: "--red and blue" }), []);
  assert.deepEqual(ask("red", "purple", { folder: "runs/\u001b[2J" }), []);
  const rows = ([id, split, before, after]: string[]) =>
    [["before", before], ["after", after]].map(([when, text]) => ({
      ...completion(0, `${when}:${split}`, text),
      ...{ id, prompt: id },
    }));
  const first = (...all: string[][]) => {
    const run = { folder: "x", config, names: [], metrics: [], summary };
    return closing({ ...run, completions: all.flatMap(rows) }, remembering()).at(-1)!.split(" ").at(
      -1,
    );
  };
  const other = ["other", "heldout", "red", "green"], same = ["same", "heldout", "red", "red"];
  assert.equal(first(same, other, ["right", "heldout", "red", "purple"]), "right");
  assert.equal(first(same, other, ["right", "train", "red", "purple"]), "right");
  assert.equal(first(same, ["trained", "train", "red", "green"], other), "other");
  assert.equal(first(same, ["trained", "train", "red", "green"]), "trained");
});

/** A good machine; a test changes one thing. */
const machine: Machine = {
  os: "linux",
  deno: "2.9.6",
  adapter: () =>
    Promise.resolve({
      info: { description: "llvmpipe (LLVM 15)", isFallbackAdapter: true } as GPUAdapterInfo,
      limits: {
        maxStorageBufferBindingSize: 2 ** 27,
        maxBufferSize: 2 ** 31,
        maxComputeInvocationsPerWorkgroup: 256,
      } as GPUSupportedLimits,
      features: new Set(["shader-f16"]) as unknown as GPUSupportedFeatures,
    }),
  env: () => "/run/user/0",
  freeBytes: () => Promise.resolve(2 ** 34),
  speed: () => Promise.resolve({ gflops: 7.25, device: "llvmpipe" }),
  allowed: () => true,
};

Deno.test("doctor says which adapter would be used and what is missing, with the line that fixes it", async () => {
  const found = async (change: Partial<Machine>, name: string) =>
    (await examine({ ...machine, ...change })).find((finding) => finding.name === name)!;
  assert.ok((await examine(machine)).every(({ state }) => state === "ok"));
  assert.match((await found({}, "adapter")).value, /^llvmpipe .*software/);
  assert.match(
    (await found({}, "limits")).value,
    /one binding 128 MiB, one buffer 2048 MiB, 256 inv/,
  );
  const advice = "deno task tune measures which kernels are fastest here";
  assert.equal(
    (await found({}, "tuning")).value,
    `${advice}, and whether LP_NATIVE_VECTOR_WIDTH helps`,
  );
  assert.match((await found({}, "matmul")).value, /^7\.3 GFLOP\/s on llvmpipe/);
  const none = await found({ adapter: () => Promise.resolve(null) }, "adapter");
  assert.equal(none.state, "warn");
  assert.match(none.cure!, /apt-get install -y mesa-vulkan-drivers libvulkan1/);
  assert.match(
    (await found({ env: () => undefined }, "XDG_RUNTIME_DIR")).cure!,
    /^export XDG_RUNTIME/,
  );
  assert.equal((await found({ deno: "2.8.9" }, "deno")).cure, "deno upgrade");
  assert.equal((await found({ deno: "3.0.0" }, "deno")).state, "ok");
  assert.equal((await found({ freeBytes: () => Promise.resolve(1000) }, "disk")).state, "warn");
  const warp = { description: "Microsoft Basic Render Driver" } as GPUAdapterInfo;
  const windows = async () => ({ ...(await machine.adapter())!, info: warp });
  assert.match((await found({ adapter: windows }, "adapter")).value, /^Microsoft .*software/);
  assert.equal((await found({ adapter: windows }, "tuning")).value, advice);
  const card = { description: "NVIDIA H100" } as GPUAdapterInfo;
  const hardware = async () => ({ ...(await machine.adapter())!, info: card });
  assert.equal(await found({ adapter: hardware }, "tuning"), undefined);
  const broken = { gflops: 0.5, device: "TypeScript twins", passedOver: "Cannot open it: too old" };
  const slow = await found({ speed: () => Promise.resolve(broken) }, "matmul");
  assert.equal(slow.state, "warn");
  assert.match(slow.value, /on TypeScript twins\. Cannot open it: too old$/);
  const denied = await found({ allowed: ({ name }) => name !== "write" }, "write runs");
  assert.equal(denied.state, "missing");
});

testOnWebGpu(
  "doctor names subgroups where a device has them, whatever the adapter lists",
  async () => {
    using device = await WebGpuDevice.open();
    const findings = await examine({ ...thisMachine, speed: () => Promise.resolve(null) });
    const { value } = findings.find(({ name }) => name === "features")!;
    assert.equal(value.startsWith("subgroups (of "), device.features.has("subgroups"), value);
  },
);

Deno.test("doctor exits 1 where something is missing, and speaks JSON", async () => {
  const good = remembering();
  assert.equal(await doctor(false, good, machine), 0);
  assert.ok(good.printed.every((line) => /^ok {2}/.test(line)), good.printed.join("\n"));
  const bad = remembering();
  assert.equal(await doctor(true, bad, { ...machine, deno: "1.0.0" }), 1);
  const said = remembering();
  assert.equal(await doctor(false, said, { ...machine, deno: "1.0.0" }), 1);
  assert.deepEqual(said.printed.slice(0, 2), [
    "missing  deno             1.0.0, needs 2.9 or later",
    "         fix:  deno upgrade",
  ]);
  const { ok, findings } = JSON.parse(bad.printed[0]);
  assert.equal(ok, false);
  assert.equal(findings[0].cure, "deno upgrade");
});
