/** The event file of a run, read back by a parser that shares nothing with what writes it. */
import assert from "node:assert/strict";
import { EventLog } from "../../../experiment/folder/event_log.ts";
import { WriteError } from "../../../experiment/folder/files.ts";
import { findResumable } from "../../../experiment/folder/resumable.ts";
import { readRun } from "../../../experiment/folder/run_data.ts";
import { RunFolder, type RunFolderOptions } from "../../../experiment/folder/run_folder.ts";
import { parsePhase, type RunObserver } from "../../../experiment/observer.ts";
import { type TrainRequest, trainTask } from "../../../experiment/train.ts";
import { watch } from "../../../cli/train/run.ts";
import { disk } from "../../../model/files/disk.ts";
import { printable } from "../../../cli/printable.ts";
import { inTemporary } from "../../_folder.ts";
import { HOSTILE } from "../../cli/_fake.ts";
import { completion, info, timings } from "../../cli/_folders.ts";
import { crc32c, eventsIn, type ReadEvent, readEvents } from "./_events.ts";
import { smallRequest } from "./_small_run.ts";

const about = { command: "the command", request: {} };

/** A run with a log, as the command line has it, until `stop` steps are done. */
async function logged(
  request: TrainRequest,
  { stop, ...options }: Partial<RunFolderOptions> & { stop?: number },
): Promise<RunFolder> {
  const folder = new RunFolder({ ...about, ...options });
  const log = new EventLog({ folder: () => folder.folder, spell: printable });
  const watched = watch(folder, { log }), stopper = new AbortController();
  const observer: RunObserver = {
    ...watched,
    async step(report) {
      await watched.step(report);
      if (report.step === stop) stopper.abort(new Error("stop"));
    },
  };
  const done = trainTask(request, observer, { signal: stopper.signal });
  if (stop === undefined) await done;
  else {
    await assert.rejects(done, /^Error: stop$/);
    await log.close();
    await folder.close();
  }
  return folder;
}

/** Whatever does not depend on when it was. */
const untimed = (events: readonly ReadEvent[]) =>
  events.map(({ time: _, ...rest }) => rest).map((
    { values: { config: _, ...values }, ...rest },
  ) => ({
    ...rest,
    values,
  }));

Deno.test("the parser's checksum is that of RFC 3720's examples", () => {
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43);
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
});

inTemporary("every number of a run's tables is in its event file, in 32 bits", async (place) => {
  const from = Date.now() / 1000;
  const request = { ...await smallRequest(place), evaluateEvery: 2 };
  const { folder } = await logged(request, { out: `${place}/run` });
  const run = await readRun(folder), { name, events } = await eventsIn(folder);
  assert.match(name, /^events\.out\.tfevents\.\d{10}\.plainrl$/);
  assert.equal(events[0].version, "brain.Event:2");
  assert.deepEqual([events[1].status, events[1].step], [1, 0]);

  const steps = events.filter(({ values }) => "score/mean" in values);
  assert.deepEqual(steps.map(({ step }) => step), [1, 2, 3, 4]);
  let numbers = 0;
  run.metrics.forEach(([step, ...row], i) => {
    run.names.forEach((name, column) => {
      const value = steps[i].values[name];
      if (Number.isFinite(row[column])) {
        assert.equal(value, Math.fround(row[column]), `${name} of step ${step}`);
        numbers++;
      } else assert.equal(value, undefined, `${name} of step ${step}`);
    });
  });
  assert.ok(numbers > 100, `${numbers}`);

  // The evaluations during and after training follow the same step: they are one value.
  const answered = new Map<string, number>();
  for (const { step, split, ...means } of run.evaluations!) {
    for (const name of ["exact", "reward", "tokens"] as const) {
      answered.set(`${step} evaluation/${split}/${name}`, Math.fround(means[name]));
    }
  }
  assert.equal(answered.size, 15); // held-out after 0, 2 and 4 steps, training prompts after 0 and 4
  const found = events.flatMap(({ step, values }) =>
    Object.entries(values).filter(([tag]) => tag.startsWith("evaluation/"))
      .map(([tag, value]) => [`${step} ${tag}`, value] as const)
  );
  assert.equal(found.length, 15);
  assert.deepEqual(new Map(found), answered);

  const times = events.map(({ time }) => time);
  assert.ok(times.every((time) => time >= from && time <= Date.now() / 1000), `${times}`);
  assert.deepEqual(times, times.toSorted((a, b) => a - b));

  const texts = (tag: string) => events.filter(({ values }) => tag in values);
  assert.deepEqual(texts("completions/train").map(({ step }) => step), [1, 2]);
  assert.deepEqual(texts("completions/heldout").map(({ step }) => step), [0, 2, 4]);
  const [{ completion }] = run.completions.filter(({ phase }) => phase === "before").slice(-1);
  assert.equal(
    texts("completions/heldout")[0].values["completions/heldout"],
    "    reward      0\n" + `    prompt      "Germany:"\n` +
      `    completion  ${printable(JSON.stringify(completion))}\n` + `    answer      " Berlin"`,
  );
  const [config, ...others] = texts("config");
  assert.deepEqual([config.step, others], [0, []]);
  assert.match(`${config.values.config}`, /^ {4}learningRate: 0\.01$/m);
  assert.match(`${config.values.config}`, /^ {4}command: "the command"$/m);
});

