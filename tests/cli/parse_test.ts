import assert from "node:assert/strict";
import { allHelp, optionsPage } from "../../cli/report/options_page.ts";
import { COMMANDS } from "../../cli/commands/registry.ts";
import { command as training, type TrainFlags } from "../../cli/commands/train.ts";
import { type FlagValues, type Parsed, UsageError } from "../../cli/command.ts";
import { glance, helpOf, HelpShown, parseArguments as parseWith } from "../../cli/parse.ts";
import { synonymOf, SYNONYMS } from "../../cli/synonyms.ts";
import { showList, taskEntry } from "../../cli/train/list.ts";
import { settingsFor } from "../../cli/train/settings.ts";
import { commandOf, requestOf, type RunRequest } from "../../cli/train/request.ts";
import { defineOptions, parseOption } from "../../base/options.ts";
import { rewardRows, RUN_OPTIONS } from "../../experiment/settings.ts";
import { resolveRequest } from "../../experiment/request.ts";
import { PARENT_OPTIONS } from "../../rewards/parents/settings.ts";
import { listRewards } from "../../rewards/registry.ts";
import { SERVER_OPTIONS } from "../../rewards/servers/limits.ts";
import type { Algorithm } from "../../rl/algorithm.ts";
import { ppo } from "../../rl/algorithms/ppo.ts";
import { trainerOptions } from "../../rl/trainer_options.ts";
import { colors } from "../../tasks/colors.ts";
import type { TaskDefinition } from "../../tasks/task.ts";
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
    /Did you mean learningRate=VALUE \(.*default 1\.41e-5, 0 to 1000000, usually 1e-6 to 1e-3\)/,
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

Deno.test("a flag that is given twice is refused, whatever its kind and form", () => {
  const twice = (flag: string, again: string) =>
    new RegExp(`^Cannot give ${flag} twice as one value must hold: ${again}$`);
  refuses("train colors --seed 1 --seed 2", twice("--seed", "it is set again to 2"));
  refuses("train colors --seed=1 --seed=1", twice("--seed", "it is set again to 1"));
  refuses("train --save-every 3 --save-every 4", twice("--save-every", "it is set again to 4"));
  refuses("train colors --json --json", twice("--json", "it stands again"));
  refuses("train --resume runs/a --resume", twice("--resume", "it stands again"));
  refuses("train --resume --resume runs/a", twice("--resume", "it is set again to runs/a"));
  refuses("generate red --stop a --stop b", twice("--stop", "it is set again to b"));
  refuses("train colors epochs=1 epochs=2", /^Cannot set epochs twice as one value must hold: /);
  assert.equal(parseArguments(words("train colors --seed 2")).flags.seed, 2); // nothing is kept
});

