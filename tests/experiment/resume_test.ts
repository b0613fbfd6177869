/**
 * Runs that are stopped after every step and continued in a new process are, at every step, bit by bit the
 * run that never stopped. `deno task test:resume` does it with thirty steps of three algorithms on the
 * default model; here are three steps of the one that remembers most, on a small one.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { TrainRequest } from "../../experiment/train.ts";
import { inTemporary } from "../_folder.ts";
import { writeSmallModel } from "./_model.ts";

const STEPS = Number(Deno.env.get("PLAINRL_RESUMES") ?? 0); // deno task test:resume makes it 30
const SCRIPT = fileURLToPath(new URL("./_stopped_run.ts", import.meta.url));

interface Checkpoint {
  step: number;
  model: string;
  moments: string;
  reference?: string;
  trainer: { sampling?: { kept?: { prompts: string[] } } };
}

/** Runs the script in a process of its own; gives the checkpoints that it wrote. */
async function run(
  folder: string,
  request: TrainRequest,
  ...steps: number[]
): Promise<Checkpoint[]> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--no-prompt", "--allow-read", `--allow-write=${folder}`]
      .concat("--allow-env", "--allow-sys", SCRIPT, folder, JSON.stringify(request))
      .concat(steps.map(String)),
    env: { HF_HUB_OFFLINE: "1" },
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  return lines.map((line) => JSON.parse(line));
}

/** Stops after every step, and compares each with the run that never stopped. */
async function compare(
  place: string,
  request: Omit<TrainRequest, "task">,
  steps: number,
): Promise<Checkpoint[]> {
  const asked = { task: "colors", seed: 2, steps, ...request };
  const whole = await run(`${place}/whole`, { ...asked, saveEvery: 1 }, 0);
  assert.deepEqual(whole.map(({ step }) => step), Array.from({ length: steps + 1 }, (_, i) => i));
  for (let step = 1; step <= steps; step++) {
    const saved = await run(`${place}/cut`, asked, step, ...(step === 1 ? [] : [step - 1]));
    assert.deepEqual(saved.at(-1), whole[step], `checkpoint of step ${step}`);
    for (const table of ["metrics.csv", "completions.csv"]) {
      const [cut, all] = await Promise.all(
        ["cut", "whole"].map((name) => Deno.readFile(`${place}/${name}/${table}`)),
      );
      assert.ok(cut.length > 0 && all.length >= cut.length);
      assert.deepEqual(cut, all.subarray(0, cut.length), `${table} after step ${step}`);
      if (step === steps && table === "metrics.csv") assert.equal(cut.length, all.length);
    }
  }
  return whole;
}

const keptIn = (checkpoints: Checkpoint[]) =>
  checkpoints.filter(({ trainer }) => trainer.sampling?.kept).length;

if (STEPS === 0) {
  inTemporary(
    "DAPO with kept groups, stopped after every step, is the run that never stopped",
    async (place) => {
      await Deno.mkdir(`${place}/model`);
      await writeSmallModel(`${place}/model`);
      const settings = { batchSize: 12, groupSize: 4, maxDraws: 3, learningRate: 1e-2 };
      const request = {
        algorithm: "dapo",
        model: `${place}/model`,
        device: "cpu",
        settings,
      } as const;
      const kept = keptIn(await compare(place, request, 3));
      assert.ok(kept > 0, `groups were kept after ${kept} steps`);
    },
  );

  inTemporary(
    "PPO whose reference is synced, stopped after every step, is the run that never stopped",
    async (place) => {
      await Deno.mkdir(`${place}/model`);
      await writeSmallModel(`${place}/model`);
      const settings = {
        ...{ batchSize: 6, epochs: 1, learningRate: 1e-2 },
        ...{ referenceSync: 2, referenceMix: 0.5, klCoefficient: 0.1 },
      };
      const request = { model: `${place}/model`, device: "cpu", settings } as const;
      const [start, one, two, three] = (await compare(place, request, 3))
        .map(({ reference }) => reference);
      assert.ok(start !== undefined && two !== undefined);
      assert.deepEqual([one, three], [start, two]);
      assert.notEqual(start, two, "step 2 moved the reference");
    },
  );
} else {
  for (const algorithm of ["ppo", "grpo", "dapo"]) {
    inTemporary(
      `${algorithm}, stopped after each of ${STEPS} steps, is the run that never stopped`,
      async (place) => {
        const whole = await compare(place, { algorithm }, STEPS);
        const kept = keptIn(whole);
        console.log(`${algorithm}: ${STEPS} stops, groups kept after ${kept} of them`);
        assert.equal(kept > STEPS / 4, algorithm === "dapo");
      },
    );
  }
}
