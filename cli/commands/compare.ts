/** `compare`: draws runs beside each other. @module */
import type { OptionRows, OptionValues } from "../../base/options.ts";
import type { Command, Parsed } from "../command.ts";
import { JSON_FLAG, ownFolder } from "../flags.ts";

const FLAGS = {
  out: {
    kind: "text",
    default: "runs/compare",
    ...ownFolder("runs"),
    unit: "folder",
    doc: "Where the page and its tables go; what an earlier comparison wrote there is replaced",
    group: "Output",
  },
  json: JSON_FLAG,
} as const satisfies OptionRows;

/** Values of the command's flags. */
export type CompareFlags = OptionValues<typeof FLAGS>;

/** `deno task compare` */
export const command: Command = {
  spec: {
    name: "compare",
    doc: "Draw runs beside each other: one page, a table, intervals over seeds",
    positional: [[
      "[runs...]",
      "Folders, globs, sweeps or filters: runs/a runs/b, 'runs/colors*', runs/SWEEP, task=colors algorithm=grpo,dapo",
    ]],
    flags: FLAGS,
    example: "deno task compare task=colors steps=40",
  },
  async run(parsed, terminal) {
    const { compareRuns } = await import("../compare/command.ts");
    return await compareRuns(parsed as Parsed<CompareFlags>, terminal);
  },
};