Deno.test("values out of range or of the wrong kind say what is allowed", () => {
  refuses(
    "train colors klTarget=0",
    /as it must be above 0: it is "0" \(nats per klTargetUnit, default 6/,
  );
  refuses("train colors gamma=1.01", /as it must be 0 to 1: it is "1\.01"/);
  refuses("train colors epochs=2.5", /as it takes a whole number: it is "2\.5"/);
  refuses("train colors learningRate=", /as it takes a number: it is ""/);
  refuses(
    "train colors learningRate=1e999",
    /as it must be finite, at most 1\.8e308: it/,
  );
  refuses("train colors learningRate=-1e999", /as it must be finite/);
  refuses("train colors whitenRewards=1", /^Cannot set whitenRewards .* true or false: it is "1"$/);
  refuses("train colors --memory 1e9", /as it must be above 0, up to 65536: it is "1e9" \(GiB,/);
  refuses("train colors learningRate=0x10", /as it takes a number/);
  refuses("train colors whitenRewards=yes", /as it takes true or false/);
  refuses("train colors --steps 0", /as it must be 1 to 1000000: it is "0"/);
  refuses("train colors --seed", /^--seed needs a value \(default 1, 0 to 4294967295\)$/);
  refuses("train colors gamma=1 gamma=1", /twice/);
  refuses("train colors animals", /^Cannot use "animals" as train takes 1 name/);
  refuses("generate", /^generate needs <prompt>/);
  refuses("doctor please", /^doctor takes no further words/);
});

Deno.test("a setting with spaces, in any of their places, is shown as it is written", () => {
  for (const line of ["gamma = 1", "gamma= 1", "gamma =1"]) {
    const rule = `Cannot read "${line}" as a setting is one word: write gamma=1`;
    refuses(`train colors ${line}`, new RegExp(`^${rule}$`));
    refuses(`train ${line} colors`, new RegExp(`^${rule}$`));
  }
  refuses("train colors gamma 1", /^Cannot use "gamma" .*key=value\. Did you mean gamma=VALUE\?$/);
  const { settings } = parseArguments(words("train colors semanticEmbedder=a=b= gamma=1"));
  assert.deepEqual(settings, { semanticEmbedder: "a=b=", gamma: 1 }); // a value may have them
});

Deno.test("what other programs call a setting finds it; each such name is of one that is there", () => {
  refuses("train colors lr=1e-4", /^unknown setting lr\. Did you mean learningRate=VALUE \(/);
  refuses("train colors --lr 1e-4", /^unknown option --lr\. Did you mean learningRate=VALUE \(/);
  refuses("train colors kl_coef=1", /Did you mean klCoefficient=VALUE/);
  refuses("train colors --init-kl-coef 1", /Did you mean klCoefficient=VALUE/);
  refuses("train colors numPpoEpochs=1", /Did you mean epochs=VALUE/);
  refuses("train colors --algorithm grpo num_generations=4", /Did you mean groupSize=VALUE/);
  refuses("train colors --algorithm grpo epsilon_high=0.28", /Did you mean clipHigh=VALUE/);
  const rows = { ...settingsOf({}), ...settingsOf({ algorithm: "grpo" }) };
  for (const name of SYNONYMS) assert.ok(Object.hasOwn(rows, synonymOf(name)!), name);
  assert.equal(synonymOf("__proto__"), undefined);
});

Deno.test("--out is a folder of its own, not the one that holds all", () => {
  for (const out of ["runs", "runs/", "./runs", ".", "runs/.."]) {
    refuses(`train colors --out ${out}`, /as it must be a folder of its own, such as runs\/NAME/);
    refuses(`pretrain --out ${out}`, /as it must be a folder of its own, such as runs\/NAME/);
  }
  refuses("export tiny --out exports", /as it must be a folder of its own, such as exports\/NAME/);
  assert.equal(parseArguments(words("train colors --out runs/a")).flags.out, "runs/a");
});

Deno.test("help shows the default that holds: a preset's, else the task's, else the setting's own", () => {
  const of = (flags: FlagValues, task: string[]) => settingsFor(flags, task).rows;
  const { settings, maxNewTokens } = colors();
  const rows = of({}, ["colors"]);
  assert.equal(rows.learningRate.otherwise, "2e-4 of colors, in place of 1.41e-5");
  assert.equal(settings!.learningRate, 2e-4);
  assert.equal(rows.maxNewTokens.otherwise, `${maxNewTokens} of colors, in place of 16`);
  assert.equal(rows.batchSize.otherwise, "48 of colors");
  assert.equal(rows.maxGradNorm.default, 1); // the task's own is the same
  const both = of({ preset: "trl-0.11-ppo" }, ["colors"]);
  assert.equal(both.batchSize.otherwise, "128 of the preset trl-0.11-ppo");
  assert.equal(both.maxNewTokens.otherwise, `${maxNewTokens} of colors, in place of 16`);
  assert.equal(both.learningRate.default, 1.41e-5);
  // What a run then does is the same.
  const request = { task: "colors", preset: "trl-0.11-ppo" };
  const { config, settings: run } = resolveRequest(request);
  assert.deepEqual([run.batchSize, config.maxNewTokens, config.learningRate], [128, 2, 1.41e-5]);
  const help = helpOf(training.spec, ["colors"]);
  assert.match(help, /\(default: 2e-4 of colors, in place of 1\.41e-5, 0 to/);
  assert.match(help, /^Where a value is said to be of colors, it wins over/m);
  assert.match(help, /^Of colors: --steps 40 --reward semantic --model tiny\.$/m);
  assert.match(
    helpOf(training.spec),
    /A task's own values win over these defaults, a preset's over/,
  );
  assert.throws(() => helpOf(training.spec, ["colrs"]), /no task "colrs"\. Did you mean "colors"/);
});

Deno.test("a setting of another algorithm is said to be one, with the help that shows it", () => {
  const other = { ...ppo, name: "other", options: defineOptions("other", {}) } as Algorithm;
  const { elsewhere } = settingsFor({ algorithm: "other" }, [], {
    algorithms: [ppo as never, other],
  });
  assert.equal(
    elsewhere!("clipLow"),
    "Cannot set clipLow as it is a setting of ppo, not of other. " +
      "See: deno task train --algorithm ppo --help",
  );
  assert.equal(elsewhere!("gamma0"), undefined);
  assert.equal(elsewhere!("epochs"), undefined);
  const spec = { ...training.spec, settings: () => ({ rows: {}, elsewhere }) };
  assert.throws(
    () => parseWith(words("train colors clipLow=1"), [spec]),
    { name: "UsageError", message: elsewhere!("clipLow") },
  );
});

Deno.test("--version, of all and of each command", () => {
  for (const line of ["--version", "train --version", "generate --version", "doctor --version"]) {
    assert.throws(() => parseArguments(words(line)), (error) => {
      assert.ok(error instanceof HelpShown && error.asked);
      assert.match(error.message, /^PlainRL \d+\.\d+\.\d+, Deno \d+\.\d+\.\d+$/);
      return true;
    });
  }
});

Deno.test("every setting of loop, algorithm, run and rewards has a row, and its own default passes its own check", () => {
  const names: string[] = [...trainerOptions(ppo as never).names];
  const rows = Object.entries(settingsOf({}));
  const run = Object.keys(RUN_OPTIONS.rows);
  // A family has what its rewards share once.
  const rewards = [...new Set(listRewards().flatMap((reward) => Object.keys(rewardRows(reward))))];
  const servers = [...PARENT_OPTIONS.names, ...SERVER_OPTIONS.names];
  for (const name of ["batchSize", "loraRank"]) assert.ok(run.includes(name), name);
  for (const name of ["semanticEmbedder", "semanticPower"]) assert.ok(rewards.includes(name), name);
  assert.deepEqual(
    rows.map(([name]) => name).sort(),
    [
      ...names.filter((name) => name !== "seed" && name !== "totalSteps"),
      ...run,
      ...rewards,
      ...servers,
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
  const { note } = training.spec.settings!({ preset: "trl-0.11-ppo" });
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

Deno.test("a glance finds words and flags before anything is checked, or nothing", () => {
  const { spec } = COMMANDS.find(({ spec }) => spec.name === "train")!;
  const seen = (line: string) => {
    const found = glance(words(line), spec);
    return found && [found.words, found.flags.reward, found.help];
  };
  assert.deepEqual(seen("./a.csv --reward b.ts:2 level=2 --quiet"), [
    ["./a.csv", "level=2"],
    "b.ts:2",
    false,
  ]);
  assert.deepEqual(seen("--seed 2 colors --help"), [["colors"], undefined, true]);
  assert.deepEqual(seen("-h"), [[], undefined, true]);
  assert.deepEqual(seen("--resume runs/a"), [[], undefined, false]); // which is the flag's own word
  for (const line of ["--stepz 1 colors", "colors --seed", "colors --seed 1 --seed 2"]) {
    assert.equal(seen(line), undefined, line);
  }
});

Deno.test("a setting that only another task has is said to be its", () => {
  const level = { kind: "integer", doc: "", group: "Task" } as const;
  const tasks = ["sums", "chains"].map((name): TaskDefinition => ({
    ...{ name, summary: "", options: defineOptions(name, { level }) as never },
    open: colors,
  }));
  const said = (task: string[]) => settingsFor({}, task, { tasks }).elsewhere!("level");
  assert.equal(
    said(["colors"]),
    "Cannot set level as it is a setting of the task sums, chains, not of colors. See: deno task train sums --help",
  );
  assert.match(said([])!, /a setting of the task sums, chains\. See/);
  assert.equal(settingsFor({}, ["colors"], { tasks }).elsewhere!("levels"), undefined);
});

Deno.test("the list has what each task decides, or why that is not known here", async () => {
  const options = defineOptions("sums", { level: { kind: "integer", doc: "", group: "Task" } });
  const about = { name: "sums", summary: "add", options: options as never };
  const entry = { name: "sums", doc: "add" };
  const own = { model: "small", algorithm: "grpo", fits: ["exact"], measure: "exact" };
  const known = await taskEntry(entry, {
    ...about,
    open: () => ({ ...colors(), ...own, defaultRewards: "" }),
  });
  assert.deepEqual(known, {
    ...{ ...entry, settings: ["level"], model: "small", algorithm: "grpo", reward: "", steps: 40 },
    ...{ prompts: { train: 72, heldout: 18 }, fits: ["exact"], measure: "exact" },
  });
  const missing = await taskEntry(entry, {
    ...about,
    open: () => Promise.reject(new Error("fetch it first")),
  });
  assert.deepEqual(missing, { ...entry, settings: ["level"], missing: "fetch it first" });
  const lines: string[] = [];
  const terminal = {
    ...{ out: (line: string) => void lines.push(line), write: () => {}, err: () => {} },
  };
  const catalogue = { tasks: [known, missing], algorithms: [], rewards: [], presets: [] };
  assert.equal(showList(catalogue, false, { ...terminal, fancy: false, columns: 40 }), 0);
  const words = lines.slice(0, lines.indexOf("algorithms:")).join("\n");
  assert.equal(
    words.replaceAll(/\s+/g, " ").trim(),
    "tasks: sums add --model small --algorithm grpo 72 prompts to train on, 18 held out rewards exact " +
      "settings level sums add not here: fetch it first",
  );
});

Deno.test("help of every command is as tests/cli/help.txt has it", async () => {
  const help = allHelp();
  assert.equal(await Deno.readTextFile("tests/cli/help.txt"), help, "run: deno task docs");
  for (const line of help.split("\n")) assert.ok(line.length <= 100, `too wide: ${line}`);
});

Deno.test("docs/options.md is what the table makes", async () => {
  assert.equal(await Deno.readTextFile("docs/options.md"), optionsPage(), "run: deno task docs");
});
