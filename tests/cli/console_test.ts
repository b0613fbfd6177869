import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { readHistory } from "../../experiment/folder/history.ts";
import { readRun } from "../../experiment/folder/run_data.ts";
import { inTemporary } from "../_folder.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Trains with made-up parts, and takes nothing of a stream that is named, or what a shell puts there. */
async function train(
  place: string,
  words: string,
  { lost = [], into = "" }: { lost?: ("stdout" | "stderr")[]; into?: string },
): Promise<{ code: number; out: string; err: string }> {
  const child = new Deno.Command("sh", {
    args: [
      "-c",
      `exec ${Deno.execPath()} run --no-check --no-prompt --config=${root}deno.json --allow-read ` +
      `--allow-write=runs ${root}tests/cli/_fake.ts train ${words} --out runs/a ${into}`,
    ],
    cwd: place,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const read = async (name: "stdout" | "stderr") => {
    if (!lost.includes(name)) return await new Response(child[name]).text();
    await child[name].cancel();
    return "";
  };
  const [out, err, { code }] = await Promise.all([read("stdout"), read("stderr"), child.status]);
  return { code, out, err };
}

/** Steps, whether it is finished, and what its folder says of the console. */
async function runOf(place: string) {
  const { metrics, summary } = await readRun(`${place}/runs/a`);
  const losses = (await readHistory(`${place}/runs/a`)).filter(({ kind }) => kind === "console");
  return { steps: metrics.length, isFinished: summary !== undefined, losses };
}

const gone = /Broken pipe|EPIPE/;

inTemporary("a console that is gone ends no run, and its folder says so", async (place) => {
  const { code } = await train(place, "slow --steps 5", { lost: ["stdout", "stderr"] });
  assert.equal(code, 1); // the table at the end was not printed
  const { steps, isFinished, losses } = await runOf(place);
  assert.deepEqual([steps, isFinished, losses.length], [5, true, 1]);
  assert.match((losses[0] as { cause: string }).cause, gone);
  assert.equal(losses[0].step, 1);
});

inTemporary(
  "where progress alone is lost, the result is printed and the exit code is 0",
  async (place) => {
    const { code, out } = await train(place, "slow --steps 5", { lost: ["stderr"] });
    assert.equal(code, 0);
    assert.match(out, /^held-out +0\.100/m);
    assert.equal((await runOf(place)).losses.length, 1);
  },
);

inTemporary(
  "a summary that standard output does not take is an error of a run that is saved",
  async (place) => {
    const { code, err } = await train(place, "slow --steps 5 --json", { lost: ["stdout"] });
    assert.equal(code, 1);
    assert.match(
      err,
      /^error: Cannot print the whole result as standard output took no more: .*pipe/m,
    );
    assert.deepEqual(await runOf(place), { steps: 5, isFinished: true, losses: [] });
  },
);

if (Deno.build.os !== "linux") console.warn("no /dev/full here: a full console is tested on Linux");
else {inTemporary("a full device in place of the console ends no run either", async (place) => {
    const into = "> /dev/full 2> /dev/full";
    const { code } = await train(place, "slow --steps 5", { into });
    assert.equal(code, 1);
    const { steps, isFinished, losses } = await runOf(place);
    assert.deepEqual([steps, isFinished, losses.length], [5, true, 1]);
  });}
