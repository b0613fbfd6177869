/** Every loss without a value head against TRL 1.16.0, by `tests/fixtures/trl_grpo.py`. @module */
import { loadGpt2 } from "../../model/files/gpt2_folder.ts";
import { fromGrid, responseRows, toGrid } from "../../model/rows.ts";
import { findAlgorithm } from "../../rl/algorithms/registry.ts";
import { alignResponses, gridOfRows, keepRows, takeRows } from "../../rl/batch.ts";
import { topEntropy } from "../../rl/loss/entropy_share.ts";
import { addSums, bothSums, emptySums, meansOf, policySums } from "../../rl/loss/sums.ts";
import { trainerOptions } from "../../rl/trainer_options.ts";
import { assertClose } from "../_close.ts";
import { testOnDevices } from "../_devices.ts";
import { assertGradients, modelFolder, readFixture } from "../_fixtures.ts";

interface Facts {
  beta: number;
  longest: number;
  queries: number[][];
  responses: number[][];
  advantages: number[];
  cases: Record<string, { loss: number; metrics: Record<string, number> }>;
}

interface Case {
  algorithm: string;
  settings?: Record<string, unknown>;
  /** What of TRL's reported loss is ours: `value` of the KL differs where only its gradient is the same. */
  loss?: false;
}

/** Our name and settings of each of TRL's cases. */
const CASES: Record<string, Case> = {
  "grpo": { algorithm: "grpo" },
  // TRL reports k3 times the ratio there, ours reports k3: one gradient.
  "grpo-unbiased": { algorithm: "grpo", settings: { klGradient: "unbiased" }, loss: false },
  "grpo-delta": { algorithm: "grpo", settings: { ratioCap: 1.25 } },
  "bnpo": { algorithm: "bnpo" },
  "dr-grpo": { algorithm: "dr-grpo" },
  "dapo": { algorithm: "dapo" },
  "cispo": { algorithm: "cispo", settings: { weightCap: 1.1 } },
  "cispo-default": { algorithm: "cispo", settings: { weightCap: 0.2 } },
  "sapo": { algorithm: "sapo" },
  "vespo": { algorithm: "vespo" },
  "gspo": { algorithm: "gspo", settings: { clipLow: 0.05, clipHigh: 0.05 } },
  "gspo-biased-kl": {
    algorithm: "gspo",
    settings: { clipLow: 0.05, clipHigh: 0.05, klGradient: "sequence-ratio" },
  },
  "luspo": { algorithm: "luspo", settings: { clipLow: 0.05, clipHigh: 0.05 } },
  "grpo-entropy": { algorithm: "grpo", settings: { entropyShare: 0.4 } },
  "dapo-entropy": { algorithm: "dapo", settings: { entropyShare: 0.25 } },
  "gspo-entropy": {
    algorithm: "gspo",
    settings: { clipLow: 0.05, clipHigh: 0.05, entropyShare: 0.4 },
  },
  "gmpo": { algorithm: "gmpo", settings: { logClip: 0.1 } },
  "rloo": { algorithm: "rloo", settings: { klCoefficient: 0 } }, // its KL is in the advantages
};

testOnDevices(
  "the losses without a value head, and their gradients by every parameter, are TRL's",
  async (device) => {
    const { facts, tensors } = await readFixture<Facts>("trl_grpo");
    const { queries, responses, advantages, beta, longest } = facts;
    const grid = alignResponses(responses), { B, T, mask } = grid;
    using model = await loadGpt2(device, modelFolder("gpt2-a"));
    const all = Array.from({ length: B }, (_, b) => b);
    const [oldLogprob, reference] = [tensors.get("oldLogprob")!, tensors.get("refLogprob")!];
    const advantage = Float32Array.from(mask, (m, i) => m ? advantages[Math.floor(i / T)] : 0);
    for (const [name, { algorithm: ours, settings, loss }] of Object.entries(CASES)) {
      const algorithm = findAlgorithm(ours);
      const config = trainerOptions(algorithm as never).resolve(
        { klCoefficient: beta, maxNewTokens: longest, ...settings } as never,
      );
      const { klCoefficient, entropyShare } = config as never as Record<string, number>;
      const context = { config: config as never, step: 0, state: { klCoefficient } };
      const finished = all.map(() => true);
      const weight = algorithm.weights!({ grid, rows: all, finished }, context);
      let sums = emptySums();
      for (const rows of [[0, 1, 2], [3, 4, 5]]) { // pieces, as TRL accumulates them
        const part = gridOfRows(keepRows(grid, finished), rows);
        const batch = responseRows({
          prompts: rows.map((b) => queries[b]),
          responses: rows.map((b) => responses[b]),
        });
        const { logprob, entropy } = await model.evaluate(batch);
        const take = (x: Float32Array) => takeRows(x, grid, rows);
        const entropies = toGrid(entropy, batch);
        const piece = {
          grid: part,
          logprob: toGrid(logprob, batch),
          entropy: entropies,
          // Of the policy as it is now and each micro-batch by itself, as TRL chooses.
          policyWeight: topEntropy(part.mask, entropies, entropyShare),
          oldLogprob: take(oldLogprob),
          sampled: take(oldLogprob),
          reference: klCoefficient > 0 ? take(reference) : undefined,
          advantage: take(advantage),
        };
        assertClose(
          piece.logprob.filter((_, i) => part.mask[i]),
          take(tensors.get("logprob")!).filter((_, i) => part.mask[i]),
          "logprob",
          1e-5,
        );
        const of = algorithm.loss(piece, takeRows(weight, grid, rows), context);
        sums = addSums(sums, bothSums(policySums(piece), of.sums));
        const { dlogprob, dentropy } = of.gradient;
        model.backward({
          dlogprob: fromGrid(dlogprob, batch),
          dentropy: fromGrid(dentropy!, batch),
          dvalue: new Float32Array(batch.index.length),
        });
      }
      const means = meansOf(sums), want = facts.cases[name];
      if (loss !== false) assertClose([algorithm.total(means, context)], [want.loss], name, 1e-5);
      assertClose([means["policy/entropy"]], [want.metrics.entropy], `${name} entropy`, 1e-4);
      const clipped = want.metrics["clip_ratio/region_mean"];
      const perResponse = ["gspo", "luspo", "rloo"].includes(ours); // TRL counts those, not their tokens
      if (clipped !== undefined && !perResponse && name !== "grpo-delta") {
        assertClose([means["policy/clipfrac"]], [clipped], `${name} clipfrac`, 1e-6);
      }
      const prefix = `${name}/`;
      await assertGradients(
        model,
        new Map(
          [...tensors].filter(([key]) => key.startsWith(prefix))
            .map(([key, x]) => [key.slice(prefix.length), x]),
        ),
      );
      model.zeroGradient();
    }
  },
);
