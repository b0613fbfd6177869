/** Evaluation on the way: what is best, what is kept of it, and when a run ends because of it. @module */
import assert from "node:assert/strict";
import fc from "fast-check";
import { follow, isBetter } from "../../experiment/best.ts";
import { checkpointSteps, readRun } from "../../experiment/folder/run_data.ts";
import { bestStep, namedModel } from "../../experiment/folder/named_model.ts";
import { keptSteps } from "../../experiment/folder/retention.ts";
import {
  type CompletionRow,
  type EvaluationReport,
  type Phase,
  phaseText,
} from "../../experiment/observer.ts";
import { resolveRequest } from "../../experiment/request.ts";
import { trainTask } from "../../experiment/train.ts";
import type { Reward } from "../../rewards/reward.ts";
import { withFolder } from "../_folder.ts";
import { Recorder } from "./_model.ts";
import { capitals, results, resumeIn, runInto, smallRequest } from "./folder/_small_run.ts";

const result = (exact: number, reward: number) => ({ exact, reward });

Deno.test("the best is that of most exact answers, then of most reward, then the earlier", () => {
  assert.ok(isBetter(result(0.5, 0), result(0.4, 9)));
  assert.ok(isBetter(result(0.5, 2), result(0.5, 1)));
  assert.ok(isBetter(result(NaN, 2), result(NaN, 1)), "a task without answers goes by reward");
  assert.ok(isBetter(result(0, NaN), result(NaN, 1)));
  for (const [one, than] of [[0.4, 0.5], [0.5, 0.5]]) {
    assert.ok(!isBetter(result(one, 1), result(than, 1)));
  }
  assert.ok(!isBetter(result(NaN, NaN), result(NaN, NaN)));
  let seen = follow(undefined, { step: 0, ...result(0.1, 0.2) });
  assert.deepEqual(seen, { best: { step: 0, ...result(0.1, 0.2) }, stale: 0, last: 0 });
  seen = follow(follow(seen, { step: 5, ...result(0.1, 0.2) }), { step: 10, ...result(0, 1) });
  assert.deepEqual(seen, { best: { step: 0, ...result(0.1, 0.2) }, stale: 2, last: 10 });
  seen = follow(seen, { step: 15, ...result(0.1, 0.3) });
  assert.deepEqual(seen, { best: { step: 15, ...result(0.1, 0.3) }, stale: 0, last: 15 });
});

Deno.test("keptSteps() keeps the best beside those that it keeps anyway", () => {
  assert.deepEqual(keptSteps([0, 5, 10, 15, 20], { newest: 20, best: 5 }), [5, 10, 15, 20]);
  assert.deepEqual(keptSteps([0, 5, 10], { newest: 10, best: 5 }), [0, 5, 10]);
  fc.assert(fc.property(
    fc.uniqueArray(fc.nat(30), { minLength: 1 }),
    fc.nat(30),
    fc.option(fc.nat(30), { nil: undefined }),
    (there, best, good) => {
      const newest = there.at(-1)!, kept = keptSteps(there, { newest, good, best });
      const without = keptSteps(there, { newest, good });
      assert.equal(kept.includes(best), there.includes(best));
      assert.deepEqual(kept.filter((step) => step !== best || without.includes(step)), without);
      assert.equal(new Set(kept).size, kept.length);
    },
  ));
});

/**
 * Gives each evaluation the next of `values`, and rollouts something else: the fourth value is of the
 * fourth evaluation of held-out prompts.
 */
function scripted(values: readonly number[]): Reward {
  let asked = 0;
  return {
    name: "scripted",
    score: ({ prompts }) => {
      const isHeldout = prompts.every((prompt) => prompt === "Germany:");
      const value = isHeldout ? values[asked++] : 0;
      return Promise.resolve(prompts.map((_, b) => isHeldout ? value : b % 2));
    },
  };
}

/** What an observer is told of held-out answers. */
class Evaluations extends Recorder {
  reports: [string, EvaluationReport][] = [];
  override evaluation(phase: Phase, rows: CompletionRow[], report?: EvaluationReport): void {
    super.evaluation(phase, rows);
    this.reports.push([phaseText(phase), report!]);
  }
}

Deno.test("a run evaluates every N steps, keeps the best checkpoint and names it", () =>
  withFolder(async (place) => {
    const few = { ...await smallRequest(place), steps: 9, saveEvery: 0, evaluateEvery: 2 };
    const request = { ...few, players: false }, folder = `${place}/run`;
    const reward = scripted([0.1, 0.5, 0.7, 0.7, 0.2, 0.3]); // before, 2, 4, 6, 8, after
    await runInto(folder, { ...request, reward });
    const run = await readRun(folder);
    const heldout = run.evaluations!.filter(({ split }) => split === "heldout");
    assert.deepEqual(heldout.map(({ step, phase, reward }) => [step, phase, reward]), [
      [0, "before", 0.1],
      [2, "during", 0.5],
      [4, "during", 0.7],
      [6, "during", 0.7],
      [8, "during", 0.2],
      [9, "after", 0.3],
    ]);
    assert.ok(heldout.every(({ tokens }) => tokens >= 1 && tokens <= 2));
    assert.deepEqual(run.summary!.best, { step: 4, exact: 0, reward: 0.7 });
    assert.equal(run.summary!.steps, 9);
    assert.ok(!("stoppedAfter" in run.summary!));
    assert.deepEqual(await checkpointSteps(folder), [2, 4, 9]);
    const during = run.completions.filter(({ phase }) => phase === "during");
    assert.deepEqual(during.map(({ step, id }) => [step, id]), [2, 4, 6, 8].map((s) => [s, "de"]));
    const { model, line } = await namedModel(`${folder}@best`);
    assert.equal(model, `${folder}/checkpoints/step-4`);
    assert.equal(line, `${model}, the best checkpoint of ${folder}`);
    assert.equal((await namedModel(folder)).model, `${folder}/checkpoints/step-9`);
    await Deno.remove(`${folder}/summary.json`); // as of a run that goes on
    assert.equal(await bestStep(folder), 4);
    await Deno.remove(`${folder}/checkpoints/step-4`, { recursive: true });
    await assert.rejects(
      () => namedModel(`${folder}@best`),
      new Error(
        `Cannot take the best checkpoint of ${folder} as it must be there: that of step 4 is not. ` +
          "Steps: 2, 9",
      ),
    );
  }));

