/**
 * What a fault on purpose is: a mistake that published systems made, which a study switches on alone beside
 * the right form. Each is one file, which wraps what is right; nothing that is right knows of it.
 * @module
 */
import type { CombinedReward } from "../../rewards/combine.ts";
import type { Policy, Rollout } from "../../rl/policy.ts";
import type { SettingsInUse } from "../conflicts.ts";
import type { RunShape } from "../policy.ts";

/** A policy with a fault. */
export interface FaultyPolicy extends Policy {
  /** The responses that were drawn, of a rollout in which it gives others; absent where it gives those. */
  drawn?(rollout: Rollout): readonly Int32Array[];
}

/** One fault. */
export interface Fault {
  /** What the setting `fault` calls it. */
  name: string;
  /** What it does, the end of a sentence. */
  doc: string;
  /** Why these settings cannot have it, and the cure, the end of a sentence; undefined where they can. */
  refuses?(used: Pick<SettingsInUse, "run" | "rewards">): string | undefined;
  /**
   * Why it could go nowhere wrong with this model or these prompts, and the cure, the end of a sentence;
   * undefined where it can.
   */
  refusesModel?(asked: Pick<FaultOptions, "ends" | "prompts">): string | undefined;
  /** The policy that the trainer is given in place of the right one. */
  policy?(policy: Policy, options: FaultOptions): FaultyPolicy;
  /** The rewards that are given in place of the right ones. */
  rewards?(rewards: CombinedReward): CombinedReward;
  /** The largest batches, where the fault makes larger ones. */
  shape?(shape: RunShape): RunShape;
}

/** What a faulty policy may ask of its run. */
export interface FaultOptions {
  /** Ids that end a response. */
  ends: readonly number[];
  /** Rows in one forward pass; 0 is all. */
  microbatchRows: number;
  /** Token ids of all prompts. */
  prompts: readonly Int32Array[];
}
