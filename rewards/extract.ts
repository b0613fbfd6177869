/**
 * The number that a text answers with.
 *
 * Read are ASCII digits with thousands commas in groups of three, decimals with a point (`.5` too), an
 * exponent (`6e23`), a fraction (`1/2`), alone or after a whole number and one space (`2 1/2` is 2.5), and
 * a minus or plus right before the digits or before or after $, €, £ or ¥. What stands behind a number is
 * left out: 50% is 50, 5th is 5, 1e5x is 100000. A hyphen between two digits is no minus (5-3 are 5 and 3), digits behind
 * a letter are none (GPT2), and what is not finite (1e309, 1/0) or of another script (١٢) is no number.
 * @module
 */
import type { Option } from "../base/options.ts";

/** Where in a text its answer is looked for. */
export type Extraction = "tagged-else-last" | "tag" | "last" | "first" | "parity";

// deno-fmt-ignore
/** The option of a reward that reads numbers. */
export const EXTRACTION = {
  kind: "choice", choices: ["tagged-else-last", "tag", "last", "first", "parity"], default: "tagged-else-last",
  doc: "which number answers: the last one in <answer>, or of the text; parity: as the published system reads it",
  group: "Rewards and advantages",
} as const satisfies Option;

/** What was found: the text that was looked at, white space around it removed, and its number, if any. */
export interface Extracted {
  text: string;
  number: number | undefined;
}

const DIGITS = String.raw`(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:e[+-]?\d+)?`;
const NUMBER = new RegExp(
  String.raw`(?:(?<![\p{L}\p{N}_)\]%])(?<sign>[-−+]?[$€£¥]?[-−+]?))?(?<![\p{L}\p{N}_]|\d\.)(?:` +
    String.raw`(?<!\d\/)(?:(?<whole>\d+) )?(?<over>\d+)\/(?<under>\d+)(?![\d/]|\.\d)|` +
    String.raw`(?<plain>${DIGITS}|(?<!\.)\.\d+))`,
  "giu",
);

/** Every number of the text, in order. */
export function numbersIn(text: string): number[] {
  return [...text.matchAll(NUMBER)].map(({ groups }) => {
    const { sign = "", whole = "0", over, under, plain } = groups!;
    const size = plain === undefined
      ? Number(whole) + Number(over) / Number(under)
      : Number(plain.replaceAll(",", ""));
    return /[-−]/.test(sign) ? -size : size;
  }).filter(Number.isFinite);
}

/** What stands in the last <answer>; up to the text's end where it is not closed. */
function tagged(text: string): string | undefined {
  const at = text.lastIndexOf("<answer>");
  return at < 0 ? undefined : text.slice(at + "<answer>".length).split("</answer>", 1)[0];
}

/**
 * The answer of a text. `tag`: the last number in the last <answer>; `last` and `first`: of the whole text;
 * `tagged-else-last`: `tag` where there is an <answer>, else `last`. `parity` reads as the published system
 * does: the first number of the last <answer>, or of the whole text, all commas deleted, and 0 for none.
 */
export function extract(text: string, from: Extraction): Extracted {
  const inside = tagged(text);
  const place = (from === "last" || from === "first" ? undefined : inside) ??
    (from === "tag" ? "" : text);
  if (from === "parity") {
    const number = Number(/-?\d+\.?\d*/.exec(place.replaceAll(",", ""))?.[0] ?? 0);
    return { text: place.trim(), number: Number.isFinite(number) ? number : undefined };
  }
  return { text: place.trim(), number: numbersIn(place).at(from === "first" ? 0 : -1) };
}

/** The number of a known answer: behind #### where it has that, as those of GSM8K do, else its last. */
export const targetNumber = (answer: string): number | undefined =>
  numbersIn(answer.slice(answer.lastIndexOf("####") + 1)).at(-1);
