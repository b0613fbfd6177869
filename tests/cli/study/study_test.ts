/** `study`: from its runs to its page, begun, gone on with, and read while some runs are missing. */
import assert from "node:assert/strict";
import { readCsv } from "../../../experiment/folder/csv.ts";
import { runStudy } from "../../../cli/study/run.ts";
import { checkSame, commandOf, seedsIn, sweepOf } from "../../../cli/study/plan.ts";
import { exactAfter, lastScore } from "../../../experiment/studies/measures.ts";
import { findStudy } from "../../../experiment/studies/registry.ts";
import type { Study } from "../../../experiment/studies/study.ts";
import { kindOf } from "../../../model/files/deno_folder.ts";
import { inTemporary } from "../../_folder.ts";
import { writeSmallModel } from "../../experiment/_model.ts";
import type { Terminal } from "../../../cli/terminal.ts";

const study = (model: string): Study => ({
  name: "tiny-batches",
  title: "Batches <b>of</b> six & twelve",
  question: "Does it matter?",
  method: ["One step each."],
  arms: [6, 12].map((batchSize) => ({
    name: `batch of ${batchSize}`,
    request: { task: "colors", model, steps: 2, settings: { batchSize } },
  })),
  seeds: [1, 2],
  quick: { steps: 1 },
  claims: [{ said: "It does.", source: "nobody", fault: "never run" }],
  measures: [exactAfter, lastScore],
  answer: (results) => [results.compared("batch of 6", "batch of 12", lastScore)],
});

/** A terminal that remembers its lines. */
function remembering(): Terminal & { lines: string[] } {
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  return { lines, out: say, write: say, err: say, fancy: false, columns: 200 };
}

const flags = (more: Record<string, unknown>) => ({
  quick: false,
  seeds: undefined,
  jobs: 1,
  out: undefined,
  quiet: true,
  json: false,
  ...more,
});

const parsed = (name: string | undefined, more: Record<string, unknown> = {}) =>
  ({
    positional: name === undefined ? [] : [name],
    flags: flags(more),
    settings: {},
    given: [],
  }) as unknown as Parameters<typeof runStudy>[0];

inTemporary("runs are trained once, and the page says what they came to", async (place) => {
  await Deno.mkdir(`${place}/model`);
  await writeSmallModel(`${place}/model`);
  const tiny = study(`${place}/model`), out = `${place}/study`;
  const run = async (more: Record<string, unknown>) => {
    const terminal = remembering();
    const code = await runStudy(parsed("tiny-batches", { out, ...more }), terminal, () => tiny);
    return { code, said: terminal.lines.join("\n") };
  };
  const first = await run({ seeds: "1" });
  assert.equal(first.code, 0, first.said);
  assert.match(first.said, /results of 1\./);
  assert.match(first.said, /batch of 6 and batch of 12: score, last 20/);
  const page = await Deno.readTextFile(`${out}/study.html`);
  assert.match(page, /<h1>Batches &lt;b&gt;of&lt;\/b&gt; six &amp; twelve<\/h1>/);
  for (const words of ["Does it matter?", "never run", "batch of 12", "The study has 2 seeds"]) {
    assert.ok(page.includes(words), words);
  }
  assert.match(page, /default-src 'none'/);
  assert.doesNotMatch(page, /NaN|undefined|https?:(?!\/\/www\.w3\.org)/);
  const [head, ...rows] = readCsv(await Deno.readTextFile(`${out}/study.csv`));
  assert.deepEqual(head, ["arm", "seed", "state", "exact after", "score, last 20"]);
  assert.deepEqual(rows.map((cells) => cells.slice(0, 3)), [
    ...[["batch of 6", "1", "finished"], ["batch of 12", "1", "finished"]],
  ]);
  for (const cells of rows) for (const text of cells.slice(3)) assert.match(text, /^\d/);

  const place1 = `${out}/1-batch-of-6-seed-1/summary.json`;
  const before = (await Deno.stat(place1)).mtime!.getTime();
  await Deno.remove(`${out}/2-batch-of-12-seed-1`, { recursive: true });
  const second = await run({ seeds: "1" });
  assert.equal(second.code, 0, second.said);
  assert.equal((await Deno.stat(place1)).mtime!.getTime(), before, "a finished run is kept");
  assert.equal(await Deno.readTextFile(`${out}/study.html`), page, "the same runs, the same page");

  const lost = study(`${place}/nothing`), other = `${place}/other`;
  const begun = runStudy(parsed("tiny-batches", { out: other }), remembering(), () => lost);
  await assert.rejects(begun, /no run or model "/);
  assert.equal(await kindOf(other), undefined, "what cannot be is said before anything is made");
  await assert.rejects(run({ seeds: "1,2" }), /Cannot go on with .* as its runs are others.*--out/);
});

Deno.test("its runs are arms by seeds, in folders of their own", () => {
  const tiny = study("m"),
    { cells, axes, command } = sweepOf(tiny, { isQuick: true, seeds: [1, 3] });
  assert.deepEqual(cells.map(({ folder }) => folder), [
    ...[
      "1-batch-of-6-seed-1",
      "2-batch-of-6-seed-3",
      "3-batch-of-12-seed-1",
      "4-batch-of-12-seed-3",
    ],
  ]);
  assert.deepEqual(cells[3].words, [
    ...["colors", "batchSize=12", "--model", "m", "--steps", "1", "--seed", "3"],
  ]);
  assert.deepEqual(axes.map(({ values }) => values), [["batch of 6", "batch of 12"], ["1", "3"]]);
  assert.equal(command, "deno task study tiny-batches --quick --seeds 1,3");
  assert.equal(
    commandOf(tiny, { isQuick: true, seeds: [1] }),
    "deno task study tiny-batches --quick",
  );
  assert.equal(commandOf(tiny, { isQuick: false, seeds: [1, 2] }), "deno task study tiny-batches");
  const whole = sweepOf(tiny, { isQuick: false, seeds: [1, 3] });
  checkSame(whole, { ...whole, started: "later" }, "x");
  assert.throws(
    () => checkSame(sweepOf(tiny, { isQuick: true, seeds: [1, 3] }), whole, "x"),
    /others/,
  );
});

Deno.test("seeds are whole numbers, each once", () => {
  assert.deepEqual(seedsIn("3, 1"), [3, 1]);
  for (const text of ["", "1,1", "a", "1,,2", "-1", "4294967296", "1.5"]) {
    assert.throws(() => seedsIn(text), /--seeds must be different whole numbers/, text);
  }
});

Deno.test("without a name all are listed; a wrong one names the nearest", async () => {
  const terminal = remembering();
  assert.equal(await runStudy(parsed(undefined), terminal), 0);
  assert.match(terminal.lines.join("\n"), /pgsrm {2}\(10 arms, 3 seeds\)\n {2}Does a reward/);
  await assert.rejects(runStudy(parsed("pgsmr"), terminal), {
    name: "UsageError",
    message: /pgsrm/,
  });
  assert.equal(findStudy("imdb").name, "imdb");
});
