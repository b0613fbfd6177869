/** One process at a time writes a run; one that died, however, holds nothing. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { findResumable } from "../../../experiment/folder/resumable.ts";
import { LOCK_FILE, LockedError, RunLock } from "../../../experiment/folder/lock.ts";
import { readRun } from "../../../experiment/folder/run_data.ts";
import { RunFolder } from "../../../experiment/folder/run_folder.ts";
import { listFolder } from "../../../experiment/folder/files.ts";
import { inTemporary } from "../../_folder.ts";
import { info } from "../../cli/_folders.ts";

const WRITER = fileURLToPath(new URL("../../cli/_writer.ts", import.meta.url));

/** A process that writes a run without end, from its second step on. */
async function writer(folder: string): Promise<Deno.ChildProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--no-prompt", "--allow-read", `--allow-write=${folder}`]
      .concat("--allow-sys=hostname", WRITER, folder),
    stdout: "piped",
  }).spawn();
  let said = "";
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  while (!/step 2\n/.test(said)) {
    const { value, done } = await reader.read();
    assert.ok(!done, `it ended: ${said}`);
    said += value;
  }
  reader.read().then(async function on({ done }): Promise<void> {
    if (!done) await reader.read().then(on); // an unread pipe would stop it
  }).catch(() => {});
  return child;
}

inTemporary(
  "a live run is refused to others, who may read it; killed, it is continued",
  async (place) => {
    const folder = `${place}/run`, child = await writer(folder);
    try {
      await Deno.mkdir(`${folder}/checkpoints/step-0.tmp-7`);
      const asked = Date.now();
      await assert.rejects(findResumable(folder), (error: Error) => {
        assert.ok(error instanceof LockedError, error.stack);
        const [, pid, host, since] = /: process (\d+) on (\S+) since (\S+) has it\. Wait/.exec(
          error.message,
        )!;
        assert.deepEqual([Number(pid), host], [child.pid, Deno.hostname()]);
        assert.ok(Math.abs(Date.parse(since) - asked) < 60_000, since);
        return true;
      });
      const second = new RunFolder({ resume: { folder, step: 1 }, command: "", request: {} });
      await assert.rejects(second.start(info()), LockedError);
      await second.close();
      assert.ok((await listFolder(`${folder}/checkpoints`)).includes("step-0.tmp-7"));
      assert.ok((await readRun(folder)).metrics.length >= 2);
      await assert.rejects(findResumable(folder), LockedError); // asking took nothing from its owner
    } finally {
      child.kill("SIGKILL");
      await child.status;
    }
    using found = await findResumable(folder);
    assert.ok(found.step >= 2);
    const third = new RunFolder({ resume: found, command: "", request: {} });
    await third.start(info());
    assert.ok(!(await listFolder(`${folder}/checkpoints`)).some((name) => /\.tmp-/.test(name)));
    await third.close();
    assert.ok(!(await listFolder(folder)).includes(LOCK_FILE));
  },
);

inTemporary("a lock is free once its owner lets it go, and names nobody falsely", async (place) => {
  const first = await RunLock.take(place);
  await assert.rejects(RunLock.take(place), { name: "LockedError" });
  first[Symbol.dispose]();
  first[Symbol.dispose](); // a second time does nothing, to a new owner least of all
  using second = await RunLock.take(place);
  first[Symbol.dispose]();
  await assert.rejects(RunLock.take(place), { name: "LockedError" });
  await Deno.writeTextFile(`${place}/${LOCK_FILE}`, "12 \u001b[2Jhost 2026\n");
  await assert.rejects(RunLock.take(place), /: process 12 on \?\?2Jhost since 2026 has it/);
  await Deno.writeTextFile(`${place}/${LOCK_FILE}`, "");
  await assert.rejects(RunLock.take(place), /: another process has it/);
  assert.equal(second.notice, undefined);
});

inTemporary("of many who ask at once one gets the lock", async (place) => {
  for (let round = 0; round < 20; round++) {
    const asked = await Promise.allSettled(Array.from({ length: 8 }, () => RunLock.take(place)));
    const got = asked.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
    assert.equal(got.length, 1, `round ${round}`);
    got[0][Symbol.dispose]();
  }
});

inTemporary(
  "a lock whose file was put in place of a removed one is the one that counts",
  async (place) => {
    const path = `${place}/${LOCK_FILE}`;
    using old = await RunLock.take(place);
    const { open } = Deno;
    let turns = 0;
    Deno.open = async (...given) => {
      const file = await open(...given);
      if (turns++ === 0) old[Symbol.dispose](); // between the opening of the file and its locking
      return file;
    };
    try {
      using next = await RunLock.take(place);
      assert.equal(turns, 2);
      assert.ok((await Deno.stat(path)).isFile);
      await assert.rejects(RunLock.take(place), { name: "LockedError" });
      assert.equal(next.notice, undefined);
    } finally {
      Deno.open = open;
    }
  },
);

inTemporary("where a file system has no locks, a run goes on and says so", async (place) => {
  const { tryLock } = Deno.FsFile.prototype;
  Deno.FsFile.prototype.tryLock = () =>
    Promise.reject(new Error("No locks available (os error 37)"));
  try {
    using lock = await RunLock.take(place);
    assert.match(
      lock.notice!,
      /^this file system has no locks \(No locks available \(os error 37\)\): let no second process/,
    );
  } finally {
    Deno.FsFile.prototype.tryLock = tryLock;
  }
});
