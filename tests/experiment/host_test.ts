/** What a step asks of the device: the same each time, and no more than it must. */
import assert from "node:assert/strict";
import { watchCalls } from "../../bench/_calls.ts";
import { hostSteps, hostTable } from "../../bench/host_share.ts";
import { LanguagePolicy } from "../../experiment/policy.ts";
import { WebGpuDevice } from "../../kernels/devices/webgpu.ts";
import type { Rollout } from "../../rl/policy.ts";
import { Trainer, type TrainerSettings } from "../../rl/trainer.ts";
import { testOnWebGpu } from "../_devices.ts";
import { withFolder } from "../_folder.ts";
import { randomModel, SMALL } from "../model/_model.ts";
import { writeSmallModel } from "./_model.ts";

const prompts = [[1, 2, 3], [4, 5], [6, 7, 8, 9], [2]].map((ids) => Int32Array.from(ids));
const score = ({ responses }: Rollout) => Promise.resolve(responses.map((ids) => ids[0] % 3));

interface Case {
  algorithm: string;
  settings?: TrainerSettings;
  lora?: { rank: number };
  /** Waits for the device in a step. */
  reads: number;
  /** Launches that no program holds: copies of what the next pass would overwrite. */
  loose?: number;
}

// Completions; policy and reference; then each optimiser step but the first of a rollout, and the last norm.
const CASES: Record<string, Case> = {
  "ppo": { algorithm: "ppo", reads: 4 },
  "ppo in pieces": { algorithm: "ppo", settings: { microbatchRows: 2 }, reads: 8 },
  "ppo with an adapter": { algorithm: "ppo", lora: { rank: 2 }, reads: 4, loose: 1 },
  "grpo": { algorithm: "grpo", settings: { groupSize: 2, epochs: 1 }, reads: 3 },
  "grpo with KL over the vocabulary": {
    algorithm: "grpo",
    settings: {
      ...{ groupSize: 2, epochs: 1, klCoefficient: 0.1 },
      ...{ klEstimator: "full", klGradient: "full" },
    },
    reads: 3,
    loose: 1,
  },
};

for (const [name, { algorithm, settings, lora, reads, loose = 0 }] of Object.entries(CASES)) {
  testOnWebGpu(`a step of ${name} waits ${reads} times, and makes nothing anew`, async () => {
    using device = await WebGpuDevice.open();
    using model = randomModel(device, SMALL, { lora });
    using frozen = lora ? undefined : await model.frozenCopy();
    const policy = new LanguagePolicy({ model, reference: frozen }, null);
    const run = { totalSteps: 6, maxNewTokens: 3, epochs: 2, minibatches: 1, learningRate: 1e-3 };
    const trainer = new Trainer(policy, { ...run, ...settings }, algorithm);
    const calls = watchCalls(device), seen = [];
    let before: unknown;
    for (let step = 0; step < 6; step++) {
      await trainer.step(prompts, score);
      const { waited: _, ...counts } = calls.take();
      if (step < 2) continue; // shapes are recorded, the buffer of reads has its size
      seen.push(counts);
      const memory = device.memory;
      if (step > 2) assert.deepEqual(memory, before);
      before = memory;
    }
    for (const counts of seen) assert.deepEqual(counts, seen[0]);
    const { reads: waits, buffers, bindGroups } = seen[0];
    assert.deepEqual({ waits, buffers, bindGroups }, {
      waits: reads,
      buffers: loose,
      bindGroups: loose,
    });
  });
}

testOnWebGpu(
  "the host's share of a step is what no call waited",
  () =>
    withFolder(async (folder) => {
      await writeSmallModel(`${folder}/model`);
      using device = await WebGpuDevice.open();
      const steps = await hostSteps(device, {
        steps: 2,
        algorithm: "grpo",
        model: `${folder}/model`,
      });
      assert.equal(steps.length, 2);
      for (const { seconds, waited, reads, launches, submissions, writes, written } of steps) {
        assert.ok(waited > 0 && waited < seconds, `${waited} of ${seconds} s`);
        assert.ok(launches > submissions && submissions > reads && reads > 1);
        assert.ok(written > 4 * writes);
      }
      const [head, , row] = hostTable([["grpo", steps]]).split("\n");
      assert.match(head, /^\| step +\| +ms \| host ms \| host % \| launches \|/);
      assert.match(row, /^\| grpo \| /);
    }),
);
