/** Runs of tasks and rewards of one's own: what they decide, what is kept of them, and what a resume checks. @module */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { defineOptions } from "../../base/options.ts";
import { isUsage } from "../../base/usage.ts";
import { readRun } from "../../experiment/folder/run_data.ts";
import { planTask } from "../../experiment/plan.ts";
import { resolveRequest } from "../../experiment/request.ts";
import type { EvaluationReport } from "../../experiment/observer.ts";
import { type TrainRequest, trainTask } from "../../experiment/train.ts";
import type { RewardDefinition } from "../../rewards/reward.ts";
import { colors } from "../../tasks/colors.ts";
import { csvTask } from "../../tasks/csv.ts";
import type { Task, TaskDefinition } from "../../tasks/task.ts";
import { withFolder } from "../_folder.ts";
import { resumeIn, runInto, smallRequest } from "./folder/_small_run.ts";
import { Recorder } from "./_model.ts";

const task = (change: Partial<Task> = {}): Task => ({ ...colors(), ...change });

const levels: TaskDefinition<{ level: number }> = {
  name: "levels",
  summary: "by level",
  options: defineOptions("the task levels", {
    level: { kind: "integer", default: 1, min: 1, max: 3, doc: "how hard", group: "Task" },
  }),
  open: ({ level }) => task({ name: "levels", steps: 10 * level }),
};

Deno.test("a task decides on model and algorithm where request and preset do not", () => {
  const of = (request: Partial<TrainRequest>, change: Partial<Task> = {}) => {
    const { model, algorithm } = resolveRequest({ task: task(change), ...request });
    return [model, algorithm.name];
  };
  const own = { model: "small", algorithm: "grpo" };
  assert.deepEqual(of({}), ["tiny", "ppo"]);
  assert.deepEqual(of({}, own), ["small", "grpo"]);
  assert.deepEqual(of({ model: "x/y", algorithm: "rloo" }, own), ["x/y", "rloo"]);
  assert.deepEqual(of({ preset: "trl-0.11-ppo" }, own), ["small", "ppo"]);
  assert.throws(
    () => of({}, { algorithm: "grp" }),
    /Cannot find the algorithm "grp".*did you mean "grpo"\?/,
  );
});

Deno.test("a task's settings stand beside the run's, with the nearest name for one that is none", () => {
  const resolved = resolveRequest({ task: levels, settings: { level: 2, epochs: 3 } });
  assert.deepEqual([resolved.opened.settings, resolved.config.totalSteps], [{ level: 2 }, 20]);
  const refused: [Record<string, number>, RegExp][] = [
    [
      { levl: 2 },
      /^TypeError: Cannot configure .* as it has no setting "levl": .* Did you mean "level"\?$/,
    ],
    [
      { level: 4 },
      /^RangeError: Cannot configure the task levels as level must be at most 3: it is 4$/,
    ],
  ];
  for (const [settings, message] of refused) {
    assert.throws(() => resolveRequest({ task: levels, settings }), (error: Error) => {
      assert.match(String(error), message);
      return isUsage(error);
    });
  }
  assert.throws(
    () => resolveRequest({ task: "colors", settings: { level: 2 } }),
    /Cannot configure a run with ppo as it has no setting "level"/,
  );
});

Deno.test("a reward's own definition has its settings, on the run's table too", () => {
  const definition: RewardDefinition<{ scale: number }> = {
    name: "long_words",
    summary: "",
    counts: [],
    options: defineOptions("the reward long_words", {
      scale: { kind: "number", default: 1, min: 0, doc: "", group: "Rewards and advantages" },
    }),
    open: ({ scale }) => ({
      name: "long_words",
      score: ({ completions }) => Promise.resolve(completions.map((text) => scale * text.length)),
    }),
  };
  const { rewards } = resolveRequest({
    ...{ task: "colors", reward: [{ reward: definition, weight: 2 }, "exact:0"] },
    settings: { long_wordsScale: 3 },
  });
  assert.deepEqual(rewards[0], { weight: 2, definition, settings: { scale: 3 } });
  assert.throws(
    () => resolveRequest({ task: "colors", reward: definition, settings: { long_wordsScale: -1 } }),
    /long_wordsScale must be at least 0: it is -1/,
  );
  assert.throws(
    () => resolveRequest({ task: "colors", settings: { long_wordsScale: 1 } }),
    /has no setting "long_wordsScale"/,
  );
  function shortAnswer(text: string): number {
    return 1 / text.length;
  }
  const [own] = resolveRequest({ task: "colors", reward: shortAnswer }).rewards;
  assert.equal("reward" in own && own.reward.name, "short_answer");
});

