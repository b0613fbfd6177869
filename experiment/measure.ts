/** What the memory of a run depends on, found out without any weights. @module */
import { markUsage } from "../base/usage.ts";
import type { Device } from "../kernels/device.ts";
import { CountingDevice } from "../kernels/devices/counting.ts";
import { describeModel, loadTokenizer } from "../model/hub/load.ts";
import { type MemoryByKind, memoryByKind } from "../model/memory.ts";
import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import type { RunSizes } from "./memory_plan.ts";
import { checkLength, checkTargets } from "./model_limits.ts";
import { checkStart } from "./models.ts";
import type { ResolvedRequest } from "./request.ts";
import { openEncoder } from "./rewards.ts";

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
  const sizes = {
    config,
    promptTokens,
    settings: { ...resolved.settings, maxNewTokens, microbatchRows },
    needs,
    fromAdapter: lora !== undefined,
    rewards: await measureRewards(resolved, device),
  };
  return { sizes, tokenizer, prompts };
}

/** What the networks of the rewards hold, if there are any. */
async function measureRewards(
  { rewards, settings: { frozenDtype, batchSize }, config: { maxNewTokens } }: ResolvedRequest,
  device: Device,
): Promise<MemoryByKind | undefined> {
  const encoders = rewards.flatMap((one) =>
    "definition" in one ? one.definition.encoder?.(one.settings) ?? [] : []
  );
  if (encoders.length === 0) return undefined;
  using counted = new CountingDevice(device);
  using opened = new DisposableStack();
  for (const name of encoders) {
    const encoder = await openEncoder(counted, name, { matrixDtype: frozenDtype });
    opened.use(encoder).reserve(batchSize, maxNewTokens);
  }
  return memoryByKind(counted);
}
