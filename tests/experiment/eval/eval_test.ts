/** A policy beside what it began as: of runs, checkpoints, adapters and models, and what is refused. @module */
import assert from "node:assert/strict";
import { type EvalRequest, evaluateAgainstBase } from "../../../experiment/eval/eval.ts";
import { readRun } from "../../../experiment/folder/run_data.ts";
import { CpuDevice } from "../../../kernels/devices/cpu.ts";
import { tableParent } from "../../../rewards/parents/table.ts";
import type { Task } from "../../../tasks/task.ts";
import { inTemporary } from "../../_folder.ts";
import { capitals, runInto, smallRequest } from "../folder/_small_run.ts";
import { writeSmallModel } from "../_model.ts";

const device = new CpuDevice();
const evaluate = (request: EvalRequest, more = {}) =>
  evaluateAgainstBase({ task: capitals(), ...request }, { device, ...more });

/** Seven held-out prompts of the same kind. */
function towns(): Task {
  const task = capitals();
  const heldout = [..."abcdefg"].map((id) => ({ id, prompt: `${id}:`, answer: ` ${id}` }));
  const all = [...task.examples.train, ...heldout];
  const parent = tableParent(new Map(all.map(({ id, answer }) => [id, answer!])));
  return { ...task, name: "towns", parent, examples: { ...task.examples, heldout } };
}

inTemporary("greedy answers are those that the run gave before and after", async (place) => {
  const request = { ...await smallRequest(place), task: towns(), evaluateEvery: 1 };
  await runInto(`${place}/run`, request);
  const { completions, summary: told } = await readRun(`${place}/run`);
  const { summary, greedy, sampled } = await evaluate({ model: `${place}/run`, task: towns() });
  const of = (phase: string) =>
    completions.filter((row) => row.phase === phase && row.split === "heldout")
      .map(({ id, completion, reward }) => [id, completion, reward]);
  assert.deepEqual(greedy.map((p) => [p.id, p.base[0].completion, p.base[0].reward]), of("before"));
  assert.deepEqual(
    greedy.map((p) => [p.id, p.tuned[0].completion, p.tuned[0].reward]),
    of("after"),
  );
  assert.equal(summary.greedy.rewards.exact.tuned.mean, told!.heldout.after.exact);
  assert.deepEqual([summary.prompts, summary.of, summary.split], [7, 7, "heldout"]);
  assert.deepEqual(summary.weights, { exact: 1 });
  assert.equal(summary.base.name, `${place}/model`);
  assert.deepEqual(summary.tuned.run, {
    ...{ folder: `${place}/run`, step: 4, of: 4, which: "last", state: "finished" },
  });
  assert.deepEqual([sampled.length, sampled[0].base.length, summary.sampled!.samples], [7, 4, 4]);

  const early = await evaluate({ model: `${place}/run`, step: 2, task: towns(), samples: 0 });
  const there = await evaluate({
    model: `${place}/run/checkpoints/step-2`,
    ...{ task: towns(), samples: 0 },
  });
  assert.deepEqual(early.greedy, there.greedy);
  assert.deepEqual([early.summary.tuned.run!.step, early.summary.sampled], [2, undefined]);
  const during = completions.filter(({ phase, step }) => phase === "during" && step === 2);
  assert.deepEqual(
    early.greedy.map((p) => p.tuned[0].completion),
    during.map(({ completion }) => completion),
  );
  const best = await evaluate({ model: `${place}/run@best`, task: towns(), samples: 0 });
  assert.equal(best.summary.tuned.run!.step, told!.best!.step);
  const which = [early, there, best].map(({ summary }) => summary.tuned.run!.which);
  assert.deepEqual(which, ["named", "named", "best"]);
});

