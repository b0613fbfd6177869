/** `train --log`: what is written beside the tables, and that resumes and sweeps go on with it. */
import assert from "node:assert/strict";
import { main } from "../../cli/main.ts";
import { listFolder } from "../../experiment/folder/files.ts";
import { readRun } from "../../experiment/folder/run_data.ts";
import { readSweep } from "../../experiment/folder/sweep_file.ts";
import { inTemporary } from "../_folder.ts";
import { eventsIn } from "../experiment/folder/_events.ts";
import { fakeCommands } from "./_fake.ts";
import { run } from "./_terminal.ts";

/** A command line with a training program that is made up; gives its exit code, and what was said. */
async function faked(line: string): Promise<{ code: number; err: string }> {
  let err = "";
  const code = await main(line.split(" "), {
    commands: fakeCommands,
    terminal: {
      out() {},
      write() {},
      err: (line) => err += `${line}\n`,
      fancy: false,
      columns: 100,
    },
  });
  return { code, err };
}

/** Steps whose values have this tag. */
async function stepsWith(folder: string, tag: string): Promise<number[]> {
  const { events } = await eventsIn(folder);
  return events.filter(({ values }) => tag in values).map(({ step }) => step);
}
const upTo = (steps: number) => Array.from({ length: steps }, (_, i) => i + 1);
const loggedIn = async (folder: string) =>
  (await listFolder(folder)).filter((name) => name.includes("tfevents"));

inTemporary(
  "a log goes on with the run, from its first step, until it is given up",
  async (place) => {
    const folder = `${place}/run`;
    const first = await faked(
      `train colors --steps 4 --save-every 2 --log tensorboard --out ${folder}`,
    );
    assert.equal(first.code, 0, first.err);
    assert.deepEqual(await stepsWith(folder, "loss/total"), upTo(4));
    assert.deepEqual(await stepsWith(folder, "completions/heldout"), [0, 4]);
    assert.match((await readRun(folder)).config.command, / --log tensorboard$/);
    const [name] = await loggedIn(folder);

    const longer = await faked(`train --resume ${folder} --steps 6`);
    assert.equal(longer.code, 0, longer.err);
    assert.deepEqual(await stepsWith(folder, "loss/total"), upTo(6));
    assert.deepEqual(
      await stepsWith(folder, "completions/heldout"),
      [0, 6],
      "answers after step 4 were cut off the tables",
    );
    const [emptied, next, ...more] = await loggedIn(folder);
    assert.deepEqual([emptied, more], [name, []]);
    assert.ok(next > name);
    await faked(`train --resume ${folder} --steps 7`);
    assert.deepEqual((await loggedIn(folder)).slice(0, -1), [next], "older ones are gone");

    await faked(`train --resume ${folder} --steps 8 --log none`);
    assert.deepEqual(await loggedIn(folder), [], "one with steps that were left does not stay");
    await faked(`train --resume ${folder} --steps 9`);
    assert.deepEqual(await loggedIn(folder), [], "what was changed holds in every later resume");
    const again = await faked(`train --resume ${folder} --steps 10 --log tensorboard`);
    assert.match(again.err, /from there on with --steps 10 --log tensorboard/);
    assert.deepEqual(await stepsWith(folder, "loss/total"), upTo(10));
  },
);

inTemporary("of a run that fails every step that it had is logged", async (place) => {
  const { code } = await faked(`train late --save-every 1 --log tensorboard --out ${place}/run`);
  assert.equal(code, 1);
  assert.deepEqual(await stepsWith(`${place}/run`, "loss/total"), [1, 2]);
});

inTemporary("without --log there is no event file, and another log is refused", async (place) => {
  assert.equal((await faked(`train colors --steps 2 --out ${place}/run`)).code, 0);
  assert.deepEqual(await loggedIn(`${place}/run`), []);
  const { code, err } = await faked(`train colors --log wandb --out ${place}/other`);
  assert.equal(code, 2);
  assert.match(err, /Cannot set --log as it takes none or tensorboard: it is "wandb"/);
});

inTemporary("each run of a sweep has the log", async (place) => {
  const line = `train colors --seed 1,2 --device cpu --log tensorboard --slurm --out ${place}/s`;
  const { code, out, err } = await run(line);
  assert.equal(code, 0, err);
  const { cells, command } = await readSweep(`${place}/s`);
  for (const { words } of cells) assert.ok(words.join(" ").includes("--log tensorboard"));
  assert.equal(out.match(/^\d\) .* --log tensorboard/gm)?.length, 2, out);
  assert.match(command, / --log tensorboard/);
});
