/** What `deno task runs` does. @module */
import { counted } from "../../base/units.ts";
import { readSweep } from "../../experiment/folder/sweep_file.ts";
import { kindOf } from "../../model/files/deno_folder.ts";
import type { Parsed } from "../command.ts";
import type { RunsFlags } from "../commands/runs.ts";
import { jsonLine } from "../printable.ts";
import type { Terminal } from "../terminal.ts";
import { nextOf, noneBegun, placesIn, runsOfSweep, selectionOf } from "./find.ts";
import { entriesOf, entryObject, listLines } from "./list.ts";

/** Runs the command; gives the exit code. */
export async function listRuns(
  { positional, flags: { json } }: Parsed<RunsFlags>,
  terminal: Terminal,
): Promise<number> {
  const { places, filters } = await selectionOf(positional);
  const isFiltered = filters.length > 0;
  const isDefault = places.length === 1 && places[0] === "runs";
  const found = isDefault && await kindOf("runs") === undefined ? [] : await placesIn(places);
  const open = !isDefault && found.length === 1; // a sweep that is named alone
  const entries = await entriesOf(found, { filters, open });
  if (json) terminal.out(jsonLine({ runs: entries.map(entryObject) }));
  else for (const line of listLines(entries, terminal)) terminal.out(line);
  const left = open && found[0].kind === "sweep" ? await leftOf(found[0].folder) : [];
  for (const line of left) terminal.err(line);
  if (entries.length === 0 && (isFiltered || left.length === 0)) {
    const why = isFiltered ? " that the filters leave" : "";
    terminal.err(`no runs in ${places.join(", ")}${why}. Start one: deno task train colors`);
  }
  return 0;
}

/** What of a sweep is not in the list of its runs, as it has not begun, and the line that begins it. */
async function leftOf(folder: string): Promise<string[]> {
  const sweep = await readSweep(folder).catch(() => undefined); // which the list says
  if (!sweep) return [];
  const of = sweep.cells.length, begun = (await runsOfSweep(folder)).length;
  if (begun === 0) return [`${folder}: ${noneBegun(sweep, folder)}`];
  return begun < of
    ? [`${of - begun} of ${counted(of, "run")} not begun. Go on: ${nextOf(sweep, folder)}`]
    : [];
}
