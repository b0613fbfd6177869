/** Symbolic links in a run folder lead no write and no removal out of it. */
import assert from "node:assert/strict";
import { isUsage } from "../../../base/usage.ts";
import { checkOut } from "../../../cli/train/out.ts";
import { requirePlace } from "../../../experiment/folder/eval_folder.ts";
import { requireRunFolder } from "../../../experiment/folder/links.ts";
import { findResumable, unfinishedRuns } from "../../../experiment/folder/resumable.ts";
import { RunFolder } from "../../../experiment/folder/run_folder.ts";
import { inTemporary } from "../../_folder.ts";
import { completion, info, snapshot, timings } from "../../cli/_folders.ts";
import { run } from "../../cli/_terminal.ts";
import { makeRun } from "../../cli/compare/_runs.ts";

const about = { command: "", request: {} };
const step = (step: number) => ({
  ...{ step, metrics: { a: step }, timings },
  completions: [completion(step, "train", " red")],
});

/** A run of two steps, cut short, beside a folder of somebody else's. */
async function cutRun(place: string) {
  const folder = `${place}/runs/run`, outside = `${place}/outside`;
  await Deno.mkdir(`${outside}/step-1`, { recursive: true });
  await Deno.writeTextFile(`${outside}/thesis.txt`, "years of work");
  await Deno.writeTextFile(`${outside}/step-1.tmp-1`, "years of work");
  const run = new RunFolder({ out: folder, ...about });
  await run.start(info());
  for (const at of [1, 2]) {
    await run.step(step(at));
    await run.checkpoint(at, (to) => Deno.writeTextFile(`${to}/state`, String(at)));
  }
  await run.close();
  return { folder, outside, theirs: await snapshot(outside) };
}

/** A resume, three more steps with their checkpoints, and what came of it. */
async function goOn(
  folder: string,
  at = 2,
  run = new RunFolder({ resume: { folder, step: at }, ...about }),
): Promise<void> {
  try {
    await run.start(info());
    for (const next of [3, 4, 5]) {
      await run.step(step(next));
      await run.checkpoint(next, (to) => Deno.writeTextFile(`${to}/state`, String(next)));
    }
  } finally {
    await run.close().catch(() => {});
  }
}

const PLACES = ["checkpoints", "metrics.csv", "completions.csv", "timings.csv", "run.lock"];
for (const name of PLACES) {
  for (const gone of [false, true]) {
    inTemporary(
      `${name} as a link to what ${gone ? "is not there" : "is"} is refused`,
      async (place) => {
        const { folder, outside, theirs } = await cutRun(place);
        const path = `${folder}/${name}`;
        if (name.endsWith(".csv") && !gone) { // all that belongs to the run, and more
          theirs["/thesis.txt"] = await Deno.readTextFile(path) + "years of work";
          await Deno.writeTextFile(`${outside}/thesis.txt`, theirs["/thesis.txt"]);
        }
        const target = name === "checkpoints" ? outside : `${outside}/thesis.txt`;
        const manifest = `${folder}/checkpoints/step-2/manifest.json`;
        const text = await Deno.readTextFile(manifest);
        await Deno.remove(path, { recursive: true }).catch(() => {});
        await Deno.symlink(gone ? `${outside}/new` : target, path);
        if (name === "checkpoints" && !gone) {
          await Deno.mkdir(`${outside}/step-2`);
          await Deno.writeTextFile(`${outside}/step-2/manifest.json`, text);
          Object.assign(theirs, { "/step-2/manifest.json": text });
        }
        await assert.rejects(goOn(folder), /as a link leads it out of its run folder: to /);
        assert.deepEqual(await snapshot(outside), theirs);
      },
    );
  }
}

inTemporary(
  "a checkpoint folder that became a link meanwhile is not removed through",
  async (place) => {
    const { folder, outside, theirs } = await cutRun(place);
    const run = new RunFolder({ resume: { folder, step: 2 }, ...about });
    await run.start(info());
    await Deno.rename(`${folder}/checkpoints`, `${folder}/before`);
    await Deno.symlink(outside, `${folder}/checkpoints`);
    await run.step(step(3));
    await assert.rejects(
      run.checkpoint(3, (to) => Deno.writeTextFile(`${to}/state`, "3")),
      /checkpoints as a link leads it out of its run folder: to \S+outside\. Put the file or folder/,
    );
    await run.close();
    assert.deepEqual(await snapshot(outside), theirs);
  },
);

