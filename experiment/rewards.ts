/** The rewards of a run: named or given, opened for a task, and summed. @module */
import type { OptionValue } from "../base/options.ts";
import { asUsage } from "../base/usage.ts";
import { described } from "../base/excerpt.ts";
import type { Device } from "../kernels/device.ts";
import type { EncoderOptions } from "../model/encoder/encoder.ts";
import type { SentenceEmbedder } from "../model/encoder/sentence.ts";
import { loadSentenceEmbedder } from "../model/files/encoder_folder.ts";
import type { MatrixDtype } from "../model/layout.ts";
import { combine, type CombinedReward } from "../rewards/combine.ts";
import { parseTerms } from "../rewards/parse.ts";
import { findReward, listRewards, rewardSetting } from "../rewards/registry.ts";
import type {
  Parent,
  Reward,
  RewardContext,
  RewardDefinition,
  TextEmbedder,
} from "../rewards/reward.ts";
import type { Task } from "../tasks/task.ts";
import { kindOf } from "../model/files/deno_folder.ts";
import { modelFolder } from "../model/hub/find_model.ts";
import { isHubId } from "../model/hub/names.ts";

/** One reward of a run: by name with its settings, or an object of your own. */
export type ChosenReward =
  & { weight: number }
  & ({ reward: Reward } | {
    definition: RewardDefinition;
    settings: Readonly<Record<string, OptionValue>>;
  });

/** What a run may be rewarded by: `NAME[:weight],…`, or objects, alone or with weights. */
export type RewardRequest = RequestedReward | readonly RequestedReward[];

/** One of them: several by name, or one of your own, which counts 1 where no weight is given. */
export type RequestedReward = string | Reward | { reward: Reward; weight: number };

/**
 * The rewards that are asked for, with the settings that each owns.
 * @throws {TypeError} for what is none of these, and what `parseRewards` and an option table's `resolve`
 * throw
 */
export function chooseRewards(
  asked: RewardRequest,
  settings: Readonly<Record<string, OptionValue | undefined>>,
): ChosenReward[] {
  const names = listRewards().map(({ name }) => name);
  const list: readonly RequestedReward[] = Array.isArray(asked)
    ? asked
    : [asked as RequestedReward];
  const chosen = list.flatMap((one): ChosenReward[] => {
    if (typeof one !== "string") return [ownReward(one)];
    return parseTerms(one, names).map(({ name, weight }) => {
      const definition = findReward(name);
      return { weight, definition, settings: ownSettings(definition, settings) };
    });
  });
  if (chosen.length === 0 || chosen.some(({ weight }) => weight !== 0)) return chosen;
  const all = chosen.map((one) => "reward" in one ? one.reward.name : one.definition.name);
  throw new RangeError(`Cannot train on the rewards ${all.join(", ")} as every weight is 0`);
}

/** A reward that a program hands in, alone or with its weight. */
function ownReward(one: Exclude<RequestedReward, string>): ChosenReward {
  const weighted = typeof one === "object" && one !== null && "reward" in one;
  const chosen = { weight: 1, ...(weighted ? one : { reward: one as Reward }) };
  if (typeof chosen.reward?.score === "function") return chosen;
  throw new TypeError(
    `Cannot train on rewards as each is a name, an object with name and score(), or such an object ` +
      `with its weight, { reward, weight }: one is ${described(one)}`,
  );
}

function ownSettings(
  { name, options }: RewardDefinition,
  settings: Readonly<Record<string, OptionValue | undefined>>,
): Readonly<Record<string, OptionValue>> {
  const given = options.names.map((option) => [option, settings[rewardSetting(name, option)]]);
  return options.resolve(Object.fromEntries(given));
}

/** The settings of chosen rewards under their names on the command line. */
export const settingsOfRewards = (chosen: readonly ChosenReward[]): Record<string, OptionValue> =>
  Object.fromEntries(
    chosen.flatMap((one) =>
      "definition" in one
        ? Object.entries(one.settings).map((
          [option, value],
        ) => [rewardSetting(one.definition.name, option), value])
        : []
    ),
  );

/** Where a run's rewards get what they need. */
export interface RewardPlace {
  parent?: Parent;
  embedder?: TextEmbedder;
  /** Holds a reward's network. */
  device?: Device;
  /** How a network's matrices are stored. Default "f32". */
  matrixDtype?: MatrixDtype;
}

/** Opens the chosen rewards and sums them. @throws what their definitions' `open` throws */
export async function openChosen(
  chosen: readonly ChosenReward[],
  { device, matrixDtype, ...given }: RewardPlace,
): Promise<CombinedReward> {
  const context: RewardContext = {
    ...given,
    ...(device && { openEncoder: (name) => openEncoder(device, name, { matrixDtype }) }),
  };
  return combine(
    await Promise.all(chosen.map(async (one) => ({
      weight: one.weight,
      ...("reward" in one ? { reward: one.reward } : {
        reward: await one.definition.open(one.settings, context),
        counts: one.definition.counts.map(({ name }) => name),
      }),
    }))),
  );
}

/** Choices for `openRewards`. */
export interface RewardOptions extends RewardPlace {
  /** By the names of the command line, such as `semanticPower`. */
  settings?: Readonly<Record<string, OptionValue>>;
}

/**
 * The weighted sum that `asked` names, or the task's default.
 * @throws what `chooseRewards` and the rewards' `open` throw
 */
export async function openRewards(
  task: Pick<Task, "parent" | "defaultRewards">,
  asked: RewardRequest = task.defaultRewards,
  { settings = {}, ...place }: RewardOptions = {},
): Promise<CombinedReward> {
  return await openChosen(chooseRewards(asked, settings), { parent: task.parent, ...place });
}

/**
 * The sentence encoder of that folder, or of the hub.
 * @throws what `modelFolder` and `load` throw; marked as usage where the name can be neither
 */
export async function openEncoder(
  device: Device,
  encoder: string,
  options: EncoderOptions,
): Promise<SentenceEmbedder> {
  const folder = await modelFolder(encoder).catch(async (error: Error) => {
    const why = error.message.replace('"tiny", "small", ', ""); // are no encoders
    const said = new Error(`Cannot embed with the sentence encoder ${encoder}: ${why}`, {
      cause: error,
    });
    if (isHubId(encoder) || await kindOf(encoder) === "folder") throw said;
    throw asUsage(said);
  });
  return await loadSentenceEmbedder(device, folder, options);
}