inTemporary(
  "samples are the same in any batch, of a seed, and by the same draws",
  async (place) => {
    await writeSmallModel(`${place}/a`, 32, 3);
    await writeSmallModel(`${place}/b`, 32, 4);
    const [model, base] = [`${place}/b`, `${place}/a`], task = towns();
    const texts = async (more: Partial<EvalRequest>) =>
      (await evaluate({ model, base, task, reward: "exact", samples: 2, ...more })).sampled
        .map(({ base, tuned }) => [base, tuned].map((all) => all.map((one) => one.completion)));
    const first = await texts({});
    assert.deepEqual(await texts({ settings: { batchSize: 3 } }), first);
    assert.notDeepEqual(await texts({ seed: 2 }), first);
    assert.notDeepEqual(await texts({ temperature: 3 }), first);
    assert.ok(first.some(([, [one, other]]) => one !== other), "two samples are two draws");
    const alike = await evaluate({ model, base: model, task, samples: 2 });
    assert.equal(alike.summary.sampled!.same, 14); // by the same random numbers
    assert.equal(alike.summary.sampled!.perplexity.difference.mean, 0);
    const some = await evaluate({ model, base, task, prompts: 3, samples: 0 });
    assert.deepEqual(some.greedy.map(({ id }) => id), ["a", "c", "e"]);
    const longer = await evaluate({ model, base, task, samples: 0, settings: { maxNewTokens: 5 } });
    assert.ok(longer.summary.greedy.tokens.tuned.mean > some.summary.greedy.tokens.tuned.mean);
    const train = await evaluate({ model, base, task, split: "train", samples: 0 });
    assert.deepEqual(train.greedy.map(({ id }) => id), ["fr", "it"]);
  },
);

inTemporary("perplexity is the base's, of either model's answers", async (place) => {
  await writeSmallModel(`${place}/a`, 32, 3);
  await writeSmallModel(`${place}/b`, 32, 4);
  const both = async (model: string, base: string) =>
    (await evaluate({ model, base, task: towns(), samples: 0 })).summary.greedy.perplexity;
  const forth = await both(`${place}/b`, `${place}/a`),
    back = await both(`${place}/a`, `${place}/b`);
  // Each finds its own most probable answers more likely than the other's.
  assert.ok(forth.base.mean < forth.tuned.mean, `${forth.base.mean} and ${forth.tuned.mean}`);
  assert.ok(back.base.mean < back.tuned.mean, `${back.base.mean} and ${back.tuned.mean}`);
  // The reward of that name, whose reference is the base and whose policy is the other.
  const scored = await evaluate({
    ...{ model: `${place}/b`, base: `${place}/a`, task: towns(), samples: 0 },
    ...{ reward: "perplexity", settings: { perplexityModel: "policy" } },
  });
  const { rewards } = scored.summary.greedy;
  assert.ok(rewards.perplexity.tuned.mean > rewards.perplexity.base.mean);
});

inTemporary("an adapter answers as its run did, and its base without it", async (place) => {
  const small = await smallRequest(place);
  const settings = { ...small.settings, loraRank: 2, learningRate: 0.1 };
  await runInto(`${place}/run`, { ...small, task: towns(), settings });
  const { completions } = await readRun(`${place}/run`);
  const { greedy } = await evaluate({ model: `${place}/run`, task: towns(), samples: 0 });
  const of = (phase: string) =>
    completions.filter((row) => row.phase === phase && row.split === "heldout")
      .map(({ completion }) => completion);
  assert.deepEqual(greedy.map(({ base }) => base[0].completion), of("before"));
  assert.deepEqual(greedy.map(({ tuned }) => tuned[0].completion), of("after"));
});

inTemporary(
  "reward and settings are the run's on its task, the task's on another",
  async (place) => {
    const settings = { learningRate: 1e-2, epochs: 1, minibatches: 1, temperature: 0.7 };
    const own = { lengthTarget: 2, maxNewTokens: 3 };
    const small = await smallRequest(place);
    await runInto(`${place}/run`, {
      ...{ ...small, steps: 1, reward: "length:0.5,exact:0" },
      settings: { ...settings, ...own },
    });
    const model = `${place}/run`;
    const { summary } = await evaluate({ model, samples: 1 });
    assert.deepEqual(summary.weights, { length: 0.5, exact: 0 });
    assert.deepEqual([summary.temperature, summary.maxNewTokens], [0.7, 3]);
    const other = (await evaluate({ model, task: towns(), samples: 1 })).summary;
    assert.deepEqual(other.weights, { exact: 1 });
    assert.deepEqual([other.temperature, other.maxNewTokens], [0.7, 2]);
    const given = await evaluate({
      model,
      ...{ samples: 1, temperature: 2, reward: "exact:2", settings: { maxNewTokens: 1 } },
    });
    assert.deepEqual(given.summary.weights, { exact: 2 });
    assert.deepEqual([given.summary.temperature, given.summary.maxNewTokens], [2, 1]);
    await assert.rejects(
      () => evaluate({ model, settings: { lengthTargett: 1 } }),
      /unknown .*lengthTargett.*Did you mean|lengthTargett/,
    );
    const said: string[] = [];
    await evaluate({ model, task: capitals(" Lyon"), samples: 0 }, {
      notice: said.push.bind(said),
    });
    assert.match(said.join(), /examples of capitals are not those of the run, which may have been/);
  },
);

