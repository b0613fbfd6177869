import assert from "node:assert/strict";
import {
  listFolder,
  placeFolder,
  replaceFile,
  WriteError,
} from "../../../experiment/folder/files.ts";
import { type Disk, disk } from "../../../model/files/disk.ts";
import { csvLines } from "../../../experiment/folder/csv.ts";
import { checkpointSteps, readRun, readTable } from "../../../experiment/folder/run_data.ts";
import { RunFolder } from "../../../experiment/folder/run_folder.ts";
import { drawRun } from "../../../cli/report/draw.ts";
import { inTemporary, withFolder } from "../../_folder.ts";
import { parsePhase } from "../../../experiment/observer.ts";
import { completion, info, snapshot, summary, timings } from "../../cli/_folders.ts";

const open = (out: string, io?: Disk, resume?: { folder: string; step: number }) =>
  new RunFolder({
    out,
    io,
    resume,
    draw: io ? drawLines : drawRun,
    command: "deno task train colors",
    request: { task: "colors" },
  });

/** Files to look at that cost nothing: tests of failing disks run a run for every call. */
const drawLines = () => Promise.resolve({ "curves.svg": "curves", "report.html": "report" });

const writeState = (text: string) => (folder: string) =>
  Deno.writeTextFile(`${folder}/state.json`, text);

/** A whole run of `steps` steps with a checkpoint after each. */
async function wholeRun(run: RunFolder, steps: number, from = 0): Promise<void> {
  await run.start(info());
  if (from === 0) {
    await run.evaluation(parsePhase("before:heldout"), [completion(0, "before:heldout", " red")]);
  }
  for (let step = from + 1; step <= steps; step++) {
    const metrics = { "score/mean": step / 10, "kl/reference": step === 2 ? NaN : 1 / 3 };
    await run.step({
      step,
      metrics,
      completions: [completion(step, "train", ` blue\n"${step}`)],
      timings,
    });
    await run.checkpoint(step, writeState(`state ${step}`));
  }
  await run.evaluation(parsePhase("after:heldout"), [
    completion(steps, "after:heldout", " purple"),
  ]);
  await run.end({ ...summary, steps });
}

/** A disk whose n-th writing call fails as a full disk does. */
function failing(at: number, code = "ENOSPC"): { io: Disk; calls: () => number } {
  let calls = 0;
  const wrap =
    <A extends unknown[]>(call: (...args: A) => Promise<void>, partly?: boolean) =>
    async (...args: A) => {
      if (++calls === at) {
        if (partly) await Deno.writeTextFile(args[0] as string, "half a fi"); // as a full disk leaves it
        throw Object.assign(new Error(`injected (os error 28)`), { code });
      }
      return await call(...args);
    };
  return {
    io: {
      write: wrap(disk.write, true),
      append: wrap(async (path, at, chunks) => await disk.append(path, at, chunks)),
      rename: wrap(disk.rename),
      makeFolder: wrap(disk.makeFolder),
      flush: wrap(disk.flush),
      remove: disk.remove, // a full disk does not refuse removals
    },
    calls: () => calls,
  };
}

inTemporary("a run leaves every file whole, and nothing temporary", async (place) => {
  await wholeRun(open(`${place}/run`), 5);
  assert.deepEqual(await listFolder(`${place}/run`), [
    "checkpoints",
    "completions.csv",
    "config.json",
    "curves.svg",
    "metrics.csv",
    "report.html",
    "summary.json",
    "timings.csv",
  ]);
  assert.deepEqual(await checkpointSteps(`${place}/run`), [3, 4, 5]);
  const files = await snapshot(`${place}/run`);
  assert.equal(files["/checkpoints/step-5/state.json"], "state 5");
  assert.equal(
    files["/metrics.csv"],
    "step,score/mean,kl/reference\n1,0.1,0.3333333333333333\n2,0.2,\n" +
      "3,0.3,0.3333333333333333\n4,0.4,0.3333333333333333\n5,0.5,0.3333333333333333\n",
  );
  assert.deepEqual(JSON.parse(files["/summary.json"]), { ...summary, steps: 5 });
  const config = JSON.parse(files["/config.json"]);
  assert.deepEqual(config.config, { gamma: 1 });
  assert.equal(config.command, "deno task train colors");
  assert.deepEqual([config.source, config.weights], [info().source, { exact: 1 }]);
  assert.ok(Math.abs(Date.now() - Date.parse(config.started)) < 60_000, config.started);
  assert.match(config.versions.plainrl, /^\d+\.\d+\.\d+$/);
  const run = await readRun(`${place}/run`);
  assert.equal(run.completions.length, 7);
  assert.equal(run.completions[1].completion, ' blue\n"1');
});

