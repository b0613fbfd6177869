/** Opens what scores completions: servers, the parent, rewards; or only asks whether a run could. @module */
import type { Device } from "../kernels/device.ts";
import { AnswerCache } from "../rewards/servers/cache.ts";
import { openParent } from "../rewards/parents/settings.ts";
import { listRewards } from "../rewards/registry.ts";
import type { SentimentClassifier, TextEmbedder, TextScorer } from "../rewards/reward.ts";
import { Servers } from "../rewards/servers/servers.ts";
import { checkAnswerFile } from "./folder/answer_file.ts";
import { serverKey } from "./folder/server_access.ts";
import { checkWordVectors } from "./folder/word_vectors.ts";
import type { OpenRun } from "./open.ts";
import { openServers, requireReachable } from "./open_servers.ts";
import type { ResolvedRequest } from "./request.ts";
import { type ChosenReward, nameOf, openChosen } from "./rewards.ts";
import type { RunScorers } from "./run_scorer.ts";

type Asked = Pick<ResolvedRequest, "parent" | "rewards" | "servers" | "settings" | "task">;

/** What scores completions, and asks servers for it. */
export async function openScoring(
  plan: Asked,
  { device, scorers, disposables, signal }: {
    device: Device;
    scorers: Pick<RunScorers, "open">;
    disposables: DisposableStack;
    signal?: AbortSignal;
  },
): Promise<Pick<OpenRun, "servers" | "rewards">> {
  const servers = await openServers(plan, signal);
  const parent = await openParent(plan.parent, plan.task, servers);
  const { frozenDtype: matrixDtype } = plan.settings;
  const rewards = await openChosen(plan.rewards, {
    ...{ parent, servers, device, matrixDtype, disposables },
    openScorer: (name) => scorers.open(name),
  });
  return { servers, rewards };
}

/**
 * Refuses what `openScoring` would, and opens neither a connection, nor a network, nor a large file: networks
 * are measured elsewhere. What a reward of the user's own does as it opens is left to the run.
 * @throws as `openScoring`
 */
export async function checkScoring(plan: Asked): Promise<void> {
  requireReachable(plan);
  const { serverCache } = plan.servers;
  if (serverCache !== undefined) await checkAnswerFile(serverCache);
  const servers = new Servers({ key: serverKey, cache: new AnswerCache() }, plan.servers);
  const parent = await openParent(plan.parent, plan.task, servers);
  await openChosen(plan.rewards.map(withoutOwnCode), {
    ...{ parent, servers },
    openEncoder: unasked,
    openClassifier: unasked,
    openScorer: unasked,
    openWordVectors: async (file) => {
      await checkWordVectors(file);
      return await unasked(file);
    },
  });
}

/** Stands for what a run opens, and is not asked. */
function unasked(name: string): Promise<TextEmbedder & SentimentClassifier & TextScorer> {
  const refuse = () => Promise.reject(new Error(`Cannot ask ${name} as a plan opens nothing`));
  return Promise.resolve({
    ...{ name, dimensions: 0 },
    ...{ embed: refuse, score: refuse, perTokenNll: refuse },
  });
}

/** The reward, where it is one of the registry; one that stands for it where it is the user's own. */
function withoutOwnCode(one: ChosenReward): ChosenReward {
  if ("definition" in one && listRewards().some((known) => known === one.definition)) return one;
  const name = nameOf(one);
  return {
    weight: one.weight,
    reward: { name, score: async () => (await unasked(name)).score([]) },
  };
}
