/** `doctor`: what this machine offers, what is missing, and the line that fixes it. @module */
import type { Command } from "../command.ts";
import type { Machine } from "../doctor/machine.ts";
import { JSON_FLAG } from "../flags.ts";
import { jsonLine } from "../printable.ts";
import { columns, paint, type Terminal } from "../terminal.ts";
import { wrapIndented } from "../wrap.ts";

/** Runs the command; gives the exit code: 1 where something is missing. Tests hand in a machine. */
export async function doctor(
  json: boolean,
  terminal: Terminal,
  machine?: Machine,
): Promise<number> {
  const { examine } = await import("../doctor/findings.ts");
  const found = await examine(machine ?? (await import("../doctor/machine.ts")).thisMachine);
  const missing = found.some((finding) => finding.state === "missing");
  if (json) {
    terminal.out(jsonLine({ ok: !missing, findings: found }));
    return missing ? 1 : 0;
  }
  const rows = found.map(({ state, name, value }) => [state, name, value]);
  const colors = { ok: "green", warn: "yellow", missing: "red" } as const;
  // A line that a window breaks is hard to read; where nobody watches, a line is a finding.
  const lines = columns(rows), width = Math.max(...lines.map((line) => [...line].length));
  const isNarrow = terminal.fancy && width > terminal.columns;
  lines.forEach((line, i) => {
    const { state, name, value, cure } = found[i];
    const [first, ...more] = isNarrow
      ? [`${state}  ${name}`, ...wrapIndented(value, terminal.columns, 6)]
      : [line];
    terminal.out(paint(terminal, colors[state], state) + first.slice(state.length));
    for (const part of more) terminal.out(part);
    if (cure) terminal.out(`${isNarrow ? "      " : "         "}fix:  ${cure}`); // whole, to be copied
  });
  return missing ? 1 : 0;
}

/** `deno task doctor` */
export const command: Command = {
  spec: {
    name: "doctor",
    doc: "Say what this machine offers and what is missing",
    positional: [],
    flags: { json: JSON_FLAG },
    example: "deno task doctor",
  },
  run: ({ flags }, terminal) => doctor(flags.json === true, terminal),
};
