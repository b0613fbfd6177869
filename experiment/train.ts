/**
 * One training run from request to summary, in four stages: open the task that is asked for, resolve the
 * request, open what else it takes, run. Everything it learns it tells its observer.
 * @module
 */
import type { Device } from "../kernels/device.ts";
import { openDevice } from "../kernels/devices/open.ts";
import { LogitsError } from "../model/logits.ts";
import { figuresText } from "../model/prefix_check.ts";
import type { Example } from "../rewards/reward.ts";
import { ScoreError } from "../rewards/score_error.ts";
import { causedBy, OutageError } from "../rewards/servers/errors.ts";
import { DivergedError } from "../rl/diverged.ts";
import type { PromptSource } from "../rl/prompts.ts";
import { follow } from "./best.ts";
import { evaluatePolicy } from "./evaluate.ts";
import { saveCheckpoint, type TrainingState } from "./folder/checkpoint.ts";
import type {
  CompletionRow,
  Phase,
  Players,
  RunObserver,
  Split,
  SplitResult,
  StepReport,
  Summary,
} from "./observer.ts";
import { type OpenRun, openRun } from "./open.ts";
import { openRequest } from "./opening.ts";
import { resolveRequest, type TrainRequest, tuneFor } from "./request.ts";
import { boundsFor, boundsNotice, play } from "./players.ts";
import { examplesFrom, meanOf, type Scorer, scoreResponses } from "./rollout.ts";
import { fallbackNotes, rewardMetrics } from "./reward_metrics.ts";
import { lowerLearningRate } from "./runaway.ts";
import { Signal } from "./signal.ts";

export type { TrainRequest } from "./request.ts";

/** What a caller may hand in beside the request. */
export interface TrainOptions {
  /**
   * Where it aborts, the step in hand is finished, a checkpoint is written and its reason is thrown; after
   * the last step, whose checkpoint is there by then, at once. A step that waits for a server is given up,
   * and the checkpoint is that of the step before.
   */
  signal?: AbortSignal;
  /** A device of the caller's, which is not disposed of. Default: the request's `device` is opened. */
  device?: Device;
}

/**
 * Runs a request.
 * @throws {TypeError|RangeError} for a request that names what there is not, or out of range
 * @throws {DivergedError} when training diverges, with a lower learning rate to try
 * @throws {Error} when the model, the device or a checkpoint cannot be used
 */
export async function trainTask(
  asked: TrainRequest,
  observer: RunObserver,
  { signal, device }: TrainOptions = {},
): Promise<Summary> {
  const started = performance.now();
  using owned = new DisposableStack();
  const request = await openRequest(asked);
  const plan = resolveRequest(request);
  const place = device ?? owned.use(await openDevice(request.device));
  tuneFor(request, place);
  const run = owned.use(await openRun(plan, place, { ...request, signal }));
  try {
    return await new TrainingRun(run, observer, started).finish(signal);
  } catch (error) {
    if (error instanceof DivergedError) error.learningRate = lowerLearningRate(request);
    throw isReason(error, signal) ? signal!.reason : error; // whatever it came through
  }
}

/** The last stage: evaluates, trains, saves, evaluates again. */
class TrainingRun {
  #state: TrainingState;
  #secondsBefore: number;
  #scorer: Scorer;
  /** Step of the newest checkpoint. */
  #saved: number | undefined;
  #signal: Signal;

