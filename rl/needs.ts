/** Whether an algorithm can work with what it is given. @module */
import type { Algorithm, Needs } from "./algorithm.ts";
import type { Policy } from "./policy.ts";

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
export function checkPolicy(policy: Policy, name: string, { value, reference }: Needs): void {
  if (!policy) {
    throw new TypeError(`Cannot train with ${name} as there is no policy: it is ${policy}`);
  }
  const lacks = reference && !policy.reference
    ? "compares the policy with a frozen reference"
    : value && policy.hasValues === false
    ? "trains a value head"
    : undefined;
  if (lacks === undefined) return;
  throw new TypeError(
    `Cannot train with ${name} as it ${lacks}: this policy has none; give it one, or choose an ` +
      "algorithm without",
  );
}
