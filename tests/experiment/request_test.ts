/** What a request may say: what is refused before anything is opened, and what is told and goes on. */
import assert from "node:assert/strict";
import { defineOptions } from "../../base/options.ts";
import { RunFolder } from "../../experiment/folder/run_folder.ts";
import { planTask } from "../../experiment/plan.ts";
import { resolveRequest } from "../../experiment/request.ts";
import { openChosen, openRewards } from "../../experiment/rewards.ts";
import { type TrainRequest, trainTask } from "../../experiment/train.ts";
import { readRun } from "../../experiment/folder/run_data.ts";
import { exact } from "../../rewards/exact.ts";
import type { Reward, RewardDefinition } from "../../rewards/reward.ts";
import { colors } from "../../tasks/colors.ts";
import { csvDefinition, csvTask } from "../../tasks/csv.ts";
import type { TaskDefinition } from "../../tasks/task.ts";
import { withFolder } from "../_folder.ts";
import { Recorder, writeSmallModel } from "./_model.ts";
import { reinforce } from "./_reinforce.ts";

const own: Reward = {
  name: "own",
  score: ({ completions }) => Promise.resolve(completions.map((text) => text.length)),
};
const resolve = (change: object) =>
  resolveRequest({ task: "colors", model: "nowhere", ...change } as TrainRequest);

const RUN = "Cannot configure a run as ";
const TASK =
  "Cannot train on a task as it must be a name, or an object as tasks/task.ts says: it is ";
const REWARD =
  "Cannot train on rewards as each is a name, an object with name and score(), or such " +
  "an object with its weight, { reward, weight }: one is ";
const { examples, ...rest } = colors();
const refused: [object, string, string | RegExp][] = [
  [{ saveEvery: -1 }, "RangeError", `${RUN}saveEvery must be at least 0: it is -1`],
  [{ saveEvery: 1.5 }, "RangeError", `${RUN}saveEvery must be a whole number: it is 1.5`],
  [{ saveEvery: NaN }, "RangeError", `${RUN}saveEvery must be finite: it is NaN`],
  [{ steps: 0 }, "RangeError", `${RUN}steps must be at least 1: it is 0`],
  [{ steps: 1e9 }, "RangeError", `${RUN}steps must be at most 1000000: it is 1000000000`],
  [{ seed: "1" }, "TypeError", `${RUN}seed must be an integer: it is "1"`],
  [{ seed: -1 }, "RangeError", `${RUN}seed must be at least 0: it is -1`],
  [{ memory: NaN }, "RangeError", `${RUN}memory must be finite: it is NaN`],
  [{ memory: 0 }, "RangeError", `${RUN}memory must be above 0: it is 0`],
  [{ model: null }, "TypeError", `${RUN}model must be a text: it is null`],
  [{ preset: 7 }, "TypeError", `${RUN}preset must be a text: it is 7`],
  [
    { device: "webgp" },
    "TypeError",
    `${RUN}device must be one of auto, webgpu, cpu: it is "webgp". Did you mean "webgpu"?`,
  ],
  [{ settings: [] }, "TypeError", /settings are an object of names and values: it is a list of 0$/],
  [
    { settings: { minibatches: 100 } },
    "RangeError",
    "Cannot train as minibatches must be at most batchSize=48, one completion for each: it is 100",
  ],
  [
    { settings: { minibatches: 3, batchSize: 2 } },
    "RangeError",
    "Cannot train as minibatches must be at most batchSize=2, one completion for each: it is 3",
  ],
  [
    { steps: 10, settings: { warmupSteps: 11 } },
    "RangeError",
    "Cannot train as warmupSteps must be at most the 10 steps of the run: it is 11",
  ],
  [{ settings: { epochs: 1e9 } }, "RangeError", /epochs must be at most 1000: it is 1000000000$/],
  [
    { algorithm: reinforce, settings: { batchSize: 5 } },
    "RangeError",
    "Cannot train as batchSize must be a multiple of the 2 completions that own-reinforce compares: it is 5",
  ],
  [
    { algorithm: null },
    "TypeError",
    "Cannot train as an algorithm is a name, or an object as rl/algorithm.ts says: it is null",
  ],
  [
    { algorithm: { name: "mine" } },
    "TypeError",
    /this object lacks options, metrics, needs, advantages, loss, total$/,
  ],
  [
    { algorithm: { ...reinforce, trainerDefaults: { epoch: 1 } } },
    "TypeError",
    /"epoch" is none\. Did you mean "epochs"\?$/,
  ],
  [{ task: null }, "TypeError", `${TASK}null`],
  [{ task: {} }, "TypeError", `${TASK}an empty object`],
  [
    { task: { ...rest, examples: { train: null, heldout: [] } } },
    "TypeError",
    "Cannot train on colors as examples.train must be a list: it is null",
  ],
  [
    { task: { ...rest, examples: { train: [], heldout: [] } } },
    "RangeError",
    "Cannot train on colors as it has no training prompts",
  ],
  [
    { task: { ...rest, examples: { ...examples, heldout: [{ id: "x", prompt: 7 }] } } },
    "TypeError",
    "Cannot train on colors as each example needs id and prompt, two texts: one is an object with id, prompt",
  ],
  [
    { task: { ...rest, examples: { ...examples, heldout: [null] } } },
    "TypeError",
    /each example needs id and prompt, two texts: one is null$/,
  ],
  [{ reward: [null] }, "TypeError", `${REWARD}null`],
  [{ reward: 5 }, "TypeError", `${REWARD}5`],
  [{ reward: ["exact", { weight: 2 }] }, "TypeError", `${REWARD}an object with weight`],
  [{ reward: { reward: null, weight: 1 } }, "TypeError", `${REWARD}an object with reward, weight`],
  [{ reward: { ...own, score: 1 } }, "TypeError", `${REWARD}an object with name, score`],
];

