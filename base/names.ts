/** Which known name an unknown one most likely meant. @module */
import { distance } from "npm:fastest-levenshtein@1.0.16";
import { oneLine, shown } from "./excerpt.ts";

/**
 * The nearest of `names`, where at most a third of the letters (or two; one of up to four) differ; case,
 * hyphens and underscores do not count. A clear beginning ("learn" for learningRate), an ending that is
 * half of the name ("gpu" for webgpu), the initials ("lr") and the same letters in another order count
 * as one edit.
 */
export function nearest(word: string, names: readonly string[]): string | undefined {
  const wanted = fold(word);
  let best: string | undefined, least = Infinity;
  for (const name of names) {
    const candidate = fold(name);
    const apart = distance(wanted, candidate);
    const isNear = wanted.length >= 3 && (candidate.startsWith(wanted) ||
          2 * wanted.length >= candidate.length && candidate.endsWith(wanted)) ||
      wanted.length >= 2 && (wanted === initials(name) || sorted(wanted) === sorted(candidate));
    const edits = isNear ? Math.min(1, apart) : apart;
    if (edits < least && edits < candidate.length) [best, least] = [name, edits];
  }
  const most = wanted.length <= 4 ? 1 : Math.max(2, Math.floor(wanted.length / 3));
  return least <= most ? best : undefined;
}

const fold = (text: string): string => text.toLowerCase().replace(/[-_]/g, "");
const sorted = (text: string): string => [...text].sort().join("");
/** "lr" of learningRate or learning-rate; "" of one word. */
const initials = (name: string): string => {
  const all = name.match(/^[a-z]|[A-Z]|(?<=[-_])[a-z]/g) ?? [];
  return all.length > 1 ? fold(all.join("")) : "";
};

/** ` Did you mean "colors"?`, or nothing. */
export function didYouMean(word: string, names: readonly string[]): string {
  const name = nearest(word, names);
  return name === undefined ? "" : ` Did you mean "${oneLine(name)}"?`;
}

/** The error for a name that nothing has: says the nearest one, and all of them. */
export function unknownName(kind: string, name: string, names: readonly string[]): TypeError {
  const near = nearest(name, names);
  const cure = near === undefined ? "" : `; did you mean "${near}"?`;
  return new TypeError(
    `Cannot find the ${kind} ${shown(name)} as there are only ${names.join(", ")}${cure}`,
  );
}