inTemporary(
  "a run folder that is a link out of the folder it lies in is refused",
  async (place) => {
    const { folder, outside } = await cutRun(place);
    await Deno.rename(folder, `${outside}/run`);
    await Deno.symlink(`${outside}/run`, folder);
    const message =
      /Cannot use the run folder \S+run as a link leads it out of \S+runs: to \S+outside\/run\. Name/;
    await assert.rejects(findResumable(folder), message);
    await assert.rejects(goOn(folder), message);
    assert.deepEqual(await unfinishedRuns(`${place}/runs`), []);
    await Deno.mkdir(`${outside}/empty`);
    await Deno.symlink(`${outside}/empty`, `${place}/runs/new`);
    const fresh = new RunFolder({ out: `${place}/runs/new`, ...about });
    await assert.rejects(fresh.start(info()), /Cannot use the run folder/);
    await goOn(`${outside}/run`); // by its own name it is like any other
    await Deno.rename(`${outside}/run`, `${place}/runs/real`);
    await Deno.remove(folder);
    await Deno.symlink("real", folder); // and a link beside it leads nowhere else
    await goOn(folder, 5);
  },
);

inTemporary("a resume that is refused knows of the checkpoint that is there", async (place) => {
  const { folder, outside } = await cutRun(place);
  await Deno.rename(`${folder}/checkpoints`, `${outside}/checkpoints`);
  await Deno.symlink(`${outside}/checkpoints`, `${folder}/checkpoints`);
  const run = new RunFolder({ resume: { folder, step: 2 }, ...about });
  await assert.rejects(goOn(folder, 2, run), /as a link leads it out of its run folder: to /);
  assert.equal(run.saved, 2);
});

inTemporary("a pipe in place of a table is refused, not waited for", async (place) => {
  const { folder } = await cutRun(place);
  await Deno.remove(`${folder}/run.lock`).catch(() => {});
  const { success } = await new Deno.Command("mkfifo", { args: [`${folder}/run.lock`] }).output();
  assert.ok(success);
  await assert.rejects(
    goOn(folder),
    /run\.lock as it must be a file or a folder: it is a device or/,
  );
});

inTemporary("a folder that is not there yet is refused below a link out of runs", async (place) => {
  await Deno.mkdir(`${place}/outside`);
  await Deno.mkdir(`${place}/runs/own`, { recursive: true });
  await Deno.symlink(`${place}/outside`, `${place}/runs/link`);
  const before = Deno.cwd();
  try {
    Deno.chdir(place);
    for (const folder of ["runs/link/sweep", "runs/link/a/b", "runs/link"]) {
      await assert.rejects(requireRunFolder(folder), /a link leads it out of .*outside/);
      await assert.rejects(checkOut(folder), isUsage);
    }
    for (const line of ["train colors --seed 1,2 --slurm", "study imdb --quick"]) {
      const { code, err } = await run(`${line} --out runs/link/sweep`);
      assert.deepEqual([code, /a link leads it out of .*outside/.test(err)], [2, true], err);
    }
    for (const folder of ["runs/own/sweep", "runs/new", "new/a", "runs/own"]) {
      await requireRunFolder(folder);
    }
  } finally {
    Deno.chdir(before);
  }
  assert.deepEqual(await Array.fromAsync(Deno.readDir(`${place}/outside`)), []);
});

inTemporary(
  "no command writes a folder through a link out of where such folders lie",
  async (place) => {
    await Deno.mkdir(`${place}/outside`);
    await makeRun(`${place}/runs/run`);
    const before = Deno.cwd();
    try {
      Deno.chdir(place);
      for (
        const [name, line] of [
          ["evals", "eval tiny colors --base tiny --prompts 1 --samples 0 --quiet"],
          ["exports", "export tiny"],
          ["runs", "pretrain --steps 1 --quiet"],
          ["runs", "compare runs/run"],
        ]
      ) {
        await Deno.mkdir(name, { recursive: true });
        await Deno.remove(`${name}/link`).catch(() => {});
        await Deno.symlink(`${place}/outside`, `${name}/link`);
        for (const out of [`${name}/link/new`, `${name}/link/a/b`, `${name}/link`]) {
          const { code, err } = await run(`${line} --out ${out}`);
          assert.deepEqual([code, /a link leads it out of .*outside/.test(err)], [2, true], err);
        }
      }
      await assert.rejects(
        requirePlace("evals/link/new"),
        /Cannot use the folder evals\/link\/new as/,
      );
      await Deno.mkdir("evals/own"); // a link within them leads nowhere else
      await Deno.symlink(`${place}/evals/own`, "evals/near");
      await requirePlace("evals/near/new");
    } finally {
      Deno.chdir(before);
    }
    assert.deepEqual(await Array.fromAsync(Deno.readDir(`${place}/outside`)), []);
  },
);
