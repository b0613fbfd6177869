/** What the memory of a run depends on, found out without any weights. @module */
import { markUsage } from "../base/usage.ts";
import type { Device } from "../kernels/device.ts";
import { CountingDevice } from "../kernels/devices/counting.ts";
import { endsOf } from "../model/ends.ts";
import { describeModel, loadTokenizer } from "../model/hub/load.ts";
import { type MemoryByKind, memoryByKind } from "../model/memory.ts";
import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import { runShape, type RunSizes } from "./memory_plan.ts";
import { checkFault, checkLength, checkTargets } from "./model_limits.ts";
import { checkStart } from "./models.ts";
import type { ResolvedRequest } from "./request.ts";
import { passSizes } from "./policy.ts";
import {
  measureScorer,
  networksOf,
  openClassifier,
  openEncoder,
  type RewardNetwork,
} from "./reward_networks.ts";
import { scorerFolder } from "./run_scorer.ts";

/** What was measured, and the tokenizer and token ids of prompts that told it. */
export interface MeasuredRun {
  sizes: RunSizes;
  tokenizer: Tokenizer;
  /** Token ids by the id of the example. */
  prompts: ReadonlyMap<string, Int32Array>;
}

/**
 * Measures the run of a request on the model in `folder`.
 * @throws {TypeError|RangeError} marked as usage, where the model cannot do what is asked
 */
export async function measureRun(
  resolved: ResolvedRequest,
  folder: string,
  device: Device,
): Promise<MeasuredRun> {
  const { task: { examples }, needs, config: { maxNewTokens, microbatchRows } } = resolved;
  const { config, lora } = await describeModel(folder);
  if (lora) markUsage(() => checkStart(resolved.settings, resolved.model));
  checkTargets(config, resolved.settings);
  const tokenizer = await loadTokenizer(folder, { modelVocab: config.vocab_size });
  const prompts = new Map(
    [...examples.train, ...examples.heldout]
      .map(({ id, prompt }) => [id, tokenizer.encode(prompt)] as const),
  );
  const promptTokens = [...prompts.values()].reduce(
    (most, { length }) => Math.max(most, length),
    1,
  );
  checkLength(config, promptTokens, { of: "maxNewTokens", tokens: maxNewTokens });
  checkFault(resolved.settings, {
    ends: endsOf(config.eos_token_id ?? null),
    prompts: [...prompts.values()],
  });
  const sizes = {
    config,
    promptTokens,
    settings: { ...resolved.settings, maxNewTokens, microbatchRows },
    needs,
    fromAdapter: lora !== undefined,
  };
  const rewards = await measureRewards(resolved, { sizes, folder, device });
  return { sizes: { ...sizes, rewards }, tokenizer, prompts };
}

/** What the networks of the rewards hold, if there are any. */
async function measureRewards(
  { rewards, settings }: ResolvedRequest,
  { sizes, folder, device }: { sizes: RunSizes; folder: string; device: Device },
): Promise<MemoryByKind | undefined> {
  const { frozenDtype: matrixDtype, batchSize, maxNewTokens } = { ...settings, ...sizes.settings };
  const measure = async ({ kind, name }: RewardNetwork, on: Device): Promise<Disposable> => {
    if (kind === "scorer") {
      return await measureScorer(on, name, { matrixDtype, sizes: passSizes(runShape(sizes)) });
    }
    const open = { encoder: openEncoder, classifier: openClassifier }[kind];
    const network = await open(on, name, { matrixDtype });
    network.reserve(batchSize, maxNewTokens);
    return network;
  };
  const networks = networksOf(rewards).flatMap(({ kind, name }) => {
    const own = kind === "scorer" ? scorerFolder(name, { ...sizes, folder }) : name;
    return own === undefined ? [] : [{ kind, name: own }];
  });
  if (networks.length === 0) return undefined;
  using counted = new CountingDevice(device);
  using opened = new DisposableStack();
  for (const network of networks) opened.use(await measure(network, counted));
  return memoryByKind(counted);
}
