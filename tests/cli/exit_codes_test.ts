import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { isUsage } from "../../base/usage.ts";
import { UsageError } from "../../cli/command.ts";
import { JSON_FLAG } from "../../cli/flags.ts";
import { exitCode, main } from "../../cli/main.ts";
import { colors } from "../../tasks/colors.ts";
import { resolveRequest, type TrainRequest } from "../../experiment/request.ts";
import { writeError } from "../../experiment/folder/files.ts";
import type { Terminal } from "../../cli/terminal.ts";
import { inTemporary, withFolder } from "../_folder.ts";
import { writeSmallModel } from "../experiment/_model.ts";

/** Runs a line in this process. */
async function said(...args: string[]): Promise<{ code: number; out: string[]; err: string[] }> {
  const out: string[] = [], err: string[] = [];
  const terminal: Terminal = {
    out: (line) => out.push(line),
    write: (text) => out.push(text),
    err: (line) => err.push(line),
    fancy: false,
    columns: 100,
  };
  return { code: await main(args, { terminal }), out, err };
}

/** What stdout holds with --json where a line fails: one object with the code and the same words. */
async function failsWith(code: number, words: readonly string[], message: RegExp): Promise<void> {
  const { code: plain, out: nothing, err } = await said(...words);
  assert.equal(plain, code, err.join("\n"));
  assert.deepEqual(nothing, []);
  const json = await said(...words, "--json");
  assert.equal(json.code, code, words.join(" "));
  assert.equal(json.out.length, 1, words.join(" "));
  const { error } = JSON.parse(json.out[0]);
  assert.equal(error.code, code);
  assert.match(error.message, message);
  assert.equal(json.err[0], `error: ${error.message}`);
  assert.match(err[0], message);
  assert.equal(err.includes("(--debug shows where)"), code === 1);
}

const TRAIN = ["train", "colors", "--device", "cpu", "--steps", "1"];

