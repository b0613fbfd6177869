/** What a model does as the benches run it: a training step, a decode step, a PPO update. @module */
import type { Device } from "../kernels/device.ts";
import { generate } from "../model/generation/generate.ts";
import { Gpt2 } from "../model/gpt2.ts";
import type { LoraOptions } from "../model/lora/lora.ts";
import { languageModelRows } from "../model/rows.ts";
import type { EvaluationRequest, Policy, StepRates, TokenBatch } from "../rl/policy.ts";
import { Trainer } from "../rl/trainer.ts";
import { LanguagePolicy } from "../experiment/policy.ts";
import { ids } from "./_case.ts";
import { between, type Clock, clock, type Work } from "./_measure.ts";
import type { Sizes } from "./_sizes.ts";

/** Sequences, and tokens of each. */
export interface BatchSize {
  B: number;
  T: number;
}

/** Operations of a forward and a backward pass over all rows: the products and causal attention. */
export function trainingFlop(sizes: Sizes, { B, T }: BatchSize): number {
  const { n_embd: C, n_layer: L, vocab_size: V } = sizes;
  const perToken = L * 12 * C * C + V * C; // weights that a token meets
  const pairs = B * T * (T + 1) / 2;
  return 6 * B * T * perToken + pairs * L * 18 * C;
}

/** A model to use, which stays the caller's. Drawing the weights of a large one takes many seconds. */
interface Given {
  model?: Gpt2;
}

/**
 * One step of language-model training on `device`: forward, backward, clipping, AdamW; no read-back.
 * With `lora` an adapter is trained in place of the weights.
 */
export function trainingStep(
  device: Device,
  sizes: Sizes,
  { B, T, lora, model: given }: BatchSize & Given & { lora?: LoraOptions },
): Work {
  const model = given ?? Gpt2.create(device, sizes, { lora });
  const rows = languageModelRows(
    Array.from({ length: B }, (_, b) => ids((T + 1) * (b + 1), sizes.vocab_size).slice(-T - 1)),
  );
  return {
    enqueue(runs) {
      for (let i = 0; i < runs; i++) {
        model.languageModel(rows);
        model.step(1e-4);
      }
    },
    [Symbol.dispose]() {
      if (!given) model[Symbol.dispose]();
    },
  };
}

/** Time of parts of some work: wall and processor seconds. */
export type Phases = Record<string, Clock>;

/** Work that contains its own waits; each call takes one sample. */
export interface PhasedWork extends Disposable {
  sample(): Promise<Phases>;
}

/** B prompts of T tokens. */
export const promptsOf = ({ B, T }: BatchSize, V: number): Int32Array[] =>
  Array.from({ length: B }, (_, b) => Int32Array.from(ids(T * (b + 1), V).slice(-T)));

/** Scores that cost no time: of 0 or 1, by the first token. */
export const madeUpScores = ({ responses }: { responses: Int32Array[] }): Promise<number[]> =>
  Promise.resolve(responses.map((response) => response[0] % 2));

/** Adds the time from `from` until now to a phase. */
function note(phases: Phases, name: string, from: Clock): void {
  const { wall, cpu } = phases[name] ?? { wall: 0, cpu: 0 }, more = between(from, clock());
  phases[name] = { wall: wall + more.wall, cpu: cpu + more.cpu };
}

/** What `work` gives; its time is added to a phase. */
export async function timed<T>(phases: Phases, name: string, work: () => Promise<T>): Promise<T> {
  const from = clock();
  const result = await work();
  note(phases, name, from);
  return result;
}

/**
 * Prompts of T tokens, then `tokens` decode steps. "prefill" is a generation of one token; "decode
 * step" is what each further one adds, with the read-back that `generate` makes every 16 tokens.
 */
