/** Trains the runs of a study, and writes its page. @module */
import { join } from "node:path";
import type { StudyFlags } from "../commands/study.ts";
import { makeParents, writeError } from "../../experiment/folder/files.ts";
import { refuseLinks } from "../../experiment/folder/links.ts";
import { RunLock } from "../../experiment/folder/lock.ts";
import { isSweep, readSweep, type Sweep, writeSweep } from "../../experiment/folder/sweep_file.ts";
import { findStudy, listStudies } from "../../experiment/studies/registry.ts";
import type { Study } from "../../experiment/studies/study.ts";
import { checkOut } from "../train/out.ts";
import { asUsageError, type Parsed } from "../command.ts";
import { jsonLine } from "../printable.ts";
import { STUDY_PAGE, writeStudy } from "./files.ts";
import { gather } from "./gathered.ts";
import { warnings } from "./page.ts";
import { checkSame, commandOf, seedsIn, sweepOf, usualSeeds } from "./plan.ts";
import { planCells } from "../sweep/check.ts";
import { jobsFor } from "../sweep/jobs.ts";
import { runSweep } from "../sweep/run.ts";
import { quoted, type Terminal } from "../terminal.ts";
import { wrap } from "../wrap.ts";
import { singleRun } from "../commands/train.ts";

/** Runs the command; gives the exit code. @param find the study of a name */
export async function runStudy(
  { positional: [name], flags }: Parsed<StudyFlags>,
  terminal: Terminal,
  find: (name: string) => Study = findStudy,
): Promise<number> {
  if (name === undefined) {
    for (const line of listing(terminal.columns)) terminal.out(line);
    return 0;
  }
  const study = asUsageError(() => find(name)), asked = askedOf(study, flags), { isQuick } = asked;
  const folder = join(flags.out ?? `runs/study-${name}${isQuick ? "-quick" : ""}`, ".");
  const command = commandOf(study, asked), wanted = sweepOf(study, asked);
  await refuseLinks(folder);
  const isBegun = await isSweep(folder);
  if (!isBegun) await checkOut(folder);
  const { jobs, why } = await jobsOf(wanted, flags.jobs); // what cannot be is said before anything is made
  await makeParents(folder).catch((error) => {
    throw writeError(folder, error);
  });
  using _lock = await RunLock.take(folder);
  const sweep = isBegun ? await begun(folder, wanted) : wanted;
  if (!isBegun) await writeSweep(folder, sweep);
  for (const line of wrap(`${study.title}. ${study.question}`, terminal.columns)) {
    terminal.err(line);
  }
  const words = `${sweep.cells.length} runs, ${jobs} at once: ${why}`;
  for (const line of wrap(words, terminal.columns)) terminal.err(line);
  const { json, quiet } = flags, say = json ? terminal.err : terminal.out;
  const next = `${command}${flags.out === undefined ? "" : ` --out ${quoted(folder)}`}`;
  const running = { jobs, json: false, quiet, next };
  const code = await runSweep({ folder, sweep }, running, { ...terminal, out: say });
  const page = { ...await gather(folder, sweep, command), study, command, ...asked };
  await writeStudy(folder, page);
  const path = join(folder, STUDY_PAGE);
  const told = [
    ...warnings(page),
    ...(page.results.runs.length > 0 ? study.answer(page.results) : []),
  ];
  for (
    const line of [
      "",
      ...told.flatMap((words) => wrap(words, terminal.columns)),
      "",
      `page  ${path}`,
    ]
  ) say(line);
  if (json) {
    terminal.out(
      jsonLine({ study: name, page: path, answer: told, finished: page.results.runs.length }),
    );
  }
  return code;
}

function askedOf(study: Study, { quick: isQuick, seeds }: StudyFlags) {
  return { isQuick, seeds: seeds === undefined ? usualSeeds(study, isQuick) : seedsIn(seeds) };
}

/** The runs that are there. @throws {UsageError} where they are not those that are wanted */
async function begun(folder: string, wanted: Sweep): Promise<Sweep> {
  const found = await readSweep(folder);
  checkSame(found, wanted, folder);
  return found;
}

async function jobsOf({ cells }: Sweep, asked: number | undefined) {
  const plans = await planCells({ cells }, singleRun());
  return jobsFor(plans, { cells: cells.length, cores: navigator.hardwareConcurrency, asked });
}

/** Every study with its question. */
function listing(columns: number): string[] {
  return listStudies().flatMap(({ name, question, arms, seeds }) => [
    `${name}  (${arms.length} arms, ${seeds.length} seeds)`,
    ...wrap(question, columns - 2).map((line) => `  ${line}`),
  ]).concat("", "deno task study NAME; --quick to see that it runs");
}
