/** The rewards of a run: named or given, opened for a task, and summed. @module */
import type { OptionValue } from "../base/options.ts";
import { markUsage } from "../base/usage.ts";
import { described } from "../base/excerpt.ts";
import type { Device } from "../kernels/device.ts";
import type { MatrixDtype } from "../model/layout.ts";
import { combine, type CombinedReward } from "../rewards/combine.ts";
import { isModuleFile, rewardNameOf } from "../base/own_file.ts";
import { functionReward, type RewardFunction } from "../rewards/own.ts";
import { parseTerms } from "../rewards/parse.ts";
import { findReward, listRewards, rewardSetting } from "../rewards/registry.ts";
import type {
  Parent,
  Reward,
  RewardContext,
  RewardDefinition,
  TextEmbedder,
} from "../rewards/reward.ts";
import type { Servers } from "../rewards/servers/servers.ts";
import type { Task } from "../tasks/task.ts";
import { openWordVectors } from "./folder/word_vectors.ts";
import { isOfTheRun, openClassifier, openEncoder, openScorer } from "./reward_networks.ts";
import type { OwnFile } from "./observer.ts";

/** One reward of a run: a definition with its settings, or an object of your own. */
export type ChosenReward =
  & { weight: number; file?: OwnFile }
  & ({ reward: Reward } | {
    definition: RewardDefinition;
    settings: Readonly<Record<string, OptionValue>>;
  });

/** What a run may be rewarded by: `NAME[:weight],…`, or objects, alone or with weights. */
export type RewardRequest = RequestedReward | readonly RequestedReward[];

/** A reward of your own: the reward, its definition, or a function of a batch or of one completion. */
// deno-lint-ignore no-explicit-any -- any settings of its own
export type OwnReward = Reward | RewardDefinition<any> | RewardFunction;

/**
 * One of them: several by name, or one of your own, which counts 1 where no weight is given; `file` is
 * where it came from, if from one.
 */
export type RequestedReward =
  | string
  | OwnReward
  | { reward: OwnReward; weight: number; file?: OwnFile };

const listed = (asked: RewardRequest): readonly RequestedReward[] =>
  Array.isArray(asked) ? asked : [asked as RequestedReward];

/**
 * The rewards that are asked for, with the settings that each owns. Those in files must be loaded.
 * @throws {TypeError} for what is none of these, and what `parseRewards` and an option table's `resolve`
 * throw
 */
export function chooseRewards(
  asked: RewardRequest,
  settings: Readonly<Record<string, OptionValue | undefined>>,
): ChosenReward[] {
  const names = listRewards().map(({ name }) => name);
  const chosen = listed(asked).flatMap((one): ChosenReward[] => {
    if (typeof one !== "string") return [ownReward(one, settings)];
    return parseTerms(one, names).map(({ name, weight }) => {
      if (isModuleFile(name)) {
        throw new TypeError(`Cannot use the reward ${name} as it is not loaded`);
      }
      return { weight, ...withSettings(findReward(name), settings) };
    });
  });
  if (chosen.length === 0 || chosen.some(({ weight }) => weight !== 0)) return chosen;
  throw new RangeError(
    `Cannot train on the rewards ${chosen.map(nameOf).join(", ")} as every weight is 0`,
  );
}

/** The request with each reward that is the path of a module loaded from there. */
export async function loadRewards(asked: RewardRequest): Promise<RewardRequest> {
  const names = listRewards().map(({ name }) => name);
  const loaded = await Promise.all(
    listed(asked).map(async (one) => {
      if (typeof one !== "string") return [one];
      const terms = markUsage(() => parseTerms(one, names));
      if (!terms.some(({ name }) => isModuleFile(name))) return [one];
      const { loadReward } = await import("./folder/own_files.ts");
      return await Promise.all(
        terms.map(async ({ name, weight }) =>
          isModuleFile(name) ? { ...await loadReward(name), weight } : `${name}:${weight}`
        ),
      );
    }),
  );
  return loaded.flat();
}

/** The definitions among them that are not the registry's: their settings are a run's too. */
export const ownDefinitions = (asked: RewardRequest): RewardDefinition[] =>
  listed(asked).flatMap((one) => {
    const { reward } = weighted(one);
    return isDefinition(reward) ? reward : [];
  });

/** A chosen reward's name. */
export const nameOf = (one: ChosenReward): string =>
  "reward" in one ? one.reward.name : one.definition.name;

