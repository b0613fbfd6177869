/** What rates replies, and the rewards that are made of a rating. @module */
import type { Reward, RewardBatch, RewardContext } from "../reward.ts";
import { Servers } from "../servers/servers.ts";
import { rubricRating } from "./rubric.ts";
import { serverJudge } from "./server_judge.ts";
import type { JudgeSettings } from "./settings.ts";

/** One reply, and what it replies to. */
export interface Judged {
  instruction: string;
  reply: string;
}

/** Rates replies from 0 to 10. */
export interface Judge {
  /** Who rates, for people. */
  readonly name: string;
  /** One rating a reply; null where there is none. */
  rate(all: readonly Judged[]): Promise<(number | null)[]>;
}

/** The rating that stands for a missing one with `parity`, as in the system that this comes from. */
const PARITY = 5;

/** The judge that the settings name. @throws what `Servers.chat` throws */
export function openJudge(
  { server, model }: JudgeSettings,
  { servers = new Servers() }: RewardContext,
): Judge {
  if (server !== undefined) return serverJudge(servers.chat("judge", server, model), servers);
  const rate = (all: readonly Judged[]) =>
    Promise.resolve(all.map(({ instruction, reply }) => rubricRating(instruction, reply)));
  return { name: "a rubric", rate };
}

/** The reward `name`: `value` of each completion's rating. */
export function judgeReward(
  name: string,
  { judge, fallback, value }: {
    judge: Judge;
    fallback: JudgeSettings["fallback"];
    value: (rating: number) => number;
  },
): Reward {
  let fallbacks = 0;
  return {
    name,
    counts: ["fallbacks"],
    async score({ prompts, completions }: RewardBatch): Promise<(number | null)[]> {
      const ratings = await judge.rate(
        completions.map((reply, i) => ({ instruction: prompts[i], reply })),
      );
      return ratings.map((rating) => {
        if (rating !== null) return value(rating);
        fallbacks++;
        return fallback === "parity" ? value(PARITY) : null;
      });
    },
    takeCounts() {
      const taken = { fallbacks };
      fallbacks = 0;
      return taken;
    },
  };
}
