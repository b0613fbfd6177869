import assert from "node:assert/strict";
import { LanguagePolicy } from "../../experiment/policy.ts";
import { Gpt2 } from "../../model/gpt2.ts";
import { Trainer } from "../../rl/trainer.ts";
import { testOnDevices } from "../_devices.ts";
import { assertRelative } from "../_close.ts";

const CONFIG = { vocab_size: 16, n_positions: 12, n_embd: 16, n_layer: 2, n_head: 2 };
const SEED = 5, EOS = 0;
/** Ragged prompts, and responses that end where they end. */
const PROMPTS = Array.from(
  { length: 8 },
  (_, b) => Int32Array.from({ length: 1 + b % 3 }, (_, i) => 1 + (3 * b + i) % 15),
);

for (const algorithm of ["ppo", "grpo"]) {
  const groupSize = algorithm === "grpo" ? { groupSize: 4 } : {};
  /** One update of 8 responses, or of 1, in passes of so many rows. */
  const run = async (device: Parameters<typeof Gpt2.create>[0], rows: number, prompts: number) => {
    using model = Gpt2.create(device, CONFIG, { seed: SEED, valueHead: algorithm === "ppo" });
    const policy = new LanguagePolicy({ model }, EOS);
    const settings = { microbatchRows: rows, totalSteps: 1, maxNewTokens: 6, epochs: 1 };
    const trainer = new Trainer(policy, { ...settings, ...groupSize, klCoefficient: 0 }, algorithm);
    const { metrics } = await trainer.step(
      PROMPTS.slice(0, prompts),
      ({ responses }) => Promise.resolve(responses.map((ids, b) => (ids[0] + b) % 3)),
    );
    const moments = model.requireOptimizer("compare moments").moments.m;
    const gradient: number[] = [];
    for await (const [, numbers] of moments.read()) gradient.push(...numbers);
    return { metrics, gradient };
  };

  testOnDevices(
    `${algorithm}: the ratio is exactly 1 before the first update, in passes of 1 row and of 8`,
    async (device) => {
      const all = algorithm === "grpo" ? 2 : 8;
      for (const [rows, prompts] of [[0, all], [1, all], [3, all], [0, 1]]) {
        const { metrics } = await run(device, rows, prompts);
        for (const name of ["policy/ratio", "policy/ratio_min", "policy/ratio_max"]) {
          assert.equal(metrics[name], 1, `${name}, ${rows} rows a pass, ${prompts} prompts`);
        }
        assert.equal(metrics["policy/approxkl"], 0);
      }
    },
  );

  testOnDevices(`${algorithm}: 1, 2 and 4 pieces give one gradient`, async (device) => {
    const all = algorithm === "grpo" ? 2 : 8;
    const { gradient } = await run(device, 0, all);
    assert.ok(gradient.some((x) => x !== 0));
    for (const rows of [4, 2]) {
      assertRelative((await run(device, rows, all)).gradient, gradient, `${rows} rows`, 1e-6);
    }
  });
}