inTemporary("a run that was stopped and resumed logs what one logs that was not", async (place) => {
  const request = await smallRequest(place);
  const { folder: whole } = await logged(request, { out: `${place}/whole` });
  const expected = await eventsIn(whole);
  const { folder } = await logged(request, { out: `${place}/cut`, stop: 3 });
  const { name: first, events: before } = await eventsIn(folder);
  assert.equal(before.at(-1)!.step, 3);
  // As a kill leaves it: a step that no checkpoint has, half a record.
  const bytes = await Deno.readFile(`${folder}/${first}`);
  await Deno.writeFile(`${folder}/${first}`, bytes.subarray(0, bytes.length - 7));
  await Deno.writeTextFile(`${folder}/events.out.tfevents.1.other`, "of another program");
  await Deno.remove(`${folder}/checkpoints/step-3`, { recursive: true });

  using found = await findResumable(folder);
  assert.equal(found.step, 2);
  await logged({ ...request, resume: found.checkpoint }, { resume: found });
  assert.equal(
    await Deno.readTextFile(`${folder}/events.out.tfevents.1.other`),
    "of another program",
  );
  await Deno.remove(`${folder}/events.out.tfevents.1.other`);
  const { name, events } = await eventsIn(folder);
  assert.ok(name > first, `TensorBoard must read ${name} after ${first}`);
  assert.deepEqual(untimed(events), untimed(expected.events));
  const times = events.slice(2).map(({ time }) => time);
  assert.deepEqual(times, times.toSorted((a, b) => a - b));
  assert.ok(Math.abs(times[0] - Date.now() / 1000) < 60);
});

inTemporary(
  "times of steps before a resume count the pause that history tells of",
  async (place) => {
    const folder = `${place}/run`, run = new RunFolder({ ...about, out: folder });
    await run.start(info());
    for (const step of [1, 2]) {
      await run.step({
        step,
        metrics: { a: 1 },
        completions: [],
        timings,
      });
    }
    await run.close();
    const config = JSON.parse(await Deno.readTextFile(`${folder}/config.json`));
    config.started = "2026-01-01T00:00:00.000Z";
    await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(config));
    const rows = ["1,10,10", "2,30,20", "3,40,10", "4,60,20"].map((row) => `${row},0,0,0,0\n`);
    const head = "step,seconds,step_seconds,generate,score,evaluate,update\n";
    await Deno.writeTextFile(`${folder}/timings.csv`, head + rows.join(""));
    await Deno.writeTextFile(`${folder}/metrics.csv`, "step,a\n1,1\n2,2\n3,3\n4,4\n");
    const resumed = (step: number, time: string, gamma?: [number, number]) => ({
      ...{ step, time, kind: "resumed", asked: { settings: {} } },
      changed: gamma ? { gamma } : {},
    });
    const history = [
      resumed(3, "2026-01-02T00:00:00.000Z", [1, 0.5]), // left by the next
      resumed(2, "2026-01-03T00:00:00.000Z"),
    ];
    await Deno.writeTextFile(`${folder}/history.json`, JSON.stringify(history));

    await new EventLog({ folder: () => folder }).start();
    const { events } = await eventsIn(folder);
    const [began, again] = ["2026-01-01", "2026-01-03"].map((day) => Date.parse(day) / 1000);
    assert.deepEqual(
      events.filter(({ values }) => "a" in values).map(({ step, time }) => [step, time]),
      [[1, began + 10], [2, began + 30], [3, again + 10], [4, again + 30]],
    );
    const gammas = events.filter(({ values }) => "config" in values)
      .map(({ step, values }) => [step, /gamma: (.*)/.exec(`${values.config}`)![1]]);
    assert.deepEqual(gammas, [[0, "1"], [2, "0.5"]]);
  },
);

