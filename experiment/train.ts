/**
 * One training run from request to summary: opens task, rewards, model and device, measures the
 * greedy answers, trains, measures again. Everything it learns it tells its observer.
 * @module
 */
import { permutation } from "../base/random.ts";
import { openDevice } from "../kernels/devices/open.ts";
import { importOptimizer } from "../model/files/optimizer_file.ts";
import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import type { CombinedReward } from "../rewards/combine.ts";
import { exact } from "../rewards/exact.ts";
import type { Example } from "../rewards/reward.ts";
import { PpoTrainer } from "../rl/trainer.ts";
import { loadTrainingState, saveCheckpoint, type TrainingState } from "./checkpoint.ts";
import { withoutEnd } from "./complete.ts";
import { explainMemory, inUnits, memoryBudget, planFitting, runShape } from "./memory_plan.ts";
import { findModel, sameModel } from "./models.ts";
import type { CompletionRow, RunObserver, SplitResult, Summary } from "./observer.ts";
import { measureRun } from "./plan.ts";
import { LanguagePolicy, type RunShape } from "./policy.ts";
import { type Asked, openRunRewards, resolveRequest, type TrainRequest } from "./request.ts";
import { modelOptions, openModels } from "./run_models.ts";

export type { TrainRequest } from "./request.ts";

type Split = "train" | "heldout";
type Phase = "before" | "after";

/**
 * Runs a request. When `signal` aborts, the step in hand is finished, a checkpoint is written and
 * `signal.reason` is thrown.
 * @throws {TypeError|RangeError} for a request that names what there is not, or out of range
 * @throws {Error} when the model, the device or a checkpoint cannot be used, or training diverges
 */
export async function trainTask(
  request: TrainRequest,
  observer: RunObserver,
  signal?: AbortSignal,
): Promise<Summary> {
  const started = performance.now();
  using device = await openDevice(request.device);
  const asked = resolveRequest(request);
  const saved = request.resume === undefined
    ? undefined
    : await loadTrainingState(request.resume, asked.config.totalSteps);
  const { folder, source, line } = saved?.source
    ? await sameModel(saved.source)
    : await findModel(asked.model);
  const { sizes, tokenizer, prompts } = await measureRun(asked, folder, device);
  const budget = memoryBudget(device, request.memory);
  const memory = planFitting(device, sizes, budget);
  const plan = { ...asked, rewards: await openRunRewards(asked, device) };
  const explain = (error: unknown): never => {
    throw explainMemory(error, device, sizes);
  };
  using models = await openModels(device, {
    folder,
    resume: request.resume,
    options: modelOptions(sizes.settings),
    seed: plan.config.seed,
  }).catch(explain);
  const { model, reference } = models;
  const policy = new LanguagePolicy(model, reference, tokenizer.eosId);
  await reserve(policy, runShape(sizes)).catch(explain);
  const trainer = new PpoTrainer(policy, plan.config);
  const run = new Run(plan, { policy, tokenizer, prompts });
  const about = {
    task: plan.task.name,
    algorithm: "ppo",
    rewards: Object.keys(plan.rewards.weights),
    model: plan.model,
    seed: plan.config.seed,
    steps: plan.config.totalSteps,
  };
  await observer.start({
    ...about,
    weights: plan.rewards.weights,
    source,
    device: { kind: device.kind, name: device.name, software: device.software },
    config: { ...plan.config, ...plan.settings },
  });
  if (line) observer.phase?.(`model ${line}`);
  const free = budget.bytes === undefined ? "" : `, ${inUnits(budget.bytes)} free`;
  observer.phase?.(`device memory ${inUnits(memory.total)}${free}`);
  const evaluate = async (phase: Phase): Promise<Record<Split, SplitResult>> => {
    observer.phase?.(`answering ${phase} training`);
    const step = trainer.state().step;
    return {
      train: await run.evaluate(step, { phase, split: "train", observer }),
      heldout: await run.evaluate(step, { phase, split: "heldout", observer }),
    };
  };
  let state: TrainingState;
  if (saved) {
    state = { ...saved, source };
    trainer.restore(state.ppo);
    await importOptimizer(model, `${request.resume}/optimizer.safetensors`);
  } else {
    const before = await evaluate("before");
    const none = { tokens: 0, trainingSeconds: 0, seconds: 0 };
    state = { ppo: trainer.state(), source, before, ...none };
  }
  const secondsBefore = state.seconds;
  const elapsed = () => secondsBefore + (performance.now() - started) / 1000;
  const checkpoint = () => {
    state = { ...state, seconds: elapsed() };
    return observer.checkpoint(
      state.ppo.step,
      (to) => saveCheckpoint(to, { model, from: folder, state }),
    );
  };
  while (state.ppo.step < plan.config.totalSteps) {
    const from = performance.now();
    const { metrics, completions, tokens } = await run.step(trainer);
    state = {
      ...state,
      ppo: trainer.state(),
      tokens: state.tokens + tokens,
      trainingSeconds: state.trainingSeconds + (performance.now() - from) / 1000,
    };
    await observer.step(state.ppo.step, metrics, completions);
    const isDue = plan.saveEvery > 0 && state.ppo.step % plan.saveEvery === 0;
    if (signal?.aborted || isDue) await checkpoint();
    signal?.throwIfAborted();
  }
  const after = await evaluate("after");
  await checkpoint();
  const summary: Summary = {
    ...about,
    device: { kind: device.kind, name: device.name },
    seconds: round(elapsed(), 1),
    tokensPerSecond: Math.round(state.tokens / Math.max(state.trainingSeconds, 1e-9)),
    train: { before: state.before.train, after: after.train },
    heldout: { before: state.before.heldout, after: after.heldout },
  };
  await observer.end(summary);
  return summary;
}

