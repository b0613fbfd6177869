/** What a request's run would hold on its device: reads config and tokenizer, allocates nothing. @module */
import { openDevice } from "../kernels/devices/open.ts";
import { modelFolder } from "../model/hub/find_model.ts";
import { namedModel } from "./folder/named_model.ts";
import { measureRun } from "./measure.ts";
import { memoryBudget, type MemoryPlan, passRows, runShape } from "./memory_plan.ts";
import { openRequest } from "./opening.ts";
import { resolveRequest, type TrainRequest, tuneFor } from "./request.ts";
import { checkScoring } from "./scoring.ts";
import { type MemoryOption, planFitting, suggestSavings } from "./suggestions.ts";

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
  suggestions: MemoryOption[];
  /** What was asked for and changes nothing, a sentence each. */
  notices: string[];
  /** The least that settings bring it to, where no suggestion is enough. */
  least?: MemoryOption;
}

/**
 * Plans the memory of a request, and refuses what a run of it would. Of the model only config and tokenizer
 * must be there.
 * @throws as `trainTask` for a request that cannot be
 * @throws {DoesNotFitError} when a tensor is larger than any buffer or binding of the device
 */
export async function planTask(request: TrainRequest): Promise<PlannedRun> {
  const resolved = resolveRequest(await openRequest(request));
  using device = await openDevice(request.device);
  tuneFor(request, device);
  const { model } = await namedModel(resolved.model);
  const { sizes } = await measureRun(resolved, await modelFolder(model), device);
  await checkScoring(resolved);
  const { parts, total } = planFitting(device, sizes, { from: "unknown" });
  const { bytes: available } = memoryBudget(device, request.memory);
  const fits = available === undefined || total <= available;
  const { suggestions = [], least } = fits ? {} : suggestSavings(device, sizes, available);
  const { batchSize, promptTokens, maxNewTokens } = runShape(sizes);
  return {
    task: resolved.task.name,
    model: resolved.model,
    device: { kind: device.kind, name: device.name, software: device.software },
    shape: { batchSize, promptTokens, maxNewTokens, passRows: passRows(sizes.settings) },
    parts,
    total,
    available,
    fits,
    suggestions,
    notices: resolved.notices,
    ...(!fits && suggestions.length === 0 && { least }),
  };
}
