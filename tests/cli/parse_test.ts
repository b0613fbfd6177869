import assert from "node:assert/strict";
import { allHelp, optionsPage } from "../../cli/report/options_page.ts";
import { COMMANDS } from "../../cli/commands/registry.ts";
import { command as training, type TrainFlags } from "../../cli/commands/train.ts";
import { type FlagValues, type Parsed, UsageError } from "../../cli/command.ts";
import { HelpShown, parseArguments as parseWith } from "../../cli/parse.ts";
import { commandOf, requestOf, type RunRequest } from "../../cli/train/request.ts";
import { parseOption } from "../../base/options.ts";
import { rewardRows, RUN_OPTIONS } from "../../experiment/settings.ts";
import { listRewards } from "../../rewards/registry.ts";
import { ppo } from "../../rl/algorithms/ppo.ts";
import { trainerOptions } from "../../rl/trainer_options.ts";
import { fakeParts } from "./_fake.ts";

const parseArguments = (args: readonly string[]) =>
  parseWith(args, COMMANDS.map(({ spec }) => spec));
const words = (line: string) => line.split(" ").filter((word) => word !== "");
const settingsOf = (flags: FlagValues) => training.spec.settings!(flags).rows;
const requestFor = async (line: string): Promise<RunRequest> =>
  requestOf(parseArguments(words(line)) as Parsed<TrainFlags>, await fakeParts.catalogue());
const refuses = (line: string, message: RegExp) =>
  assert.throws(() => parseArguments(words(line)), { name: "UsageError", message });

Deno.test("flags, defaults and settings are read with their types", () => {
  const parsed = parseArguments(words(
    "train colors --seed 7 --save-every 5 --json learningRate=1e-4 klControl=fixed whitenRewards=true",
  ));
  assert.deepEqual(parsed.positional, ["colors"]);
  assert.equal(parsed.flags.seed, 7);
  assert.equal(parsed.flags["save-every"], 5);
  assert.equal(parsed.flags.json, true);
  assert.equal(parsed.flags.quiet, false);
  assert.equal(parsed.flags.device, "auto");
  assert.equal(parsed.flags.steps, undefined);
  assert.deepEqual(parsed.given.sort(), ["json", "save-every", "seed"]);
  assert.deepEqual(parsed.settings, {
    learningRate: 1e-4,
    klControl: "fixed",
    whitenRewards: true,
  });
});

