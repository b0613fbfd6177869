/** In which order test files run, and how many at once. @module */
import SECONDS from "./seconds.json" with { type: "json" };

/** What takes a while. */
export interface Timed {
  /** A file's path, or what else is done. */
  name: string;
  seconds: number;
}

/** A file is listed in seconds.json from so many on. */
const LISTED_FROM = 5;

const withoutDot = (path: string): string => path.replace(/^\.\//, "");

/** About how long a test file takes, in seconds, by seconds.json; 0 for one that is quick or new. */
export function secondsOf(path: string): number {
  const seconds: Readonly<Record<string, number>> = SECONDS;
  return seconds[withoutDot(path)] ?? 0;
}

/** The text of seconds.json: the files that take long, the longest first. */
export function secondsText(all: readonly Timed[]): string {
  const long = all.filter(({ seconds }) => seconds >= LISTED_FROM)
    .toSorted((a, b) => b.seconds - a.seconds)
    .map(({ name, seconds }) => [withoutDot(name), Math.round(seconds)]);
  return JSON.stringify(Object.fromEntries(long), null, 2) + "\n";
}

/**
 * Calls `run` for each, `width` at once, the longest first: none is left over at the end while the other
 * processors have nothing to do. Begins no more once `isOver` says so.
 */
export async function runQueue<T extends Timed>(
  items: readonly T[],
  { width, run, isOver = () => false }: {
    width: number;
    run: (item: T) => Promise<void>;
    isOver?: () => boolean;
  },
): Promise<void> {
  const queue = items.toSorted((a, b) => b.seconds - a.seconds);
  const worker = async () => {
    while (queue.length > 0 && !isOver()) await run(queue.shift()!);
  };
  await Promise.all(Array.from({ length: width }, worker));
}