  constructor(readonly run: OpenRun, readonly observer: RunObserver, readonly started: number) {
    const { policy: { eos }, tokenizer, rewards, trainer, saved, found: { source } } = run;
    this.#scorer = { tokenizer, eos, rewards };
    const nothing = { exact: NaN, reward: NaN };
    const fresh = { tokens: 0, trainingSeconds: 0, seconds: 0 };
    this.#state = saved ? { ...saved, source } : {
      trainer: trainer.state(),
      source,
      before: { train: nothing, heldout: nothing },
      ...fresh,
    };
    this.#secondsBefore = this.#state.seconds;
    this.#saved = saved?.trainer.step;
    this.#signal = new Signal(saved !== undefined);
  }

  async finish(signal?: AbortSignal): Promise<Summary> {
    const { observer, run: { found: { line }, info, notices, saved } } = this;
    signal?.throwIfAborted(); // nothing is made yet that would be left behind
    await observer.start(info);
    for (const text of [...(line ? [`model ${line}`] : []), ...notices]) observer.notice?.(text);
    for (const text of this.run.plan.notices) observer.notice?.(`note: ${text}`);
    if (!saved) {
      const before = await this.#evaluate("before"), players = await this.#play();
      this.#state = { ...this.#state, before, ...(players && { players }) };
      await this.#checkpoint(); // whatever the steps do, there is one that is good
    }
    const { players } = this.#state;
    if (players) await observer.players?.(players);
    const summary = this.#summary(await this.#learn(signal).catch(asDivergence));
    const { model, task: { measure } } = this.run.plan;
    for (const text of this.#signal.notes({ model, measure })) observer.notice?.(text);
    const compared = figuresText(this.run.policy.prefixFigures);
    for (const line of this.run.servers.report()) observer.notice?.(`note: ${line}`);
    if (compared) observer.notice?.(compared);
    await observer.end(summary);
    return summary;
  }

  /** Lets those play that learn nothing; what rewards count meanwhile is theirs, not the run's. */
  async #play(): Promise<Players | undefined> {
    const { plan, rewards, tokenizer } = this.run, { task } = plan, { examples, measure } = task;
    if (!plan.players) return undefined;
    const game = {
      ...{ examples, measure, rewards, tokenizer, maxNewTokens: plan.config.maxNewTokens },
      ...{ batchSize: plan.settings.batchSize, bounds: boundsFor(plan.rewards) },
      subject: task.subject?.bind(task),
    };
    const bounded = boundsNotice(game);
    if (bounded !== undefined) this.observer.notice?.(`note: ${bounded}`);
    const players = await play(game);
    rewards.takeCounts();
    return players;
  }

  /** All steps, and the answers after them. */
  async #learn(signal?: AbortSignal): Promise<Record<Split, SplitResult>> {
    const { observer, run: { plan, saved } } = this;
    if (saved) await this.#evaluateIfDue(signal); // amid which it may have been stopped
    while (!this.#isOver()) {
      signal?.throwIfAborted();
      const keep = (error: unknown) => this.#keep(error, signal);
      await observer.step(await this.#step().catch(keep));
      const isBest = await this.#evaluateIfDue(signal).catch(keep);
      const { step } = this.#state.trainer;
      const isDue = plan.saveEvery > 0 && step % plan.saveEvery === 0;
      if (signal?.aborted || isDue || isBest || this.#isOver()) await this.#checkpoint();
    }
    return await this.#evaluate("after", signal);
  }

  /**
   * Saves what was trained where what came next was given up and has changed nothing: somebody stopped the
   * run, no server answers, or a reward fails. Throws `error` again.
   */
  async #keep(error: unknown, signal: AbortSignal | undefined): Promise<never> {
    const isUnscored = causedBy(
      error,
      (cause) => cause instanceof OutageError || cause instanceof ScoreError,
    );
    const isNew = this.#saved !== this.#state.trainer.step;
    if (isNew && (isUnscored || isReason(error, signal))) await this.#checkpoint();
    throw error;
  }

  /** Whether the run has its steps, or has long not become better. */
  #isOver(): boolean {
    const { trainer: { step } } = this.#state;
    return step >= this.run.plan.config.totalSteps || this.#stoppedAfter() !== undefined;
  }

  /** Evaluations that were no better, where they were enough to end the run. */
  #stoppedAfter(): number | undefined {
    const { patience } = this.run.plan, { stale = 0 } = this.#state.evaluated ?? {};
    return patience > 0 && this.#wasEvaluated() && stale >= patience ? stale : undefined;
  }

  #wasEvaluated(): boolean {
    return this.#state.evaluated?.last === this.#state.trainer.step;
  }

  /** Answers held-out prompts where that is asked for after this step. Whether they were the best so far. */
  async #evaluateIfDue(signal?: AbortSignal): Promise<boolean> {
    const { evaluateEvery } = this.run.plan, { step } = this.#state.trainer;
    const isDue = evaluateEvery > 0 && step > 0 && step % evaluateEvery === 0;
    if (!isDue || this.#wasEvaluated()) return false;
    await this.#answer({ phase: "during", split: "heldout" }, signal);
    return this.#state.evaluated?.best.step === step;
  }

  /** Takes a result into account where the run evaluates on its way. Whether it is the best so far. */
  #follow({ split }: Phase, { exact, reward }: SplitResult): { isBest?: boolean } {
    const { trainer: { step }, evaluated } = this.#state;
    if (this.run.plan.evaluateEvery === 0 || split === "train") return {};
    if (!this.#wasEvaluated()) { // what was asked during training is not counted again after it
      this.#state = { ...this.#state, evaluated: follow(evaluated, { step, exact, reward }) };
    }
    return { isBest: this.#state.evaluated?.best.step === step };
  }

  /** One rollout and its update. */
  async #step(): Promise<StepReport> {
    const { plan, prompts, rewards, trainer } = this.run, { groupSize } = plan.needs;
    const from = performance.now(), done = this.#state.trainer.step;
    const { config: { seed }, task: { examples: { train } } } = plan;
    const completions: CompletionRow[] = [], counts: Record<string, number> = {};
    let examples: Example[] = []; // those that were taken last, whose completions are scored next
    const source: PromptSource = {
      count: plan.settings.batchSize / groupSize,
      take: (from, count) => {
        examples = examplesFrom(train, { from, count, seed });
        return examples.map(({ id }) => prompts.get(id)!);
      },
    };
    const { rollout, metrics, timings, fault } = await trainer.step(
      source,
      async (rollout, draw) => {
        const times = draw === "greedy" ? 1 : groupSize;
        const rows = await scoreResponses(this.#scorer, {
          examples: examples.flatMap((example) => Array<Example>(times).fill(example)),
          responses: this.run.drawn(rollout),
          step: done + 1,
          phase: { phase: "train", split: "train" },
        });
        const counted = Object.entries(rewards.takeCounts());
        if (draw === "sampled") { // counts speak of what was drawn alone
          completions.push(...rows);
          for (const [name, count] of counted) counts[name] = (counts[name] ?? 0) + count;
        }
        return {
          total: rows.map(({ reward }) => reward),
          scores: Object.fromEntries(
            Object.keys(rewards.weights).map((name) => [name, rows.map((row) => row.scores[name])]),
          ),
          weights: rewards.weights,
        };
      },
    );
    if (fault !== undefined) {
      this.observer.notice?.(`note: the update of step ${done + 1} is skipped: ${fault}`);
    }
    const tokens = [...rollout.prompts, ...rollout.responses].reduce((n, x) => n + x.length, 0);
    this.#state = {
      ...this.#state,
      trainer: trainer.state(),
      tokens: this.#state.tokens + tokens,
      trainingSeconds: this.#state.trainingSeconds + (performance.now() - from) / 1000,
    };
    this.#signal.take(completions, metrics["score/std"]);
    const all = { ...metrics };
    for (const [name, value] of rewardMetrics(rewards, { completions, counts })) {
      if (Object.hasOwn(all, name)) {
        throw new TypeError(`Cannot report a step as the column ${name} comes twice: rename one`);
      }
      all[name] = value;
    }
    return { step: done + 1, metrics: all, completions, timings };
  }

  /** Greedy answers to both splits. Those after training may be cut short: a resumed run gives them again. */
  async #evaluate(
    phase: "before" | "after",
    signal?: AbortSignal,
  ): Promise<Record<Split, SplitResult>> {
    this.observer.notice?.(`answering ${phase} training`);
    const of = (split: Split) => this.#answer({ phase, split }, signal);
    return { train: await of("train"), heldout: await of("heldout") };
  }

  /** Greedy answers to one split. */
  async #answer(phase: Phase, signal?: AbortSignal): Promise<SplitResult> {
    const { plan: { task, config: { maxNewTokens }, settings }, policy, prompts } = this.run;
    const { step } = this.#state.trainer;
    const { rows, exact, reward, tokens } = await evaluatePolicy({
      ...this.#scorer,
      ...{ policy, prompts, maxNewTokens, batchSize: settings.batchSize },
      ...{ examples: task.examples[phase.split], step, phase, signal },
    });
    this.#signal.take(rows);
    const counts = this.run.rewards.takeCounts(); // those in metrics speak of rollouts alone
    for (const text of fallbackNotes(counts, rows.length, phase)) this.observer.notice?.(text);
    const { measure } = task;
    const result = {
      ...{ exact, reward },
      ...(measure !== undefined && { measure: meanOf(rows.map(({ scores }) => scores[measure])) }),
    };
    const report = { step, ...result, tokens, ...this.#follow(phase, result) };
    await this.observer.evaluation(phase, rows, report);
    return result;
  }

  async #checkpoint(): Promise<void> {
    const { policy: { model, frozen }, referenceMoves, found: { folder: from } } = this.run;
    const models = { model, ...(referenceMoves && { reference: frozen }) };
    const state = this.#state = { ...this.#state, seconds: this.#elapsed() };
    await this.observer.checkpoint(
      state.trainer.step,
      (to) => saveCheckpoint(to, { ...models, from, state }),
      state.evaluated?.best.step,
    );
    this.#saved = state.trainer.step;
  }

  #elapsed(): number {
    return this.#secondsBefore + (performance.now() - this.started) / 1000;
  }

  #summary(after: Record<Split, SplitResult>): Summary {
    const { task, algorithm, rewards, weights, model, seed, device: { kind, name } } =
      this.run.info;
    const { before, players, tokens, trainingSeconds, trainer: { step: steps } } = this.#state;
    const { measure } = this.run.plan.task;
    const best = this.#state.evaluated?.best;
    const stoppedAfter = steps < this.run.plan.config.totalSteps ? this.#stoppedAfter() : undefined;
    return {
      ...{ task, algorithm, rewards, rewardWeights: weights, model, seed, steps },
      device: { kind, name },
      seconds: Number(this.#elapsed().toFixed(1)),
      tokensPerSecond: Math.round(tokens / Math.max(trainingSeconds, 1e-9)),
      train: { before: before.train, after: after.train },
      heldout: { before: before.heldout, after: after.heldout },
      ...(best && { best }),
      ...(stoppedAfter !== undefined && { stoppedAfter }),
      ...(players && { players }),
      ...(measure !== undefined && { measure }),
    };
  }
}

/** Whether `error` is that somebody stopped the run, which a reward may have wrapped. */
const isReason = (error: unknown, signal: AbortSignal | undefined): boolean =>
  signal?.aborted === true && causedBy(error, (cause) => cause === signal.reason);

/** Throws what `#learn` threw: logits that were finite when it began are not because of what it learned. */
function asDivergence(error: unknown): never {
  if (!(error instanceof LogitsError)) throw error;
  throw new DivergedError(error.message, { cause: error });
}
