/** `runs`: lists the runs that there are. @module */
import type { OptionRows, OptionValues } from "../../base/options.ts";
import type { Command, Parsed } from "../command.ts";
import { JSON_FLAG } from "../flags.ts";
import { jsonLine } from "../printable.ts";
import { placesIn, selectionOf } from "../runs/find.ts";
import { entriesOf, entryObject, listLines } from "../runs/list.ts";
import type { Terminal } from "../terminal.ts";
import { kindOf } from "../../model/files/deno_folder.ts";

const FLAGS = { json: JSON_FLAG } as const satisfies OptionRows;

/** Runs the command; gives the exit code. */
export async function listRuns(
  { positional, flags: { json } }: Parsed<OptionValues<typeof FLAGS>>,
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

/** `deno task runs` */
export const command: Command = {
  spec: {
    name: "runs",
    doc: "List runs and sweeps, the newest first",
    positional: [[
      "[runs...]",
      "Folders, globs or filters: runs/results, 'runs/colors*', task=colors, seed=1,2, learningRate=1e-4; a sweep that is named alone is listed run by run",
    ]],
    flags: FLAGS,
    example: "deno task runs task=colors algorithm=ppo",
  },
  run: (parsed, terminal) => listRuns(parsed as Parsed<OptionValues<typeof FLAGS>>, terminal),
};
