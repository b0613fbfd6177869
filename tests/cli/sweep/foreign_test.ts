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
const request: Record<string, unknown> = {
  ...{ task: "colors", algorithm: "grpo", seed: 2, model: "tiny", device: "auto", saveEvery: 20 },
  settings: { batchSize: 6 } as Record<string, unknown>,
};

Deno.test("a run is a cell's where all that it was asked for is, written so or otherwise", () => {
  assert.equal(foreignIn({ words }, { request }), undefined);
  const other = (more: object) => foreignIn({ words }, { request: { ...request, ...more } });
  assert.equal(other({ seed: 1 }), "seed 1 in place of 2");
  assert.equal(other({ task: "copy" }), "task copy in place of colors");
  assert.equal(other({ algorithm: "ppo" }), "algorithm ppo in place of grpo");
  assert.equal(other({ settings: { batchSize: 7 } }), "batchSize 7 in place of 6");
  assert.equal(other({ settings: {} }), "batchSize not given in place of 6");
  assert.equal(other({ settings: { batchSize: 6, lambda: 0 } }), "lambda 0 in place of the usual");
  assert.equal(
    other({ model: "small" }),
    "model small in place of tiny",
    "which is the task's own",
  );
  assert.equal(other({ steps: 9 }), "steps 9 in place of not given");
  assert.equal(
    other({ seed: 1, device: "cpu", rewards: [{ name: "exact", weight: 1 }] }),
    "reward exact in place of not given, seed 1 in place of 2, device cpu in place of auto",
    "all that differs",
  );
  const rate = (text: string) =>
    foreignIn({ words: ["colors", `learningRate=${text}`] }, {
      request: {
        task: "colors",
        algorithm: "ppo",
        model: "tiny",
        settings: { learningRate: 0.0001 },
      },
    });
  assert.deepEqual([rate("1e-4"), rate("2e-4")], [
    undefined,
    "learningRate 0.0001 in place of 2e-4",
  ]);
});

/** Flags of a cell, what a run of it keeps, and what that of another one does. */
const KEPT: [flags: string[], kept: object, other: object, differs: string][] = [
  [["--steps", "5"], { steps: 5 }, { steps: 50 }, "steps 50 in place of 5"],
  [["--device", "cpu"], { device: "cpu" }, { device: "webgpu" }, "device webgpu in place of cpu"],
  [["--model", "small"], { model: "small" }, { model: "tiny" }, "model tiny in place of small"],
  [["--memory", "2.50"], { memory: 2.5 }, { memory: 3 }, "memory 3 in place of 2.50"],
  [["--save-every", "5"], { saveEvery: 5 }, {}, "save-every 20 in place of 5"],
  [["--evaluate-every", "5"], { evaluateEvery: 5 }, {}, "evaluate-every 0 in place of 5"],
  [["--log", "tensorboard"], { log: "tensorboard" }, {}, "log none in place of tensorboard"],
  [["--skip-players"], { players: false }, {}, "skip-players false in place of true"],
  [["--tuned"], { tuning: {} }, {}, "tuned not given in place of given"],
  [[], {}, { tuning: {} }, "tuned given in place of not given"],
  [[], {}, { patience: 3 }, "patience 3 in place of 0"],
  [
    ["--reward", "semantic:0.50, exact:1,./my reward.ts:-1"],
    {
      rewards: [["semantic", 0.5], ["exact", 1], ["./my reward.ts", -1]]
        .map(([name, weight]) => ({ name, weight })),
    },
    { rewards: [{ name: "exact", weight: 1 }] },
    "reward exact in place of semantic:0.5,exact,./my reward.ts:-1",
  ],
  [
    ["--model", "runs/a"],
    { model: "runs/a/checkpoints/step-40" },
    { model: "runs/b/checkpoints/step-40" },
    "model runs/b/checkpoints/step-40 in place of runs/a",
  ],
  [
    ["--model", "runs/a@best"],
    { model: "runs/a/checkpoints/step-20" },
    { model: "runs/a/other/step-20" },
    "model runs/a/other/step-20 in place of runs/a@best",
  ],
];

Deno.test("whatever a cell's flags ask for is compared, and what earlier versions did not keep is the usual", () => {
  for (const [flags, kept, other, differs] of KEPT) {
    const cell = { words: [...words, ...flags] };
    const told = (more: object) => foreignIn(cell, { request: { ...request, ...more } });
    assert.deepEqual([told(kept), told(other)], [undefined, differs], flags.join(" "));
  }
  const { saveEvery: _, device: __, ...old } = request;
  assert.equal(foreignIn({ words }, { request: old }), undefined);
});

Deno.test("a task's path is compared as a path; of one that must be read nobody asks for its defaults", () => {
  const told = (task: string, kept: string, more = {}) =>
    foreignIn({ words: [task] }, {
      request: { ...request, seed: 1, settings: {}, task: kept, ...more },
    });
  assert.equal(told("./a.ts", "a.ts", { algorithm: "ppo", model: "small" }), undefined);
  assert.equal(told("./a.ts", "b.ts"), "task b.ts in place of ./a.ts");
  assert.equal(told("a.csv", "a.csv", { algorithm: "ppo" }), undefined);
  assert.equal(
    told("a.csv", "a.csv", { algorithm: "ppo", model: "small" }),
    "model small in place of tiny",
  );
  assert.equal(
    foreignIn({ words: ["colors", "--preset", "seed-pgsrm"] }, {
      request: { task: "colors", algorithm: "grpo", model: "tiny", settings: {} },
    }),
    "algorithm grpo in place of pgsrm, preset not given in place of seed-pgsrm",
  );
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
