/**
 * Runs measurements one after the other within a time budget. A measurement that fails is reported as
 * failed and one that would not fit as skipped; neither ends the run.
 * @module
 */

/** One figure of a measurement. Seconds are those of one run. */
export interface Line {
  readonly name: string;
  /** Sizes in letters, e.g. "M 256 N 768 K 3072". */
  readonly size?: string;
  /** Wall time, the wait for an empty queue taken off. */
  readonly seconds?: number;
  /** Time between the timestamps around its passes, where the adapter has timestamps. */
  readonly deviceSeconds?: number;
  /** (largest - smallest) / median of the wall time. */
  readonly spread?: number;
  /** Multiplications and additions of one run. */
  readonly flop?: number;
  /** Bytes of one run if every input is read once and every output is written once. */
  readonly bytes?: number;
  /** What else there is to say. */
  readonly note?: string;
}

/** One measurement: it gives its lines as they come. */
export interface Row<C> {
  readonly name: string;
  /** Seconds that it is thought to take at most, on hardware. It is skipped where less is left. */
  readonly estimate: number;
  /** Part of a short run, too. */
  readonly short?: boolean;
  run(context: C): AsyncIterable<Line>;
}

/** "cut": the budget ended after some of its lines. "absent": what it needs is not installed. */
export type RowState = "ok" | "failed" | "skipped" | "cut" | "absent";

/** What came of a row. */
export interface RowResult {
  readonly name: string;
  state: RowState;
  /** Wall time that the whole row took. */
  seconds: number;
  readonly lines: Line[];
  /** Why it is not "ok". */
  reason?: string;
}

/** Thrown by a row that needs something which this machine lacks. */
export class AbsentError extends Error {
  override name = "AbsentError";
}

/** Where results go while the run lasts. */
export interface Sink {
  /** Before a row starts. */
  begin(name: string): void;
  /** After each line, and after each row. */
  update(result: RowResult, line?: Line): void;
}

/** A clock with an end. */
export interface Budget {
  /** Seconds left. */
  remaining(): number;
}

/** Runs `rows` in order. `recover` is called after a failure, before the next row. */
export async function runRows<C>(rows: readonly Row<C>[], {
  context,
  budget,
  sink,
  recover = () => Promise.resolve(),
}: {
  context: () => C;
  budget: Budget;
  sink: Sink;
  recover?: (error: unknown) => Promise<void>;
}): Promise<RowResult[]> {
  const results: RowResult[] = [];
  for (const row of rows) {
    const result: RowResult = { name: row.name, state: "ok", seconds: 0, lines: [] };
    results.push(result);
    const left = budget.remaining();
    if (row.estimate > left) {
      result.state = "skipped";
      result.reason = `it may take ${row.estimate} s, and ${
        Math.max(0, left).toFixed(0)
      } s are left`;
      sink.update(result);
      continue;
    }
    sink.begin(row.name);
    const from = performance.now();
    try {
      await collect(row.run(context()), { result, budget, sink });
    } catch (error) {
      result.state = error instanceof AbsentError ? "absent" : "failed";
      result.reason = error instanceof Error ? error.message : String(error);
      if (result.state === "failed") await recover(error);
    }
    result.seconds = (performance.now() - from) / 1e3;
    sink.update(result);
  }
  return results;
}

async function collect(
  lines: AsyncIterable<Line>,
  { result, budget, sink }: { result: RowResult; budget: Budget; sink: Sink },
): Promise<void> {
  for await (const line of lines) {
    result.lines.push(line);
    sink.update(result, line);
    if (budget.remaining() > 0) continue;
    result.state = "cut";
    result.reason = "the time was up";
    return;
  }
}