Deno.test("a request that cannot be is refused at once, by a plan and a run alike", async () => {
  for (const [change, name, message] of refused) {
    const error = { name, message };
    assert.throws(() => resolve(change), error);
    // Neither looks for the model, which is not there, nor makes a folder.
    const request = { task: "colors", model: "nowhere", ...change } as TrainRequest;
    await assert.rejects(planTask(request), error);
    await withFolder(async (folder) => {
      const out = `${folder}/run`, run = new RunFolder({ out, command: "", request: {} });
      await assert.rejects(trainTask(request, run), error);
      assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
    });
  }
});

Deno.test("a reward of one's own is given alone, with its weight, or in a list", () => {
  const chosen = (reward: TrainRequest["reward"]) =>
    resolve({ reward }).rewards.map((one) => ["reward" in one && one.reward, one.weight]);
  assert.deepEqual(chosen(own), [[own, 1]]);
  assert.deepEqual(chosen({ reward: own, weight: 3 }), [[own, 3]]);
  assert.deepEqual(chosen([own]), [[own, 1]]);
  assert.deepEqual(chosen([{ reward: own, weight: 0 }, "exact:2"]), [[own, 0], [false, 2]]);
});

Deno.test("what is asked for and changes nothing is a notice, and the run goes on", () => {
  const told = (settings: object, change: object = {}) => resolve({ settings, ...change }).notices;
  assert.deepEqual(resolve({}).notices, []);
  assert.deepEqual(resolve({ preset: "trl-0.11-ppo" }).notices, []); // of a preset, not of the asker
  const idle: [object, string, object?][] = [
    [{ loraTargets: "c_attn" }, "loraTargets=c_attn changes nothing as loraRank=0"],
    [{ loraAlpha: 8 }, "loraAlpha=8 changes nothing as loraRank=0"],
    [{ klFinal: 0.5 }, "klFinal=0.5 changes nothing as klControl=fixed"],
    [{ klTarget: 2 }, "klTarget=2 changes nothing as klControl=fixed"],
    [{ klHorizon: 2 }, "klHorizon=2 changes nothing as klControl=fixed"],
    [
      { klControl: "linear", klFinal: 0.5 },
      "klFinal=0.5 is above klCoefficient=0.05: it rises over the run",
    ],
    [
      { learningRateFinal: 1 },
      "learningRateFinal=1 is above learningRate=0.0002: it rises over the run",
    ],
    [
      { learningRateFinal: 1, learningRateSchedule: "constant" },
      "learningRateFinal=1 changes nothing as learningRateSchedule=constant",
    ],
    [
      { entropySchedule: "linear" },
      "entropySchedule=linear changes nothing as entropyCoefficient=0",
    ],
    [
      { semanticPower: 2 },
      "semanticPower=2 changes nothing as semantic is not among the run's rewards by name",
      { reward: "exact" },
    ],
    [
      { advantageEpsilon: 1e-6, advantageScale: "none" },
      "advantageEpsilon=0.000001 changes nothing as advantageScale=none",
      { algorithm: "grpo" },
    ],
    [{ klCoefficient: 0, klEstimator: "k2" }, "klEstimator=k2 changes nothing as klCoefficient=0"],
    [
      { klCoefficient: 0, klControl: "stepwise" },
      "klControl=stepwise changes nothing as klCoefficient=0",
    ],
    [
      { klCoefficient: 0, klGradient: "k2" },
      "klGradient=k2 changes nothing as klCoefficient=0",
      { algorithm: "grpo" },
    ],
    [
      { klCoefficient: 0, klIn: "reward" },
      "klIn=reward changes nothing as klCoefficient=0",
      { algorithm: "grpo" },
    ],
    [
      {},
      "patience=2 changes nothing as evaluateEvery=3 makes no more than 2 evaluations in 6 steps",
      { steps: 6, evaluateEvery: 3, patience: 2 },
    ],
    [{ microbatchRows: 48 }, "microbatchRows=48 changes nothing as batchSize=48 is no more"],
    [
      { targetKl: 0.1, epochs: 1 },
      "targetKl=0.1 changes nothing as each rollout has one optimizer step (epochs=1, " +
      "minibatches=1), before which no policy moves",
    ],
    [
      { frozenDtype: "f16" },
      "frozenDtype=f16 changes nothing as all weights of the run learn",
      { algorithm: reinforce },
    ],
  ];
  const split = csvTask("prompt,answer,split\na,b,train\nc,d,heldout\n", { file: "t.csv" });
  const table: TaskDefinition = {
    ...{
      name: "t",
      summary: "",
      options: csvDefinition("t.csv").options as TaskDefinition["options"],
    },
    open: () => split,
  };
  for (const setting of ["heldoutShare=0.5", "splitSeed=7"]) {
    const [name, value] = setting.split("=");
    idle.push([
      { [name]: Number(value) },
      `${setting} changes nothing as the table has a column split, which says what is held out`,
      { task: table },
    ]);
  }
  const modes = defineOptions("the task modes", {
    mode: { kind: "choice", choices: ["a", "b"], default: "a", doc: "", group: "Task" },
    size: { kind: "integer", default: 1, only: { mode: "b" }, doc: "", group: "Task" },
  });
  const moded = { name: "colors", summary: "", options: modes, open: () => colors() };
  idle.push([{ size: 2 }, "size=2 changes nothing as mode=a", { task: moded }]);
  assert.deepEqual(told({ size: 2, mode: "b" }, { task: moded }), []);
  for (const [settings, notice, change] of idle) assert.deepEqual(told(settings, change), [notice]);
  const inUse: [object, object?][] = [
    [{ loraTargets: "c_attn", loraAlpha: 8, loraRank: 4 }],
    [{ klControl: "linear", klFinal: 0.01 }],
    [{ klControl: "adaptive", klTarget: 2, klHorizon: 10 }],
    [{ semanticPower: 2 }],
    [{ semanticPower: 2 }, { reward: "exact,semantic:0" }],
    [{ advantageEpsilon: 1e-6 }, { algorithm: "grpo" }],
    [
      { advantageEpsilon: 1e-6, rewardAggregation: "normalise-then-sum" },
      { algorithm: "dr-grpo" },
    ],
    [{ microbatchRows: 47 }],
    [{ klCoefficient: 0, klMeasured: true, klEstimator: "k2" }],
    [{ criticWarmup: 4 }, { steps: 5 }],
    [{}, { steps: 7, evaluateEvery: 3, patience: 2 }],
    [{ minibatches: 48 }], // one completion each
    [{ warmupSteps: 10 }, { steps: 10 }],
    [{ targetKl: 0.1, epochs: 1, minibatches: 2 }],
    [{ targetKl: 0.1, epochs: 2 }],
    [{ frozenDtype: "f16" }],
    [{ frozenDtype: "f16", loraRank: 2 }, { algorithm: reinforce }],
    [{ frozenDtype: "f16", semanticEmbedder: "bert" }, {
      ...{ algorithm: reinforce, reward: "semantic" },
    }],
  ];
  for (const [settings, change] of inUse) assert.deepEqual(told(settings, change), []);
  assert.deepEqual(told({ criticWarmup: 4 }, { steps: 5 }), []);
  assert.deepEqual(told({ criticWarmup: 5 }, { steps: 5 }), [
    "criticWarmup=5 leaves none of the 5 steps of the run: the value head alone learns, the policy stays as it is",
  ]);
  const warm = { ...colors(), settings: { ...colors().settings, warmupSteps: 5 } };
  assert.deepEqual(resolve({ task: warm, steps: 5 }).notices, []);
  assert.deepEqual(resolve({ task: warm, steps: 4 }).notices, [
    "warmupSteps=5 is more than the 4 steps of the run: the learning rate does not reach its peak",
  ]);
});