inTemporary(
  "checkpoints are kept by number, not by name, and the newest always stays",
  async (place) => {
    const run = open(`${place}/run`);
    await run.start(info());
    for (const step of [9, 10, 99, 100, 1000]) await run.checkpoint(step, writeState(String(step)));
    assert.deepEqual(await checkpointSteps(run.folder), [99, 100, 1000]);
    await run.checkpoint(11, writeState("11")); // an older step, written last, is the newest work
    assert.deepEqual(await checkpointSteps(run.folder), [11, 100, 1000]);
  },
);

inTemporary("a resumed run ends with the bytes of one that was not interrupted", async (place) => {
  await wholeRun(open(`${place}/whole`), 6);
  const first = open(`${place}/cut`);
  await first.start(info());
  await first.evaluation(parsePhase("before:heldout"), [completion(0, "before:heldout", " red")]);
  for (let step = 1; step <= 4; step++) { // steps 3 and 4 come after the last checkpoint
    const metrics = { "score/mean": step / 10, "kl/reference": step === 2 ? NaN : 1 / 3 };
    await first.step({
      step,
      metrics,
      completions: [completion(step, "train", ` blue\n"${step}`)],
      timings,
    });
    if (step <= 2) await first.checkpoint(step, writeState(`state ${step}`));
  }
  await first.close();
  await Deno.writeTextFile(`${place}/cut/metrics.csv.tmp-1`, "torn");
  await Deno.mkdir(`${place}/cut/checkpoints/step-3.tmp-1`);
  const second = open("", undefined, { folder: `${place}/cut`, step: 2 });
  await wholeRun(second, 6, 2);
  const [whole, cut] = [await snapshot(`${place}/whole`), await snapshot(`${place}/cut`)];
  assert.deepEqual(Object.keys(cut), Object.keys(whole));
  for (const name of ["/metrics.csv", "/completions.csv", "/curves.svg", "/summary.json"]) {
    assert.equal(cut[name], whole[name], name);
  }
});

inTemporary(
  "whichever disk call fails, what was there stays whole and nothing is left over",
  async (place) => {
    const all = failing(Infinity);
    await wholeRun(open(`${place}/count`, all.io), 4);
    assert.ok(all.calls() > 60, `only ${all.calls()} calls`);
    for (let at = 1; at <= all.calls(); at++) {
      const folder = `${place}/run-${at}`;
      const run = open(folder, failing(at).io);
      await assert.rejects(wholeRun(run, 4), (error: Error) => {
        assert.ok(error instanceof WriteError, `call ${at}: ${error.stack}`);
        assert.match(error.message, /^Cannot write .* as the disk is full\. Free some space/);
        return true;
      });
      for (
        const [name, text] of Object.entries(
          await snapshot(place).then((files) => filesOf(files, at)),
        )
      ) {
        assert.doesNotMatch(name, /\.tmp-/, `call ${at}`);
        assert.notEqual(text, "half a fi", `call ${at}: ${name}`);
        if (name.endsWith(".json") && !name.includes("state")) JSON.parse(text);
        if (name.endsWith(".csv")) assert.ok(text.endsWith("\n"), name);
      }
      const steps = await checkpointSteps(folder);
      if (run.saved !== undefined) assert.ok(steps.includes(run.saved), `call ${at}`);
      for (const step of steps) {
        const state = await Deno.readTextFile(`${folder}/checkpoints/step-${step}/state.json`);
        assert.equal(state, `state ${step}`);
      }
      await Deno.remove(folder, { recursive: true }).catch(() => {}); // may not have been made
    }
  },
);

