/** An update on the colors task with shared beginnings and with each text by itself, in turn. @module */
import type { Device } from "../kernels/device.ts";
import { openRun } from "../experiment/open.ts";
import { resolveRequest } from "../experiment/request.ts";
import { examplesFrom } from "../experiment/rollout.ts";
import { Trainer } from "../rl/trainer.ts";
import { between } from "./_measure.ts";
import { madeUpScores, type PhasedWork, type Phases, timed, TimedPolicy } from "./_steps.ts";

/** The setting, and how the phases of such a step are marked. */
const WAYS = { on: "", off: ", each text by itself" } as const;

/**
 * Steps of `train colors` with the default model: 48 completions of real prompts, of which `groupSize`
 * answer each. Scores are made up, and the learning rate is next to nothing, so that each step is of the
 * same policy. "update" is the step but for its rollout: old log-probabilities, reference and epochs.
 */
export async function colorsUpdate(
  device: Device,
  { algorithm, groupSize }: { algorithm: string; groupSize?: number },
): Promise<PhasedWork> {
  const owned = new DisposableStack();
  const ways = await Promise.all(
    Object.entries(WAYS).map(async ([sharePrefixes, name]) => {
      const settings = { sharePrefixes, learningRate: 1e-9, ...(groupSize && { groupSize }) };
      const asked = { task: "colors", model: "tiny", algorithm, steps: 1_000_000, settings };
      const plan = resolveRequest(asked), run = owned.use(await openRun(plan, device));
      const policy = new TimedPolicy(run.policy);
      return { name, run, policy, trainer: new Trainer(policy, plan.config, plan.algorithm) };
    }),
  );
  return {
    async sample() {
      const all: Phases = {};
      for (const { name, run: { plan, prompts }, policy, trainer } of ways) {
        policy.phases = {};
        const { task, settings, needs, config: { seed } } = plan;
        const take = (from: number, count: number) =>
          examplesFrom(task.examples.train, { from, count, seed }).map(({ id }) =>
            prompts.get(id)!
          );
        const count = settings.batchSize / needs.groupSize;
        await timed(policy.phases, "step", async () => {
          await trainer.step({ count, take }, madeUpScores);
          await device.read(); // the last step of the optimizer is only enqueued
        });
        const { step, generate } = policy.phases;
        all[`step${name}`] = step;
        all[`update${name}`] = between(generate, step);
      }
      return all;
    },
    [Symbol.dispose]: () => owned.dispose(),
  };
}
