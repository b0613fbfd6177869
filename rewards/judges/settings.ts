/** The settings, counts and notice of rewards that a judge's rating makes. @module */
import type { OptionRows } from "../../base/options.ts";
import type { RewardCount } from "../reward.ts";

// deno-fmt-ignore
export const JUDGE_ROWS = {
  server: { kind: "text", otherwise: "none: a rubric rates, which is no language model", unit: "https://host/v1", doc: "judges: OpenAI-compatible chat server that rates, see docs/servers.md", group: "Rewards and advantages" },
  model: { kind: "text", otherwise: "none", doc: "judges: name of the server's model", group: "Rewards and advantages" },
  fallback: { kind: "choice", choices: ["null", "parity"], default: "null", doc: "judges: a completion without a rating has no score (null), or that of a 5 (parity); both are counted", group: "Rewards and advantages" },
} as const satisfies OptionRows;

/** Settings of every judge. */
export interface JudgeSettings {
  server?: string;
  model?: string;
  fallback: "null" | "parity";
}

// deno-fmt-ignore
export const JUDGE_COUNTS: readonly RewardCount[] = [
  { name: "fallbacks", healthy: "0", meaning: "completions that the judge gave no rating after all tries; they get null, or the score of a 5 with judgeFallback=parity", remedy: "Above: the last lines of the run say what the server answered; fewer serverRequests, a longer serverTimeout, or another model." },
];

/** What people should know of a run that `reward` rates. */
export const judgeNotice = (reward: string, { server, model }: JudgeSettings): string =>
  server === undefined
    ? `${reward} rates by a rubric of rules, not by a language model: judgeServer asks one`
    : `${reward} sends every prompt and completion to ${server}, where ${model} rates it`;
