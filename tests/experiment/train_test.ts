import assert from "node:assert/strict";
import { RunFolder } from "../../experiment/folder/run_folder.ts";
import { DeviceLostError } from "../../kernels/devices/webgpu/faults.ts";
import { ppo } from "../../rl/algorithms/ppo.ts";
import { phaseText } from "../../experiment/observer.ts";
import { type TrainRequest, trainTask } from "../../experiment/train.ts";
import { tableParent } from "../../rewards/parents/table.ts";
import type { Reward } from "../../rewards/reward.ts";
import { withFolder } from "../_folder.ts";
import { Recorder, writeSmallModel } from "./_model.ts";
import { testOnKinds, testOnWebGpu } from "../_devices.ts";

const settings = { batchSize: 6, minibatches: 2, epochs: 2, learningRate: 1e-3 };

/**
 * Gives `body` a folder with a small model in `model`, and takes it away again. Whatever permissions the
 * test has, a model that is not there is not looked for at the hub.
 */
async function inFolder(body: (folder: string, request: TrainRequest) => Promise<void>) {
  const folder = await Deno.makeTempDir(), offline = Deno.env.get("HF_HUB_OFFLINE");
  Deno.env.set("HF_HUB_OFFLINE", "1");
  try {
    await Deno.mkdir(`${folder}/model`);
    await writeSmallModel(`${folder}/model`);
    await body(folder, {
      task: "colors",
      model: `${folder}/model`,
      steps: 4,
      seed: 2,
      settings,
      device: "cpu",
    });
  } finally {
    if (offline === undefined) Deno.env.delete("HF_HUB_OFFLINE");
    else Deno.env.set("HF_HUB_OFFLINE", offline);
    await Deno.remove(folder, { recursive: true });
  }
}

testOnKinds(
  "a run trains, reports every step, and the same seed gives the same bytes",
  (device) =>
    inFolder(async (folder, request) => {
      const files: Uint8Array[][] = [];
      for (const name of ["first", "second"]) {
        const run = new RunFolder({ out: `${folder}/${name}`, command: "", request: {} });
        const summary = await trainTask({ ...request, device }, run);
        assert.equal(summary.device.kind, device);
        assert.equal(summary.steps, 4);
        files.push([
          await Deno.readFile(`${folder}/${name}/metrics.csv`),
          await Deno.readFile(`${folder}/${name}/completions.csv`),
          await Deno.readFile(`${folder}/${name}/checkpoints/step-4/model.safetensors`),
        ]);
      }
      assert.deepEqual(files[0], files[1]);
      const other = new RunFolder({ out: `${folder}/other`, command: "", request: {} });
      await trainTask({ ...request, device, seed: 3 }, other);
      assert.notDeepEqual(await Deno.readFile(`${folder}/other/metrics.csv`), files[0][0]);
    }),
);

testOnKinds(
  "a run stopped after any step and resumed ends as one that was not",
  (device) =>
    inFolder(async (folder, request) => {
      const whole = new Recorder(`${folder}/whole`);
      await trainTask({ ...request, device }, whole);
      for (const stop of [1, 3]) {
        const stopper = new AbortController();
        const first = new Recorder(`${folder}/stopped-${stop}`, (step) => {
          if (step === stop) stopper.abort(new Error("stop"));
        });
        await assert.rejects(
          () => trainTask({ ...request, device }, first, { signal: stopper.signal }),
          /^Error: stop$/,
        );
        assert.equal(first.rows.length, stop);
        const names = [0, stop].map((step) => `${folder}/stopped-${stop}/step-${step}`);
        assert.deepEqual(first.checkpoints, names);
        const second = new Recorder(`${folder}/resumed-${stop}`);
        await trainTask({ ...request, device, resume: first.checkpoints[1] }, second);
        assert.deepEqual([...first.rows, ...second.rows], whole.rows);
        assert.deepEqual(second.summary!.heldout, whole.summary!.heldout);
        assert.deepEqual(second.summary!.train, whole.summary!.train);
        assert.deepEqual(second.phases, ["after:train", "after:heldout"]);
        for (const file of ["model.safetensors", "optimizer.safetensors"]) {
          assert.deepEqual(
            await Deno.readFile(`${second.checkpoints.at(-1)}/${file}`),
            await Deno.readFile(`${whole.checkpoints.at(-1)}/${file}`),
            file,
          );
        }
      }
    }),
);

