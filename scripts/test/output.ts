/** What a process of `deno test` printed: its tests, its failures, its closing line. @module */

/** How many tests ended how; the names are those of the closing line, "passed" to "filtered out". */
export type Counts = Readonly<Record<string, number>>;

/** The words of a closing line, in their order, and whether they stand where nothing is to be counted. */
const KINDS = [
  ["passed", true],
  ["failed", true],
  ["ignored", false],
  ["measured", false],
  ["filtered out", false],
] as const;

/** A process's standard output. */
export interface Output {
  /** One line a test, and what tests print. */
  tests: string[];
  /** What Deno says of each failure, below ERRORS. */
  errors: string[];
  /** The names of those tests, below FAILURES. */
  failures: string[];
  /** Of the last line, where that is a closing line: everything ran to its end. */
  counts?: Counts;
}

const CLOSING = /^(?:ok|FAILED) \| (\d+ passed.*) \([^()]*\)$/;

/** Counts of a closing line, with those of steps: "passed" and "passed steps"; undefined for another line. */
export function readClosing(line: string): Counts | undefined {
  const body = CLOSING.exec(line)?.[1];
  if (body === undefined) return undefined;
  const counts: Record<string, number> = {};
  for (const part of body.split(" | ")) {
    const [, n, kind, steps] = /^(\d+) ([a-z ]+?)(?: \((\d+) steps?\))?$/.exec(part) ?? [];
    if (kind === undefined) return undefined;
    counts[kind] = Number(n);
    if (steps !== undefined) counts[`${kind} steps`] = Number(steps);
  }
  return counts;
}

/** A line without its colours. */
// deno-lint-ignore no-control-regex
export const plain = (line: string): string => line.replace(/\x1b\[[\d;]*m/g, "");

/** Reads what one process printed on standard output. Its lines keep their colours. */
export function readOutput(text: string): Output {
  const lines = text.trimEnd().split("\n");
  const tests: string[] = [], errors: string[] = [];
  let part = tests, isPrinted = false;
  for (const line of lines) {
    // What a test prints, and what an error quotes, may look like a heading.
    const bare = plain(line);
    if (/^-+ ([a-z]+-test )?output -+$/.test(bare)) isPrinted = true;
    if (/-+ ([a-z]+-test )?output end -+$/.test(bare)) isPrinted = false; // its line may have a beginning
    if (part === tests && !isPrinted && bare === " ERRORS ") part = errors;
    else part.push(line);
  }
  const counts = isPrinted ? undefined : readClosing(plain(part.at(-1) ?? ""));
  if (counts) part.pop();
  const at = errors.findLastIndex((line) => plain(line) === " FAILURES ");
  const failures = at < 0 ? [] : errors.splice(at).slice(1);
  return {
    tests: trimmed(tests),
    errors: trimmed(errors),
    failures: trimmed(failures),
    ...(counts && { counts }),
  };
}

/** What a process printed on standard error, but for Deno's words that a test failed. */
export function readErrors(text: string): string[] {
  const lines = trimmed(text.split("\n"));
  const at = lines.findLastIndex((line) => plain(line) === "error: Test failed");
  return at < 0 ? lines : trimmed(lines.slice(0, at)); // behind it there is an empty stack
}

/** Without empty lines at both ends. */
function trimmed(lines: readonly string[]): string[] {
  const first = lines.findIndex((line) => line !== "");
  return first < 0 ? [] : lines.slice(first, lines.findLastIndex((line) => line !== "") + 1);
}

/** The sum of several. */
export function addCounts(all: readonly Counts[]): Counts {
  const sum: Record<string, number> = {};
  for (const counts of all) {
    for (const [kind, n] of Object.entries(counts)) sum[kind] = (sum[kind] ?? 0) + n;
  }
  return sum;
}

/** A closing line in Deno's own form, `ms` being the time that passed. */
export function closingLine(counts: Counts, ms: number): string {
  const parts = KINDS.filter(([kind, always]) => always || counts[kind]).map(([kind]) => {
    const steps = counts[`${kind} steps`] ?? 0;
    return `${counts[kind] ?? 0} ${kind}${
      steps ? ` (${steps} step${steps === 1 ? "" : "s"})` : ""
    }`;
  });
  const seconds = Math.floor(ms / 1000), minutes = Math.floor(seconds / 60);
  const time = seconds === 0
    ? `${Math.round(ms)}ms`
    : `${minutes > 0 ? `${minutes}m` : ""}${seconds % 60}s`;
  return [counts.failed ? "FAILED" : "ok", ...parts].join(" | ") + ` (${time})`;
}
