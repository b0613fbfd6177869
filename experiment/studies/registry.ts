/** Every study, by name. A new one is a file of its own and a line here. @module */
import { unknownName } from "../../base/names.ts";
import { algorithms } from "./algorithms.ts";
import { analogies } from "./analogies.ts";
import { faults } from "./faults.ts";
import { imdb } from "./imdb.ts";
import { pgsrm } from "./pgsrm.ts";
import { rewardStructures } from "./reward_structures.ts";
import type { Study } from "./study.ts";

const STUDIES: readonly Study[] = [
  rewardStructures,
  pgsrm,
  analogies,
  imdb,
  algorithms,
  faults,
];

/** All studies, in the order of the help. */
export const listStudies = (): readonly Study[] => STUDIES;

/** @throws {TypeError} for an unknown name, with the nearest one */
export function findStudy(name: string): Study {
  const found = STUDIES.find((study) => study.name === name);
  if (found) return found;
  throw unknownName("study", name, STUDIES.map((study) => study.name));
}
