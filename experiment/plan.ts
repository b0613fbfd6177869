/** What a request's run would hold on its device: reads config and tokenizer, allocates nothing. @module */
import type { Device } from "../kernels/device.ts";
import { CountingDevice } from "../kernels/devices/counting.ts";
import { openDevice } from "../kernels/devices/open.ts";
import { describeModel, loadTokenizer } from "../model/hub/load.ts";
import { type MemoryByKind, memoryByKind } from "../model/memory.ts";
import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import {
  memoryBudget,
  type MemoryPlan,
  passRows,
  planFitting,
  runShape,
  type RunSizes,
  type Way,
  waysToFit,
} from "./memory_plan.ts";
import { modelFolder } from "./models.ts";
import { type Asked, resolveRequest, SEMANTIC, type TrainRequest } from "./request.ts";
import { openEncoder } from "./rewards.ts";
import { checkStart } from "./run_models.ts";

/** What the run of a request would hold, whether it fits or not; plain JSON. */
export interface PlannedRun {
  task: string;
  model: string;
  device: { kind: string; name: string; software: boolean };
  /** The largest batches; `passRows` are the rows of one forward and backward pass. */
  shape: { batchSize: number; promptTokens: number; maxNewTokens: number; passRows: number };
  /** Bytes by kind: policy, reference, and rewards where one has a network. */
  parts: MemoryPlan["parts"];
  /** Bytes. */
  total: number;
  /** Bytes that may be taken; absent where that is not known. */
  available?: number;
  fits: boolean;
  /** Settings that make it fit where it does not. */
  ways: Way[];
  /** The least that settings bring it to, where no way is enough. */
  least?: Way;
}

/**
 * Plans the memory of a request. Of the model only config and tokenizer must be there.
 * @throws as `trainTask` for a request that cannot be
 * @throws {DoesNotFitError} when a tensor is larger than any buffer or binding of the device
 */
export async function planTask(request: TrainRequest): Promise<PlannedRun> {
  using device = await openDevice(request.device);
  const asked = resolveRequest(request);
  const { sizes } = await measureRun(asked, await modelFolder(asked.model), device);
  const { parts, total } = planFitting(device, sizes, { from: "unknown" });
  const { bytes: available } = memoryBudget(device, request.memory);
  const fits = available === undefined || total <= available;
  const { ways = [], least } = fits ? {} : waysToFit(device, sizes, available);
  const { batchSize, promptTokens, maxNewTokens } = runShape(sizes);
  return {
    task: asked.task.name,
    model: asked.model,
    device: { kind: device.kind, name: device.name, software: device.software },
    shape: { batchSize, promptTokens, maxNewTokens, passRows: passRows(sizes.settings) },
    parts,
    total,
    available,
    fits,
    ways,
    ...(!fits && ways.length === 0 && { least }),
  };
}

/** What the memory of a run depends on, and the tokenizer and token ids of prompts that tell it. */
export async function measureRun(
  asked: Asked,
  folder: string,
  device: Device,
): Promise<{
  sizes: RunSizes;
  tokenizer: Tokenizer;
  /** Token ids by the id of the example. */
  prompts: ReadonlyMap<string, Int32Array>;
}> {
  const { task: { examples }, config: { maxNewTokens, microbatchRows } } = asked;
  const { config, lora } = await describeModel(folder);
  if (lora) checkStart(asked.settings, asked.model);
  const tokenizer = await loadTokenizer(folder, { modelVocab: config.vocab_size });
  const prompts = new Map(
    [...examples.train, ...examples.heldout]
      .map(({ id, prompt }) => [id, tokenizer.encode(prompt)] as const),
  );
  const sizes = {
    config,
    promptTokens: [...prompts.values()].reduce((most, { length }) => Math.max(most, length), 1),
    settings: { ...asked.settings, maxNewTokens, microbatchRows },
    fromAdapter: lora !== undefined,
    rewards: await measureRewards(asked, device),
  };
  return { sizes, tokenizer, prompts };
}

/** What the network of a reward holds, if there is one. */
async function measureRewards(
  { settings: { semanticEmbedder, frozenDtype, batchSize }, config: { maxNewTokens } }: Asked,
  device: Device,
): Promise<MemoryByKind | undefined> {
  if (semanticEmbedder === SEMANTIC.semanticEmbedder) return undefined;
  using counted = new CountingDevice(device);
  using embedder = await openEncoder(counted, semanticEmbedder, { matrixDtype: frozenDtype });
  embedder.reserve(batchSize, maxNewTokens);
  return memoryByKind(counted);
}