const filesOf = (files: Record<string, string>, at: number) =>
  Object.fromEntries(Object.entries(files).filter(([name]) => name.startsWith(`/run-${at}/`)));

inTemporary(
  "whichever disk call fails, a folder is placed whole or what stood there stays",
  async (place) => {
    const path = `${place}/far/down/out`;
    const put = (text: string, io?: Disk) =>
      placeFolder(path, async (to) => {
        await Deno.mkdir(`${to}/sub`);
        for (const name of ["a", "sub/b"]) await Deno.writeTextFile(`${to}/${name}`, text);
      }, io);
    const all = failing(Infinity);
    await put("count", all.io);
    assert.ok(all.calls() > 6, `only ${all.calls()} calls`);
    await Deno.remove(`${place}/far`, { recursive: true });
    for (let at = 1; at < all.calls(); at++) { // the last one flushes what is in place
      await assert.rejects(put("new", failing(at).io), /injected/);
      assert.deepEqual(await listFolder(place), [], `call ${at}`);
    }
    await put("old");
    for (let at = 1;; at++) {
      const disk = failing(at);
      const failed = await put("new", disk.io).then(() => false, () => true);
      if (!failed) break;
      assert.deepEqual(
        await listFolder(`${place}/far/down`).then(withoutOld),
        ["out"],
        `call ${at}`,
      );
      const { "/a": a, "/sub/b": b, ...rest } = await snapshot(path);
      assert.deepEqual(rest, {});
      assert.ok(a === b && (a === "old" || at > 6), `call ${at}: ${a} ${b}`);
      assert.ok(at < 20);
    }
    await Deno.mkdir(`${path}.tmp-${Deno.pid}`); // as a process of this number that was killed
    await put("new");
    assert.deepEqual(await listFolder(`${place}/far/down`), ["out"]);
    assert.deepEqual(await snapshot(path), { "/a": "new", "/sub/b": "new" });
  },
);

/** A folder that was replaced may be left where the very last call fails. */
const withoutOld = (names: string[]) => names.filter((name) => !/\.old\.tmp-\d+$/.test(name));

inTemporary("an old file survives a failed replacement", async (place) => {
  const path = `${place}/a.txt`;
  await replaceFile(path, "old");
  for (const at of [1, 2]) {
    await assert.rejects(replaceFile(path, "new", failing(at).io), WriteError);
    assert.equal(await Deno.readTextFile(path), "old");
    assert.deepEqual(await listFolder(place), ["a.txt"]);
  }
  await replaceFile(path, "new");
  assert.equal(await Deno.readTextFile(path), "new");
});

inTemporary("causes are named with their cure", async (place) => {
  const message = async (code: string) => {
    const error = await replaceFile(`${place}/a`, "x", failing(1, code).io).catch((e) => e);
    return (error as Error).message;
  };
  assert.match(await message("EROFS"), /read-only\. Choose another folder with --out/);
  assert.match(await message("EACCES"), /may not be written/);
  assert.match(await message("EIO"), /injected.*Files written before are whole/);
  await Deno.mkdir(`${place}/full`);
  await Deno.writeTextFile(`${place}/full/thesis.txt`, "years of work");
  await assert.rejects(open(`${place}/full`).start(info()), {
    message: /full as it is not empty\. Choose another with --out/,
  });
  await Deno.writeTextFile(`${place}/file`, "");
  await assert.rejects(open(`${place}/file`).start(info()), {
    message: /there is a file of that name/,
  });
  await assert.rejects(open(`${place}/file/run`).start(info()), WriteError);
});