Deno.test("a task's own measure is among the rewards, and not trained on; a run that has it keeps its weight", () => {
  const names = (reward: string) =>
    resolveRequest({ task: task({ measure: "semantic" }), reward }).rewards.map((one) => [
      "definition" in one ? one.definition.name : "",
      one.weight,
    ]);
  assert.deepEqual(names("exact"), [["exact", 1], ["semantic", 0]]);
  assert.deepEqual(names("semantic:0.5"), [["semantic", 0.5]]);
});

Deno.test("rewards that make no sense for a task are noted; those that can score nothing are refused", () => {
  const notices = (change: Partial<Task>, reward?: string) =>
    resolveRequest({ task: task(change), reward }).notices;
  assert.deepEqual(notices({ fits: ["exact"] }), [
    "semantic says little about colors: rewards that make sense for it are exact",
  ]);
  assert.deepEqual(notices({ fits: ["exact"] }, "exact,semantic:0"), []);
  assert.deepEqual(notices({ fits: ["semantic"] }), []);
  const read = (table: string) => csvTask(table, { file: "a.csv", heldoutShare: 0 });
  const some = read("prompt,answer\na,b\nc,\nd,\n");
  assert.deepEqual(resolveRequest({ task: some }).notices, [
    "0 of 3 prompts of a.csv are held out, drawn by splitSeed=1: a column split (train, heldout) says which",
    "2 of 3 training prompts have no answer (a.csv:3, a.csv:4): exact cannot score them",
  ]);
  const none = read("prompt\na\n");
  assert.throws(() => resolveRequest({ task: none, reward: "exact" }), {
    name: "TypeError",
    message:
      "Cannot train on a by exact as that compares with the answers of its examples: none has one; give " +
      "them answers, or name another reward (--reward)",
  });
  assert.throws(() => resolveRequest({ task: none }), {
    name: "TypeError",
    message:
      "Cannot train on a without a reward as its examples have no answers to compare with: name one that " +
      "needs none (--reward)",
  });
  const length = (text: string) => text.length;
  assert.equal(resolveRequest({ task: none, reward: [length, "exact:0"] }).rewards.length, 2);
});

Deno.test("a run is measured by the task's own measure, where exact means nothing", () =>
  withFolder(async (place) => {
    const request = await smallRequest(place);
    const { examples, ...rest } = request.task as Task;
    const bare = (all: Task["examples"]["train"]) => all.map(({ id, prompt }) => ({ id, prompt }));
    const own = { ...rest, measure: "semantic" };
    const reward = (text: string) => text.length;
    const run = new Recorder(`${place}/run`), reports: EvaluationReport[] = [];
    run.evaluation = (_phase, _rows, report?: EvaluationReport) => void reports.push(report!);
    const summary = await trainTask({
      ...{ ...request, steps: 1, reward, evaluateEvery: 1 },
      task: {
        ...own,
        examples: { train: bare(examples.train), heldout: bare(examples.heldout) },
        parent: { name: "blue", answer: (all) => Promise.resolve(all.map(() => "blue")) },
      },
    }, run);
    assert.equal(summary.measure, "semantic");
    assert.deepEqual(Object.keys(run.info!.weights), ["reward", "semantic"]);
    assert.ok(Number.isNaN(summary.heldout.after.exact));
    assert.ok(Number.isFinite(summary.heldout.after.measure));
    assert.equal(reports.at(-1)!.measure, summary.heldout.after.measure);
    assert.deepEqual(summary.players!.nothing, { exact: NaN, reward: 0, measure: 0 });
    assert.ok(Number.isFinite(summary.best!.reward));
  }));

/** A folder with a table and a reward in files whose names have spaces, and a request for a run of them. */
async function inFiles(place: string): Promise<TrainRequest & { task: string; reward: string }> {
  const { task: _, ...request } = await smallRequest(place);
  const table = `${place}/my prompts.csv`, reward = `${place}/short answer.ts`;
  await Deno.writeTextFile(
    table,
    "prompt,answer\nFrance:,Paris\nItaly:,Rome\nSpain:,Madrid\nPeru:,Lima\n",
  );
  await Deno.writeTextFile(reward, "export default (text: string) => 1 / (1 + text.length);");
  return { ...request, task: table, reward: `${reward}:0.5,exact` };
}

