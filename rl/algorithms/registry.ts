/** Every algorithm, by name. A new one is a file of its own and a line here. @module */
import { unknownName } from "../../base/names.ts";
import type { Algorithm } from "../algorithm.ts";
import { ppo } from "./ppo.ts";

// deno-lint-ignore no-explicit-any -- each has settings of its own
const ALGORITHMS: readonly Algorithm<any>[] = [ppo];

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
