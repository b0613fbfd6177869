/** The events of a run so far, as the files in its folder have them. @module */
import { type CompletionRow, type Phase, phaseText } from "../observer.ts";
import type { LogEvent } from "./event_file.ts";
import { configValue, evaluationValues, isShown, type Spell, stepValues } from "./event_values.ts";
import { type RunEvent, settingsAt } from "./history.ts";
import { readRun, readRunConfig, readTable, type RunConfig, type RunData } from "./run_data.ts";

/**
 * In the order in which they happened. When a step ended is worked out from `timings.csv`, which counts the
 * time that a run went on: exact but for pauses that `history.json` does not tell of.
 * @throws {RunFolderError} when the folder holds no run or a file of it is malformed
 */
export async function eventsOfRun(folder: string, spell?: Spell): Promise<LogEvent[]> {
  const run = await readRun(folder), began = await readRunConfig(folder);
  const [, ...timings] = await readTable(folder, "timings.csv");
  const timeOf = clock(began, run.history ?? [], timings);
  const events = [
    ...configs(began, run.history ?? [], spell),
    ...evaluations(run, ({ phase }) => phase === "before", spell),
    ...steps(run, spell),
    ...evaluations(run, ({ phase }) => phase !== "before", spell),
  ];
  return events.sort((a, b) => a.step - b.step) // which keeps the order within a step
    .map((event) => ({ ...event, time: timeOf(event.step) }));
}

type Untimed = Omit<LogEvent, "time">;

/** What the run was asked for, and again where a resume changed settings. */
function configs(
  { request: _, config: settings, ...about }: RunConfig,
  history: readonly RunEvent[],
  spell?: Spell,
): Untimed[] {
  const resumes = history.filter(({ kind }) => kind === "resumed");
  // One that a later resume went back behind is of a course that the run left.
  const kept = resumes.filter(({ step }, i) => resumes.slice(i + 1).every((at) => at.step > step));
  const texts = new Map([[0, settings]]);
  for (const { step } of kept) texts.set(step, settingsAt(settings, history, step + 1));
  let last: string | undefined;
  return [...texts].flatMap(([step, settings]) => {
    const text = JSON.stringify(settings);
    if (text === last) return [];
    last = text;
    return [{ step, values: [configValue({ ...about, ...settings }, spell)] }];
  });
}

function steps({ names, metrics, completions }: RunData, spell?: Spell): Untimed[] {
  const rows = Map.groupBy(
    completions.filter(({ phase, step }) => phase === "train" && isShown(step)),
    ({ step }) => step,
  );
  return metrics.map(([step, ...values]) => ({
    step,
    values: stepValues({
      step,
      metrics: names.map((name, i) => [name, values[i]] as const),
      completions: rows.get(step) ?? [],
    }, spell),
  }));
}

/** Each with its answers; those of earlier versions have no means. */
function evaluations(
  { completions, evaluations = [] }: RunData,
  which: (phase: Phase) => boolean,
  spell?: Spell,
): Untimed[] {
  const key = (row: Phase & { step: number }) => `${row.step} ${phaseText(row)}`;
  const asked = completions.filter((row) => row.phase !== "train" && which(row));
  const rows = Map.groupBy<string, CompletionRow>(asked, key);
  const reports = new Map(evaluations.map((report) => [key(report), report]));
  return [...rows].map(([key, rows]) => ({
    step: rows[0].step,
    values: evaluationValues(rows[0], { completions: rows, report: reports.get(key) }, spell),
  }));
}

/** When a step ended, seconds since 1970. */
function clock(
  { started }: RunConfig,
  history: readonly RunEvent[],
  timings: readonly (readonly string[])[],
): (step: number) => number {
  const ran = new Map(timings.map(([step, seconds]) => [Number(step), Number(seconds)]));
  const starts = history.filter(({ kind }) => kind === "resumed");
  return (step) => {
    const from = starts.findLast((event) => event.step < step);
    const at = Date.parse(from?.time ?? started ?? "") / 1000;
    const passed = (ran.get(step) ?? 0) - (ran.get(from?.step ?? 0) ?? 0);
    return (Number.isNaN(at) ? 0 : at) + passed;
  };
}