function isDefinition(reward: unknown): reward is RewardDefinition {
  const { name, open, options, counts } = (reward ?? {}) as Partial<RewardDefinition>;
  if (typeof open !== "function") return false;
  const isWhole = typeof name === "string" && Array.isArray(options?.names) &&
    Array.isArray(counts);
  const isNew = !listRewards().some((known) => known.name === name && known !== reward);
  if (isWhole && isNew) return true;
  const what = isWhole ? "the registry has another of this name" : `it is ${described(reward)}`;
  throw new TypeError(
    `Cannot use the reward ${
      name ?? "in a definition"
    } as a definition has a name of its own, options ` +
      `(defineOptions) and counts: ${what}`,
  );
}

/** What may be a reward of a program's own, with its weight. */
const weighted = (one: RequestedReward): { reward: unknown; weight: number; file?: OwnFile } =>
  typeof one === "object" && one !== null && "reward" in one ? one : { reward: one, weight: 1 };

/** A reward that a program hands in, alone or with its weight. */
function ownReward(
  one: Exclude<RequestedReward, string>,
  settings: Readonly<Record<string, OptionValue | undefined>>,
): ChosenReward {
  const { reward, ...rest } = weighted(one);
  if (typeof reward === "function") {
    const name = rewardNameOf(reward.name);
    return { ...rest, reward: functionReward(name, reward as RewardFunction) };
  }
  if (isDefinition(reward)) return { ...rest, ...withSettings(reward, settings) };
  if (typeof (reward as Partial<Reward> | undefined)?.score === "function") {
    return { ...rest, reward: reward as Reward };
  }
  throw new TypeError(
    `Cannot train on rewards as each is a name, an object with name and score(), or such an object ` +
      `with its weight, { reward, weight }: one is ${described(one)}`,
  );
}

const withSettings = (
  definition: RewardDefinition,
  settings: Readonly<Record<string, OptionValue | undefined>>,
) => ({ definition, settings: ownSettings(definition, settings) });

function ownSettings(
  reward: RewardDefinition,
  settings: Readonly<Record<string, OptionValue | undefined>>,
): Readonly<Record<string, OptionValue>> {
  const { options } = reward;
  const given = options.names.map((option) => [option, settings[rewardSetting(reward, option)]]);
  return options.resolve(Object.fromEntries(given));
}

/** The settings of chosen rewards under their names on the command line. */
export const settingsOfRewards = (chosen: readonly ChosenReward[]): Record<string, OptionValue> =>
  Object.fromEntries(
    chosen.flatMap((one) =>
      "definition" in one
        ? Object.entries(one.settings).map((
          [option, value],
        ) => [rewardSetting(one.definition, option), value])
        : []
    ),
  );

/** Where a run's rewards get what they need. */
export interface RewardPlace
  extends Pick<RewardContext, "openScorer" | "openEncoder" | "openClassifier" | "openWordVectors"> {
  parent?: Parent;
  embedder?: TextEmbedder;
  /** Asks the servers that they name. Default: without keys, and with what is known until the end. */
  servers?: Servers;
  /** Holds a reward's network. */
  device?: Device;
  /** How a network's matrices are stored. Default "f32". */
  matrixDtype?: MatrixDtype;
  /** Disposes of the networks that are opened. Default: they go with the device. */
  disposables?: DisposableStack;
}

/** Opens the chosen rewards and sums them. @throws what their definitions' `open` throws */
export async function openChosen(
  chosen: readonly ChosenReward[],
  place: RewardPlace,
): Promise<CombinedReward> {
  const context = contextOf(place);
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

/** What rewards are opened with; each network is opened once, however many rewards name it. */
function contextOf(
  { device, matrixDtype, disposables, ...given }: RewardPlace,
): RewardContext {
  if (!device) return { openWordVectors, ...given };
  const once = <T extends Disposable>(open: (name: string) => Promise<T>) => {
    const opened = new Map<string, Promise<T>>();
    return (name: string): Promise<T> => {
      if (!opened.has(name)) {
        opened.set(name, open(name).then((network) => disposables?.use(network) ?? network));
      }
      return opened.get(name)!;
    };
  };
  const options = { matrixDtype };
  return {
    openWordVectors,
    openEncoder: once((name) => openEncoder(device, name, options)),
    openClassifier: once((name) => openClassifier(device, name, options)),
    openScorer: once((name) => openScorer(device, named(name), options)),
    ...given,
  };
}

/** @throws {TypeError} for a name that means a model of a run, where there is none */
function named(scorer: string): string {
  if (!isOfTheRun(scorer)) return scorer;
  throw new TypeError(
    `Cannot score perplexity by the ${scorer} as only a run has one: name a model (perplexityModel), or ` +
      "give openScorer",
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
  const chosen = chooseRewards(await loadRewards(asked), settings);
  return await openChosen(chosen, { parent: task.parent, ...place });
}