inTemporary("a step with other metric names is refused", async (place) => {
  const run = open(`${place}/run`);
  await run.start(info());
  await run.step({ step: 1, metrics: { a: 1 }, completions: [], timings });
  await assert.rejects(run.step({ step: 2, metrics: { b: 1 }, completions: [], timings }), {
    message:
      /Cannot write metrics of step 2 as every step has the same names: it has b, the first had a/,
  });
});

inTemporary(
  "writing takes a bounded share of the time, and nothing is lost at a checkpoint",
  async (place) => {
    let now = 0, writes = 0;
    const io: Disk = {
      ...disk,
      async write(path, chunks) {
        now += 10; // every file takes 10 ms
        writes++;
        await disk.write(path, chunks);
      },
    };
    const run = new RunFolder({
      out: `${place}/run`,
      io,
      command: "",
      request: {},
      now: () => now,
    });
    await run.start(info());
    for (let step = 1; step <= 400; step++) {
      now += 10;
      await run.step({
        step,
        metrics: { a: step },
        completions: [completion(step, "train", "x")],
        timings,
      });
    }
    assert.ok(writes * 10 <= now / 20 + 100, `${writes} writes in ${now} ms`);
    await run.checkpoint(400, writeState("x"));
    const run400 = await readRun(run.folder);
    assert.equal(run400.metrics.length, 400);
    assert.equal(run400.completions.length, 400);
  },
);

inTemporary(
  "answers after training belong to no checkpoint, be it saved after them",
  async (place) => {
    const folder = `${place}/run`, first = open(folder), after = parsePhase("after:heldout");
    const answers = [completion(1, "after:heldout", " purple")];
    await first.start(info());
    await first.step({
      ...{ step: 1, metrics: { a: 1 }, timings },
      completions: [completion(1, "train", " red")],
    });
    await first.evaluation(after, answers);
    await first.checkpoint(1, writeState("1"));
    await first.close();
    assert.equal((await readRun(folder)).completions.length, 2);
    const second = open("", undefined, { folder, step: 1 });
    await second.start(info());
    assert.deepEqual((await readRun(folder)).completions.map(({ phase }) => phase), ["train"]);
    await second.evaluation(after, answers);
    await second.close();
    assert.equal((await readRun(folder)).completions.length, 2);
  },
);

inTemporary("a row is written once, however long the run is", async (place) => {
  const written: Record<string, number> = {};
  const io: Disk = {
    ...disk,
    async append(path, at, chunks) {
      const pieces = await Array.fromAsync(chunks);
      const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
      written[path] = (written[path] ?? 0) + bytes;
      await disk.append(path, at, pieces);
    },
  };
  await wholeRun(open(`${place}/run`, io), 60);
  for (const name of ["metrics.csv", "timings.csv", "completions.csv"]) {
    const path = `${place}/run/${name}`;
    assert.equal(written[path], (await Deno.stat(path)).size, name);
  }
});

inTemporary(
  "a folder that was made outlives a power cut, as does what is renamed",
  async (place) => {
    const calls: string[] = [];
    const told = (what: string, path: string) =>
      calls.push(`${what} ${path.slice(place.length + 1)}`);
    const io: Disk = {
      ...disk,
      async makeFolder(path) {
        told("make", path);
        await disk.makeFolder(path);
      },
      async flush(path) {
        told("flush", path);
        await disk.flush(path);
      },
      async rename(from, to) {
        told("rename", to);
        await disk.rename(from, to);
      },
    };
    await wholeRun(open(`${place}/far/run`, io), 1);
    for (
      const [made, parent] of [["far", ""], ["far/run", "far"], ["far/run/checkpoints", "far/run"]]
    ) {
      assert.equal(calls[calls.indexOf(`make ${made}`) + 1], `flush ${parent}`, made);
    }
    const named = calls.indexOf("rename far/run/checkpoints/step-1");
    assert.equal(calls[named + 1], "flush far/run/checkpoints");
    const sealed = calls.findIndex((call) => /^rename \S+\.tmp-\d+\/manifest\.json$/.test(call));
    assert.ok(sealed > 0 && sealed < named, `${calls}`); // the manifest last, and with it the folder
    for (const name of ["metrics.csv", "timings.csv", "completions.csv"]) { // the names of new files
      assert.ok(calls.includes("flush far/run"), name);
    }
  },
);

