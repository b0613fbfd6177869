/** The whole PPO loss against TRL 0.11.4, by `tests/fixtures/trl_gradient.py`. @module */
import { loadGpt2 } from "../../model/files/gpt2_folder.ts";
import { fromGrid, responseRows, toGrid } from "../../model/rows.ts";
import { alignResponses, countTokens } from "../../rl/batch.ts";
import { gae, tokenRewards } from "../../rl/gae.ts";
import { tokenKl } from "../../rl/kl.ts";
import { maskedMean, maskedVariance, whiten } from "../../rl/stats.ts";
import { lossOf, meansOfLoss } from "../rl/_ppo.ts";
import { assertClose } from "../_close.ts";
import { testOnDevices } from "../_devices.ts";
import { assertGradients, modelFolder, readFixture } from "../_fixtures.ts";

interface Facts {
  settings: {
    gamma: number;
    lambda: number;
    klCoefficient: number;
    clipRange: number;
    valueClipRange: number;
    valueCoefficient: number;
  };
  queries: number[][];
  responses: number[][];
  scores: number[];
  loss: number;
  metrics: Record<string, number>;
}

testOnDevices("TRL's PPO loss and its gradient by every parameter", async (device) => {
  const { facts, tensors } = await readFixture<Facts>("trl_gradient");
  const { settings, queries, responses, scores, metrics } = facts;
  const want = (name: string): Float32Array => tensors.get(name)!;
  using model = await loadGpt2(device, modelFolder("trl-ppo-model"), { valueHead: true });
  const rows = responseRows({ prompts: queries, responses });
  const seen = await model.evaluate(rows);
  const [logprob, entropy, value] = [seen.logprob, seen.entropy, seen.value]
    .map((x) => toGrid(x, rows));
  assertClose(logprob, want("logprob"), "logprob");
  assertClose(value, want("value"), "value");

  const [oldLogprob, oldValue] = [want("oldLogprob"), want("oldValue")];
  const grid = alignResponses(responses), { mask } = grid;
  const kl = tokenKl(mask, {
    logprob: oldLogprob,
    reference: want("refLogprob"),
    estimator: "k1",
  });
  const coefficient = settings.klCoefficient;
  const { reward } = tokenRewards(grid, { kl, score: scores, coefficient });
  const { gamma, lambda } = settings;
  const { advantage: raw, returns } = gae(grid, { reward, value: oldValue, gamma, lambda });
  const advantage = whiten(raw, mask, { variance: "sample", shiftMean: true });
  for (const [name, got] of Object.entries({ kl, reward, advantage, return: returns })) {
    assertClose(got, want(name), name, 1e-5);
  }

  const options = {
    clipLow: settings.clipRange,
    clipHigh: settings.clipRange,
    valueClip: settings.valueClipRange,
    valueCoefficient: settings.valueCoefficient,
    entropyCoefficient: 0, // TRL reports the entropy and does not train on it
    tokens: countTokens(mask),
  };
  const inputs = { logprob, entropy, value, oldLogprob, oldValue, advantage, returns };
  const { sums, gradient } = lossOf(mask, inputs, options);
  const means = meansOfLoss(sums, options);
  const got: Record<string, number> = {
    "loss/policy": means["loss/policy"],
    "loss/value": means["loss/value"],
    "loss/total": means["loss/total"],
    "policy/entropy": means["policy/entropy"],
    "policy/approxkl": means["policy/approxkl"],
    "policy/policykl": means["policy/policykl"],
    "policy/clipfrac": means["policy/clipfrac"],
    "policy/advantages_mean": maskedMean(advantage, mask),
    "returns/mean": maskedMean(returns, mask),
    "returns/var": maskedVariance(returns, mask, "sample"),
    "val/vpred": means["value/pred"],
    "val/error": means["value/error"],
    "val/clipfrac": means["value/clipfrac"],
    "val/mean": maskedMean(oldValue, mask),
    "val/var": maskedVariance(oldValue, mask, "sample"),
  };
  for (const [name, x] of Object.entries(metrics)) assertClose([got[name]], [x], name, 1e-4);

  model.backward({
    dlogprob: fromGrid(gradient.dlogprob, rows),
    dentropy: fromGrid(gradient.dentropy!, rows),
    dvalue: fromGrid(gradient.dvalue!, rows),
  });
  await assertGradients(model, tensors);
});
