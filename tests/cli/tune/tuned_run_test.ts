/** Runs by what was tuned: they keep it, and only they go on with it. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { commandOf, type RunRequest } from "../../../cli/train/request.ts";
import { tunedForHere, writeTuning } from "../../../cli/tune/tuning_file.ts";
import { readManifest } from "../../../experiment/folder/manifest.ts";
import { readRun } from "../../../experiment/folder/run_data.ts";
import { planTask } from "../../../experiment/plan.ts";
import { tuneFor } from "../../../experiment/request.ts";
import { trainTask } from "../../../experiment/train.ts";
import type { Launch } from "../../../kernels/device.ts";
import { CpuDevice } from "../../../kernels/devices/cpu.ts";
import { WebGpuDevice } from "../../../kernels/devices/webgpu.ts";
import type { Tuning } from "../../../kernels/tuning.ts";
import { testOnWebGpu } from "../../_devices.ts";
import { inTemporary, withFolder } from "../../_folder.ts";
import { Recorder, writeSmallModel } from "../../experiment/_model.ts";
import { noting } from "../../kernels/_card.ts";
import { run } from "../_terminal.ts";

const CHOICES: Tuning = {
  products: { "NT narrow": { variant: "tile" }, "NN narrow": { variant: "workgroup" } },
  attention: "alone",
};
const SETTINGS = "batchSize=6 epochs=1 minibatches=1 learningRateSchedule=constant";

/** A folder with a small model, and a file of choices for the adapter here. */
const inPlace = (body: (place: string, line: string) => Promise<void>): Promise<void> =>
  withFolder(async (place) => {
    await Deno.mkdir(`${place}/model`);
    await writeSmallModel(`${place}/model`);
    const row = { name: "a", size: "b", way: "c", seconds: 1, gflops: 2 };
    await writeTuning(`${place}/tuned.json`, {
      ...{ tunedFor: await tunedForHere(), measured: "now", quick: true, choices: CHOICES },
      ...{ rows: [{ ...row, isChosen: true, isBuiltIn: false }], skipped: [] },
    });
    await body(place, `train colors --model ${place}/model --device webgpu --seed 2 ${SETTINGS}`);
  });

testOnWebGpu(
  "a tuned run keeps its choices, and a resume goes on with them",
  () =>
    inPlace(async (place, line) => {
      const folder = `${place}/run`;
      const first = await run(`${line} --out ${folder} --steps 2 --tuned ${place}/tuned.json`);
      assert.equal(first.code, 0, first.err);
      const { config } = await readRun(folder), adapter = config.device.name;
      assert.deepEqual(config.device.tuning, CHOICES);
      assert.deepEqual(config.request.tuning, { adapter, choices: CHOICES });
      assert.match(config.command, / --tuned /);
      assert.deepEqual(
        (await readManifest(`${folder}/checkpoints/step-2`))!.device.tuning,
        CHOICES,
      );
      assert.match(
        await Deno.readTextFile(`${folder}/report.html`),
        /\(webgpu, software, tuned\)|\(webgpu, tuned\)/,
      );

      await Deno.remove(`${place}/tuned.json`); // the run needs it no more
      const on = await run(`train --resume ${folder} --steps 3`);
      assert.equal(on.code, 0, on.err);
      assert.equal((await readRun(folder)).metrics.length, 3);
      const other = await run(`train --resume ${folder} --steps 4 --tuned`);
      assert.equal(other.code, 2);
      assert.match(
        other.err,
        /^error: Cannot change --tuned on --resume as a run keeps what it learns/,
      );

      const text = await Deno.readTextFile(`${folder}/config.json`);
      const hostile = JSON.parse(text);
      hostile.request.tuning.choices.products["NN narrow"] = {
        ...{ variant: "tile", few: { rows: 1e9, columns: 4 } },
      };
      await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(hostile));
      const refused = await run(`train --resume ${folder} --steps 4`);
      assert.equal(refused.code, 2);
      assert.match(
        refused.err,
        /as the request in its config\.json must be as the run wrote it: tuning\.choices\.products\.NN narrow\.few\.rows is 1000000000/,
      );
    }),
);