for (
  const [what, words, message] of [
    ["an unknown command", ["trian"], /no command "trian"/],
    ["an unknown flag", ["train", "--stepz", "1"], /unknown option --stepz/],
    ["a value out of range", [...TRAIN, "gamma=2"], /Cannot set gamma as it must be 0 to 1/],
    ["a value of another kind", [...TRAIN, "epochs=x"], /Cannot set epochs/],
    [
      "more rows than a grid has",
      [...TRAIN, "batchSize=65536"],
      /Cannot set batchSize as .* at most 65535|batchSize .*1 to 65535/,
    ],
    ["an unknown choice", ["generate", "a", "--device", "gpu"], /Cannot set --device/],
    ["an unknown setting", [...TRAIN, "clipLo=1"], /unknown setting clipLo/],
    ["an unknown task", ["train", "colrs"], /no task "colrs"/],
    ["an unknown algorithm", [...TRAIN, "--algorithm", "pp0"], /no algorithm "pp0"/],
    ["an unknown preset", [...TRAIN, "--preset", "quik"], /no preset "quik"/],
    ["an unknown reward", [...TRAIN, "--reward", "exat"], /the reward "exat"/],
    ["rewards that all weigh 0", [...TRAIN, "--reward", "exact:0"], /every weight is 0/],
    ["no task", ["train"], /train needs a task/],
    ["no such model", [...TRAIN, "--model", "./none"], /no run or model "\.\/none"/],
    ["no such model to ask", ["generate", "a", "--model", "./none"], /no run or model/],
    ["no such model to export", ["export", "./none"], /no run or model "\.\/none"/],
    ["no such model to evaluate", ["eval", "./none", "colors"], /no run or model "\.\/none"/],
    ["a model without a task", ["eval", "tiny"], /Cannot evaluate a model without a task/],
    ["a model with nothing beside it", ["eval", "tiny", "colors"], /name what to compare with/],
    ["a task that there is not", ["eval", "tiny", "colrs"], /no task "colrs"/],
    ["temperature 0 of samples", ["eval", "tiny", "colors", "--temperature", "0"], /above 0/],
    ["a folder that is no model", ["generate", "a", "--model", "docs"], /a folder without config/],
    ["more tokens than positions", [...TRAIN, "maxNewTokens=100000"], /at most 109/],
    ["the same to plan", [...TRAIN, "--plan", "maxNewTokens=100000"], /model's 128 positions/],
    ["more tokens to draw than positions", ["generate", "a", "--tokens", "1000"], /at most 127/],
    ["an empty prompt", ["generate", ""], /give a word, or "<\|endoftext\|>"/],
    ["targets that no layer has", [...TRAIN, "loraRank=2", "loraTargets=foo"], /\["foo"\]/],
    ["no such encoder", [...TRAIN, "semanticEmbedder=foo"], /sentence encoder foo/],
    ["no run to resume", ["train", "--resume", "runs/none"], /no run folder "runs\/none"/],
    ["no pretraining to resume", ["pretrain", "--resume", "--out", "runs/none"], /no checkpoint/],
    [
      "an export where something is",
      ["export", "tiny", "--out", "docs"],
      /docs as it is not empty/,
    ],
    [
      "an evaluation where something is",
      ["eval", "tiny", "colors", "--base", "tiny", "--out", "docs"],
      /docs as it is not empty/,
    ],
    [
      "pretraining where something is",
      ["pretrain", "--out", "docs"],
      /docs as it is not empty\. Ch/,
    ],
    ["a filter where nothing is drawn", ["generate", "a", "--top-k", "5"], /nothing is drawn/],
    ["more words than names", ["generate", "a", "b"], /takes 1 name|no further words/],
  ] as const
) {
  Deno.test(`exit code 2: ${what}`, () => failsWith(2, words, message));
}

inTemporary("exit code 1: a file that is broken, no room, a model not fetched", async (place) => {
  await writeSmallModel(`${place}/model`);
  await Deno.writeTextFile(`${place}/model/model.safetensors`, "no");
  const broken = ["--model", `${place}/model`];
  await failsWith(1, ["generate", "a", ...broken, "--device", "cpu"], /model\.safetensors/);
  await failsWith(1, [...TRAIN, ...broken, "--out", `${place}/run`], /model\.safetensors/);
  await failsWith(1, [...TRAIN, "--memory", "1e-5"], /device memory may be taken/);
  await failsWith(1, ["generate", "a", "--memory", "1e-5"], /device memory may be taken/);
});

Deno.test("exit code 2, with --json too: no command", async () => {
  const { code, out, err } = await said("--json");
  assert.equal(code, 2);
  assert.equal(out.length, 1);
  assert.equal(JSON.parse(out[0]).error.code, 2);
  assert.match(err[0], /Usage|unknown option/);
});

Deno.test("train and its plan say which checkpoint a run stands for", () =>
  withFolder(async (place) => {
    await writeSmallModel(`${place}/run/checkpoints/step-7`);
    const config = { task: "colors", config: {} };
    await Deno.writeTextFile(`${place}/run/config.json`, JSON.stringify(config));
    const model = `${place}/run/checkpoints/step-7`;
    const words = [...TRAIN, "--model", `${place}/run`];
    const plan = await said(...words, "--plan", "--json");
    assert.deepEqual(plan.err, [`model ${model}, the last checkpoint of ${place}/run`]);
    assert.equal(JSON.parse(plan.out[0]).model, model);
    const out = `${place}/out`; // a run's command names what the name stood for then
    const { code, err } = await said(...words, "--out", out, "--quiet", "--json", "batchSize=2");
    assert.equal(code, 0, err.join("\n"));
    assert.equal(err[0], `model ${model}, the last checkpoint of ${place}/run`);
    const made = JSON.parse(await Deno.readTextFile(`${out}/config.json`));
    assert.equal(made.model, model);
    assert.ok(made.command.includes(`--model ${model}`), made.command);
  }));

Deno.test("generate --json says which device, and where the weights are", () =>
  withFolder(async (place) => {
    await writeSmallModel(`${place}/run/checkpoints/step-7`);
    const config = { task: "colors", config: {} };
    await Deno.writeTextFile(`${place}/run/config.json`, JSON.stringify(config));
    const { code, out, err } = await said(
      ...["generate", "red", "--tokens", "2", "--model", `${place}/run`, "--json"],
    );
    assert.equal(code, 0, err.join("\n"));
    assert.deepEqual(err, [
      `model ${place}/run/checkpoints/step-7, the last checkpoint of ${place}/run`,
    ]);
    const { device, weights, model, completions } = JSON.parse(out[0]);
    assert.ok(["cpu", "webgpu"].includes(device.kind), JSON.stringify(device));
    assert.equal(typeof device.software, "boolean");
    assert.ok(device.name.length > 0);
    assert.deepEqual([weights, model], Array(2).fill(`${place}/run/checkpoints/step-7`));
    assert.equal(completions.length, 1);
  }));

Deno.test("without permissions: help and version as ever, else which one is missing", async () => {
  const bin = fileURLToPath(new URL("../../cli/bin.ts", import.meta.url));
  const cache = await Deno.makeTempDir();
  const may: string[] = [], env = { HF_HUB_CACHE: cache };
  const run = async (...words: string[]) => {
    const args = ["run", "--no-check", "--no-prompt", ...may, bin, ...words];
    const child = new Deno.Command(Deno.execPath(), { args, env });
    const { code, stdout, stderr } = await child.output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    return { code, out, err };
  };
  const help = await run("--help");
  assert.deepEqual([help.code, help.err], [0, ""]);
  assert.match(help.out, /^Usage: deno task/);
  const version = await run("train", "--version");
  assert.deepEqual([version.code, version.err], [0, ""]);
  const { code, err } = await run("generate", "a");
  assert.equal(code, 1);
  assert.match(
    err,
    /^error: Requires read access to ".*"\. Start it with "deno task", which grants/,
  );
  if (Deno.build.os === "linux") {
    may.push("--allow-read");
    const device = await run("generate", "a", "--model", "/dev");
    assert.match(
      device.err,
      /^error: Cannot open \/dev as a folder of devices or of /,
    );
    may.pop();
  }
  may.push("--allow-env=HF_HUB_CACHE", `--allow-read=${cache}`); // is enough to look for a model
  const hub = await run("generate", "a", "--model", "owner/name");
  await Deno.remove(cache);
  assert.equal(hub.code, 1);
  assert.match(hub.err, /the hub's cache does not have it as .* deno task fetch owner\/name$/m);
});

Deno.test("a code without words is an object with --json too; a command's own object is the only one", async () => {
  const spec = { name: "x", doc: "Stop", positional: [], flags: { json: JSON_FLAG }, example: "x" };
  const of = async (code: number, line?: string) => {
    const out: string[] = [], ignore = () => {};
    const terminal = { out: (text: string) => void out.push(text), write: ignore, err: ignore };
    const run = (_: unknown, { out }: Terminal) => {
      if (line) out(line);
      return Promise.resolve(code);
    };
    const shown = { ...terminal, fancy: false, columns: 80 };
    assert.equal(await main(["x", "--json"], { commands: [{ spec, run }], terminal: shown }), code);
    return out;
  };
  assert.deepEqual(await of(130), ['{"error":{"code":130,"message":"interrupted"}}']);
  assert.deepEqual(await of(1), ['{"error":{"code":1,"message":"failed"}}']);
  assert.deepEqual(await of(1, '{"ok":false}'), ['{"ok":false}']);
  assert.deepEqual(await of(0), []);
});

Deno.test("a file that may not be read is named, with the cure", async () => {
  const error = new Deno.errors.PermissionDenied("Permission denied (os error 13): stat '/x/y'");
  const said: string[] = [];
  const run = () => Promise.reject(error);
  const spec = { name: "x", doc: "Fail", positional: [], flags: {}, example: "none" };
  const take = (line: string) => void said.push(line);
  const terminal = { out: take, write: take, err: take, fancy: false, columns: 80 };
  assert.equal(await main(["x"], { commands: [{ spec, run }], terminal }), 1);
  assert.match(said[0], /^error: Cannot open \/x\/y as it may not be read .*chmod u\+r/);
});

Deno.test("a quota that is used up is not said to be a full disk", () => {
  const full = Object.assign(new Error("os error 122"), { code: "EDQUOT" });
  assert.match(writeError("runs/a", full).message, /quota .* Remove files of your own, or have it/);
});

Deno.test("what a program asks a run for in vain is marked too, with its type", () => {
  const refused = (request: TrainRequest, Kind: typeof TypeError | typeof RangeError) =>
    assert.throws(() => resolveRequest(request), (error) => {
      assert.ok(error instanceof Kind && isUsage(error));
      return true;
    });
  refused({ task: "colrs" }, TypeError);
  refused({ task: "colors", preset: "quik" }, TypeError);
  refused({ task: "colors", settings: { gamma: 2 } }, RangeError);
  const broken = {
    ...colors(),
    get examples(): never {
      throw new SyntaxError("CSV");
    },
  };
  assert.throws(() => resolveRequest({ task: broken }), (error) => {
    assert.ok(error instanceof SyntaxError && !isUsage(error)); // the task's file is at fault
    return true;
  });
});

Deno.test("the mark decides, not the type of an error", () => {
  assert.equal(exitCode(new UsageError("a")), 2);
  assert.equal(exitCode(new RangeError("a")), 1);
  assert.equal(exitCode("a"), 1);
  assert.ok(isUsage(new UsageError("a")) && !isUsage(new TypeError("a")));
});
