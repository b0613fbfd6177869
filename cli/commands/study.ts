/** `study`: trains the runs that answer a question, and writes the page. @module */
import type { OptionRows, OptionValues } from "../../base/options.ts";
import { listStudies } from "../../experiment/studies/registry.ts";
import type { Command, Parsed } from "../command.ts";
import { JSON_FLAG, ownFolder, QUIET } from "../flags.ts";

const FLAGS = {
  quick: {
    kind: "boolean",
    default: false,
    doc: "A few steps a run, one seed: shows that everything runs, and answers nothing",
    group: "Run",
  },
  seeds: {
    kind: "text",
    otherwise: "the study's own",
    unit: "1,2,3",
    doc: "Seeds of every arm",
    group: "Run",
  },
  jobs: {
    kind: "integer",
    otherwise: "as many as cores and memory bear",
    min: 1,
    max: 1024,
    doc: "Runs at once",
    group: "Run",
  },
  out: {
    kind: "text",
    otherwise: "runs/study-NAME",
    ...ownFolder("runs"),
    unit: "folder",
    doc: "Where its runs and its page go; finished runs that are there are kept",
    group: "Output",
  },
  quiet: QUIET,
  json: JSON_FLAG,
} as const satisfies OptionRows;

/** Its flags. */
export type StudyFlags = OptionValues<typeof FLAGS>;

/** `deno task study` */
export const command: Command = {
  spec: {
    name: "study",
    doc: "Train the runs that answer a question, and write a page with the answer",
    positional: [["[name]", `Which study: ${listStudies().map(({ name }) => name).join(", ")}`]],
    flags: FLAGS,
    example: "deno task study pgsrm",
  },
  run: async (parsed, terminal) => {
    const { runStudy } = await import("../study/run.ts"); // pages and charts, which no other command needs
    return await runStudy(parsed as Parsed<StudyFlags>, terminal);
  },
};