Deno.test("a run trains on training prompts alone, each once an epoch, and judges both splits", () =>
  inFolder(async (folder, request) => {
    const run = new Recorder(folder);
    const summary = await trainTask(
      { ...request, steps: 4, settings: { ...settings, batchSize: 36 }, saveEvery: 2 },
      run,
    );
    const of = (phase: string) => run.completions.filter((row) => phaseText(row) === phase);
    const heldout = new Set(of("before:heldout").map(({ id }) => id));
    assert.equal(heldout.size, 18);
    const trained = of("train");
    assert.equal(trained.length, 4 * 36);
    assert.ok(trained.every(({ id }) => !heldout.has(id)));
    for (const epoch of [trained.slice(0, 72), trained.slice(72)]) {
      assert.equal(new Set(epoch.map(({ id }) => id)).size, 72);
    }
    assert.notDeepEqual(
      trained.slice(0, 72).map(({ id }) => id),
      trained.slice(72).map(({ id }) => id),
    );
    assert.deepEqual(run.phases, [
      "before:train",
      "before:heldout",
      "after:train",
      "after:heldout",
    ]);
    assert.deepEqual(run.checkpoints.map((path) => path.split("-").at(-1)), ["0", "2", "4"]);
    const names = Object.keys(run.rows[0]);
    assert.deepEqual(names.slice(1, 1 + ppo.metrics.length), ppo.metrics.map(({ name }) => name));
    assert.deepEqual(names.slice(1 + ppo.metrics.length), [
      "rewards/exact/mean",
      "rewards/exact/std",
      "rewards/semantic/mean",
      "rewards/semantic/std",
      "rewards/semantic/out_of_vocabulary",
      "rewards/semantic/no_parent_answer",
      "rewards/semantic/parent_out_of_vocabulary",
      "rewards/semantic/fallbacks",
    ]);
    const mean = (rows: typeof trained) =>
      rows.reduce((sum, { reward }) => sum + reward!, 0) / rows.length;
    assert.equal(summary.train.before.reward, mean(of("before:train")));
    assert.equal(summary.heldout.after.reward, mean(of("after:heldout")));
  }));

Deno.test("the first checkpoint comes before the first step, and a run resumed there is the whole run", () =>
  inFolder(async (folder, request) => {
    const whole = new Recorder(`${folder}/whole`);
    const summary = await trainTask(request, whole);
    const resume = `${folder}/whole/step-0`;
    assert.equal(whole.checkpoints[0], resume);
    const again = new Recorder(`${folder}/again`);
    const { heldout, train } = await trainTask({ ...request, resume }, again);
    assert.deepEqual(again.rows, whole.rows);
    assert.deepEqual([heldout, train], [summary.heldout, summary.train]);
    assert.deepEqual(again.phases, ["after:train", "after:heldout"]); // nothing is answered twice
  }));

Deno.test("Ctrl-C while answering after training loses nothing: resumed, the run only answers", () =>
  inFolder(async (folder, request) => {
    const whole = new Recorder(`${folder}/whole`);
    const { heldout, train } = await trainTask(request, whole);
    for (const stopAt of ["the notice", "after:train"]) {
      const stopper = new AbortController();
      const cut = new Recorder(`${folder}/${stopAt}`);
      const notice = cut.notice.bind(cut), evaluation = cut.evaluation.bind(cut);
      cut.notice = (text) => {
        notice(text);
        // As a signal does: it arrives when the event loop turns.
        if (stopAt === "the notice" && text === "answering after training") {
          setTimeout(() => stopper.abort(new Error("stop")), 0);
        }
      };
      cut.evaluation = (phase, rows) => {
        evaluation(phase, rows);
        if (phaseText(phase) === stopAt) stopper.abort(new Error("stop"));
      };
      await assert.rejects(trainTask(request, cut, { signal: stopper.signal }), /^Error: stop$/);
      assert.ok(!cut.phases.includes("after:heldout"), "it stops before the end");
      assert.equal(cut.checkpoints.at(-1), `${cut.folder}/step-4`);
      const resumed = new Recorder(`${folder}/${stopAt} again`);
      const summary = await trainTask({ ...request, resume: cut.checkpoints.at(-1) }, resumed);
      assert.deepEqual([summary.heldout, summary.train], [heldout, train]);
      assert.deepEqual([resumed.rows, resumed.checkpoints], [[], []]);
    }
  }));

