import assert from "node:assert/strict";
import { LanguagePolicy } from "../../experiment/policy.ts";
import { trainTask } from "../../experiment/train.ts";
import { Gpt2 } from "../../model/gpt2.ts";
import { checkPrefixes, figuresText, noteFigures } from "../../model/prefix_check.ts";
import { responseRows } from "../../model/rows.ts";
import { Trainer } from "../../rl/trainer.ts";
import { testOnDevices } from "../_devices.ts";
import { withFolder } from "../_folder.ts";
import { gradients, randomModel, SMALL } from "../model/_model.ts";
import { Recorder, writeSmallModel } from "./_model.ts";

const ROWS = responseRows({
  prompts: [[1, 2, 3], [1, 2, 3], [1, 2, 4]],
  responses: [[5, 6], [5, 7], [8]],
});

testOnDevices(
  "checkPrefixes() tells both ways apart, and keeps the gradients there were",
  async (device) => {
    using model = randomModel(device);
    using reference = Gpt2.create(device, SMALL, { frozen: true, seed: 7 });
    await model.evaluate(ROWS);
    model.backward({ dlogprob: new Float32Array(5).fill(1) });
    const before = await gradients(model);
    const figures = await checkPrefixes(model, ROWS, { temperature: 0.7, reference });
    assert.deepEqual(await gradients(model), before);
    assert.deepEqual([figures.plainRows, figures.sharedRows, figures.told], [12, 16, 0]);
    assert.ok(figures.gradient > 0 && figures.gradient < 4e-6, `${figures.gradient}`);
    using frozen = randomModel(device, SMALL, { frozen: true });
    const { gradient, parameter } = await checkPrefixes(frozen, ROWS);
    assert.deepEqual([gradient, parameter], [0, undefined]);
  },
);

testOnDevices("checkPrefixes() refuses what differs by more than rounding", async (device) => {
  using model = randomModel(device);
  const evaluate = model.evaluate.bind(model), backward = model.backward.bind(model);
  model.evaluate = async (rows, options) => {
    const told = await evaluate(rows, options);
    if (rows.isTree) told.entropy.forEach((x, r) => told.entropy[r] = x + 2e-4);
    return told;
  };
  await assert.rejects(
    () => checkPrefixes(model, ROWS),
    /^Error: Cannot share prefixes as .* differ by 0\.00020, gradients by .*; set sharePrefixes=off$/,
  );
  model.evaluate = evaluate;
  let calls = 0;
  model.backward = ({ dlogprob, ...rest }) =>
    backward({
      ...rest,
      dlogprob: Float64Array.from(dlogprob!, (x) => x * (calls++ < 5 ? 1 : 1.01)),
    });
  await assert.rejects(
    () => checkPrefixes(model, ROWS),
    /differ by 0\.0, gradients by 0\.0\d+ of their norm \([a-z0-9_.]+\)/,
  );
});

Deno.test("figures add up, and the largest difference counts", () => {
  const all = { plainRows: 0, sharedRows: 0, told: 0, gradient: 0 };
  assert.equal(figuresText(all), "");
  noteFigures(all, {
    plainRows: 100,
    sharedRows: 40,
    told: 0,
    gradient: 2e-7,
    parameter: "wte.weight",
  });
  noteFigures(all, {
    plainRows: 50,
    sharedRows: 10,
    told: 0,
    gradient: 1e-7,
    parameter: "wpe.weight",
  });
  assert.equal(
    figuresText(all),
    "shared prefixes, checked: 50 rows in place of 150; log-probabilities equal to the bit, " +
      "gradients within 2.0e-7 (wte.weight)",
  );
});

testOnDevices(
  "a policy that checks itself learns what one that does not learns",
  async (device) => {
    const weightsAfter = async (sharePrefixes: "on" | "check") => {
      using model = randomModel(device, { ...SMALL, n_positions: 12 });
      const policy = new LanguagePolicy({ model }, null, { sharePrefixes });
      const settings = {
        ...{ totalSteps: 2, maxNewTokens: 3, epochs: 2, minibatches: 2 },
        ...{ groupSize: 4, klCoefficient: 0, microbatchRows: 3 },
      };
      const trainer = new Trainer(policy, settings, "grpo");
      for (let step = 0; step < 2; step++) {
        await trainer.step(
          [Int32Array.of(1, 2, 3, 4, 5, 6, 7), Int32Array.of(1, 2, 3, 4, 5, 6, 8)],
          ({ responses }) => Promise.resolve(responses.map((ids) => ids[0] % 3)),
        );
      }
      const weights: number[] = [];
      for await (const [, data] of model.weights.read()) weights.push(...data);
      return { weights, figures: policy.prefixFigures };
    };
    const on = await weightsAfter("on"), check = await weightsAfter("check");
    assert.deepEqual(check.weights, on.weights);
    assert.equal(on.figures.plainRows, 0);
    const { plainRows, sharedRows, told, gradient } = check.figures;
    assert.ok(plainRows > sharedRows && told === 0 && gradient > 0 && gradient < 1e-5);
  },
);

Deno.test("a run with sharePrefixes=check ends with the figures; the metrics are those of one without", () =>
  withFolder(async (folder) => {
    await writeSmallModel(`${folder}/model`);
    const run = async (sharePrefixes: string) => {
      const observer = new Recorder(folder);
      const settings = { batchSize: 4, epochs: 1, sharePrefixes };
      const request = { task: "colors", model: `${folder}/model`, steps: 1, settings };
      await trainTask({ ...request, device: "cpu" }, observer);
      return observer;
    };
    const [on, check, off] = [await run("on"), await run("check"), await run("off")];
    const said =
      /^shared prefixes, checked: \d+ rows in place of \d+; .* equal to the bit, gradients/m;
    assert.match(check.said.join("\n"), said);
    assert.doesNotMatch([...on.said, ...off.said].join("\n"), /shared prefixes/);
    assert.deepEqual(check.rows, on.rows);
    const forward = ({ rows: [row] }: Recorder) =>
      Object.entries(row).filter(([name]) => !name.startsWith("optimizer/"));
    assert.deepEqual(forward(off), forward(on)); // to the bit
  }));