/** Rewrites files of a run whose attention is "alone" as earlier versions wrote them; a manifest has its hash. */
async function asEarlier(...files: string[]): Promise<void> {
  for (const file of files) {
    const text = await Deno.readTextFile(file);
    const { sha256, ...rest } = JSON.parse(text, (key, value) => {
      if (key !== "tuning" && key !== "choices" || value.attention !== "alone") return value;
      const { attention: _, ...others } = value;
      return { ...others, attentionShuffles: false };
    });
    const now = { ...rest, ...(sha256 && { sha256: hashOf(JSON.stringify(rest)) }) };
    assert.match(JSON.stringify(now), /attentionShuffles/);
    assert.doesNotMatch(JSON.stringify(now), /"attention":/);
    await Deno.writeTextFile(file, JSON.stringify(now, null, 2) + "\n");
  }
}
const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

testOnWebGpu(
  "a run that an earlier version tuned goes on by the same kernels",
  () =>
    inPlace(async (place, line) => {
      const old = `${place}/old`, runs = [old, `${place}/whole`];
      for (const [i, folder] of runs.entries()) {
        const done = await run(
          `${line} --out ${folder} --steps ${2 + i} --tuned ${place}/tuned.json`,
        );
        assert.equal(done.code, 0, done.err);
      }
      await asEarlier(`${old}/config.json`, `${old}/checkpoints/step-2/manifest.json`);
      const on = await run(`train --resume ${old} --steps 3`);
      assert.equal(on.code, 0, on.err);
      const [resumed, straight] = await Promise.all(
        runs.map((folder) => Deno.readFile(`${folder}/checkpoints/step-3/model.safetensors`)),
      );
      assert.deepEqual(resumed, straight);
    }),
);

testOnWebGpu(
  "without --tuned nothing is read, and nothing of it is kept",
  () =>
    inPlace(async (place, line) => {
      const plain = await run(`${line} --out ${place}/run --steps 1`);
      assert.equal(plain.code, 0, plain.err);
      const { config } = await readRun(`${place}/run`);
      assert.equal("tuning" in config.device, false);
      assert.equal("tuning" in config.request, false);
      assert.doesNotMatch(config.command, /tuned/);
      const none = await run(`${line} --tuned ${place}/none.json`);
      assert.equal(none.code, 2);
      assert.match(
        none.err,
        /^error: Cannot run by what was tuned as nothing was on ".*none\.json is not there; run deno task tune$/m,
      );
      const cpu = await run(`${line.replace("webgpu", "cpu")} --tuned ${place}/tuned.json`);
      assert.equal(cpu.code, 2);
      assert.match(
        cpu.err,
        /^error: Cannot run by what was tuned on --device cpu as that has no kernels/,
      );
    }),
);

testOnWebGpu(
  "kernels of a tuned run are the chosen ones, and only alike choices continue",
  () =>
    inPlace(async (place) => {
      using device = await WebGpuDevice.open();
      const { name: adapter } = device, launches: Launch[] = [];
      const request = {
        ...{ task: "colors", model: `${place}/model`, steps: 1, seed: 2 },
        settings: { batchSize: 6, epochs: 1, minibatches: 1 },
      };
      const tuning = { adapter, choices: CHOICES };
      const checkpoints = new Recorder(`${place}/tuned`), noted = noting(device, launches);
      await trainTask({ ...request, tuning }, checkpoints, { device: noted });
      const labels = new Set(launches.map(({ kernel }) => kernel.label.split(".")[0]));
      assert.ok(labels.has("matmul_workgroup") && labels.has("matmul_tile"), [...labels].join());
      assert.ok(
        launches.every(({ kernel: { label, workgroup } }) =>
          !label.startsWith("attention") || workgroup === 32
        ),
      );
      device.tuning = undefined;
      await trainTask(request, new Recorder(`${place}/plain`), { device });
      const plan = await planTask({ ...request, device: "webgpu", tuning });
      assert.ok(plan.total > 0);
      const elsewhere = { ...request, device: "cpu", tuning } as const;
      const why =
        /Cannot run by what was tuned as it holds for ".*" alone: this is "TypeScript twins/;
      await assert.rejects(trainTask(elsewhere, new Recorder(`${place}/no`)), why);
      await assert.rejects(planTask(elsewhere), why);
    }),
);