Deno.test("Ctrl-C while answering before training saves step 0; before that nothing is made", () =>
  inFolder(async (folder, request) => {
    const stopper = new AbortController();
    const early = new Recorder(`${folder}/early`);
    early.evaluation = () => stopper.abort(new Error("stop"));
    await assert.rejects(trainTask(request, early, { signal: stopper.signal }), /^Error: stop$/);
    assert.deepEqual([early.checkpoints, early.rows], [[`${folder}/early/step-0`], []]);
    const none = new Recorder(`${folder}/none`);
    await assert.rejects(trainTask(request, none, { signal: stopper.signal }), /^Error: stop$/);
    assert.equal(none.info, undefined);
  }));

Deno.test("a resumed run goes on with the commit that it started from, though the branch moved on", () =>
  inFolder(async (folder, request) => {
    const home = `${folder}/models--someone--small`, before = Deno.env.get("HF_HUB_CACHE");
    const [first, second] = ["a".repeat(40), "b".repeat(40)];
    const moveTo = async (commit: string, seed: number) => {
      await Deno.mkdir(`${home}/refs`, { recursive: true });
      await writeSmallModel(`${home}/snapshots/${commit}`, 96, seed);
      await Deno.writeTextFile(`${home}/refs/main`, commit);
    };
    Deno.env.set("HF_HUB_CACHE", folder);
    try {
      await moveTo(first, 3);
      const asked = { ...request, model: "someone/small", steps: 2 };
      const whole = new Recorder(`${folder}/whole`);
      await trainTask(asked, whole);
      assert.deepEqual(whole.info!.source, {
        kind: "hub",
        id: "someone/small",
        revision: "main",
        commit: first,
      });
      assert.deepEqual(whole.info!.weights, { semantic: 1 });
      assert.match(
        whole.said[0],
        /^model someone\/small@main \(commit a{40}\) from the hub's cache/,
      );
      const stopper = new AbortController();
      const cut = new Recorder(`${folder}/cut`, () => stopper.abort(new Error("stop")));
      await assert.rejects(trainTask(asked, cut, { signal: stopper.signal }), /^Error: stop$/);
      await moveTo(second, 4);
      const resumed = new Recorder(`${folder}/resumed`);
      await trainTask({ ...asked, resume: cut.checkpoints.at(-1) }, resumed);
      assert.deepEqual(resumed.info!.source, whole.info!.source);
      assert.deepEqual([...cut.rows, ...resumed.rows], whole.rows); // KL to the reference included
      const moved = new Recorder(`${folder}/moved`);
      await trainTask({ ...asked, steps: 1 }, moved);
      assert.equal((moved.info!.source as { commit: string }).commit, second);
      await Deno.remove(`${home}/snapshots/${first}`, { recursive: true });
      await assert.rejects(
        trainTask({ ...asked, resume: cut.checkpoints.at(-1) }, new Recorder(folder)),
        /deno task fetch someone\/small@a{40}$/,
      );
    } finally {
      if (before === undefined) Deno.env.delete("HF_HUB_CACHE");
      else Deno.env.set("HF_HUB_CACHE", before);
    }
  }));

Deno.test("a resumed run refuses a model folder that has changed since it began", () =>
  inFolder(async (folder, request) => {
    const run = new Recorder(`${folder}/run`);
    await trainTask({ ...request, steps: 1 }, run);
    await writeSmallModel(`${folder}/model`, 80);
    const resume = run.checkpoints.at(-1)!;
    await assert.rejects(
      trainTask({ ...request, steps: 2, resume }, new Recorder(folder)),
      /the run began with other files: config\.json, model\.safetensors changed since/,
    );
  }));

const wrong: [string, Partial<TrainRequest>, RegExp][] = [
  ["an unknown task", { task: "colrs" }, /colrs.*colors/],
  ["an unknown reward", { reward: "semantik" }, /semantik.*semantic/],
  ["an unknown setting", { settings: { ...settings, lambd: 1 } as never }, /no setting "lambd"/],
  ["a setting out of range", { settings: { ...settings, gamma: 2 } }, /gamma must be at most 1/],
  [
    "no batch",
    { settings: { ...settings, batchSize: 0 } },
    /batchSize must be at least 1: it is 0/,
  ],
  ["an unknown model", { model: "gpt9" }, /no run or model "gpt9" in /],
  ["a checkpoint that is none", { resume: "tests/fixtures" }, /readable trainer\.json/],
];
for (const [what, change, message] of wrong) {
  Deno.test(`trainTask() refuses ${what}`, () =>
    inFolder(async (folder, request) => {
      const run = new Recorder(folder);
      await assert.rejects(() => trainTask({ ...request, ...change }, run), message);
      assert.deepEqual([run.rows.length, run.checkpoints.length], [0, 0]);
    }));
}