/** Requests that a run refuses only as it opens, by what they ask. */
const refusedLater: [Partial<TrainRequest>, RegExp][] = [
  [
    { model: "tiny", settings: { fault: "left-padding" } },
    /with fault=left-padding as .*prompts differ in length: all have 19 tokens/,
  ],
  [{ reward: "regex" }, /Cannot reward a pattern as it must be set/],
  [{ reward: "regex", settings: { regexPattern: "(a" } }, /RE2 must be able to read it/],
  [{ reward: "length", settings: { lengthMin: 5, lengthMax: 2 } }, /min must be at most max/],
  [{ settings: { parent: "rule" } }, /no prompt of colors has one/],
  [{ settings: { parent: "another" } }, /as it must be table, rule, or an address/],
  [{ settings: { parent: "http://127.0.0.1:9" } }, /as parentModel must name its model/],
  [{ settings: { parent: "http://127.0.0.2:9" } }, /may not use the network there/],
  [{ settings: { semanticEmbedder: "nowhere.txt" } }, /Cannot read word vectors from nowhere\.txt/],
  [
    { reward: [{ reward: own, weight: 1 }, { reward: own, weight: 1 }] },
    /each reward .*name.*own|own.*twice|comes again/,
  ],
];

Deno.test("what a run refuses as it opens, a plan refuses in the same words", () =>
  withFolder(async (folder) => {
    await writeSmallModel(folder);
    for (const [change, message] of refusedLater) {
      const settings = { batchSize: 6, ...change.settings }, device = "cpu" as const;
      const request = { task: "colors", model: folder, steps: 1, device, ...change, settings };
      const told = await Promise.all([
        trainTask(request, new Recorder(`${folder}/run`)).catch(String),
        planTask(request).catch(String),
      ]);
      assert.equal(told[0], told[1], JSON.stringify(change));
      assert.match(String(told[0]), message);
    }
    // A reward of the user's own is not opened for a plan: that may cost what it likes.
    let opened = 0;
    const definition = {
      ...{ name: "costly", summary: "", counts: [], options: defineOptions("costly", {}) },
      open: () => {
        opened++;
        return { name: "costly", score: (): Promise<null[]> => Promise.resolve([]) };
      },
    };
    await planTask({ task: "colors", model: folder, reward: definition, device: "cpu" });
    assert.equal(opened, 0);
  }));