Deno.test("readRun() leaves out a row that a kill cut off, wherever that was", () =>
  withFolder(async (folder) => {
    const run = open(`${folder}/run`);
    await wholeRun(run, 2);
    await Deno.remove(`${folder}/run/summary.json`); // which a run has that was not killed
    const path = `${folder}/run/completions.csv`, whole = await Deno.readFile(path);
    const rows = (await readRun(run.folder)).completions;
    assert.equal(rows.length, 4);
    const [head, ...cells] = await readTable(run.folder, "completions.csv");
    const bytes = (some: string[][]) => new TextEncoder().encode(csvLines(some)).length;
    const ends = cells.map((_, i) => bytes([head, ...cells.slice(0, i + 1)]));
    assert.equal(ends.at(-1), whole.length);
    for (let end = whole.length; end >= bytes([head]); end--) {
      await Deno.writeFile(path, whole.subarray(0, end));
      const { completions } = await readRun(run.folder);
      assert.deepEqual(completions, rows.slice(0, ends.filter((at) => at <= end).length), `${end}`);
    }
    await Deno.writeFile(path, whole);
    assert.deepEqual((await readRun(run.folder)).completions, rows);
  }));

Deno.test("readRun() says in one sentence what of config.json or summary.json is not a run's", () =>
  withFolder(async (folder) => {
    const run = open(`${folder}/run`);
    await wholeRun(run, 1);
    const { algorithm: _, ...ended } = summary;
    for (const [name, wanted] of [["config.json", info()], ["summary.json", ended]] as const) {
      const path = `${folder}/run/${name}`, text = await Deno.readTextFile(path);
      const keys = Object.keys(wanted).filter((key) =>
        !["weights", "source", "shape", "data"].includes(key)
      );
      for (const key of keys) {
        for (const value of [undefined, null, { a: 1 }, 1e400]) {
          if (value !== undefined && key === "config") continue;
          await Deno.writeTextFile(path, JSON.stringify({ ...JSON.parse(text), [key]: value }));
          await assert.rejects(readRun(run.folder), (error: Error) => {
            assert.equal(error.name, "RunFolderError", error.stack);
            assert.match(
              error.message,
              /^Cannot read \S+ as .*(is missing|is null|is \{|names no task)/,
            );
            assert.equal(error.message.split("\n").length, 1);
            return true;
          }, `${name} ${key} ${value}`);
        }
      }
      for (const other of ["null", "[]", "7", '"text"', "{", ""]) {
        await Deno.writeTextFile(path, other);
        await assert.rejects(readRun(run.folder), { name: "RunFolderError" }, `${name} ${other}`);
      }
      await Deno.writeTextFile(path, text);
    }
  }));

Deno.test("readRun() names the file and row that no version writes", () =>
  withFolder(async (folder) => {
    const { config, ...about } = info();
    const whole = { ...about, config, request: {}, command: "", versions: {} };
    await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(whole));
    const path = `${folder}/completions.csv`,
      head = "step,phase,id,prompt,completion,answer,reward\n";
    await Deno.writeTextFile(path, `${head}0,train,a,b,c,d,1\n0,before:other,a,b,c,d,1\n`);
    await assert.rejects(readRun(folder), {
      name: "RunFolderError",
      message: `Cannot read row 2 of ${path}: Cannot tell the phase "before:other" as it must be ` +
        "train, or before, during or after, a colon, and train or heldout. Put it back as the run " +
        "wrote it",
    });
    await Deno.writeTextFile(path, "step,phase\n0,train\n");
    await assert.rejects(readRun(folder), { name: "RunFolderError" });
  }));