inTemporary("no text of a model's leaves its block of code", async (place) => {
  const folder = `${place}/run`, run = new RunFolder({ ...about, out: folder });
  await run.start(info());
  const log = new EventLog({ folder: () => folder, spell: printable });
  await log.start();
  const texts = [...HOSTILE, "    \n\n# head", "\n\n[a](javascript:b)", "\u2028![x](http://h)"];
  for (const [i, text] of texts.entries()) {
    const rows = [completion(i, "before:heldout", text)];
    await log.evaluation(parsePhase("before:heldout"), rows, {
      ...{ step: i, exact: 0, reward: NaN, tokens: 1 },
    });
  }
  await log.close();
  const { events } = await eventsIn(folder);
  const shown = events.flatMap(({ values }) => values["completions/heldout"] ?? []).map(String);
  assert.equal(shown.length, texts.length);
  for (const text of shown) {
    const lines = text.split("\n");
    assert.equal(lines.length, 4, text);
    for (const line of lines) {
      assert.match(line, /^ {4}(reward|prompt|completion|answer) /);
      assert.equal(printable(line), line);
    }
  }
  assert.ok(!events.some(({ values }) => "evaluation/heldout/reward" in values), "NaN is no value");
});

inTemporary("what a full disk refuses is written once by the next try", async (place) => {
  const folder = `${place}/run`, run = new RunFolder({ ...about, out: folder });
  await run.start(info());
  let isFull = false;
  const log = new EventLog({
    folder: () => folder,
    io: {
      ...disk,
      async append(path, at, chunks) {
        if (!isFull) return await disk.append(path, at, chunks);
        const [first] = chunks as Uint8Array[];
        await disk.append(path, at, [first.subarray(0, first.length >> 1)]);
        throw Object.assign(new Error("no space"), { code: "ENOSPC" });
      },
    },
  });
  await log.start();
  isFull = true;
  await assert.rejects(
    (async () => {
      for (const step of [1, 2]) {
        await log.step({ step, metrics: { a: step }, completions: [], timings });
      }
      await log.close();
    })(),
    (error: Error) => error instanceof WriteError && /the disk is full/.test(error.message),
  );
  const [name] = (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name))
    .filter((name) => name.includes("tfevents"));
  const { events, rest } = readEvents(await Deno.readFile(`${folder}/${name}`));
  assert.deepEqual([events.length, rest > 0], [3, true], "a reader passes over half a record");
  isFull = false;
  await log.close();
  const steps = (await eventsIn(folder)).events.filter(({ values }) => "a" in values);
  assert.equal(steps[0].step, 1);
  assert.deepEqual(steps.map(({ step }) => step), [...steps.keys()].map((i) => i + 1));
});

inTemporary("a link leads no event file out of the run's folder", async (place) => {
  const folder = `${place}/run`, run = new RunFolder({ ...about, out: folder });
  await run.start(info());
  await Deno.writeTextFile(`${place}/precious`, "kept");
  await Deno.symlink(`${place}/precious`, `${folder}/events.out.tfevents.1.plainrl`);
  const log = new EventLog({ folder: () => folder });
  await assert.rejects(log.start(), /a link leads it out of its run folder/);
  assert.equal(await Deno.readTextFile(`${place}/precious`), "kept");
  await run.close();
});
