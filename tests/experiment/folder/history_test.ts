import assert from "node:assert/strict";
import {
  changesOf,
  endOf,
  readHistory,
  type RunEvent,
  settingsAt,
} from "../../../experiment/folder/history.ts";
import { keptSteps } from "../../../experiment/folder/retention.ts";
import { checkpointSteps, readRun } from "../../../experiment/folder/run_data.ts";
import { RunFolder } from "../../../experiment/folder/run_folder.ts";
import { Course, isRunaway } from "../../../experiment/runaway.ts";
import { inTemporary } from "../../_folder.ts";
import { completion, info, summary, timings } from "../../cli/_folders.ts";

const healthy = { "policy/approxkl": 0.3, "kl/reference": 1, "tokens/responses_len_mean": 2 };

Deno.test("the three newest checkpoints are kept, and the last before a run went astray", () => {
  assert.deepEqual(keptSteps([0, 1, 2, 3], { newest: 3 }), [1, 2, 3]);
  assert.deepEqual(keptSteps([0, 10, 99, 100], { newest: 100 }), [10, 99, 100]);
  assert.deepEqual(keptSteps([1, 99, 100, 11], { newest: 11 }), [99, 100, 11]);
  assert.deepEqual(keptSteps([3, 4, 5, 6], { newest: 6, good: 3 }), [3, 5, 6]);
  assert.deepEqual(keptSteps([3, 5, 6, 7], { newest: 7, good: 4 }), [3, 6, 7]);
  assert.deepEqual(keptSteps([3, 4, 5, 6], { newest: 6, good: 5 }), [4, 5, 6]);
  assert.deepEqual(keptSteps([3, 4, 5, 6], { newest: 6, good: 2 }), [4, 5, 6]); // there is none
  assert.deepEqual(keptSteps([0], { newest: 0 }), [0]);
});

Deno.test("an update runs away where it is skipped or moves the policy by more than 3 nats per token", () => {
  assert.ok(!isRunaway(healthy));
  assert.ok(!isRunaway({}));
  assert.ok(isRunaway({ ...healthy, "optimizer/skipped_updates": 1 }));
  const unscored = { "optimizer/skipped_updates": 1, "rewards/scored_count": 0 };
  assert.ok(!isRunaway({ ...healthy, ...unscored })); // the reward's fault, and nothing was learned
  assert.ok(isRunaway({ ...healthy, "policy/approxkl": 3.1 }));
  assert.ok(!isRunaway({ ...healthy, "policy/approxkl": 2.9 }));
  // One update per step: how far it moved shows in the next step's KL, 2 tokens per completion.
  assert.ok(isRunaway({ ...healthy, "kl/reference": 7.1 }, healthy));
  assert.ok(!isRunaway({ ...healthy, "kl/reference": 6.9 }, healthy));
  assert.ok(!isRunaway({ ...healthy, "kl/reference": 7.1 })); // after a resume without a step before
  const course = new Course();
  course.take(1, healthy);
  assert.equal(course.good, undefined);
  course.take(2, healthy);
  course.take(3, { ...healthy, "policy/approxkl": 40 });
  course.take(4, { ...healthy, "policy/approxkl": 40 });
  assert.equal(course.good, 1);
  const early = new Course();
  early.take(1, { ...healthy, "policy/approxkl": 40 });
  assert.equal(early.good, 0);
});

/** A run folder in `place`, also one that is continued after a step. */
const open = (place: string, step?: number) =>
  new RunFolder({
    ...(step === undefined
      ? { out: `${place}/run` }
      : { resume: { folder: `${place}/run`, step } }),
    command: "",
    request: {},
  });

/** Steps `from` + 1 to `to`, with a checkpoint after each; from step `bad` on they run away. */
async function steps(run: RunFolder, [from, to]: [number, number], bad = Infinity): Promise<void> {
  for (let step = from + 1; step <= to; step++) {
    const metrics = { ...healthy, "policy/approxkl": step >= bad ? 1e6 : 0.1 };
    await run.step({ step, metrics, completions: [completion(step, "train", "x")], timings });
    await run.checkpoint(step, (to) => Deno.writeTextFile(`${to}/state.json`, `${bad}`));
  }
}

inTemporary(
  "a run folder keeps the checkpoint before the run went astray, resumed or not",
  async (place) => {
    const run = open(place);
    await run.start(info());
    await steps(run, [0, 9], 5);
    assert.deepEqual([run.good, await checkpointSteps(run.folder)], [3, [3, 8, 9]]);
    await run.close();
    const on = open(place, 8);
    await on.start(info());
    await steps(on, [8, 11], 5);
    assert.deepEqual([on.good, await checkpointSteps(run.folder)], [3, [3, 10, 11]]);
    await on.close();
    const back = open(place, 3);
    await back.start(info());
    assert.deepEqual([back.good, await checkpointSteps(run.folder)], [undefined, [3]]);
    await steps(back, [3, 5]);
    const state = await Deno.readTextFile(`${run.folder}/checkpoints/step-5/state.json`);
    assert.equal(state, "Infinity"); // not the one from before
  },
);

inTemporary(
  "history.json keeps ends, changes and a lost console, each with its step",
  async (place) => {
    const run = open(place);
    await run.start(info());
    assert.deepEqual(await readHistory(run.folder), []);
    await steps(run, [0, 2]);
    await run.note({ kind: "console", cause: "Broken pipe" });
    await run.close({ kind: "stopped", cause: "it was interrupted", from: 2, next: "again" });
    const asked = { steps: 12, settings: { gamma: 0.5 } };
    const more = new RunFolder({
      resume: { folder: run.folder, step: 2, asked },
      command: "",
      request: {},
    });
    await more.start({ ...info(), steps: 12, config: { gamma: 0.5, news: 1 } });
    await steps(more, [2, 12]);
    await more.end({ ...summary, steps: 12 });
    const { history, config } = await readRun(run.folder);
    assert.deepEqual(history!.map(({ time, ...event }) => (assert.ok(Date.parse(time)), event)), [
      { step: 2, kind: "console", cause: "Broken pipe" },
      { step: 2, kind: "stopped", cause: "it was interrupted", from: 2, next: "again" },
      { step: 2, kind: "resumed", asked, changed: { gamma: [1, 0.5] } },
    ]);
    assert.deepEqual([config.steps, config.config], [12, { gamma: 0.5 }]);
    assert.equal(endOf(history!), undefined);
    assert.equal(endOf(history!.slice(0, 2))!.cause, "it was interrupted");
    assert.deepEqual(changesOf(history!), asked);
    const saved = [2, 3, Infinity].map((step) => settingsAt({ gamma: 1 }, history!, step).gamma);
    assert.deepEqual(saved, [1, 0.5, 0.5]); // its checkpoint of step 2 is of before the change
    const raw = JSON.parse(await Deno.readTextFile(`${run.folder}/config.json`));
    assert.deepEqual([raw.steps, raw.config], [9, { gamma: 1 }]); // as it began

    const again = open(place, 3);
    await again.start(info());
    const names = await Array.fromAsync(Deno.readDir(run.folder), ({ name }) => name);
    assert.ok(!names.includes("summary.json"), "a run that goes on is not finished");
    const [, , , finished] = await readHistory(run.folder) as RunEvent[];
    assert.deepEqual([finished.kind, finished.step], ["finished", 12]);
    await Deno.writeTextFile(`${run.folder}/history.json`, '{"a": 1}');
    await assert.rejects(readHistory(run.folder), /history\.json as it holds a list of entries/);
  },
);