Deno.test("trainTask() refuses a model whose context is shorter than the prompts", () =>
  inFolder(async (folder, request) => {
    await writeSmallModel(`${folder}/model`, 16);
    await assert.rejects(
      () => trainTask(request, new Recorder(folder)),
      /RangeError: Cannot .*16.*positions|RangeError: Cannot .*positions.*16/,
    );
  }));

Deno.test("trainTask() refuses a broken trainer.json and a checkpoint beyond the end", () =>
  inFolder(async (folder, request) => {
    const run = new Recorder(`${folder}/run`);
    await trainTask({ ...request, steps: 2 }, run);
    const resume = run.checkpoints.at(-1)!;
    await assert.rejects(
      () => trainTask({ ...request, steps: 1, resume }, new Recorder(folder)),
      /ends at step 1: it is at 2; name an earlier checkpoint/,
    );
    await Deno.writeTextFile(`${resume}/trainer.json`, '{"ppo": {"step": 1}');
    await assert.rejects(
      () => trainTask({ ...request, resume }, new Recorder(folder)),
      /holds a readable trainer\.json/,
    );
    await Deno.writeTextFile(`${resume}/trainer.json`, '{"ppo": {"step": 1}}');
    await assert.rejects(
      () => trainTask({ ...request, resume }, new Recorder(folder)),
      /in its trainer\.json before is missing/,
    );
    for (const text of ["null", "[]", "7", '"text"']) {
      await Deno.writeTextFile(`${resume}/trainer.json`, text);
      await assert.rejects(() => trainTask({ ...request, resume }, new Recorder(folder)), {
        name: "CheckpointError",
        message: /its trainer\.json must hold an object: it holds (null|\[\]|7|"text")\. /,
      });
    }
  }));

testOnWebGpu(
  "a lost device ends the run with its cause; the checkpoint before it resumes",
  () =>
    inFolder(async (folder, request) => {
      const opened: GPUDevice[] = [];
      const { requestDevice } = GPUAdapter.prototype;
      GPUAdapter.prototype.requestDevice = async function (...given) {
        const device = await requestDevice.apply(this, given);
        opened.push(device);
        return device;
      };
      try {
        const run = new Recorder(`${folder}/run`, (step) => {
          if (step === 3) opened[0].destroy();
        });
        const lost = { ...request, device: "webgpu" as const, saveEvery: 2 };
        await assert.rejects(() => trainTask(lost, run), (error) => {
          assert.ok(error instanceof DeviceLostError, String(error));
          assert.match(error.message, /the GPU device was lost.*Resume from the last checkpoint/);
          return true;
        });
        assert.deepEqual(run.checkpoints, [0, 2].map((step) => `${folder}/run/step-${step}`));
        const again = new Recorder(`${folder}/again`);
        await trainTask({ ...lost, resume: run.checkpoints[1] }, again);
        assert.deepEqual(again.rows.map(({ step }) => step), [3, 4]);
        assert.deepEqual(again.rows[0], run.rows[2]);
      } finally {
        GPUAdapter.prototype.requestDevice = requestDevice;
      }
    }),
);

Deno.test("a preset takes the place of the task's settings, and the request's win over it", () =>
  inFolder(async (folder, request) => {
    const run = new Recorder(folder);
    const changed = { batchSize: 4, epochs: 1, semanticPower: 2 };
    await trainTask({ ...request, steps: 1, preset: "trl-0.11-ppo", settings: changed }, run);
    const { config } = run.info!;
    assert.equal(config.learningRate, 1.41e-5); // TRL's, not the task's
    assert.equal(config.klControl, "adaptive");
    assert.deepEqual([config.batchSize, config.epochs, config.maxNewTokens], [4, 1, 2]);
    const { scores, completion } = run.completions.find(({ scores }) => scores.semantic! > 0)!;
    const squared = new Recorder(folder);
    await trainTask({
      ...request,
      steps: 1,
      preset: "trl-0.11-ppo",
      settings: { ...changed, semanticPower: 4 },
    }, squared);
    const same = squared.completions.find((row) => row.completion === completion)!;
    assert.ok(Math.abs(same.scores.semantic! - scores.semantic! ** 2) < 1e-12);
    await assert.rejects(
      () => trainTask({ ...request, preset: "trl" }, new Recorder(folder)),
      /the preset "trl" as there are only trl-0\.11/,
    );
  }));

