/** Every algorithm, by name. A new one is a file of its own and a line here. @module */
import { unknownName } from "../../base/names.ts";
import { described } from "../../base/excerpt.ts";
import type { Algorithm } from "../algorithm.ts";
import { bnpo } from "./bnpo.ts";
import { cispo } from "./cispo.ts";
import { dapo } from "./dapo.ts";
import { dppoTv } from "./dppo_tv.ts";
import { drGrpo } from "./dr_grpo.ts";
import { gmpo } from "./gmpo.ts";
import { grpo } from "./grpo.ts";
import { gspo } from "./gspo.ts";
import { luspo } from "./luspo.ts";
import { pgsrm } from "./pgsrm.ts";
import { ppo } from "./ppo.ts";
import { reinforce } from "./reinforce.ts";
import { reinforcePlusPlus, reinforcePlusPlusBaseline } from "./reinforce_plus_plus.ts";
import { remax } from "./remax.ts";
import { rloo } from "./rloo.ts";
import { sapo } from "./sapo.ts";
import { vespo } from "./vespo.ts";

// deno-lint-ignore no-explicit-any -- each has settings of its own
const ALGORITHMS: readonly Algorithm<any>[] = [
  ppo,
  pgsrm,
  reinforce,
  reinforcePlusPlus,
  reinforcePlusPlusBaseline,
  remax,
  rloo,
  grpo,
  drGrpo,
  bnpo,
  dapo,
  gspo,
  luspo,
  cispo,
  sapo,
  gmpo,
  vespo,
  dppoTv,
];

/** What a run that names none is trained with. */
export const DEFAULT_ALGORITHM: string = ppo.name;

/** All algorithms, in the order of `--list`. */
export const listAlgorithms = (): readonly Algorithm[] => ALGORITHMS;

/** @throws {TypeError} for an unknown name, with the nearest one. */
export function findAlgorithm(name: string): Algorithm {
  const found = ALGORITHMS.find((algorithm) => algorithm.name === name);
  if (found) return found;
  throw unknownName("algorithm", name, ALGORITHMS.map((algorithm) => algorithm.name));
}

/** What the loop cannot do without. */
const PARTS = {
  ...{ name: "string", options: "object", metrics: "object", needs: "function" },
  ...{ advantages: "function", loss: "function", total: "function" },
};

/**
 * An algorithm by name, or one of your own as it is.
 * @throws {TypeError} for an unknown name, or what is no algorithm
 */
export function asAlgorithm(given: unknown): Algorithm {
  if (typeof given === "string") return findAlgorithm(given);
  const parts = (given ?? {}) as Readonly<Record<string, unknown>>;
  const missing = Object.entries(PARTS)
    .filter(([part, kind]) => typeof parts[part] !== kind || parts[part] === null)
    .map(([part]) => part);
  if (missing.length === 0) return given as Algorithm;
  const now = typeof given === "object" && given !== null
    ? `this object lacks ${missing.join(", ")}`
    : `it is ${described(given)}`;
  throw new TypeError(
    `Cannot train as an algorithm is a name, or an object as rl/algorithm.ts says: ${now}`,
  );
}
