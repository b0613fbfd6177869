/** Every task with every reward that fits it, for three steps, under the task's own algorithm and settings. @module */
import assert from "node:assert/strict";
import { trainTask } from "../../experiment/train.ts";
import { parseTerms } from "../../rewards/parse.ts";
import { listRewards } from "../../rewards/registry.ts";
import { openTask } from "../../tasks/open.ts";
import { listTasks } from "../../tasks/registry.ts";
import type { Task } from "../../tasks/task.ts";
import { withFolder } from "../_folder.ts";
import { Recorder, writeSmallModel } from "./_model.ts";

/** What rewards cannot be without. */
const NEEDED: Record<string, Record<string, string | number>> = {
  length: { lengthMin: 3, lengthMax: 20 },
  regex: { regexPattern: "[a-z]+" },
};

/** A few of a task's prompts: what is shown is that its parts hold together. */
function some(task: Task): Task {
  const { train, heldout } = task.examples;
  return { ...task, examples: { train: train.slice(0, 6), heldout: heldout.slice(0, 2) } };
}

for (const { name } of listTasks()) {
  Deno.test(`${name} trains for three steps with each reward that fits it`, () =>
    withFolder(async (folder) => {
      await writeSmallModel(`${folder}/model`, 256);
      const { task } = await openTask(name), all = listRewards().map((reward) => reward.name);
      const fits = task.fits ?? all.filter((reward) => !(reward in NEEDED));
      const usual = parseTerms(task.defaultRewards, all).map((term) => term.name);
      assert.ok(usual.every((reward) => fits.includes(reward)), "its own rewards fit it");
      for (const reward of fits) {
        const watched = new Recorder(`${folder}/${reward}`);
        const { algorithm } = task;
        const settings = { ...NEEDED[reward], batchSize: 8, maxNewTokens: 6 };
        await trainTask({
          ...{ task: some(task), algorithm, reward, settings, model: `${folder}/model` },
          ...{ steps: 3, seed: 3, device: "cpu" },
        }, watched);
        assert.equal(watched.rows.length, 3, reward);
        for (const row of watched.rows) {
          const scored = row["rewards/scored_count"];
          assert.ok(scored > 0 || row["rewards/null_count"] === 8, `${reward}: ${scored}`);
          if (scored > 0) assert.ok(Number.isFinite(row[`rewards/${reward}/mean`]), reward);
        }
        assert.deepEqual(watched.phases.slice(-2), ["after:train", "after:heldout"]);
      }
    }));
}
