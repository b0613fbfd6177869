/** Ctrl-C before the first step is done: what is said when, and what is kept. */
import assert from "node:assert/strict";
import { Interrupted } from "../../cli/interrupt.ts";
import type { Terminal } from "../../cli/terminal.ts";
import { endingOf } from "../../cli/train/ending.ts";
import { runTraining, type Training } from "../../cli/train/run.ts";
import { endOf, readHistory } from "../../experiment/folder/history.ts";
import { inTemporary } from "../_folder.ts";
import { info, summary } from "./_folders.ts";

const request = {
  ...{ task: "colors", algorithm: "ppo", model: "tiny", seed: 1, device: "cpu" as const },
  ...{ saveEvery: 20, settings: {} },
};

/** Runs a training that is stopped at one of three moments; gives what is said, and when it says that it stops. */
async function stopped(out: string, moment: "before" | "begun" | "saved") {
  const said: string[] = [], stop = new AbortController();
  const terminal: Terminal = {
    ...{ out() {}, write() {}, fancy: false, columns: 200 },
    err: (line) => said.push(line),
  };
  let when = () => "";
  const listen: Training["listen"] = (_, unit) => {
    if (typeof unit === "function") when = unit;
    return { signal: stop.signal, [Symbol.dispose]() {} };
  };
  const train: Training["train"] = async (_, observer, signal) => {
    if (moment !== "before") await observer.start({ ...info(), steps: 3 });
    if (moment === "saved") await observer.checkpoint(0, () => Promise.resolve());
    said.push(when());
    stop.abort(new Interrupted("interrupted"));
    return signal.aborted ? await Promise.reject(signal.reason) : summary;
  };
  const flags = { out, quiet: true, json: false };
  assert.equal(await runTraining({ request, flags, train, listen }, terminal), 130);
  return said;
}

inTemporary(
  "before its first step a run that is stopped says that nothing is lost",
  async (place) => {
    const command = "deno task train colors --algorithm ppo --model tiny --seed 1 --device cpu";
    assert.deepEqual(await stopped(`${place}/a`, "before"), [
      "before the run begins",
      "stopped before the run began: nothing was written, and nothing is lost",
      `Start again:  ${command} --out ${place}/a`,
    ]);
    assert.deepEqual(await stopped(`${place}/b`, "begun"), [
      "before the first step, when what was answered before training is saved",
      `stopped before the first step: nothing was learned, and nothing is lost; ${place}/b keeps no checkpoint`,
      `Start again:  ${command}`,
    ]);
    assert.deepEqual(await stopped(`${place}/c`, "saved"), [
      "after this step",
      `stopped before the first step: nothing is lost, and ${place}/c keeps what was measured before training`,
      `Continue:  deno task train --resume ${place}/c`,
    ]);
    assert.equal(endOf(await readHistory(`${place}/c`))?.kind, "stopped");
  },
);

Deno.test("one that should go on and is stopped first is as it was, and says how to go on", async () => {
  const run = { folder: "", resumed: "runs/a", saved: undefined, done: 0, good: undefined };
  const all = { ...run, command: "deno task train colors", train: "deno task train" };
  assert.deepEqual((await endingOf(new Interrupted("x"), true, all)).lines, [
    "stopped before the run went on: nothing is lost, runs/a is as it was",
    "Continue:  deno task train --resume runs/a",
  ]);
  const later = { ...all, folder: "runs/a", saved: 7, done: 7 };
  assert.deepEqual((await endingOf(new Interrupted("x"), true, later)).lines, [
    "stopped at step 7.  Continue:  deno task train --resume runs/a",
  ]);
});
