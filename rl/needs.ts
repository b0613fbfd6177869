/** Whether an algorithm can work with what it is given. @module */
import type { Algorithm, Needs } from "./algorithm.ts";
import type { Policy } from "./policy.ts";

/** What an algorithm wants of a value head beside its being there. */
export interface ValueHeadNeeds {
  /** Its gradient does not reach the rest of the policy. */
  detached: boolean;
  /** How it starts where the model's folder has none: as zeros, or normal draws. */
  init: "zero" | "normal";
  /** Its gradient is clipped apart from that of the rest, each to the same norm. */
  clipApart: boolean;
  /** Which state a token's value speaks of, see `TokenBatch`. Default "before". */
  at?: "before" | "own";
}

/** What an algorithm wants of a reference policy. */
export interface ReferenceNeeds {
  /** Log-probabilities under reference weights, which no gradient reaches. */
  reference: boolean;
  /** Exact KL, in every evaluation or before the update alone (`old.kl`). Default: not, it costs passes. */
  kl?: "advantages" | "loss";
  /** After each `every` steps the reference becomes `mix` policy + (1 - `mix`) reference. Default: never. */
  sync?: { every: number; mix: number };
}

/**
 * What an algorithm needs with these settings.
 * @throws {RangeError} where its groups are not of 1 completion or more, or with dynamic sampling of 2
 */
export function needsOf<C>(algorithm: Algorithm<C>, config: Readonly<C>): Needs {
  const needs = algorithm.needs(config), { groupSize } = needs ?? {};
  const least = needs?.dynamicSampling ? 2 : 1;
  if (Number.isInteger(groupSize) && groupSize >= least) return needs;
  const completions = least === 1 ? "1 completion" : "2 completions";
  throw new RangeError(
    `Cannot train with ${algorithm.name} as it must compare ${completions} of a prompt or more: ` +
      `its groupSize is ${groupSize}`,
  );
}

/** @throws {TypeError} where there is no policy, or it lacks what an algorithm needs */
export function checkPolicy(
  policy: Policy,
  name: string,
  { value, reference, kl, head, sync }: Needs,
): void {
  if (!policy) {
    throw new TypeError(`Cannot train with ${name} as there is no policy: it is ${policy}`);
  }
  if (head?.detached && policy.valueDetached !== true) {
    throw new TypeError(
      `Cannot train with ${name} as its value loss must not reach the trunk of the policy: that of this ` +
        "policy does, valueDetached is not true; open its model with valueDetached, or set detachValue=false",
    );
  }
  if (sync && !policy.syncReference) {
    throw new TypeError(
      `Cannot train with ${name} as its reference moves every ${sync.every} steps (referenceSync): that of ` +
        "this policy cannot, it has no syncReference; give it a frozen copy in f32 of a model all of whose " +
        "weights are trained, or set referenceSync=0",
    );
  }
  const lacks = reference && !policy.reference
    ? ["compares the policy with a frozen reference", " or settings (klCoefficient=0)"]
    : kl && !policy.hasKl
    ? ["compares whole distributions with a reference's", " or settings (klEstimator=k3)"]
    : value && policy.hasValues === false
    ? ["trains a value head", ""]
    : undefined;
  if (lacks === undefined) return;
  const [what, orSettings] = lacks;
  throw new TypeError(
    `Cannot train with ${name} as it ${what}: this policy has none; give it one, or choose an ` +
      `algorithm${orSettings} without`,
  );
}
