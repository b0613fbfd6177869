/** Tables for the terminal, which are Markdown as well. @module */

/** Columns aligned: text to the left, numbers to the right. */
export function formatTable(
  columns: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const cells = rows.map((row) => row.map((cell) => typeof cell === "number" ? short(cell) : cell));
  const isNumber = columns.map((_, c) => rows.every((row) => typeof row[c] === "number"));
  const width = columns.map((name, c) =>
    Math.max(name.length, ...cells.map((row) => row[c].length))
  );
  const line = (row: readonly string[]) =>
    `| ${
      row.map((cell, c) => isNumber[c] ? cell.padStart(width[c]) : cell.padEnd(width[c])).join(
        " | ",
      )
    } |`;
  const rule = width.map((n, c) => isNumber[c] ? "-".repeat(n - 1) + ":" : "-".repeat(n));
  return [line(columns), line(rule), ...cells.map(line)].join("\n");
}

/** Three digits, or a whole number; nothing for what was not measured. */
export function short(value: number): string {
  if (Number.isNaN(value)) return "";
  if (Number.isInteger(value) || Math.abs(value) >= 100) return value.toFixed(0);
  if (Math.abs(value) < 0.001) return value.toExponential(0);
  return value.toPrecision(3);
}

/** 12,345,678 bytes as "11.8 MiB". */
export const mebibytes = (bytes: number): string => `${short(bytes / 2 ** 20)} MiB`;