inTemporary("a checkpoint of other choices of kernels is refused", async (place) => {
  await Deno.mkdir(`${place}/model`);
  await writeSmallModel(`${place}/model`);
  using device = new CpuDevice();
  const { name: adapter } = device, at = `${place}/run`;
  const request = {
    ...{ task: "colors", model: `${place}/model`, steps: 1, seed: 2 },
    settings: { batchSize: 6, epochs: 1, minibatches: 1 },
  };
  const { RunFolder } = await import("../../../experiment/folder/run_folder.ts");
  for (
    const [tuning, other, how] of [
      [undefined, { adapter, choices: { parts: { "rows long": 2 } } }, ["built in", "tuned"]],
      [{ adapter, choices: {} }, undefined, ["tuned", "built in"]],
      [{ adapter, choices: {} }, { adapter, choices: { parts: { "rows long": 2 } } }, [
        "tuned",
        "tuned",
      ]],
    ] as const
  ) {
    device.tuning = undefined;
    const out = `${at}-${how.join("-").replaceAll(" ", "-")}`;
    const observer = new RunFolder({ out, command: "", request: {} });
    await trainTask({ ...request, tuning }, observer, { device });
    await observer.close();
    device.tuning = undefined;
    const resume = `${out}/checkpoints/step-1`, again = { ...request, resume };
    await assert.rejects(
      trainTask({ ...again, tuning: other }, new Recorder(`${place}/x`), { device }),
      (error: Error) => {
        assert.match(
          error.message,
          /only the same choice of kernels continues exactly: it was saved by/,
        );
        assert.match(
          error.message,
          new RegExp(`by .*${how[0]}, and this would go on by .*${how[1]}`),
        );
        assert.match(error.message, /Resume its run, whose config\.json keeps the choice/);
        return true;
      },
    );
    device.tuning = undefined;
    await trainTask({ ...again, tuning }, new Recorder(`${place}/y-${how[0]}`), { device });
  }
  // A checkpoint that an earlier version saved names one of them otherwise.
  const tuning = { adapter, choices: { attention: "alone" } } as const, out = `${at}-old`;
  const observer = new RunFolder({ out, command: "", request: {} });
  await trainTask({ ...request, tuning }, observer, { device });
  await observer.close();
  const resume = `${out}/checkpoints/step-1`;
  await asEarlier(`${resume}/manifest.json`);
  const on = { ...request, tuning, resume };
  await trainTask(on, new Recorder(`${place}/y`), { device });
});

Deno.test("who resumes on another device leaves the choices behind", () => {
  using device = new CpuDevice();
  const tuning = { adapter: "a card", choices: CHOICES };
  tuneFor({ tuning, changed: ["device"] }, device);
  assert.equal(device.tuning, undefined);
  assert.throws(() => tuneFor({ tuning, changed: ["learningRate"] }, device), /holds for "a card"/);
  const own = { adapter: device.name, choices: {} };
  tuneFor({ tuning: own, changed: ["device"] }, device);
  assert.deepEqual(device.tuning, own.choices);
});

Deno.test("the line that repeats a run says that it was tuned", () => {
  const request: RunRequest = {
    ...{ task: "colors", algorithm: "ppo", model: "tiny", seed: 1, device: "auto", saveEvery: 20 },
    settings: {},
  };
  assert.doesNotMatch(commandOf(request), /tuned/);
  const tuning = { adapter: "a", choices: {} };
  assert.match(commandOf({ ...request, tuning }), / --device auto --tuned$/);
});
