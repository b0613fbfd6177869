/** What `deno task runs` does. @module */
import { kindOf } from "../../model/files/deno_folder.ts";
import type { Parsed } from "../command.ts";
import type { RunsFlags } from "../commands/runs.ts";
import { jsonLine } from "../printable.ts";
import type { Terminal } from "../terminal.ts";
import { placesIn, selectionOf } from "./find.ts";
import { entriesOf, entryObject, listLines } from "./list.ts";

/** Runs the command; gives the exit code. */
export async function listRuns(
  { positional, flags: { json } }: Parsed<RunsFlags>,
  terminal: Terminal,
): Promise<number> {
  const { places, filters } = await selectionOf(positional);
  const isDefault = places.length === 1 && places[0] === "runs";
  const found = isDefault && await kindOf("runs") === undefined ? [] : await placesIn(places);
  const open = !isDefault && found.length === 1; // a sweep that is named alone
  const entries = await entriesOf(found, { filters, open });
  if (json) terminal.out(jsonLine({ runs: entries.map(entryObject) }));
  else for (const line of listLines(entries, terminal)) terminal.out(line);
  if (entries.length === 0) {
    const why = filters.length > 0 ? " that the filters leave" : "";
    terminal.err(`no runs in ${places.join(", ")}${why}. Start one: deno task train colors`);
  }
  return 0;
}