Deno.test("a mistyped flag, setting, command or value names the nearest valid one", () => {
  refuses("train colors --sede 1", /^unknown option --sede\. Did you mean --seed \(/);
  refuses(
    "train colors --learningrate 1",
    /Did you mean learningRate=VALUE \(.*default 1\.41e-5, 0 or more, usually 1e-6 to 1e-3\)/,
  );
  refuses(
    "train colors lerningRate=1",
    /^unknown setting lerningRate\. Did you mean learningRate=/,
  );
  refuses("train colors seed=1", /^unknown setting seed\. Did you mean --seed/);
  refuses("train colors zzzzzzzz=1", /^unknown setting zzzzzzzz\. See: deno task train --help$/);
  refuses("trian colors", /^no command "trian"\. Did you mean "train"\?/);
  refuses("train colors klControl=adaptiv", /Did you mean "adaptive"\?$/);
  refuses("train colors --device web-gpu", /Did you mean "webgpu"\?$/);
});

Deno.test("values out of range or of the wrong kind say what is allowed", () => {
  refuses(
    "train colors klTarget=0",
    /as it must be above 0: it is "0" \(nats per sequence, default 6/,
  );
  refuses("train colors gamma=1.01", /as it must be 0 to 1: it is "1\.01"/);
  refuses("train colors epochs=2.5", /as it takes a whole number: it is "2\.5"/);
  refuses("train colors learningRate=", /as it takes a number: it is ""/);
  refuses("train colors learningRate=1e999", /it is "1e999"/);
  refuses("train colors learningRate=0x10", /as it takes a number/);
  refuses("train colors whitenRewards=yes", /as it takes true or false/);
  refuses("train colors --steps 0", /as it must be 1 to 1000000: it is "0"/);
  refuses("train colors --seed", /^--seed needs a value \(default 1, 0 to 4294967295\)$/);
  refuses("train colors gamma=1 gamma=1", /twice/);
  refuses("train colors animals", /^Cannot use "animals" as train takes 1 name/);
  refuses("generate", /^generate needs <prompt>/);
  refuses("doctor please", /^doctor takes no further words/);
});

Deno.test("every setting of loop, algorithm, run and rewards has a row, and its own default passes its own check", () => {
  const names: string[] = [...trainerOptions(ppo as never).names];
  const rows = Object.entries(settingsOf({}));
  const run = Object.keys(RUN_OPTIONS.rows);
  const rewards = listRewards().flatMap((reward) => Object.keys(rewardRows(reward)));
  for (const name of ["batchSize", "loraRank"]) assert.ok(run.includes(name), name);
  for (const name of ["semanticEmbedder", "semanticPower"]) assert.ok(rewards.includes(name), name);
  assert.deepEqual(
    rows.map(([name]) => name).sort(),
    [
      ...names.filter((name) => name !== "seed" && name !== "totalSteps"),
      ...run,
      ...rewards,
    ].sort(),
  );
  for (const { spec: { flags, settings } } of COMMANDS) {
    for (const [name, option] of Object.entries({ ...flags, ...settings?.({}).rows })) {
      assert.ok(option.doc.length > 5 && option.group !== "", name);
      if (option.default === undefined) continue;
      assert.equal(parseOption(name, option, String(option.default)), option.default, name);
    }
  }
});

Deno.test("names are checked against the catalogue, and rewards carry weights", async () => {
  const request = (line: string) => requestFor(`train ${line}`);
  const refused = (line: string, message: RegExp) =>
    assert.rejects(request(line), { name: "UsageError", message });
  await refused("colrs", /^no task "colrs"\. Did you mean "colors"\? {2}Tasks:/);
  await refused("", /^train needs a task/);
  await refused("colors --algorithm pp0", /Did you mean "ppo"/);
  await refused("colors --reward exat", /did you mean "exact"/);
  await refused("colors --reward exact:", /a weight must be a finite/);
  await refused("colors --reward exact:x", /"x"/);
  assert.deepEqual((await request("colors --reward exact:0.5,semantic")).rewards, [
    { name: "exact", weight: 0.5 },
    { name: "semantic", weight: 1 },
  ]);
});

Deno.test("an algorithm that is not there has neither settings nor help", () => {
  for (const line of ["train colors --algorithm pp0 clipLow=0.1", "train --help --algorithm pp0"]) {
    refuses(line, /^no algorithm "pp0"\. Did you mean "ppo"\? {2}Algorithms: ppo/);
  }
});

Deno.test("a preset brings its algorithm where none is given", async () => {
  const { note } = training.spec.settings!({ preset: "trl-0.11" });
  assert.match(note!, /settings of ppo;/);
  assert.equal((await requestFor("train colors --preset quick")).algorithm, "ppo");
});

Deno.test("the line that repeats a run asks for the same run", async () => {
  const line =
    "train colors --reward exact:0.5,semantic --steps 9 --seed 3 --device cpu clipLow=0.1";
  const first = await requestFor(line);
  assert.deepEqual(await requestFor(commandOf(first).replace("deno task ", "")), first);
  const odd = { ...first, model: "my 'model'", settings: { semanticEmbedder: "my folder" } };
  assert.match(commandOf(odd), /--model 'my '\\''model'\\''' .* semanticEmbedder='my folder'$/);
});

Deno.test("help is asked for, or shown where no command is given", () => {
  const shown = (line: string) => {
    try {
      parseArguments(words(line));
    } catch (error) {
      assert.ok(error instanceof HelpShown);
      return error;
    }
    throw new Error("no help");
  };
  assert.equal(shown("train --help").asked, true);
  assert.equal(shown("--help").asked, true);
  assert.equal(shown("").asked, false);
  assert.ok(!(shown("") instanceof UsageError));
});

Deno.test("help of every command is as tests/cli/help.txt has it", async () => {
  const help = allHelp();
  assert.equal(await Deno.readTextFile("tests/cli/help.txt"), help, "run: deno task docs");
  for (const line of help.split("\n")) assert.ok(line.length <= 100, `too wide: ${line}`);
});

Deno.test("docs/options.md is what the table makes", async () => {
  assert.equal(await Deno.readTextFile("docs/options.md"), optionsPage(), "run: deno task docs");
});
