/** A step of a group method, with each prompt run once and with each row's own, in turn. @module */
import type { Device } from "../kernels/device.ts";
import { Generator } from "../model/generation/generate.ts";
import { Gpt2 } from "../model/gpt2.ts";
import { grpo } from "../rl/algorithms/grpo.ts";
import type { Policy } from "../rl/policy.ts";
import { Trainer } from "../rl/trainer.ts";
import { LanguagePolicy } from "../experiment/policy.ts";
import { between } from "./_measure.ts";
import type { Sizes } from "./_sizes.ts";
import {
  type BatchSize,
  madeUpScores,
  type PhasedWork,
  type Phases,
  promptsOf,
  timed,
  TimedPolicy,
} from "./_steps.ts";

/** A policy whose rollouts share the prompts of a group, or do not. */
class GroupPolicy extends LanguagePolicy implements Disposable {
  #generator: Generator;

  constructor(models: { model: Gpt2; reference: Gpt2 }, share: boolean) {
    super(models, null);
    this.#generator = new Generator(models.model, { share });
  }

  override generate(...[prompts, options]: Parameters<Policy["generate"]>) {
    return this.#generator.generate(prompts, { ...options, eos: null });
  }

  [Symbol.dispose](): void {
    this.#generator[Symbol.dispose]();
  }
}

/**
 * A GRPO step of B completions in groups of G, which divides B: prompts of T tokens, `tokens` drawn, one
 * epoch of one minibatch. Phases of a step whose prompts were run by row end with ", by row"; "update" is
 * what a step has after its completions are drawn. The scores are made up.
 */
export async function groupStep(
  device: Device,
  sizes: Sizes,
  { B, T, G, tokens = 2 }: BatchSize & { G: number; tokens?: number },
): Promise<PhasedWork> {
  const owned = new DisposableStack();
  const model = owned.use(Gpt2.create(device, sizes, {}));
  const reference = owned.use(await model.frozenCopy());
  const totalSteps = 1_000_000; // as often as the clock wants it
  const settings = {
    ...{ totalSteps, maxNewTokens: tokens, groupSize: G },
    ...{ epochs: 1, minibatches: 1, learningRate: 1e-5 },
  };
  const ways = [true, false].map((share) => {
    const name = share ? "" : ", by row";
    const policy = new TimedPolicy(owned.use(new GroupPolicy({ model, reference }, share)));
    return { name, policy, trainer: new Trainer(policy, settings, grpo) };
  });
  const prompts = promptsOf({ B: B / G, T }, sizes.vocab_size);
  return {
    async sample() {
      const all: Phases = {};
      for (const { name, policy, trainer } of ways) {
        policy.phases = {};
        await timed(policy.phases, "whole step", () => trainer.step(prompts, madeUpScores));
        const { generate, "whole step": whole } = policy.phases;
        const update = between(generate, whole);
        for (const [phase, time] of Object.entries({ generate, update, "whole step": whole })) {
          all[`${phase}${name}`] = time;
        }
      }
      return all;
    },
    [Symbol.dispose]: () => owned.dispose(),
  };
}
