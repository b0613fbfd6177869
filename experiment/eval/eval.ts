/**
 * A policy beside the model that it began as, on the same prompts: answers, rewards, and what they come to.
 * What `deno task eval` runs.
 * @module
 */
import { formatBytes } from "../../base/units.ts";
import type { Device } from "../../kernels/device.ts";
import { CountingDevice } from "../../kernels/devices/counting.ts";
import { openDevice } from "../../kernels/devices/open.ts";
import { reserveGeneration } from "../../model/generation/generate.ts";
import { Gpt2 } from "../../model/gpt2.ts";
import type { FoundModel, ModelSource } from "../../model/hub/find_model.ts";
import { describeModel, loadModel, loadTokenizer } from "../../model/hub/load.ts";
import { memoryByKind, sumOfKinds } from "../../model/memory.ts";
import { ModelScorer, reserveScoring, type ScoringSizes } from "../../model/text_scorer.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";
import type { CombinedReward } from "../../rewards/combine.ts";
import { openParent } from "../../rewards/parents/settings.ts";
import { evaluatePolicy } from "../evaluate.ts";
import { memoryBudget } from "../memory_plan.ts";
import { checkLength } from "../model_limits.ts";
import type { Split } from "../observer.ts";
import { openServers } from "../open_servers.ts";
import { LanguagePolicy } from "../policy.ts";
import { openScorer } from "../reward_networks.ts";
import { openChosen } from "../rewards.ts";
import { type Figures, figuresOf, type ModelAnswer, type PromptAnswers } from "./figures.ts";
import { type EvalRequest, type ResolvedEval, resolveEval, type Subject } from "./request.ts";
import type { EvaluatedRun } from "./run_terms.ts";

export type { EvalRequest } from "./request.ts";

/** One of the two models. */
export interface EvaluatedModel {
  /** As it was named, or of a run what it began with. */
  name: string;
  /** The run that it is a checkpoint of, and how that ended. */
  run?: EvaluatedRun;
  source: ModelSource;
}

/** What an evaluation came to; plain JSON but for NaN, which JSON writes as null. */
export interface EvalSummary {
  task: string;
  split: Split;
  /** Prompts that were answered, of how many. */
  prompts: number;
  of: number;
  tuned: EvaluatedModel;
  base: EvaluatedModel;
  /** What each reward counts in the trained one. */
  weights: Readonly<Record<string, number>>;
  maxNewTokens: number;
  /** Of the samples. */
  temperature: number;
  seed: number;
  device: { kind: string; name: string; software: boolean };
  seconds: number;
  /** Of one greedy answer a prompt. */
  greedy: Figures;
  /** Of samples; absent where none were asked for. */
  sampled?: Figures;
}

/** All that was said, and what it came to. */
export interface EvalResult {
  summary: EvalSummary;
  /** By prompt. */
  greedy: PromptAnswers[];
  /** Empty where none were asked for. */
  sampled: PromptAnswers[];
}

/** Who watches, and may stop it. */
export interface EvalOptions {
  /** Where it aborts, its reason is thrown after the batch in hand. */
  signal?: AbortSignal;
  /** A device of the caller's, which is not disposed of. Default: the request's is opened. */
  device?: Device;
  /** Is told once what will be done. */
  start?(plan: ResolvedEval, device: Device): void;
  /** What people should know. */
  notice?(text: string): void;
  /** Is told how many of all answers were given. */
  progress?(given: number, of: number): void;
}

/**
 * Compares the policy of a run, or a model, with what it began as.
 * @throws as `resolveEval`; what models and rewards throw
 * @throws {RangeError} where the device has no memory for both
 */