Deno.test("a run and a plan tell their notices", () =>
  withFolder(async (folder) => {
    await writeSmallModel(folder);
    const settings = { batchSize: 2, loraAlpha: 8 }, device = "cpu" as const;
    const request = { task: "colors", model: folder, steps: 1, settings, device };
    const notice = "loraAlpha=8 changes nothing as loraRank=0";
    const run = new Recorder(`${folder}/run`);
    await trainTask(request, run);
    assert.ok(run.said.includes(`note: ${notice}`), run.said.join("\n"));
    assert.deepEqual((await planTask(request)).notices, [notice]);
  }));

Deno.test("a count that comes up late is a column from the first step on", () =>
  withFolder(async (folder) => {
    await writeSmallModel(folder);
    let calls = 0;
    const late: Reward = {
      ...own,
      counts: ["late", "never"],
      takeCounts: (): Record<string, number> => ++calls > 3 ? { late: calls } : {},
    };
    const settings = { batchSize: 2 }, out = `${folder}/run`;
    const request = { task: "colors", model: folder, steps: 3, settings, device: "cpu" as const };
    const run = new RunFolder({ out, command: "", request: {} });
    await trainTask({ ...request, reward: late, players: false }, run);
    const { names, metrics } = await readRun(out);
    const column = (name: string) => metrics.map((row) => row[names.indexOf(name) + 1]);
    // Two calls belong to the answers before training.
    assert.deepEqual(column("rewards/own/late"), [0, 4, 5]);
    assert.deepEqual(column("rewards/own/never"), [0, 0, 0]);
  }));

