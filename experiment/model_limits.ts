/** What a model cannot do, said in the words of what was asked for, before anything is opened. @module */
import { asUsage, markUsage } from "../base/usage.ts";
import { type ModelConfig, modelDims } from "../model/config.ts";
import { linearModules } from "../model/families/families.ts";
import { adaptedModules } from "../model/lora/targets.ts";
import type { FaultOptions } from "./faults/fault.ts";
import { findFault } from "./faults/registry.ts";
import { loraOf, type RunSettings } from "./settings.ts";

/**
 * Refuses more tokens than the model has positions after its longest prompt, of `promptTokens`.
 * @throws {RangeError} marked as usage, with the most that `asked.of` may be
 */
export function checkLength(
  config: ModelConfig,
  promptTokens: number,
  { of, tokens }: { of: string; tokens: number },
): void {
  const { P: positions } = modelDims(config);
  if (promptTokens + tokens <= positions) return;
  const room = positions - promptTokens;
  const cure = room > 0
    ? `ask for at most ${room}`
    : "shorten the prompt, or use a model with more positions";
  throw asUsage(
    new RangeError(
      `Cannot draw ${tokens} tokens (${of}) as prompt and completion must fit in the model's ` +
        `${positions} positions: the longest prompt takes ${promptTokens}; ${cure}`,
    ),
  );
}

/** Refuses targets of an adapter that the model does not have. @throws {RangeError} marked as usage */
export function checkTargets(
  config: ModelConfig,
  settings: Pick<RunSettings, "loraRank" | "loraAlpha" | "loraTargets">,
): void {
  const targets = loraOf(settings)?.targets;
  if (targets === undefined) return;
  const modules = linearModules(config);
  markUsage(() => adaptedModules({ targets }, { layers: modelDims(config).L, modules }));
}

/** Refuses a fault that could go nowhere wrong with the model or the prompts. @throws {RangeError} marked as usage */
export function checkFault(
  { fault }: Pick<RunSettings, "fault">,
  asked: Pick<FaultOptions, "ends" | "prompts">,
): void {
  const refused = findFault(fault)?.refusesModel?.(asked);
  if (refused === undefined) return;
  throw asUsage(new RangeError(`Cannot train with fault=${fault} as ${refused}`));
}