export async function evaluateAgainstBase(
  request: EvalRequest,
  options: EvalOptions = {},
): Promise<EvalResult> {
  const started = performance.now(), { signal, notice } = options;
  using owned = new DisposableStack();
  const plan = await resolveEval(request);
  const device = options.device ?? owned.use(await openDevice(request.device));
  signal?.throwIfAborted();
  options.start?.(plan, device);
  for (const text of plan.notices) notice?.(`note: ${text}`);
  const opened = await openAll(plan, { device, owned, signal, memory: request.memory });
  const talk = new Conversation(plan, opened, options);
  const greedy = await talk.ask(1), sampled = await talk.ask(plan.samples, plan);
  const { seed } = plan, { kind, name, software } = device;
  return {
    ...{ greedy, sampled },
    summary: {
      ...{ task: plan.task.name, split: plan.split, prompts: plan.examples.length, of: plan.of },
      tuned: modelOf(plan.tuned),
      base: modelOf(plan.base),
      weights: opened.rewards.weights,
      ...{ maxNewTokens: plan.maxNewTokens, temperature: plan.temperature, seed },
      device: { kind, name, software },
      seconds: Number(((performance.now() - started) / 1000).toFixed(1)),
      greedy: figuresOf(greedy, { seed }),
      ...(sampled.length > 0 && { sampled: figuresOf(sampled, { seed }) }),
    },
  };
}

function modelOf({ source, run }: Subject): EvaluatedModel {
  const name = source.kind === "hub" ? `${source.id}@${source.revision}` : source.path;
  return { name, ...(run && { run }), source };
}

type Side = "base" | "tuned";

/** One model, ready to answer. */
interface Speaker {
  policy: LanguagePolicy;
  tokenizer: Tokenizer;
  prompts: ReadonlyMap<string, Int32Array>;
}

type Opened = Record<Side, Speaker> & { rewards: CombinedReward; scorer: ModelScorer };

/** Both models, and the rewards, which may ask either. */
async function openAll(
  plan: ResolvedEval,
  { device, owned, signal, memory }: {
    device: Device;
    owned: DisposableStack;
    signal?: AbortSignal;
    memory?: number;
  },
): Promise<Opened> {
  const measured = [await measure(plan, plan.base), await measure(plan, plan.tuned)];
  checkMemory(plan, device, { measured, memory });
  const [sizes, ofTuned] = measured.map(({ sizes }) => sizes);
  const speak = async (which: number, merge: boolean): Promise<Speaker> => {
    const { folder, tokenizer, prompts } = measured[which];
    const model = owned.use(await loadModel(device, folder, { frozen: true, merge }));
    return { policy: new LanguagePolicy({ model }), tokenizer, prompts };
  };
  const base = await speak(0, true), tuned = await speak(1, false); // an adapter answers as it was trained
  const scorerOf = ({ policy, tokenizer }: Speaker, name: string, sizes: ScoringSizes) =>
    new ModelScorer(name, policy.model, tokenizer, { sizes });
  const scorer = scorerOf(base, "reference", sizes);
  const servers = await openServers(plan, signal, "eval");
  const rewards = await openChosen(plan.rewards, {
    ...{ parent: await openParent(plan.parent, plan.task, servers), servers, device },
    ...{ matrixDtype: plan.matrixDtype, disposables: owned },
    async openScorer(name) {
      if (name === "reference") return scorer;
      if (name === "policy") return scorerOf(tuned, name, ofTuned);
      const options = { matrixDtype: plan.matrixDtype, sizes };
      return owned.use(await openScorer(device, name, options));
    },
  });
  return { base, tuned, rewards, scorer };
}

type Measured = Awaited<ReturnType<typeof measure>>;

/** What a model takes to answer, found out without its weights. @throws {RangeError} where prompts do not fit */
async function measure(
  { examples, maxNewTokens: tokens, batchSize }: ResolvedEval,
  { folder }: Pick<FoundModel, "folder">,
) {
  const { config, lora } = await describeModel(folder);
  const tokenizer = await loadTokenizer(folder, { modelVocab: config.vocab_size });
  const prompts = new Map(
    examples.map(({ id, prompt }) => [id, tokenizer.encode(prompt)] as const),
  );
  const promptTokens = [...prompts.values()].reduce(
    (most, { length }) => Math.max(most, length),
    1,
  );
  checkLength(config, promptTokens, { of: "maxNewTokens", tokens });
  const B = Math.min(batchSize, examples.length);
  // What a model writes may take more tokens when it is read again: such batches are split.
  const sizes = { B, treeRows: B * (promptTokens + tokens), R: B * tokens };
  return { folder, config, lora, tokenizer, prompts, promptTokens, sizes };
}

