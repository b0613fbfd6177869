/** A run with a fault on purpose: it says so, has it, and one without is as it always was. */
import assert from "node:assert/strict";
import { withFault } from "../../../experiment/faults/apply.ts";
import { FAULT_NAMES, faultWords } from "../../../experiment/faults/registry.ts";
import { planRun } from "../../../experiment/memory_plan.ts";
import { openRun } from "../../../experiment/open.ts";
import { resolveRequest } from "../../../experiment/request.ts";
import { type TrainRequest, trainTask } from "../../../experiment/train.ts";
import { measureRun } from "../../../experiment/measure.ts";
import { CpuDevice } from "../../../kernels/devices/cpu.ts";
import { combine } from "../../../rewards/combine.ts";
import type { Rollout } from "../../../rl/policy.ts";
import { tableParent } from "../../../rewards/parents/table.ts";
import type { Task } from "../../../tasks/task.ts";
import { withFolder } from "../../_folder.ts";
import { TablePolicy } from "../../rl/_table_policy.ts";
import { Recorder, stopAndResume, writeSmallModel } from "../_model.ts";

const SETTINGS = { batchSize: 6, maxNewTokens: 3, epochs: 2, learningRate: 1e-2 };
const NAMES = FAULT_NAMES.slice(1);

/** Prompts of several lengths. */
function numbers(): Task {
  const said = ["one", "two and three", "four", "five, six and seven", "eight", "nine or ten"];
  const examples = said.map((prompt, id) => ({ id: String(id), prompt, answer: prompt.at(-1)! }));
  return {
    name: "numbers",
    summary: "go on after numbers",
    examples: { train: examples.slice(0, 5), heldout: examples.slice(5) },
    maxNewTokens: 3,
    defaultRewards: "exact",
    steps: 2,
    settings: { batchSize: 6 },
    parent: tableParent(new Map()),
  };
}
const counting = (name: string, letter: RegExp) => ({
  name,
  score: ({ completions }: { completions: readonly string[] }) =>
    Promise.resolve(completions.map((text) => text.match(letter)?.length ?? 0)),
});
const REWARDS = [counting("letters", /./g), counting("vowels", /[aeiou ]/g)];

const inFolder = (body: (folder: string, request: TrainRequest) => Promise<void>) =>
  withFolder(async (folder) => {
    const model = `${folder}/model`;
    await Deno.mkdir(model);
    await writeSmallModel(model);
    const ends = Array.from({ length: 170 }, (_, i) => 3 * i); // often drawn
    const text = JSON.stringify({ eos_token_id: ends });
    await Deno.writeTextFile(`${model}/generation_config.json`, text);
    const common = { task: numbers(), reward: REWARDS, steps: 2, seed: 2, players: false };
    await body(folder, { ...common, model, device: "cpu" });
  });

async function run(folder: string, request: TrainRequest, change = {}): Promise<Recorder> {
  const recorder = new Recorder(`${folder}/run-${Math.random()}`);
  await trainTask({ ...request, settings: { ...SETTINGS, ...change } }, recorder);
  return recorder;
}

Deno.test("a run has the fault that it is asked for, and says so; one without changes no bit", () =>
  inFolder(async (folder, request) => {
    const right = await run(folder, request);
    const none = await run(folder, request, { fault: "none" });
    assert.deepEqual([none.rows, none.completions], [right.rows, right.completions]);
    assert.equal(right.info!.config.fault, "none");
    assert.ok(!right.said.join().includes("on purpose"));
    const most = (of: Recorder, name: string) => Math.max(...of.rows.map((row) => row[name]));
    const gap = "sampling/logp_difference_max", length = "tokens/responses_len_mean";
    assert.ok(most(right, gap) < 1e-5 && most(right, length) <= 3);
    const wrong: Record<string, Recorder> = {};
    for (const fault of NAMES) {
      const of = wrong[fault] = await run(folder, request, { fault });
      assert.equal(of.info!.config.fault, fault);
      assert.ok(of.said.includes(`note: ${faultWords(fault)}`), of.said.join("\n"));
      assert.notDeepEqual(of.rows, right.rows, fault);
      const drawn = ({ completions }: Recorder) =>
        completions.filter(({ step, phase }) => step <= 1 && phase !== "after")
          .map(({ completion }) => completion);
      assert.deepEqual(drawn(of), drawn(right), "what was drawn before it learned is scored");
    }
    assert.ok(most(wrong.unshifted, gap) > 0.05);
    assert.ok(most(wrong["left-padding"], length) > 3);
    assert.ok(most(wrong["end-as-padding"], gap) < 1e-5);
    const columns = (of: Recorder) =>
      ["letters", "vowels"].map((name) => of.rows.map((row) => row[`rewards/${name}/mean`]));
    const [first, last] = columns(wrong["late-binding"]);
    assert.deepEqual(first, last);
    assert.notDeepEqual(columns(right)[0], columns(right)[1]);
    assert.equal(first[0], columns(right)[1][0], "the last one's");
  }));