Deno.test("patience ends a run that is no longer getting better, and the summary says so", () =>
  withFolder(async (place) => {
    const request = { ...await smallRequest(place), steps: 9, evaluateEvery: 1, patience: 2 };
    const run = new Evaluations(`${place}/run`);
    const reward = scripted([0.1, 0.5, 0.4, 0.6, 0.6, 0.5, 0.9]);
    const summary = await trainTask({ ...request, reward, players: false }, run);
    assert.deepEqual([summary.steps, summary.stoppedAfter], [5, 2]);
    assert.deepEqual(summary.best, { step: 3, exact: 0, reward: 0.6 });
    assert.equal(run.rows.length, 5);
    assert.equal(run.checkpoints.at(-1), `${place}/run/step-5`);
    const told = run.reports.filter(([phase]) => !phase.endsWith(":train"));
    assert.deepEqual(told.map(([phase, { isBest }]) => [phase, isBest]), [
      ["before:heldout", true],
      ["during:heldout", true],
      ["during:heldout", false],
      ["during:heldout", true],
      ["during:heldout", false],
      ["during:heldout", false],
      ["after:heldout", false],
    ]);
  }));

Deno.test("less patience on a resume ends a run at its next evaluation, not between two", () =>
  withFolder(async (place) => {
    const few = { ...await smallRequest(place), steps: 9, saveEvery: 1, evaluateEvery: 2 };
    const request = { ...few, players: false }, folder = `${place}/run`;
    await runInto(folder, { ...request, reward: scripted([0.5, 0.4, 0.3]) }, { stop: 5 });
    await resumeIn(folder, { ...request, patience: 1, reward: scripted([0.2, 0.1]) });
    const { steps, stoppedAfter } = (await readRun(folder)).summary!;
    assert.deepEqual([steps, stoppedAfter], [6, 3]);
  }));

Deno.test("a run without evaluations on its way knows no best", () =>
  withFolder(async (place) => {
    const request = { ...await smallRequest(place), steps: 1 };
    await runInto(`${place}/run`, request);
    assert.ok(!("best" in (await readRun(`${place}/run`)).summary!));
    await assert.rejects(
      () => namedModel(`${place}/run@best`),
      new Error(
        `Cannot take the best checkpoint of ${place}/run as a run knows it that evaluates during ` +
          "training: this one did not. Train with --evaluate-every, or name the run alone for its " +
          `last: ${place}/run`,
      ),
    );
  }));

Deno.test("evaluations change nothing of what is trained, and a resumed run has them all", () =>
  withFolder(async (place) => {
    const plain = { ...await smallRequest(place), steps: 6, saveEvery: 2 };
    const request = { ...plain, evaluateEvery: 2 }, whole = `${place}/whole`;
    await runInto(`${place}/plain`, plain);
    await runInto(whole, request);
    const metrics = (folder: string) => Deno.readTextFile(`${folder}/metrics.csv`);
    assert.equal(await metrics(whole), await metrics(`${place}/plain`));
    const table = (folder: string) => Deno.readTextFile(`${folder}/evaluations.csv`);
    const best = async (folder: string) => (await readRun(folder)).summary!.best;
    for (const stop of [1, 3, 4]) {
      const folder = `${place}/stopped-${stop}`; // at 4 before its evaluation
      await runInto(folder, request, { stop });
      await resumeIn(folder, request);
      assert.equal(await table(folder), await table(whole), `stopped at ${stop}`);
      assert.deepEqual(await best(folder), await best(whole));
      assert.deepEqual(await results(folder, 6), await results(whole, 6));
    }
  }));

Deno.test("a request for evaluations that there cannot be is refused", () => {
  const task = capitals();
  assert.throws(() => resolveRequest({ task, patience: 2 }), {
    name: "TypeError",
    message: "Cannot end a run early as patience 2 counts evaluations during training: there are " +
      "none; set evaluateEvery (--evaluate-every)",
  });
  const alone = { ...task, examples: { ...task.examples, heldout: [] } };
  assert.throws(() => resolveRequest({ task: alone, evaluateEvery: 5 }), {
    name: "TypeError",
    message: "Cannot evaluate every 5 steps as that is on held-out prompts: capitals has none; " +
      "leave evaluateEvery (--evaluate-every) out",
  });
});
