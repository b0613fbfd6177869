/** Whichever call to the disk fails in a run, what is left is continued to the same bytes, or says what it lacks. */
import assert from "node:assert/strict";
import { listFolder } from "../../../experiment/folder/files.ts";
import { LOCK_FILE } from "../../../experiment/folder/lock.ts";
import { findResumable, NotResumableError } from "../../../experiment/folder/resumable.ts";
import { readSummary, RunFolderError } from "../../../experiment/folder/run_data.ts";
import { RunFolder } from "../../../experiment/folder/run_folder.ts";
import { type TrainRequest, trainTask } from "../../../experiment/train.ts";
import { inTemporary } from "../../_folder.ts";
import { whileFailing } from "./_failing.ts";
import { copyFolder, results, resumeIn, runInto, smallRequest } from "./_small_run.ts";

/** In the suite a few; `deno task test:kills` makes it all of them. */
const KILLS = Number(Deno.env.get("PLAINRL_KILLS") ?? 30);
const ALL = KILLS >= 200;

/** A run of which something on its disk may fail: as the command line ends it. */
async function tryRun(folder: string, request: TrainRequest): Promise<unknown> {
  const draw = () => Promise.resolve({ "curves.svg": "curves", "report.html": "report" });
  const run = new RunFolder({ out: folder, command: "the command", request: {}, draw });
  try {
    await trainTask(request, run);
  } catch (error) {
    await run.close().catch(() => {}); // must not hide the error itself
    return error;
  }
}

/** What became of a run that a fault ended, or did not. */
type Outcome = "as it was" | "continued" | "started again";

async function outcome(folder: string, request: TrainRequest): Promise<Outcome> {
  if (await readSummary(folder).catch(() => undefined)) return "as it was";
  try {
    const { found } = await resumeIn(folder, request);
    assert.deepEqual(found.passedOver, []); // what has its name is whole
    return "continued";
  } catch (error) {
    const known = error instanceof NotResumableError || error instanceof RunFolderError;
    assert.ok(known, String((error as Error).stack));
    assert.match(
      error.message,
      /has no checkpoint yet\. Start again: |holds a config\.json: there is/,
    );
    return "started again";
  }
}

for (const lasting of [false, true]) {
  const how = lasting ? "and all that write from then on" : "once";
  inTemporary(`a disk call fails ${how}: the run is continued to the same bytes`, async (place) => {
    const request = await smallRequest(place), folder = `${place}/run`;
    await runInto(`${place}/whole`, request);
    const wanted = await results(`${place}/whole`);
    const { calls } = await whileFailing(folder, { at: 0 }, async () => {
      assert.equal(await tryRun(folder, request), undefined);
    });
    assert.ok(calls.length > 200, `${calls.length} calls`);
    const from = performance.now(), counts: Record<string, number> = {};
    const apart = ALL ? 1 : calls.length / 6;
    for (let next = 1; next <= calls.length; next += apart) {
      const at = Math.floor(next);
      await Deno.remove(folder, { recursive: true }).catch(() => {}); // it may not have been made
      await whileFailing(folder, { at, lasting }, async () => {
        const error = await tryRun(folder, request);
        const told = error === undefined || /injected|the disk is full/.test(String(error));
        assert.ok(told, `call ${at}, ${calls[at - 1]}: ${(error as Error)?.stack}`);
      });
      const names = await listFolder(folder);
      const left = names.filter((name) => /\.tmp-/.test(name));
      const what = await outcome(folder, request);
      counts[what] = (counts[what] ?? 0) + 1;
      if (what !== "started again") {
        assert.deepEqual(await results(folder), wanted, `call ${at}, ${calls[at - 1]}`);
        const now = (await listFolder(folder)).filter((name) => /\.tmp-/.test(name));
        if (what === "continued") assert.deepEqual(now, [], `call ${at}: ${left}`);
      }
    }
    assert.ok(counts.continued > 0 && counts["started again"] > 0, JSON.stringify(counts));
    const seconds = ((performance.now() - from) / 1000).toFixed(0);
    if (ALL) console.log(`${calls.length} calls, each failed ${how}:`, counts, `${seconds} s`);
  });
}

inTemporary(
  "a disk call fails while a run is resumed: the next resume ends it the same",
  async (place) => {
    const request = await smallRequest(place), folder = `${place}/run`;
    await runInto(`${place}/whole`, request);
    await runInto(`${place}/cut`, request, { stop: 2 });
    const wanted = await results(`${place}/whole`);
    await copyFolder(`${place}/cut`, folder);
    const { calls } = await whileFailing(folder, { at: 0 }, async () => {
      await resumeIn(folder, request);
    });
    const apart = ALL ? 1 : calls.length / 6;
    let failed = 0;
    for (let next = 1; next <= calls.length; next += apart) {
      const at = Math.floor(next);
      await Deno.remove(folder, { recursive: true }).catch(() => {}); // it may not have been made
      await copyFolder(`${place}/cut`, folder);
      await whileFailing(folder, { at }, async () => {
        await resumeIn(folder, request).catch(() => failed++);
      });
      const what = await outcome(folder, request);
      assert.notEqual(what, "started again", `call ${at}, ${calls[at - 1]}`);
      assert.deepEqual(await results(folder), wanted, `call ${at}, ${calls[at - 1]}`);
    }
    assert.ok(failed > 0);
    if (ALL) console.log(`${calls.length} calls of a resume, each failed once: ${failed} ended it`);
  },
);

inTemporary("no single bit can flip in a checkpoint unseen", async (place) => {
  const request = await smallRequest(place), folder = `${place}/run`, names: string[] = [];
  await runInto(folder, request, { stop: 3 });
  const end = `${folder}/checkpoints/step-3`, flips = ALL ? 10 * KILLS : 40;
  for await (const { name } of Deno.readDir(end)) names.push(name);
  assert.ok(names.length >= 6, `${names}`);
  for (let i = 0; i < flips; i++) {
    const path = `${end}/${names.sort()[i % names.length]}`;
    const bytes = await Deno.readFile(path), whole = bytes.slice();
    const at = Math.floor(((i * 0.6180339887) % 1) * bytes.length);
    bytes[at] ^= 1 << (i % 8);
    await Deno.writeFile(path, bytes);
    using found = await findResumable(folder);
    const { step, passedOver } = found;
    assert.deepEqual([step, passedOver.length], [2, 1], `bit ${i % 8} of byte ${at} of ${path}`);
    await Deno.writeFile(path, whole);
  }
  using found = await findResumable(folder);
  assert.equal(found.step, 3);
  assert.ok((await listFolder(folder)).includes(LOCK_FILE));
});
