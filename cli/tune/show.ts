/** What `tune` prints. @module */
import type { Measured } from "../commands/tune.ts";
import { columns, deviceWords, paint, quoted, type Terminal } from "../terminal.ts";
import type { TuneRow } from "./tune.ts";
import { vectorAdvice } from "./vectors.ts";

/** The table, what differs from what is built in, and how to use it. */
export function showTuning(
  measured: Measured,
  { path, named, seconds }: { path: string; named?: string; seconds: number },
  terminal: Terminal,
): void {
  const { device, rows, choices, skipped, vectors } = measured;
  const rate = device.software ? "GFLOP/s a core" : "GFLOP/s"; // by processor time, or by the clock
  const heads = ["for", "size", "way", rate, "chosen", "built in"];
  const [head, ...lines] = columns([heads, ...rows.map(cellsOf)]);
  terminal.out(paint(terminal, "dim", head));
  lines.forEach((line, i) => {
    const isNew = rows[i].isChosen && !rows[i].isBuiltIn;
    terminal.out(isNew ? paint(terminal, "green", line) : line);
  });
  for (const name of skipped) terminal.out(`${name}: no time was left, it stays as built in`);
  terminal.out("");
  const differs = Object.keys(choices).length > 0;
  const facts = [
    ["adapter", deviceWords(device)],
    ["other than built in", differs ? JSON.stringify(choices) : "nothing"],
    ...vectorFacts(measured),
    ["kept in", path],
    ["took", `${seconds} s`],
  ];
  for (const line of columns(facts)) terminal.out(line);
  if (vectors) terminal.out(`${vectorAdvice(vectors)}.`);
  const tuned = named === undefined ? "--tuned" : `--tuned ${quoted(named)}`;
  if (differs) terminal.out(`Use the choices:  deno task train TASK ${tuned}`);
}

const cellsOf = ({ name, size, way, gflops, isChosen, isBuiltIn }: TuneRow): string[] => [
  ...[name, size, way, gflops.toFixed(gflops < 10 ? 2 : 1)],
  ...[isChosen ? "chosen" : "", isBuiltIn ? "built in" : ""],
];

function vectorFacts({ vectors = [], noVectors }: Measured): string[][] {
  if (noVectors !== undefined) return [["vectors", `not timed: ${noVectors}`]];
  return vectors.map(({ bits, tokensPerSecond, isPresent }) => [
    `vectors of ${bits} bits`,
    `${Math.round(tokensPerSecond)} tokens per second of processor time` +
    (isPresent ? ", as it is now" : ""),
  ]);
}