export function decoding(
  device: Device,
  sizes: Sizes,
  { B, T, tokens = 16, model: given }: BatchSize & Given & { tokens?: number },
): PhasedWork {
  const model = given ?? Gpt2.create(device, sizes, { frozen: true });
  const prompts = promptsOf({ B, T }, sizes.vocab_size);
  return {
    async sample() {
      const phases: Phases = {};
      const draw = (maxNewTokens: number) => () =>
        generate(model, prompts, { maxNewTokens, eos: null });
      await timed(phases, "prefill", draw(1));
      await timed(phases, "all", draw(1 + tokens));
      const { prefill, all } = phases;
      const step = {
        wall: (all.wall - prefill.wall) / tokens,
        cpu: (all.cpu - prefill.cpu) / tokens,
      };
      return { prefill, "decode step": step };
    },
    [Symbol.dispose]() {
      if (!given) model[Symbol.dispose]();
    },
  };
}

/**
 * A PPO update as `tasks/colors.ts` asks for it: B prompts of T tokens, two tokens drawn, two epochs of
 * one minibatch. The scores are made up, as judging costs no device time.
 */
export async function ppoUpdate(
  device: Device,
  sizes: Sizes,
  { B, T, tokens = 2, epochs = 2 }: BatchSize & { tokens?: number; epochs?: number },
): Promise<PhasedWork> {
  const model = Gpt2.create(device, sizes, { valueHead: true });
  const frozen = await model.frozenCopy();
  const policy = new TimedPolicy(new LanguagePolicy({ model, reference: frozen }, null));
  const totalSteps = 1_000_000; // as often as the clock wants it
  const settings = { totalSteps, maxNewTokens: tokens, epochs, minibatches: 1, learningRate: 1e-5 };
  const trainer = new Trainer(policy, settings);
  const prompts = promptsOf({ B, T }, sizes.vocab_size);
  return {
    async sample() {
      policy.phases = {};
      await timed(policy.phases, "whole update", () => trainer.step(prompts, madeUpScores));
      return policy.phases;
    },
    [Symbol.dispose]() {
      frozen[Symbol.dispose]();
      model[Symbol.dispose]();
    },
  };
}

/**
 * Notes the time of each phase of an update. It does not say that an evaluation can give the reference as
 * well, so that the reference is a phase of its own.
 */
export class TimedPolicy implements Policy {
  phases: Phases = {};
  readonly hasValues?: boolean;
  readonly valueDetached?: boolean;
  readonly hasKl?: boolean;
  #isLearning = false;

  constructor(readonly policy: Policy) {
    const { hasValues, valueDetached, hasKl } = policy;
    Object.assign(this, { hasValues, valueDetached, hasKl });
  }

  get lastPass(): unknown {
    return this.policy.lastPass;
  }

  generate(...args: Parameters<Policy["generate"]>): ReturnType<Policy["generate"]> {
    this.#isLearning = false;
    return timed(this.phases, "generate", () => this.policy.generate(...args));
  }

  reference(batch: TokenBatch): ReturnType<NonNullable<Policy["reference"]>> {
    return timed(this.phases, "reference", () => this.policy.reference!(batch));
  }

  evaluate(batch: TokenBatch, asked?: EvaluationRequest): ReturnType<Policy["evaluate"]> {
    const phase = this.#isLearning ? "epochs" : "old logprobs";
    return timed(this.phases, phase, () => this.policy.evaluate(batch, asked));
  }

  // These only enqueue, but a software adapter makes the caller wait for its queue to take more.
  backward(gradient: Parameters<Policy["backward"]>[0]): void {
    this.#isLearning = true;
    const from = clock();
    this.policy.backward(gradient);
    note(this.phases, "epochs", from);
  }

  step(rates: StepRates): void {
    const from = clock();
    this.policy.step(rates);
    note(this.phases, "epochs", from);
  }

  zeroGradient(): void {
    this.policy.zeroGradient();
  }

  gradientNorm(): Promise<number> {
    return timed(this.phases, "epochs", () => this.policy.gradientNorm());
  }
}
