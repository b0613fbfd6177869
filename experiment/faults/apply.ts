/** Puts a fault around what is right: the one place where a run meets it. @module */
import type { CombinedReward } from "../../rewards/combine.ts";
import type { Policy, Rollout } from "../../rl/policy.ts";
import type { FaultOptions } from "./fault.ts";
import { findFault } from "./registry.ts";

/** What a run trains by. */
export interface Trained {
  policy: Policy;
  rewards: CombinedReward;
  /** The responses to score, of a rollout of `policy`. */
  drawn(rollout: Rollout): readonly Int32Array[];
}

/** Policy and rewards as they are, or with the fault of this name. */
export function withFault(
  name: string,
  { policy, rewards }: Pick<Trained, "policy" | "rewards">,
  options: FaultOptions,
): Trained {
  const fault = findFault(name), faulty = fault?.policy?.(policy, options);
  return {
    policy: faulty ?? policy,
    rewards: fault?.rewards?.(rewards) ?? rewards,
    drawn: (rollout) => faulty?.drawn?.(rollout) ?? rollout.responses,
  };
}
