/** Prints lines as they come, keeps `results.json` complete after each, and writes the table. @module */
import { formatTable, short } from "../_table.ts";
import type { Line, RowResult, RowState, Sink } from "./rows.ts";

/** What `results.json` holds. */
export interface Results {
  /** Grows when a field changes its meaning. */
  readonly version: 1;
  /** When the run began, ISO 8601. */
  readonly started: string;
  /** Name of the adapter; empty before one was opened. */
  adapter: string;
  readonly deno: string;
  readonly arguments: readonly string[];
  /** The row that ran when this was written; absent between rows. */
  running?: string;
  /** False while rows are left. */
  finished: boolean;
  readonly rows: RowResult[];
}

const COLUMNS = ["measurement", "size", "ms", "device ms", "±%", "GFLOP/s", "GB/s", "note"];
const WIDTHS = [38, 30, 10, 10, 6, 8, 8, 0];

/** The device's time where it was taken, as it holds no encoding and no waiting. */
const rate = (amount: number | undefined, { seconds, deviceSeconds }: Line): number =>
  amount ? amount / (deviceSeconds || seconds || NaN) / 1e9 : NaN;

/** Cells of a line, under `COLUMNS`. */
function cellsOf(line: Line): (string | number)[] {
  const { name, size = "", seconds = NaN, deviceSeconds = NaN, spread = NaN, note = "" } = line;
  const percent = 50 * spread;
  return [
    ...[name, size, 1e3 * seconds, 1e3 * deviceSeconds, percent],
    ...[rate(line.flop, line), rate(line.bytes, line), note],
  ];
}

/** A line for the terminal, in columns of fixed width. */
export function lineText(line: Line): string {
  return cellsOf(line).map((cell, i) =>
    typeof cell === "number" ? short(cell).padStart(WIDTHS[i]) : cell.padEnd(WIDTHS[i])
  ).join("  ").trimEnd();
}

const SAID: Record<Exclude<RowState, "ok">, string> = {
  failed: "FAILED",
  skipped: "skipped",
  cut: "cut short",
  absent: "not here",
};

/** What a row says besides its lines; nothing when all went well. */
export function stateText({ name, state, reason }: RowResult): string | undefined {
  return state === "ok" ? undefined : `${name}: ${SAID[state]}: ${reason?.split("\n")[0]}`;
}

/** All lines as one table, and below it the rows that have none or not all of them. */
export function tableText({ adapter, started, rows }: Results): string {
  const cells = rows.flatMap(({ lines }) => lines.map(cellsOf));
  const kept = COLUMNS.map((_, c) => cells.some((row) => row[c] !== "" && !Number.isNaN(row[c])));
  const pick = <T>(row: readonly T[]) => row.filter((_, c) => c === 0 || kept[c]);
  const table = cells.length > 0 ? formatTable(pick(COLUMNS), cells.map(pick)) : "nothing measured";
  const states = rows.map(stateText).filter((text) => text !== undefined);
  return [`${adapter}, ${started}`, "", table, ...(states.length ? ["", ...states] : []), ""]
    .join("\n");
}

/** Writes to a folder and to the terminal. */
export class GpuReport implements Sink {
  constructor(
    readonly results: Results,
    readonly write: (results: Results) => void,
    readonly print: (text: string) => void = console.log,
  ) {}

  begin(name: string): void {
    this.results.running = name;
    this.write(this.results);
  }

  update(result: RowResult, line?: Line): void {
    const { rows } = this.results;
    if (!rows.includes(result)) rows.push(result);
    if (line) this.print(lineText(line));
    else {
      delete this.results.running;
      const text = stateText(result);
      if (text) this.print(text);
    }
    this.write(this.results);
  }
}

/**
 * The rows of a process that crashed: what it had measured, and the row that ran as failed. Its
 * unfinished lines are kept.
 */
export function takenOver({ rows, running }: Results): RowResult[] {
  if (running === undefined) return rows;
  const reason = "the process ended while this ran";
  const known = rows.find(({ name }) => name === running);
  const failed: RowResult = {
    name: running,
    seconds: 0,
    lines: [],
    ...known,
    state: "failed",
    reason,
  };
  return [...rows.filter((row) => row !== known), failed];
}