inTemporary(
  "what cannot be evaluated is said with its cure, and no code of a folder runs",
  async (place) => {
    const small = await smallRequest(place);
    await runInto(`${place}/run`, { ...small, steps: 1 });
    const model = `${place}/run`, config = await Deno.readTextFile(`${model}/config.json`);
    const refused = (message: RegExp, request: Partial<EvalRequest> = {}) =>
      assert.rejects(() => evaluate({ model, ...request }), message);
    await refused(/no task "capitals"|Cannot open capitals, the task of .*run/, {
      task: undefined,
    });
    await refused(/no checkpoint of step 3 in .*run\. {2}Steps: 0, 1/, { step: 3 });
    await refused(/an evaluation as samples must be at most 1024: it is 2000/, { samples: 2000 });
    await refused(/the longest prompt takes \d+; ask for at most/, {
      settings: { maxNewTokens: 99 },
    });
    await refused(/two models need .*; lower batchSize/, { memory: 1e-6 });
    const bare = { ...capitals(), examples: { ...capitals().examples, heldout: [] } };
    await refused(/capitals has none: ask about those of training \(--split train\)/, {
      task: bare,
    });
    await refused(/Cannot evaluate the model .*model alone/, { model: `${place}/model` });

    const write = (text: string) => Deno.writeTextFile(`${model}/config.json`, text);
    await write(config.replace('"seed": 2', '"seed": "two"'));
    await refused(/Cannot read .*config\.json as seed is "two"/);
    await write(config.slice(0, 40));
    await refused(/^RunFolderError: Cannot (use|read) .*config\.json/);
    const code = `${model}/mine.ts`;
    await Deno.writeTextFile(code, `Deno.writeTextFileSync("${place}/ran", ""); export default 1;`);
    const request = { task: code, algorithm: "ppo", model: "tiny", seed: 1, device: "cpu" };
    await write(JSON.stringify({
      ...JSON.parse(config),
      request: { ...request, saveEvery: 1, settings: {} },
    }));
    await refused(/Cannot evaluate .* as it would run the code of .*mine\.ts/, { task: undefined });
    await write(JSON.stringify({
      ...JSON.parse(config),
      request: {
        ...{ ...request, task: "capitals", saveEvery: 1, settings: {} },
        rewards: [{ name: code, weight: 1 }],
      },
    }));
    await refused(/Cannot evaluate .* as it would run the code of .*mine\.ts/); // of its rewards
    await assert.rejects(() => Deno.stat(`${place}/ran`), Deno.errors.NotFound);

    await write(config);
    await writeSmallModel(`${place}/model`, 32, 9);
    await refused(/model\.safetensors changed since\..* name it: --base MODEL/);
    const { summary } = await evaluate({ model, base: `${place}/model`, samples: 0 });
    assert.equal(summary.base.name, `${place}/model`);
  },
);

inTemporary(
  "a stop is heard after the batch in hand, and a reward may have no score",
  async (place) => {
    await writeSmallModel(`${place}/a`, 32);
    const stopper = new AbortController(), given: number[] = [];
    const request = {
      ...{ model: `${place}/a`, base: `${place}/a`, task: towns(), samples: 1 },
      settings: { batchSize: 2 },
    };
    await assert.rejects(
      () =>
        evaluate(request, {
          signal: stopper.signal,
          progress(done: number, of: number) {
            given.push(done);
            assert.equal(of, 28);
            if (done === 4) stopper.abort(new Error("enough"));
          },
        }),
      /^Error: enough$/,
    );
    assert.deepEqual(given, [2, 4]);
    const none = {
      name: "odd",
      score: ({ prompts }: { prompts: readonly string[] }) =>
        Promise.resolve(prompts.map((text) => text < "d" ? null : 1)),
    };
    const { summary: { greedy } } = await evaluate({ ...request, reward: none, samples: 0 });
    assert.deepEqual(greedy.unscored, { base: 3, tuned: 3 });
    assert.deepEqual([greedy.reward.base.mean, greedy.reward.base.n], [1, 4]);
  },
);
