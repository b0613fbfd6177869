/** What is said of all processes together: failures whole at the end, and one closing line. @module */
import { addCounts, closingLine, plain } from "./output.ts";
import type { Ended } from "./process.ts";

/** Collects how processes ended. */
export class Report {
  readonly #ended: Ended[] = [];
  readonly #notes: string[] = [];

  /** Adds a process. Gives what is to be said of it at once: its tests, and what it said beside them. */
  add(ended: Ended): string[] {
    this.#ended.push(ended);
    const { tests, said, counts, verdict } = ended;
    if (verdict === "broken") return tests; // what it said follows below ERRORS
    const ran = Object.entries(counts ?? {}).some(([kind, n]) => n > 0 && kind !== "filtered out");
    return [...(ran ? tests : []), ...said];
  }

  /** Adds a process that aborted once its tests had passed, and what became of it when it ran again. */
  addAgain({ end, said }: Ended, again: Ended): string[] {
    this.#notes.push(
      `${again.name} passed, then its process ended by ${end}${
        said.length > 0 ? ` (${plain(said.at(-1)!)})` : ""
      }; run again it ${again.verdict}`,
    );
    return this.add(again);
  }

  /** True where nothing failed. */
  get success(): boolean {
    return this.#bad().length === 0;
  }

  /** Errors, and the names of what failed; nothing where nothing did. */
  failureLines(): string[] {
    const bad = this.#bad();
    if (bad.length === 0) return [];
    const errors = bad.flatMap((ended) => [
      ...ended.errors,
      ...(ended.verdict === "failed" ? [] : [faultOf(ended), ...ended.said]),
      "",
    ]);
    const failures = bad.flatMap((ended) => [
      ...ended.failures,
      ...(ended.verdict === "failed" ? [] : [faultOf(ended)]),
    ]);
    return ["", " ERRORS ", "", ...errors, " FAILURES ", "", ...failures];
  }

  /** The last lines, of which the closing one is in Deno's own form; a fault counts as a failed test. */
  lines(ms: number): string[] {
    const counts = this.#ended.map(({ counts = {} }) => counts);
    const faults = this.#bad().filter(({ verdict }) => verdict !== "failed").length;
    return [
      ...this.failureLines(),
      ...(this.#notes.length > 0 ? ["", ...this.#notes] : []),
      "",
      closingLine(addCounts([...counts, { failed: faults }]), ms),
      "",
    ];
  }

  #bad(): Ended[] {
    return this.#ended.filter(({ verdict }) => verdict !== "passed");
  }
}

/** What went wrong with a process as a whole. */
function faultOf({ name, verdict, end, tests, counts }: Ended): string {
  if (verdict === "aborted") return `${name} (its tests passed, then ${end}: twice)`;
  const last = tests.findLast((line) => plain(line).includes(" ..."));
  const where = counts ? "after" : "without";
  return `${name} (${end} ${where} a closing line${last ? `; last: ${plain(last).trim()}` : ""})`;
}
