/** Which known name an unknown one most likely meant. @module */
import { distance } from "npm:fastest-levenshtein@1.0.16";

/**
 * The nearest of `names`, where at most a third of the letters (or two) differ; case, hyphens and
 * underscores do not count, and a clear beginning ("learn" for learningRate) counts as one edit.
 */
export function nearest(word: string, names: readonly string[]): string | undefined {
  const fold = (text: string) => text.toLowerCase().replace(/[-_]/g, "");
  const wanted = fold(word);
  let best: string | undefined, least = Infinity;
  for (const name of names) {
    const candidate = fold(name);
    const begins = wanted.length >= 3 && candidate.startsWith(wanted);
    const edits = begins ? Math.min(1, distance(wanted, candidate)) : distance(wanted, candidate);
    if (edits < least && edits < candidate.length) [best, least] = [name, edits];
  }
  return least <= Math.max(2, Math.floor(wanted.length / 3)) ? best : undefined;
}

/** ` Did you mean "colors"?`, or nothing. */
export function didYouMean(word: string, names: readonly string[]): string {
  const name = nearest(word, names);
  return name === undefined ? "" : ` Did you mean "${name}"?`;
}

/** The error for a name that nothing has: says the nearest one, and all of them. */
export function unknownName(kind: string, name: string, names: readonly string[]): TypeError {
  const near = nearest(name, names);
  const cure = near === undefined ? "" : `; did you mean "${near}"?`;
  return new TypeError(
    `Cannot find the ${kind} ${JSON.stringify(name)} as there are only ${names.join(", ")}${cure}`,
  );
}
