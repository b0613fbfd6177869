/** Runs that lie where one of a sweep belongs and are not that one, and code in folders from anywhere. */
import assert from "node:assert/strict";
import { modulesIn, refuseOwnCode } from "../../../experiment/folder/own_code.ts";
import { readSweep, writeSweep } from "../../../experiment/folder/sweep_file.ts";
import { foreignIn } from "../../../cli/sweep/foreign.ts";
import { factsOf } from "../../../cli/sweep/table.ts";
import { inTemporary } from "../../_folder.ts";
import { run } from "../_terminal.ts";
import { writeSmallModel } from "../../experiment/_model.ts";

const words = ["colors", "batchSize=6", "--seed", "2", "--algorithm", "grpo"];
const request = {
  ...{ task: "colors", algorithm: "grpo", seed: 2, steps: 9, model: "tiny" },
  settings: { batchSize: 6 } as Record<string, unknown>,
};

Deno.test("a run is a cell's where task, flags and settings are; paths and steps may be written otherwise", () => {
  assert.equal(foreignIn({ words }, { request }), undefined);
  assert.equal(foreignIn({ words: ["./a.csv", ...words.slice(1)] }, { request }), undefined);
  const other = (more: object) => foreignIn({ words }, { request: { ...request, ...more } });
  assert.equal(other({ seed: 1 }), "seed 1 in place of 2");
  assert.equal(other({ task: "copy" }), "task copy in place of colors");
  assert.equal(other({ algorithm: "ppo" }), "algorithm ppo in place of grpo");
  assert.equal(other({ settings: { batchSize: 7 } }), "batchSize 7 in place of 6");
  assert.equal(other({ settings: {} }), "batchSize not given in place of 6");
  assert.equal(other({ settings: { batchSize: 6, lambda: 0 } }), "lambda 0 in place of the usual");
  const rate = (text: string) =>
    foreignIn({ words: ["colors", `learningRate=${text}`] }, {
      request: { task: "colors", settings: { learningRate: 0.0001 } },
    });
  assert.deepEqual([rate("1e-4"), rate("2e-4")], [
    undefined,
    "learningRate 0.0001 in place of 2e-4",
  ]);
});

inTemporary(
  "another run in a cell's folder is told, not counted, and not gone on with",
  async (place) => {
    await Deno.mkdir(`${place}/model`);
    await writeSmallModel(`${place}/model`);
    const out = `${place}/sweep`;
    const done = await run(
      `train colors --model ${place}/model --device cpu --steps 1 batchSize=6 --seed 1,2 --quiet --out ${out}`,
    );
    assert.equal(done.code, 0, done.err);
    const sweep = await readSweep(out),
      [first, second] = sweep.cells.map(({ folder }) => `${out}/${folder}`);
    await Deno.remove(second, { recursive: true });
    await Deno.mkdir(second);
    for await (const { name, isFile } of Deno.readDir(first)) {
      if (isFile) await Deno.copyFile(`${first}/${name}`, `${second}/${name}`);
    }
    const { state, error, run: found } = await factsOf(out, sweep.cells[1]);
    assert.deepEqual([state, found], ["failed", undefined]);
    assert.match(error!, /another run lies in its folder: seed 1 in place of 2/);
    const again = await run(`train --resume ${out}`);
    assert.equal(again.code, 1);
    assert.match(again.out, /another run lies there,\sseed 1 in place of 2: move it away/);
    assert.ok((await Deno.stat(`${second}/summary.json`)).isFile, "it is kept");
    sweep.cells[1].folder = sweep.cells[0].folder;
    await writeSweep(out, sweep);
    await assert.rejects(readSweep(out), /runs in a folder each/);
  },
);

Deno.test("a module is found in a list of rewards, behind a weight, and behind a flag", () => {
  for (
    const text of [
      ...["a/evil.ts", "exact,a/evil.ts", "a/evil.ts:1,exact", "exact:0.5|a/evil.ts:2"],
      ...["--reward=a/evil.ts", "--reward=exact,a/evil.ts:1", " a/evil.ts "],
    ]
  ) assert.ok(modulesIn(text).includes("a/evil.ts"), text);
  assert.deepEqual(modulesIn("exact,semantic:0.5"), []);
});

inTemporary("code that lies in a folder is refused however it is named", async (folder) => {
  await Deno.writeTextFile(`${folder}/evil.ts`, "throw new Error()");
  for (
    const text of [
      `exact,${folder}/evil.ts`,
      `--reward=${folder}/evil.ts`,
      `${folder}/evil.ts:1,exact`,
    ]
  ) {
    const refused = refuseOwnCode(folder, [text], { action: "resume", cure: "start anew" });
    await assert.rejects(
      refused,
      /would run the code of .*evil\.ts, which lies in that folder/,
      text,
    );
  }
  await refuseOwnCode(`${folder}/other`, [`${folder}/evil.ts`], { action: "resume", cure: "x" });
});
