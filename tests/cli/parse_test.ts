import assert from "node:assert/strict";
import { allHelp, optionsPage } from "../../cli/report/options_page.ts";
import { COMMANDS } from "../../cli/commands/registry.ts";
import { settingsFor } from "../../cli/commands/train.ts";
import { HelpShown, parseArguments as parseWith } from "../../cli/parse.ts";
import { commandOf, requestOf } from "../../cli/commands/train_request.ts";
import { coerce, nearest, UsageError } from "../../cli/values.ts";
import { ppo } from "../../rl/algorithms/ppo.ts";
import { trainerOptions } from "../../rl/trainer_options.ts";
import { fakeParts } from "./_fake.ts";

const parseArguments = (args: readonly string[]) =>
  parseWith(args, COMMANDS.map(({ spec }) => spec));
const words = (line: string) => line.split(" ").filter((word) => word !== "");
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

Deno.test("nearest folds case and dashes, takes a clear beginning, and gives up on the far", () => {
  assert.equal(nearest("LEARNINGRATE", ["learningRate", "lambda"]), "learningRate");
  assert.equal(nearest("learn", ["lambda", "learningRate"]), "learningRate");
  assert.equal(nearest("colrs", ["colors", "analogies"]), "colors");
  assert.equal(nearest("xyzzy", ["colors"]), undefined);
});

Deno.test("every setting of the algorithm has a row, and its own default passes its own check", () => {
  const names: string[] = [...trainerOptions(ppo as never).names];
  const rows = Object.entries(settingsFor([]));
  const own = [
    "batchSize",
    "maxGradNorm",
    "loraRank",
    "loraAlpha",
    "loraTargets",
    "recompute",
    "frozenDtype",
    "semanticEmbedder",
    "semanticMapping",
    "semanticPower",
    "semanticOov",
  ];
  assert.deepEqual(
    rows.map(([name]) => name).sort(),
    [...names.filter((name) => name !== "seed" && name !== "totalSteps"), ...own].sort(),
  );
  for (const { spec: { flags, settings } } of COMMANDS) {
    for (const [name, option] of Object.entries({ ...flags, ...settings?.([]) })) {
      assert.ok(option.doc.length > 5 && option.group !== "", name);
      if (option.default === undefined) continue;
      assert.equal(coerce(name, option, String(option.default)), option.default, name);
    }
  }
});

Deno.test("names are checked against the catalogue, and rewards carry weights", async () => {
  const catalogue = await fakeParts.catalogue();
  const request = (line: string) => requestOf(parseArguments(words(`train ${line}`)), catalogue);
  assert.throws(() => request("colrs"), {
    message: /^no task "colrs"\. Did you mean "colors"\? {2}Tasks:/,
  });
  assert.throws(() => request(""), { message: /^train needs a task/ });
  assert.throws(() => request("colors --algorithm pp0"), { message: /Did you mean "ppo"/ });
  assert.throws(() => request("colors --reward exat"), { message: /did you mean "exact"/ });
  assert.throws(() => request("colors --reward exact:"), { message: /a weight must be a finite/ });
  assert.throws(() => request("colors --reward exact:x"), { name: "UsageError", message: /"x"/ });
  assert.deepEqual(request("colors --reward exact:0.5,semantic").rewards, [
    { name: "exact", weight: 0.5 },
    { name: "semantic", weight: 1 },
  ]);
});

Deno.test("the line that repeats a run asks for the same run", async () => {
  const catalogue = await fakeParts.catalogue();
  const line =
    "train colors --reward exact:0.5,semantic --steps 9 --seed 3 --device cpu clipLow=0.1";
  const first = requestOf(parseArguments(words(line)), catalogue);
  const again = words(commandOf(first)).slice(2);
  assert.deepEqual(requestOf(parseArguments(again), catalogue), first);
  assert.match(commandOf({ ...first, model: "my 'model'" }), /--model 'my '\\''model'\\'''/);
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
