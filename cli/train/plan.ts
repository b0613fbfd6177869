/** `train --plan`: what device memory a run would take, as a table. @module */
import { MEMORY_KINDS } from "../../kernels/memory.ts";
import { sumOfKinds } from "../../model/memory.ts";
import { formatBytes } from "../../base/units.ts";
import { formatLeast, formatSuggestions } from "../../experiment/suggestions.ts";
import type { PlannedRun } from "../../experiment/plan.ts";
import { jsonLine } from "../printable.ts";
import { columns, deviceWords, paint, type Terminal } from "../terminal.ts";

/** Prints a plan; gives the exit code: 1 where it does not fit. */
export function showPlan(planned: PlannedRun, json: boolean, terminal: Terminal): number {
  if (json) terminal.out(jsonLine(planned));
  else for (const line of planLines(planned, terminal)) terminal.out(line);
  return planned.fits ? 0 : 1;
}

/** What `showPlan` prints for people. */
export function planLines(planned: PlannedRun, terminal: Terminal): string[] {
  const { task, model, device, shape, parts, total, available, fits, suggestions, least, notices } =
    planned;
  const mib = (bytes: number): string => bytes === 0 ? "-" : (bytes / 2 ** 20).toFixed(1);
  const all = Object.values(parts);
  const row = (name: string, bytes: number[]): string[] => [
    name,
    ...bytes.map(mib),
    mib(bytes.reduce((sum, x) => sum + x, 0)),
  ];
  const rows = MEMORY_KINDS.map((of) => row(of, all.map((part) => part[of])));
  const [head, ...body] = columns([
    ["MiB", ...Object.keys(parts), "total"],
    ...rows,
    row("together", all.map(sumOfKinds)),
  ]);
  const { batchSize, promptTokens, maxNewTokens, passRows } = shape;
  return [
    `${task}, ${model}, ${deviceWords(device)}`,
    `${batchSize} completions of ${promptTokens} + ${maxNewTokens} tokens, ${passRows} rows per pass`,
    "",
    paint(terminal, "bold", head),
    ...body,
    "",
    available === undefined
      ? `${formatBytes(total)}; what the device has is not known (--memory GIB states it)`
      : `${formatBytes(total)} of ${formatBytes(available)}: it ${fits ? "fits" : "does not fit"}`,
    ...(suggestions.length > 0
      ? ["it fits with one of these:", ...formatSuggestions(suggestions)]
      : []),
    ...(least ? [formatLeast(least)] : []),
    ...notices.map((text) => `note: ${text}`),
  ];
}
