/** What a reward counts beside its scores. @module */
import type { Reward } from "./reward.ts";

/** Counts by name, handed out and reset as `Reward.takeCounts` says. */
export interface Tally<Name extends string>
  extends Required<Pick<Reward, "counts" | "takeCounts">> {
  add(name: Name): void;
}

/** Counters of these names, all 0. */
export function tally<Name extends string>(...names: Name[]): Tally<Name> {
  const zeros = () => Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
  let now = zeros();
  return {
    counts: names,
    add(name) {
      now[name]++;
    },
    takeCounts() {
      const taken = now;
      now = zeros();
      return taken;
    },
  };
}