Deno.test("a definition tells the names of its reward's counts", async () => {
  const counts = ["long", "short"]
    .map((name) => ({ name, healthy: "any", meaning: name, remedy: "none" }));
  const takeCounts = (): Record<string, number> => ({ short: 2 });
  const definition: RewardDefinition = {
    ...{ name: "own", summary: "length", options: defineOptions("own", {}), counts },
    open: () => ({ ...own, takeCounts }),
  };
  const sum = await openChosen([{ weight: 1, definition, settings: {} }], {});
  assert.deepEqual(Object.entries(sum.takeCounts()), [["own/long", 0], ["own/short", 2]]);
});

Deno.test("the summary's exact is the built-in's, whatever a reward of one's own is called", async () => {
  const impostor: Reward = { ...own, name: "exact" };
  const message = /"exact" is measured beside every sum: a reward of your own needs another name$/;
  await assert.rejects(openRewards(colors(), [impostor]), message);
  await withFolder(async (folder) => {
    await writeSmallModel(folder);
    const settings = { batchSize: 2 };
    const request = { task: "colors", model: folder, steps: 1, settings, device: "cpu" as const };
    const refusedRun = new Recorder(folder);
    await assert.rejects(trainTask({ ...request, reward: impostor }, refusedRun), message);
    assert.equal(refusedRun.info, undefined); // before the run's folder is made
    const run = new Recorder(folder);
    await trainTask({ ...request, reward: [exact(), own] }, run);
    const drawn = run.completions.filter(({ phase }) => phase === "after");
    for (const { completion, answer, scores, reward } of drawn) {
      assert.equal(scores.exact, Number(completion.trim().toLowerCase() === answer));
      assert.equal(reward, scores.exact + scores.own!);
    }
  });
});

Deno.test("what a resumed run has wins over what its task suggests by now, and what is asked over both", () => {
  const task = {
    ...colors(),
    settings: { ...colors().settings, learningRate: 1e-3, batchSize: 8 },
  };
  const kept = { learningRate: 1e-5, batchSize: 16, level: 3 }; // the last is a setting of no table here
  const { config, settings } = resolve({ task, kept, settings: { batchSize: 4 } });
  assert.deepEqual([config.learningRate, settings.batchSize], [1e-5, 4]);
});