Deno.test("without a fault a run trains by the very things that are right", () => {
  const policy = new TablePolicy(3), rollout = { responses: [] } as unknown as Rollout;
  const reward = { name: "one", score: () => Promise.resolve([1]) };
  const rewards = combine([{ reward, weight: 1 }]);
  const options = { ends: [0], microbatchRows: 0, prompts: [] };
  const right = withFault("none", { policy, rewards }, options);
  assert.ok(right.policy === policy && right.rewards === rewards);
  assert.equal(right.drawn(rollout), rollout.responses);
});

Deno.test("a run with a fault continues with it, bit for bit", () =>
  inFolder(async (folder, request) => {
    for (const fault of ["unshifted", "left-padding"]) {
      const asked = { ...request, steps: 4, settings: { ...SETTINGS, fault } };
      const { first, second } = await stopAndResume(asked, `${folder}/${fault}`);
      const whole = new Recorder(`${folder}/${fault}-whole`);
      await trainTask(asked, whole);
      assert.deepEqual([...first.rows, ...second.rows], whole.rows);
    }
  }));

Deno.test("the memory of a run that asks tokens after themselves is planned", () =>
  inFolder(async (_folder, request) => {
    const asked = { ...request, settings: { ...SETTINGS, batchSize: 40, fault: "unshifted" } };
    const plan = resolveRequest(asked);
    using device = new CpuDevice();
    const { sizes } = await measureRun(plan, request.model!, device);
    const { total } = planRun(device, sizes);
    const right = planRun(device, { ...sizes, settings: { ...sizes.settings, fault: "none" } });
    assert.ok(total > right.total, "the last token of a response is read too");
    using run = await openRun(plan, device);
    assert.equal(device.memory.live, total);
    const longest = [...run.prompts.values()].sort((a, b) => b.length - a.length)[0];
    const ids = Array.from({ length: 40 }, (_, b) => Int32Array.from([b, ...longest.subarray(1)]));
    await run.trainer.step(ids, ({ responses }) => Promise.resolve(responses.map((_, b) => b)));
    assert.equal(device.memory.live, total);
  }));

Deno.test("settings that a fault cannot be had with are refused, with the cure", () => {
  const resolve = (settings: Record<string, string>, reward = "semantic") =>
    resolveRequest({ task: "colors", reward, settings });
  assert.throws(
    () => resolve({ fault: "late-binding" }),
    /^RangeError: Cannot train with fault=late-binding as it needs two rewards .*: 1 is trained on; .*--reward/,
  );
  assert.throws(() => resolve({ fault: "late-binding" }, "exact:0,semantic"), /: 1 is trained on;/);
  resolve({ fault: "late-binding" }, "exact,semantic");
  for (const sharePrefixes of ["off", "check"]) {
    assert.throws(
      () => resolve({ fault: "unshifted", sharePrefixes }),
      new RegExp(
        `^RangeError: Cannot train with fault=unshifted as .*: sharePrefixes is ${sharePrefixes}; set`,
      ),
    );
  }
  assert.throws(
    () => resolve({ fault: "unshift" }),
    /fault must be one of none, unshifted, .*unshifted/,
  );
  assert.equal(faultWords("none"), undefined);
  assert.equal(faultWords(undefined), undefined, "a run of an earlier version");
});