/** Takes a run's memory, and waits for what the driver says to it. */
async function reserve(policy: LanguagePolicy, shape: RunShape): Promise<void> {
  policy.reserve(shape);
  await policy.model.device.read();
}

/** What a run works with. */
interface Plan extends Asked {
  rewards: CombinedReward;
}

/** The parts of a run that steps and evaluations share. */
class Run {
  #exact = exact();

  constructor(
    readonly plan: Plan,
    readonly parts: {
      policy: LanguagePolicy;
      tokenizer: Tokenizer;
      /** Token ids by the id of the example. */
      prompts: ReadonlyMap<string, Int32Array>;
    },
  ) {}

  /** One rollout and its update. */
  async step(trainer: PpoTrainer): Promise<{
    metrics: Record<string, number>;
    completions: CompletionRow[];
    /** Prompt and response tokens of the rollout. */
    tokens: number;
  }> {
    const { rewards } = this.plan;
    const done = trainer.state().step;
    const examples = this.#batch(done);
    let completions: CompletionRow[] = [];
    const prompts = examples.map(({ id }) => this.parts.prompts.get(id)!);
    const { rollout, metrics } = await trainer.step(prompts, async ({ responses }) => {
      completions = await this.#judge(examples, responses, { step: done + 1, phase: "train" });
      return completions.map(({ reward }) => reward);
    });
    const named = Object.fromEntries(
      ["exact", ...Object.keys(rewards.weights)].map((name) => [
        `rewards/${name}/mean`,
        meanOf(completions.map(({ scores }) => scores[name])),
      ]),
    );
    const counts = Object.fromEntries(
      Object.entries(rewards.takeCounts()).map(([name, count]) => [`rewards/${name}`, count]),
    );
    const tokens = [...rollout.prompts, ...rollout.responses].reduce((n, x) => n + x.length, 0);
    return { metrics: { ...metrics, ...named, ...counts }, completions, tokens };
  }

  /** Greedy answers to a whole split. */
  async evaluate(
    step: number,
    { phase, split, observer }: { phase: Phase; split: Split; observer: RunObserver },
  ): Promise<SplitResult> {
    const { task, config, settings: { batchSize } } = this.plan;
    const rows: CompletionRow[] = [];
    for (let at = 0; at < task.examples[split].length; at += batchSize) {
      const examples = task.examples[split].slice(at, at + batchSize);
      const { responses } = await this.parts.policy.generate(
        examples.map(({ id }) => this.parts.prompts.get(id)!),
        { maxNewTokens: config.maxNewTokens, temperature: 1, greedy: true, seed: 0, stream: 0 },
      );
      rows.push(...await this.#judge(examples, responses, { step, phase: `${phase}:${split}` }));
    }
    this.plan.rewards.takeCounts(); // counts in metrics speak of rollouts alone
    await observer.evaluation(`${phase}:${split}`, rows);
    return {
      exact: meanOf(rows.map(({ scores }) => scores.exact)),
      reward: meanOf(rows.map(({ reward }) => reward)),
    };
  }

  async #judge(
    examples: readonly Example[],
    responses: readonly Int32Array[],
    { step, phase }: { step: number; phase: string },
  ): Promise<CompletionRow[]> {
    const { policy: { eos }, tokenizer } = this.parts;
    const completions = responses.map((ids) => tokenizer.decode(withoutEnd(ids, eos)));
    const batch = { prompts: examples.map(({ prompt }) => prompt), completions, examples };
    const verdict = await this.plan.rewards.judge(batch);
    const scores = { exact: await this.#exact.score(batch), ...verdict.scores };
    return examples.map(({ id, prompt, answer }, b) => ({
      step,
      phase,
      id,
      prompt,
      completion: completions[b],
      answer: answer ?? "",
      reward: verdict.total[b],
      scores: Object.fromEntries(Object.entries(scores).map(([name, of]) => [name, of[b]])),
    }));
  }

  /** The prompts of a step: the training set in an order of its own each epoch, without a rest. */
  #batch(step: number): Example[] {
    const { task: { examples: { train } }, settings: { batchSize }, config: { seed } } = this.plan;
    const first = step * batchSize;
    const batch: Example[] = [];
    for (let epoch = Math.floor(first / train.length); batch.length < batchSize; epoch++) {
      const order = permutation(train.length, { seed, step: 0, epoch });
      const from = Math.max(0, first - epoch * train.length);
      const rest = order.slice(from, from + batchSize - batch.length);
      for (const row of rest) batch.push(train[row]);
    }
    return batch;
  }
}

/** Mean of what could be judged; NaN where nothing could. */
function meanOf(values: readonly (number | null)[]): number {
  const judged = values.filter((value) => value !== null);
  return judged.reduce((sum, value) => sum + value, 0) / judged.length;
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits));
