/** What was thrown, and where in which file, from its stack. @module */

/** A place in a file, counted from 1. */
export interface Place {
  /** `file:` address, decoded. */
  readonly url: string;
  readonly line: number;
  readonly column: number;
}

// deno-lint-ignore no-control-regex -- colours are made of it, which Deno gives places in messages
const COLOURS = /\u001b\[[\d;]*m/g;

/** The text without colours. */
export const plainText = (text: string): string => text.replaceAll(COLOURS, "");

/** The first place that a text such as a stack names, in the file at `url` where that is given. */
export function placeIn(text: string, url?: string): Place | undefined {
  const wanted = url === undefined ? undefined : decodedUrl(url);
  const all = plainText(text).matchAll(/(file:\/\/.+?):(\d+):(\d+)(?=[\s)]|$)/gm);
  for (const [, found, line, column] of all) {
    const place = { line: Number(line), column: Number(column) };
    if (wanted === undefined) return { url: decodedUrl(found), ...place };
    if (found === wanted || decodedUrl(found) === wanted) return { url: wanted, ...place };
  }
}

/** An address as Deno's stacks have it; its messages have it encoded. */
export function decodedUrl(url: string): string {
  try {
    return decodeURIComponent(url);
  } catch {
    return url; // it was decoded, and has a sign of per cent
  }
}

/** What was thrown, with the file and place where: `TypeError: no (my_reward.ts:3:7)`. */
export function thrownText(error: unknown): string {
  if (!(error instanceof Error)) return `${error}`;
  const place = placeIn(error.stack ?? ""), said = `${error.name}: ${error.message}`;
  if (place === undefined) return said;
  return `${said} (${place.url.replace(/^.*\//, "")}:${place.line}:${place.column})`;
}

/** Two errors as one, or the one that there is. */
export const bothErrors = (first: unknown, second: unknown): unknown =>
  first === undefined || second === undefined
    ? first ?? second
    : new AggregateError([first, second], "it was asked in two ways", { cause: first });
