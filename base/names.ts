/** Which known name an unknown one probably means. @module */
import { distance } from "fastest-levenshtein";

/** The nearest of `names` in edit distance, where at most a third of the letters (or two) differ. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const text = name.toLowerCase();
  let best: string | undefined, least = Math.max(2, Math.floor(text.length / 3)) + 1;
  for (const candidate of names) {
    const far = distance(text, candidate.toLowerCase());
    if (far < least && far < candidate.length) [best, least] = [candidate, far];
  }
  return best;
}

/** The error for a name that nothing has: says the nearest one, and all of them. */
export function unknownName(kind: string, name: string, names: readonly string[]): TypeError {
  const near = nearest(name, names);
  const cure = near === undefined ? "" : `; did you mean "${near}"?`;
  return new TypeError(
    `Cannot find the ${kind} ${JSON.stringify(name)} as there are only ${names.join(", ")}${cure}`,
  );
}
