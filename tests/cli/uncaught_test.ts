/** What is thrown beside a command, and caught by nothing: a sentence, and of a run all that it has done. */
import assert from "node:assert/strict";
import type { Command, Parsed } from "../../cli/command.ts";
import { singleRun, train, type TrainFlags, type TrainParts } from "../../cli/commands/train.ts";
import { main } from "../../cli/main.ts";
import type { Terminal } from "../../cli/terminal.ts";
import { runTraining } from "../../cli/train/run.ts";
import { orUncaught, stopForUncaught, UncaughtError } from "../../cli/uncaught.ts";
import { endOf, readHistory } from "../../experiment/folder/history.ts";
import { checkpointSteps, readRun } from "../../experiment/folder/run_data.ts";
import { inTemporary } from "../_folder.ts";
import { fakeParts, fakeTrain } from "./_fake.ts";

function remembering(): Terminal & { said: string[] } {
  const said: string[] = [], say = (line: string) => void said.push(line);
  return { said, out: say, write: say, err: say, fancy: false, columns: 100 };
}

const throwLater = (error: unknown): void =>
  void setTimeout(() => {
    throw error;
  });
const rejectLater = (error: unknown): void =>
  void Promise.resolve().then(() => Promise.reject(error));

Deno.test("it ends a command at once, in a sentence with the place, and no character of it acts", async () => {
  for (const later of [throwLater, rejectLater]) {
    const terminal = remembering();
    const run = (): Promise<number> => {
      later(new Error("gone \u001b[31mred\u001b[39m\u0007"));
      return new Promise(() => {});
    };
    const command = { ...singleRun(), prepare: undefined, run };
    assert.equal(await main(["train"], { commands: [command], terminal }), 1);
    assert.match(
      terminal.said[0],
      /^error: Cannot go on as an error was thrown that nothing caught: Error: gone red\\u\{7\} \(uncaught_test\.ts:\d+:\d+\)\. Await what may fail, or catch it$/,
    );
  }
  await assert.rejects(
    orUncaught(() => {
      rejectLater("a word");
      return new Promise(() => {});
    }),
    /nothing caught: a word\./,
  );
});

/** Runs `train` with a training program that does what `amid` says once its first step is done. */
async function run(
  out: string,
  amid: (signal: AbortSignal) => void | Promise<void>,
): Promise<{ code: number; said: string }> {
  const parts: TrainParts = {
    ...fakeParts,
    train: (request, observer, signal) => {
      const step: typeof observer.step = async (report) => {
        await observer.step(report);
        if (report.step === 1) await amid(signal);
      };
      return fakeTrain(request, Object.assign(Object.create(observer), { step }), signal);
    },
  };
  const command: Command = {
    ...singleRun(),
    prepare: undefined,
    run: (parsed, terminal) => train(parsed as Parsed<TrainFlags>, terminal, parts),
  };
  const terminal = remembering();
  const args = ["train", "slow", "--steps", "40", "--quiet", "--out", out];
  const code = await main(args, { commands: [command], terminal });
  return { code, said: terminal.said.join("\n") };
}

inTemporary("a run is stopped by it with all that it has done, and has failed", async (place) => {
  const { code, said } = await run(`${place}/a`, () => throwLater(new Error("no\u0007")));
  assert.equal(code, 1);
  assert.match(
    said,
    /^something was thrown that nothing caught; stopping after this step\nsaved up to/,
  );
  assert.match(said, /\nsaved up to step [12]\. {2}Continue: {2}deno task train --resume \S+\/a\n/);
  const end = endOf(await readHistory(`${place}/a`));
  assert.equal(end?.kind, "failed");
  assert.ok(end!.cause.includes("nothing caught: Error: no\u0007 (uncaught_test.ts"), end!.cause);
  const { metrics } = await readRun(`${place}/a`);
  assert.equal((await checkpointSteps(`${place}/a`)).at(-1), metrics.length);
});

inTemporary("a run that waits for what never comes is left after a while", async (place) => {
  const terminal = remembering(), request = { ...REQUEST, task: "colors" };
  const training = runTraining({
    request,
    flags: { out: `${place}/a`, quiet: true, json: false },
    train: (asked, observer, signal) => {
      throwLater(new Error("no"));
      const step = () => new Promise<void>(() => {});
      return fakeTrain(asked, Object.assign(Object.create(observer), { step }), signal);
    },
    patience: 50,
  }, terminal);
  await assert.rejects(training, UncaughtError);
  assert.equal(endOf(await readHistory(`${place}/a`))?.kind, "failed");
  assert.match(terminal.said.join("\n"), /saved up to step 0\. {2}Continue/);
});

const REQUEST = {
  ...{ task: "colors", algorithm: "ppo", model: "tiny", seed: 1, device: "cpu" as const },
  ...{ saveEvery: 20, settings: {} },
};

Deno.test("the first of several stops a run, and once it is over nobody listens", async () => {
  const said: string[] = [];
  {
    using stop = stopForUncaught({ err: (line) => said.push(line) }, 1e6);
    rejectLater(new Error("first"));
    throwLater(new Error("second"));
    while (said.length === 0) await new Promise((done) => setTimeout(done, 1));
    await new Promise((done) => setTimeout(done, 5));
    assert.match(stop.signal.reason.message, /Error: first/);
    assert.equal(said.length, 1);
  }
  const event = new ErrorEvent("error", { error: new Error("x"), cancelable: true });
  globalThis.dispatchEvent(event);
  assert.ok(!event.defaultPrevented);
});
