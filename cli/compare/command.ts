/** What `deno task compare` does. @module */
import { join } from "node:path";
import { makeParents, replaceFile, writeError } from "../../experiment/folder/files.ts";
import { refuseLinks } from "../../experiment/folder/links.ts";
import { glanceAt } from "../../experiment/folder/run_state.ts";
import { readSweep } from "../../experiment/folder/sweep_file.ts";
import { type Parsed, UsageError } from "../command.ts";
import type { CompareFlags } from "../commands/compare.ts";
import { compareObject, compareTable, type Comparison, comparisonOf } from "./compare.ts";
import { acrossCharts, groupCharts } from "./charts.ts";
import { type Compared, withMetrics } from "./groups.ts";
import { comparePage } from "./page.ts";
import { closing } from "./words.ts";
import { firstLine, jsonLine } from "../printable.ts";
import { filtered, noneBegun, placesIn, runsOfSweep, selectionOf } from "../runs/find.ts";
import { quoted, type Terminal } from "../terminal.ts";
import { sheet } from "../../web/view/sheet.ts";

/** Runs the command; gives the exit code. */
export async function compareRuns(
  { positional, flags: { out, json } }: Parsed<CompareFlags>,
  terminal: Terminal,
): Promise<number> {
  if (positional.length === 0) {
    throw new UsageError(
      "compare needs runs: folders, globs, a sweep's folder or filters, as in deno task compare task=colors",
    );
  }
  const { runs, passedOver } = await chosen(positional);
  const command = `deno task compare ${positional.map(quoted).join(" ")}`;
  const comparison = comparisonOf(runs, command, passedOver);
  if (comparison.groups.length === 0) {
    for (const line of comparison.notices) terminal.err(line);
    throw new UsageError(
      "Cannot compare as none of these runs has a step: list them with deno task runs",
    );
  }
  const folder = join(out, ".");
  await write(folder, comparison);
  for (const line of closing(comparison, { folder, terminal })) {
    json ? terminal.err(line) : terminal.out(line);
  }
  const page = join(folder, "compare.html");
  if (json) terminal.out(jsonLine({ page, ...compareObject(comparison) }));
  return 0;
}

/** The runs that are asked for, and those that cannot be read with the reason. */
async function chosen(
  words: readonly string[],
): Promise<{ runs: Compared[]; passedOver: string[] }> {
  const { places, filters } = await selectionOf(words), passedOver: string[] = [];
  const read = async <T>(folder: string, how: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await how();
    } catch (error) {
      passedOver.push(`${folder}: ${firstLine(error, folder)}`);
    }
  };
  const folders: string[] = [];
  for (const { folder, kind } of await placesIn(places)) {
    const of = kind === "run" ? [folder] : await read(folder, () => begunOf(folder)) ?? [];
    folders.push(...of);
  }
  const all = [];
  for (const folder of new Set(folders)) {
    const run = await read(folder, () => glanceAt(folder));
    if (run) all.push(run);
  }
  const runs: Compared[] = [];
  for (const run of filtered(all, filters)) {
    const whole = await read(run.folder, () => withMetrics(run));
    if (whole) runs.push(whole);
  }
  if (runs.length > 0) return { runs, passedOver };
  const why = passedOver.length > 0 ? ` (${passedOver.join("; ")})` : "";
  throw new UsageError(`no runs are left to compare${why}. See what there is: deno task runs`);
}

/** The runs of a sweep that have begun. @throws {Error} where there is none */
async function begunOf(folder: string): Promise<string[]> {
  const runs = await runsOfSweep(folder);
  if (runs.length > 0) return runs;
  throw new Error(noneBegun(await readSweep(folder), folder));
}

/** Page, tables and the sheet, each whole or not at all. */
async function write(folder: string, comparison: Comparison): Promise<void> {
  await refuseLinks(folder);
  await makeParents(folder).catch((error) => {
    throw writeError(folder, error);
  });
  const { groups } = comparison;
  const charts = groups.length > 1 ? acrossCharts(groups) : groupCharts(groups[0]);
  const files = {
    "compare.csv": compareTable(comparison),
    "compare.json": `${JSON.stringify(compareObject(comparison), null, 2)}\n`,
    "compare.svg": sheet(charts.map(({ svg }) => svg), { title: comparison.command }),
    "compare.html": await comparePage(comparison),
  };
  for (const [name, text] of Object.entries(files)) await replaceFile(join(folder, name), text);
}
