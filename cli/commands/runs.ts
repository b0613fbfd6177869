/** `runs`: lists the runs that there are. @module */
import type { OptionRows, OptionValues } from "../../base/options.ts";
import type { Command, Parsed } from "../command.ts";
import { JSON_FLAG } from "../flags.ts";

const FLAGS = { json: JSON_FLAG } as const satisfies OptionRows;

/** Values of the command's flags. */
export type RunsFlags = OptionValues<typeof FLAGS>;

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
    example: "deno task runs task=colors algorithm=grpo",
  },
  async run(parsed, terminal) {
    const { listRuns } = await import("../runs/command.ts");
    return await listRuns(parsed as Parsed<RunsFlags>, terminal);
  },
};