Deno.test("with dynamic sampling every completion drawn is kept once, in training order, and rewards are means over them", () =>
  inFolder(async (folder, request) => {
    const run = new Recorder(folder), groups = 3, groupSize = 4;
    const settings = { batchSize: 12, groupSize, maxDraws: 3, learningRate: 1e-2 };
    await trainTask({ ...request, algorithm: "dapo", settings }, run);
    const ids: string[] = [];
    let reused = 0, evicted = 0;
    for (const row of run.rows) {
      const drawn = run.completions.filter((of) => of.phase === "train" && of.step === row.step);
      assert.equal(drawn.length, row["groups/draws"] * groups * groupSize);
      const mean = drawn.reduce((sum, { scores }) => sum + scores.exact!, 0) / drawn.length;
      assert.equal(row["rewards/exact/mean"], mean);
      const scored = drawn.filter(({ reward }) => reward !== null).length;
      assert.equal(row["rewards/scored_count"], scored);
      const equal = drawn.filter((_, b) => b % groupSize === 0).filter(({ id }, g) => {
        const group = drawn.slice(g * groupSize, (g + 1) * groupSize);
        assert.ok(group.every((of) => of.id === id));
        ids.push(id);
        const rewards = group.map(({ reward }) => reward).filter((reward) => reward !== null);
        return new Set(rewards.map(Math.fround)).size < 2;
      });
      assert.equal(row["groups/evicted"], equal.length);
      reused += row["groups/kept"];
      evicted += equal.length;
      const counted = drawn.filter(({ scores }) => scores.semantic === null).length;
      const counts = ["out_of_vocabulary", "no_parent_answer", "parent_out_of_vocabulary"]
        .map((name) => row[`rewards/semantic/${name}`]);
      assert.ok(counted <= counts.reduce((sum, n) => sum + n), "counts are sums over all draws");
    }
    assert.ok(reused > 0 && evicted > 0, `${reused} kept, ${evicted} evicted`);
    const first = ids.slice(0, 72);
    assert.equal(new Set(first).size, first.length); // one after the other, none left out or twice
  }));

Deno.test("a run whose rewards never differ says that nothing could be learned", () =>
  withFolder(async (folder) => {
    await writeSmallModel(`${folder}/model`);
    const said = async (score: (row: number) => number) => {
      const reward: Reward = {
        name: "own",
        score: ({ completions }) => Promise.resolve(completions.map((_, i) => score(i))),
      };
      const watched = new Recorder(folder);
      await trainTask({
        ...{ task: "colors", reward, model: `${folder}/model`, steps: 2, seed: 1, device: "cpu" },
        ...{ settings: { batchSize: 4 }, players: false },
      }, watched);
      const words = [/all completions had the same reward/, /no answer was right/];
      return words.map((word) => watched.said.filter((text) => word.test(text)).length);
    };
    assert.deepEqual([await said(() => 0.5), await said((i) => i)], [[1, 1], [0, 1]]);
  }));

Deno.test("a reward that fails late loses no step that was trained", () =>
  withFolder(async (folder) => {
    await writeSmallModel(`${folder}/model`);
    let calls = 0;
    const late: Reward = {
      name: "late",
      score({ completions }) {
        // Two evaluations of a batch each come first, then steps 1 and 2.
        if (++calls > 4) throw new Error("my own bug");
        return Promise.resolve(completions.map((_, i) => i));
      },
    };
    const watched = new Recorder(folder);
    const example = (id: string) => ({ id, prompt: id });
    const task = {
      ...{ name: "own", summary: "", maxNewTokens: 2, defaultRewards: "", steps: 5 },
      examples: { train: [example("a b"), example("b c")], heldout: [example("c d")] },
      settings: { batchSize: 2 },
      parent: tableParent(new Map()),
    };
    await assert.rejects(
      trainTask({
        ...{ task, reward: late, model: `${folder}/model`, seed: 1, device: "cpu", players: false },
      }, watched),
      /Cannot score by the reward late: my own bug/,
    );
    assert.equal(watched.rows.length, 2);
    assert.deepEqual(watched.checkpoints, ["step-0", "step-2"].map((step) => `${folder}/${step}`));
  }));