/** @throws {RangeError} where both models together do not fit */
function checkMemory(
  { batchSize, examples, maxNewTokens }: ResolvedEval,
  device: Device,
  { measured, memory }: { measured: readonly Measured[]; memory?: number },
): void {
  const { bytes } = memoryBudget(device, memory);
  if (bytes === undefined) return;
  const prompts = Math.min(batchSize, examples.length);
  const need = measured.reduce((sum, { config, lora, promptTokens, sizes }) => {
    using counted = new CountingDevice(device);
    using model = Gpt2.empty(counted, config, { frozen: true, lora });
    reserveGeneration(model, { prompts, promptTokens, maxNewTokens });
    reserveScoring(model, sizes);
    return sum + sumOfKinds(memoryByKind(counted));
  }, 0);
  if (need <= bytes) return;
  throw new RangeError(
    `Cannot evaluate as ${formatBytes(bytes)} of device memory may be taken: two models need ` +
      `${formatBytes(need)}; lower batchSize (it is ${batchSize}), or use a machine with more`,
  );
}

/** Both models, asked one after the other. */
class Conversation {
  #given = 0;

  constructor(
    readonly plan: ResolvedEval,
    readonly opened: Opened,
    readonly options: Pick<EvalOptions, "signal" | "notice" | "progress">,
  ) {}

  /** `times` answers of both models to every prompt, greedy where nothing is said of drawing. */
  async ask(
    times: number,
    draw?: Pick<ResolvedEval, "temperature" | "seed">,
  ): Promise<PromptAnswers[]> {
    if (times === 0) return [];
    const base = await this.#answers("base", times, draw);
    const tuned = await this.#answers("tuned", times, draw);
    return this.plan.examples.map(({ id, prompt, answer = "" }, i) => ({
      ...{ id, prompt, answer },
      base: base.map((row) => row[i]),
      tuned: tuned.map((row) => row[i]),
    }));
  }

  /** By sample, then by prompt. */
  async #answers(
    side: Side,
    times: number,
    draw?: Pick<ResolvedEval, "temperature" | "seed">,
  ): Promise<ModelAnswer[][]> {
    const { plan: { examples, maxNewTokens, batchSize, samples }, options, opened } = this;
    const { policy, tokenizer, prompts } = opened[side], { rewards } = opened;
    const all = 2 * examples.length * (1 + samples), answers: ModelAnswer[][] = [];
    for (let stream = 1; stream <= times; stream++) {
      const { rows, lengths } = await evaluatePolicy({
        ...{ policy, tokenizer, eos: policy.eos, rewards, examples, prompts },
        ...{ maxNewTokens, batchSize, signal: options.signal },
        ...(draw && { draw: { temperature: draw.temperature, seed: draw.seed, stream } }),
        progress: (answered) => options.progress?.(this.#given += answered, all),
      });
      this.#note(side, rows.length);
      const nats = await opened.scorer.perTokenNll(
        rows.map(({ prompt }) => prompt),
        rows.map(({ completion }) => completion),
      );
      options.signal?.throwIfAborted();
      answers.push(rows.map(({ completion, reward, scores }, i) => ({
        ...{ completion, reward, scores, tokens: lengths[i] },
        nats: { sum: nats[i].sum, tokens: nats[i].tokens },
      })));
    }
    return answers;
  }

  /** Says of what a server did not score. */
  #note(side: Side, answers: number): void {
    for (const [name, count] of Object.entries(this.opened.rewards.takeCounts())) {
      if (count === 0 || !name.endsWith("/fallbacks")) continue;
      this.options.notice?.(`note: ${name} is ${count} of ${answers} answers, ${side}`);
    }
  }
}