Deno.test("a run of files keeps their paths, hashes and copies, and is continued from them", () =>
  withFolder(async (place) => {
    const request = await inFiles(place), folder = `${place}/run`;
    assert.equal((await planTask(request)).task, "my-prompts");
    await runInto(folder, request, { stop: 1 });
    const { config } = await readRun(folder);
    assert.deepEqual([config.task, config.rewards], ["my-prompts", ["short_answer", "exact"]]);
    assert.deepEqual([config.config.heldoutShare, config.config.splitSeed], [0.2, 1]);
    const { ownFiles } = config, files = [ownFiles!.task!, ...ownFiles!.rewards!];
    const paths = [request.task, `${place}/short answer.ts`];
    assert.deepEqual(files.map(({ path }) => path), paths);
    assert.deepEqual(files.map(({ copy }) => copy), ["own/my prompts.csv", "own/short answer.ts"]);
    for (const { path, copy, sha256 } of files) {
      const bytes = await Deno.readFile(path);
      assert.equal(createHash("sha256").update(bytes).digest("hex"), sha256);
      assert.deepEqual(await Deno.readFile(`${folder}/${copy}`), bytes);
    }
    await runInto(`${place}/whole`, request);
    await resumeIn(folder, request);
    const [cut, whole] = [await readRun(folder), await readRun(`${place}/whole`)];
    assert.deepEqual(cut.metrics, whole.metrics);
    assert.deepEqual(cut.summary!.players, whole.summary!.players);
  }));

Deno.test("a run is not continued with a table, a reward or a split that changed since", () =>
  withFolder(async (place) => {
    const request = await inFiles(place),
      folder = `${place}/run`,
      reward = `${place}/short answer.ts`;
    await runInto(folder, request, { stop: 1 });
    const refuses = (change: object, why: RegExp) =>
      assert.rejects(resumeIn(folder, { ...request, ...change }), why);
    const [table, code] = [await Deno.readTextFile(request.task), await Deno.readTextFile(reward)];
    await Deno.writeTextFile(reward, `${code}\n`);
    // The module is loaded already; what its file says now is not what the run began with.
    await refuses(
      {},
      /as the run is not as it was then: the reward's file .*short answer\.ts has changed\. Put/,
    );
    await Deno.writeTextFile(reward, code);
    await Deno.writeTextFile(request.task, table.replace("Lima", "Cusco"));
    await refuses(
      {},
      /: the examples of the task my-prompts have changed\. .* train '.*my prompts\.csv' --model /,
    );
    await Deno.writeTextFile(request.task, table);
    await refuses({ settings: { ...request.settings, splitSeed: 2 } }, /splitSeed is 2, it was 1/);
    await Deno.rename(request.task, `${place}/other.csv`);
    await refuses({}, /as it must be a file: it is not there/);
    await refuses({ task: `${place}/other.csv` }, /the task is "other", it was "my-prompts"/);
    await Deno.rename(`${place}/other.csv`, request.task);
    await resumeIn(folder, request);
  }));

Deno.test("copies of two files of one name stand beside each other", () =>
  withFolder(async (place) => {
    const request = await inFiles(place);
    const paths: string[] = [];
    for (const [folder, name] of [["a", "short"], ["b", "long"]]) {
      await Deno.mkdir(`${place}/${folder}`);
      paths.push(`${place}/${folder}/reward.ts`);
      const score = "score: ({ prompts }) => Promise.resolve(prompts.map(() => 1))";
      await Deno.writeTextFile(paths.at(-1)!, `export default { name: "${name}", ${score} };`);
    }
    await runInto(`${place}/run`, { ...request, steps: 1, reward: paths.join() });
    const { config: { ownFiles, weights } } = await readRun(`${place}/run`);
    assert.deepEqual(weights, { short: 1, long: 1 });
    assert.deepEqual(ownFiles!.rewards!.map(({ copy }) => copy), [
      "own/reward.ts",
      "own/2-reward.ts",
    ]);
  }));
