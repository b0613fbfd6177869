/** What a program may bring along for a run: algorithm, task, rewards and device, each by one definition. */
import assert from "node:assert/strict";
import { readCsv } from "../../base/csv.ts";
import { defineOptions } from "../../base/options.ts";
import { DoesNotFitError } from "../../experiment/suggestions.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { OutOfMemoryError } from "../../kernels/devices/pool.ts";
import {
  evaluatePolicy,
  exact,
  LanguagePolicy,
  loadModel,
  loadTokenizer,
  openRewards,
  planTask,
  type Reward,
  type RewardDefinition,
  tableParent,
  type Task,
  type TrainRequest,
  trainTask,
} from "../../mod.ts";
import { readRun } from "../../experiment/folder/run_data.ts";
import { RunFolder } from "../../experiment/folder/run_folder.ts";
import { settingsTable } from "../../experiment/settings.ts";
import { findAlgorithm } from "../../rl/algorithms/registry.ts";
import { assertClose } from "../_close.ts";
import { withFolder } from "../_folder.ts";
import { Recorder, stopAndResume, writeSmallModel } from "./_model.ts";
import { reinforce } from "./_reinforce.ts";

const settings = { batchSize: 6, learningRate: 1e-3, microbatchRows: 4 };

/** Gives `body` a folder with a small model in `model`, and a request for two steps with it. */
const inFolder = (body: (folder: string, request: TrainRequest) => Promise<void>) =>
  withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/model`);
    await writeSmallModel(`${folder}/model`);
    const model = `${folder}/model`;
    await body(folder, { task: "colors", model, steps: 2, seed: 2, settings, device: "cpu" });
  });

/** A task whose prompts stand in a table. */
function capitals(): Task {
  const table = "id,prompt,answer,split\nfr,France:, Paris,train\nit,Italy:, Rome,train\n" +
    "de,Germany:, Berlin,heldout\n";
  const columns = ["id", "prompt", "answer", "split"] as const;
  const rows = readCsv(table, { file: "capitals.csv", columns }).map(({ values }) => values);
  const of = (split: string) => rows.filter((row) => row.split === split);
  return {
    name: "capitals",
    summary: "name a country's capital",
    examples: { train: of("train"), heldout: of("heldout") },
    maxNewTokens: 3,
    defaultRewards: "exact",
    steps: 5,
    settings: { batchSize: 4, klCoefficient: 0.1 },
    parent: tableParent(new Map(rows.map(({ id, answer }) => [id, answer]))),
  };
}

/** A reward of one definition: the share of a completion's letters that are vowels, to a power. */
const vowels: RewardDefinition<{ power: number }> = {
  name: "vowels",
  summary: "share of vowels",
  options: defineOptions("the reward vowels", {
    power: { kind: "number", default: 1, min: 0, above: true, doc: "exponent", group: "Rewards" },
  }),
  counts: [{ name: "empty", healthy: "0", meaning: "completions without letters", remedy: "" }],
  open({ power }): Reward {
    let empty = 0;
    return {
      name: "vowels",
      counts: ["empty"],
      score: ({ completions }) =>
        Promise.resolve(completions.map((text) => {
          const letters = text.match(/[a-z]/gi) ?? [];
          if (letters.length === 0) empty++;
          return ((text.match(/[aeiou]/gi) ?? []).length / Math.max(1, letters.length)) ** power;
        })),
      takeCounts() {
        const taken = empty;
        empty = 0;
        return { empty: taken };
      },
    };
  },
};

Deno.test("an algorithm of one's own: no value head, no reference, its own columns and groups", () =>
  inFolder(async (folder, request) => {
    const run = new Recorder(`${folder}/own`);
    const summary = await trainTask({ ...request, algorithm: reinforce }, run);
    assert.equal(summary.algorithm, "own-reinforce");
    const names = reinforce.metrics.map(({ name }) => name);
    assert.deepEqual(Object.keys(run.rows[0]).slice(1, 1 + names.length), names);
    assert.equal(run.rows[0]["optimizer/skipped_updates"], 0);
    const { config } = run.info!;
    assert.deepEqual([config.groupSize, config.epochs], [2, 2]); // the task's epochs, as it names them
    assert.ok(!("klCoefficient" in config)); // the task's, which this algorithm does not have
    const drawn = run.completions.filter(({ phase, step }) => phase === "train" && step === 1);
    assert.equal(drawn.length, 6);
    for (let row = 0; row < 6; row += 2) assert.equal(drawn[row].id, drawn[row + 1].id);
    assert.equal(new Set(drawn.map(({ id }) => id)).size, 3);
    const weights = await Deno.readTextFile(`${run.checkpoints.at(-1)}/model.safetensors`);
    assert.ok(!weights.slice(0, 4000).includes("v_head"));
    const ppo = new Recorder(`${folder}/ppo`);
    await trainTask({ ...request, algorithm: "ppo", steps: 1 }, ppo);
    const both = await Deno.readTextFile(`${ppo.checkpoints.at(-1)}/model.safetensors`);
    assert.ok(both.slice(0, 4000).includes("v_head"));
  }));

Deno.test("an algorithm of one's own is stopped and resumed like any other", () =>
  inFolder(async (folder, request) => {
    const own = { ...request, algorithm: reinforce, steps: 4 };
    const whole = new Recorder(`${folder}/whole`);
    await trainTask(own, whole);
    const { first, second } = await stopAndResume(own, folder);
    assert.deepEqual([...first.rows, ...second.rows], whole.rows);
  }));

Deno.test("the plan of an algorithm without reference and value head has neither", () =>
  inFolder(async (_folder, request) => {
    const [own, ppo] = [
      await planTask({ ...request, algorithm: reinforce }),
      await planTask({ ...request, algorithm: "ppo" }),
    ];
    assert.deepEqual(Object.keys(own.parts), ["policy"]);
    assert.deepEqual(Object.keys(ppo.parts), ["policy", "reference"]);
    assert.ok(own.parts.policy.weights < ppo.parts.policy.weights); // by the value head
    const lora = { ...settings, loraRank: 2 };
    const adapted = await planTask({ ...request, algorithm: "ppo", settings: lora });
    assert.deepEqual(Object.keys(adapted.parts), ["policy"]); // an adapter is its own reference
  }));

Deno.test("an algorithm is named, found or refused; its settings are its own", () =>
  inFolder(async (folder, request) => {
    const refused = (change: Partial<TrainRequest>, message: RegExp) =>
      assert.rejects(trainTask({ ...request, ...change }, new Recorder(folder)), message);
    await refused({ algorithm: "pppo" }, /the algorithm "pppo".*did you mean "ppo"/);
    await refused(
      { algorithm: reinforce, settings: { ...settings, klCoefficient: 1 } },
      /Cannot configure a run with own-reinforce as it has no setting "klCoefficient"/,
    );
    await refused(
      { algorithm: reinforce, settings: { ...settings, batchSize: 5 } },
      /batchSize must be a multiple of the 2 completions that own-reinforce compares: it is 5$/,
    );
    await refused({ settings: { ...settings, seed: 4 } }, /has no setting "seed"/); // a field
    await refused({ settings: { ...settings, totalSteps: 4 } }, /has no setting "totalSteps"/);
  }));

Deno.test("a task of one's own is one definition", () =>
  inFolder(async (folder, request) => {
    const run = new Recorder(`${folder}/run`);
    const { settings: _settings, steps: _steps, ...rest } = request;
    const summary = await trainTask({ ...rest, task: capitals(), steps: 2 }, run);
    assert.deepEqual([summary.task, summary.rewards], ["capitals", ["exact"]]);
    assert.deepEqual([run.info!.config.batchSize, run.info!.config.klCoefficient], [4, 0.1]);
    const heldout = run.completions.filter(({ split }) => split === "heldout");
    assert.deepEqual(heldout.map(({ id, phase }) => [id, phase]), [["de", "before"], [
      "de",
      "after",
    ]]);
    assert.deepEqual(heldout[0].answer, "Berlin");
    assert.ok(!("semanticPower" in run.info!.config)); // of a reward that this run does not have
  }));

Deno.test("a task without held-out prompts, whose means do not exist, is resumed too", () =>
  inFolder(async (folder, request) => {
    const task = { ...capitals(), examples: { train: capitals().examples.train, heldout: [] } };
    const { first, second } = await stopAndResume({ ...request, task, steps: 3 }, folder);
    assert.deepEqual([first.rows.length, second.rows.length], [2, 1]);
    assert.ok(Number.isNaN(second.summary!.heldout.before.exact));
    assert.ok(second.summary!.train.before.exact >= 0);
  }));

Deno.test("a run whose scores are scaled is resumed with all scores that it had seen", () =>
  inFolder(async (folder, request) => {
    const settings = { ...request.settings, scoreScaling: "running-mean-std", scoreClip: 1 };
    const asked = { ...request, settings, steps: 3 };
    const whole = new Recorder(`${folder}/whole`);
    await trainTask(asked, whole);
    const { first, second } = await stopAndResume(asked, folder);
    assert.deepEqual([...first.rows, ...second.rows], whole.rows);
    const state = JSON.parse(await Deno.readTextFile(`${whole.checkpoints.at(-1)}/trainer.json`));
    const drawn = whole.completions.filter(({ phase }) => phase === "train");
    assert.equal(state.trainer.scores.count, drawn.length);
    assert.ok(whole.rows.every((row) => Math.abs(row["score/mean"]) <= 1));
  }));

Deno.test("a reward of one's own is one definition: settings, scores and counts", () =>
  inFolder(async (folder, request) => {
    const table = settingsTable(findAlgorithm("ppo"), [vowels as unknown as RewardDefinition]);
    assert.equal(table.defaults.vowelsPower, 1);
    assert.ok(!table.names.includes("semanticPower"));
    const reward = await vowels.open(vowels.options.resolve({ power: 2 }), {});
    const run = new Recorder(`${folder}/run`);
    const summary = await trainTask(
      { ...request, reward: ["exact:0", { reward, weight: 3 }] },
      run,
    );
    assert.deepEqual(summary.rewards, ["exact", "vowels"]);
    assert.deepEqual(run.info!.weights, { exact: 0, vowels: 3 });
    const squared = await vowels.open({ power: 2 }, {});
    for (const { completion, reward, scores } of run.completions) {
      const [score] = await squared.score({
        ...{ prompts: [""], completions: [completion], examples: [] },
      });
      assert.deepEqual([scores.vowels, reward], [score, 3 * score!]);
    }
    const drawn = run.completions.filter(({ phase, step }) => phase === "train" && step === 1);
    const empty = drawn.filter(({ completion }) => !/[a-z]/i.test(completion)).length;
    assert.equal(run.rows[0]["rewards/vowels/empty"], empty); // of the rollout alone
    const alone = new Recorder(`${folder}/alone`);
    await trainTask({ ...request, steps: 1, reward }, alone);
    assert.deepEqual(alone.info!.weights, { vowels: 1 });
  }));

Deno.test("each reward has mean and sample standard deviation of what it could score, unweighted", () =>
  inFolder(async (folder, request) => {
    const column = (name: string, of: (b: number) => number | null): Reward => ({
      name,
      score: ({ completions }) => Promise.resolve(completions.map((_, b) => of(b))),
    });
    const reward = [
      { reward: column("some", (b) => b % 2 === 0 ? b * b : null), weight: 7 },
      { reward: column("one", (b) => b === 1 ? 5 : null), weight: 0 },
      { reward: column("none", () => null), weight: -1 },
    ];
    const settings = { ...request.settings, batchSize: 6 };
    const run = new Recorder(`${folder}/run`);
    let columns: unknown;
    const algorithm: typeof reinforce = {
      ...reinforce,
      advantages(rollout, context) {
        columns = rollout.columns.map((of) => ({ ...of, score: [...of.score] }));
        return reinforce.advantages(rollout, context);
      },
    };
    await trainTask({ ...request, algorithm, settings, steps: 1, reward }, run);
    const is = (b: number) => b % 2 === 0;
    const rows = [0, 1, 2, 3, 4, 5], empty = rows.map(() => 0);
    assert.deepEqual(columns, [ // what the algorithm is told of those that are learned from
      { name: "some", weight: 7, score: rows.map((b) => is(b) ? b * b : 0), scored: rows.map(is) },
      { name: "none", weight: -1, score: empty, scored: rows.map(() => false) },
    ]);
    const { rows: [row] } = run;
    const of = (name: string) => [row[`rewards/${name}/mean`], row[`rewards/${name}/std`]];
    assertClose(of("some"), [20 / 3, Math.sqrt(208 / 3)], "0, 4 and 16", 1e-12);
    assert.deepEqual(of("one"), [5, 0]);
    assert.deepEqual(of("none"), [NaN, NaN]);
    const names = Object.keys(row).filter((name) => /^rewards.*(mean|std)$/.test(name));
    const want = ["exact", "some", "one", "none"];
    assert.deepEqual(names, want.flatMap((of) => [`rewards/${of}/mean`, `rewards/${of}/std`]));
  }));

Deno.test("rewards that bear no weight, or none at all, are refused", () =>
  inFolder(async (folder, request) => {
    const refused = (reward: TrainRequest["reward"], message: RegExp) =>
      assert.rejects(trainTask({ ...request, reward }, new Recorder(folder)), message);
    await refused("exact:0", /Cannot train on the rewards exact as every weight is 0/);
    await refused(
      ["semantic:0", { reward: exact(), weight: 0 }],
      /Cannot train on the rewards semantic, exact as every weight is 0/,
    );
    await refused([], /at least one is needed: 0/);
    await refused(["exact", exact()], /names must differ: "exact" comes twice/);
    await refused(["exact", "exakt"], /the reward "exakt".*did you mean "exact"/);
  }));

Deno.test("a device that is handed in is used, and left open", () =>
  inFolder(async (folder, request) => {
    using device = new CpuDevice();
    const whole = new Recorder(`${folder}/whole`), again = new Recorder(`${folder}/again`);
    await trainTask({ ...request, device: "webgpu" }, whole, { device });
    assert.equal(whole.summary!.device.kind, "cpu");
    await trainTask(request, again, { device });
    assert.deepEqual(again.rows, whole.rows);
    assert.equal(device.memory.live, 0); // both runs gave back what they took
  }));

/** A device that has memory for `left` more tensors, once it is told so. */
class FullDevice extends CpuDevice {
  left = Infinity;
  override alloc(...given: Parameters<CpuDevice["alloc"]>): ReturnType<CpuDevice["alloc"]> {
    if (--this.left < 0) throw new OutOfMemoryError("x", 4096, this.memory.held);
    return super.alloc(...given);
  }
}

Deno.test("memory that runs out while a run opens is explained, wherever that is", () =>
  inFolder(async (folder, request) => {
    const counter = new FullDevice();
    counter.left = 1e6;
    let taken = 0;
    const run = new Recorder(`${folder}/run`);
    run.start = () => void (taken = 1e6 - counter.left);
    await trainTask({ ...request, steps: 1 }, run, { device: counter });
    assert.ok(taken > 50, `${taken} tensors before the first step`);
    for (const left of [3, taken - 1]) { // of the policy's weights; of what is reserved last
      using device = new FullDevice();
      device.left = left;
      await assert.rejects(trainTask(request, new Recorder(folder), { device }), (error) => {
        assert.ok(error instanceof DoesNotFitError, `${left}: ${error}`);
        assert.match(error.message, /^Cannot allocate x as the device has no 1 MiB left/);
        return true;
      });
      assert.equal(device.memory.live, 0);
    }
    counter[Symbol.dispose]();
  }));

Deno.test("a policy is evaluated without a run", () =>
  inFolder(async (folder) => {
    using device = new CpuDevice();
    using model = await loadModel(device, `${folder}/model`, { frozen: true });
    const tokenizer = await loadTokenizer(`${folder}/model`);
    const policy = new LanguagePolicy({ model }, tokenizer.eosId);
    const task = capitals();
    const rewards = await openRewards(task, ["exact:0.5", {
      reward: await vowels.open({ power: 1 }, {}),
      weight: 1,
    }]);
    const request = { policy, tokenizer, eos: policy.eos, rewards, maxNewTokens: 3 };
    const examples = [...task.examples.train, ...task.examples.heldout];
    const whole = await evaluatePolicy({ ...request, examples, batchSize: 8 });
    assert.deepEqual(whole.rows.map(({ id }) => id), ["fr", "it", "de"]);
    assert.deepEqual(await evaluatePolicy({ ...request, examples, batchSize: 1 }), whole);
    const mean = whole.rows.reduce((sum, { scores }) =>
      sum + scores.exact! / 2 + scores.vowels!, 0) / 3;
    assert.ok(Math.abs(whole.reward - mean) < 1e-12);
  }));

Deno.test("a checkpoint of earlier versions, which named its state by PPO, is resumed", () =>
  inFolder(async (folder, request) => {
    const own = { ...request, steps: 4 };
    const whole = new Recorder(`${folder}/whole`);
    await trainTask(own, whole);
    const stopper = new AbortController();
    const first = new Recorder(`${folder}/first`, () => stopper.abort(new Error("stop")));
    await assert.rejects(trainTask(own, first, { signal: stopper.signal }), /stop/);
    const resume = first.checkpoints.at(-1)!;
    const { trainer: { step, faults, algorithm }, ...state } = JSON.parse(
      await Deno.readTextFile(`${resume}/trainer.json`),
    );
    const earlier = { ppo: { step, faults, klCoefficient: algorithm.klCoefficient }, ...state };
    await Deno.writeTextFile(`${resume}/trainer.json`, JSON.stringify(earlier));
    const second = new Recorder(`${folder}/second`);
    await trainTask({ ...own, resume }, second);
    assert.deepEqual([...first.rows, ...second.rows], whole.rows);
  }));

Deno.test("each part of a step is timed, and no part twice", () =>
  inFolder(async (folder, request) => {
    const started = performance.now();
    const run = new Recorder(folder);
    const slow: Reward = {
      name: "slow",
      score({ completions }) {
        const until = performance.now() + 30; // a wait would pass while the policy is evaluated
        while (performance.now() < until);
        return Promise.resolve(completions.map((_, row) => row % 2));
      },
    };
    await trainTask({ ...request, reward: slow }, run);
    const seconds = (performance.now() - started) / 1000;
    assert.equal(run.timings.length, 2);
    const all = run.timings.flatMap((timings) => Object.values(timings));
    assert.ok(all.every((part) => part > 0), String(all));
    assert.ok(run.timings.every(({ score }) => score >= 0.025));
    assert.ok(all.reduce((sum, part) => sum + part) < seconds);
  }));

Deno.test("groups, presets and ids that do not go together are refused before anything opens", () =>
  inFolder(async (folder, request) => {
    const refused = (change: Partial<TrainRequest>, message: RegExp) =>
      assert.rejects(trainTask({ ...request, ...change }, new Recorder(folder)), message);
    for (const groupSize of [0, -1, 1.5, NaN]) {
      const algorithm = { ...reinforce, needs: () => ({ ...reinforce.needs({ groupSize }) }) };
      await refused(
        { algorithm },
        /must compare 1 completion of a prompt or more: its groupSize is/,
      );
    }
    await refused(
      { algorithm: reinforce, preset: "trl-0.11-ppo" },
      /the preset trl-0\.11-ppo with own-reinforce as it has the settings of ppo/,
    );
    const { examples, ...task } = capitals();
    const heldout = [{ ...examples.heldout[0], id: examples.train[0].id }];
    await refused(
      { task: { ...task, examples: { ...examples, heldout } } },
      /Cannot train on capitals as each example has an id of its own: "fr" comes twice/,
    );
  }));

Deno.test("a setting that is undefined counts as not given: the task's holds", () =>
  inFolder(async (folder, request) => {
    const run = new Recorder(folder);
    const unset = { batchSize: undefined, klCoefficient: undefined } as never;
    await trainTask({ ...request, task: capitals(), steps: 1, settings: unset }, run);
    assert.equal(run.info!.config.batchSize, 4);
    assert.equal(run.info!.config.klCoefficient, 0.1);
  }));

Deno.test("two columns of one name are refused, whoever brings them", () =>
  inFolder(async (folder, request) => {
    const name = "rewards/exact/mean";
    const metrics = [...reinforce.metrics, { ...reinforce.metrics[0], name }];
    const algorithm = { ...reinforce, metrics, report: () => ({ [name]: 42 }) };
    await assert.rejects(
      trainTask({ ...request, algorithm }, new Recorder(folder)),
      /Cannot report a step as the column rewards\/exact\/mean comes twice/,
    );
  }));

Deno.test("a column of one's own keeps its name in the run folder, be it one that TRL has", () =>
  inFolder(async (folder, request) => {
    const name = "objective/kl", out = `${folder}/run`;
    const metrics = [...reinforce.metrics, { ...reinforce.metrics[0], name }];
    const asked = {
      ...request,
      algorithm: { ...reinforce, metrics, report: () => ({ [name]: 1 }) },
      settings: { ...settings, groupSize: 3 },
    };
    const stopper = new AbortController();
    const about = { command: "", request: {} };
    const first = new RunFolder({ out, ...about }), step = first.step.bind(first);
    first.step = async (report) => {
      await step(report);
      stopper.abort(new Error("stop"));
    };
    await assert.rejects(trainTask(asked, first, { signal: stopper.signal }), /^Error: stop$/);
    await first.close();
    const second = new RunFolder({ resume: { folder: out, step: 1 }, ...about });
    await trainTask({ ...asked, resume: `${out}/checkpoints/step-1` }, second);
    const { names, metrics: rows } = await readRun(out);
    assert.deepEqual(rows.map((row) => row[names.indexOf(name) + 1]), [1, 1]);
  }));
