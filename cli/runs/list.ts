/** What `deno task runs` shows. @module */
import { beganAt, glanceAt, type RunGlance } from "../../experiment/folder/run_state.ts";
import { readSweep, type Sweep } from "../../experiment/folder/sweep_file.ts";
import { readObject } from "../../experiment/folder/schemas.ts";
import { score } from "../report/table.ts";
import { allFacts, type CellState, counts } from "../sweep/table.ts";
import { firstLine } from "../printable.ts";
import { columns, joinedLines, paint, printable, type Terminal } from "../terminal.ts";
import { factsOf, type Filter, filtered, type Place, runsOfSweep } from "./find.ts";

/** A run, a sweep, or a folder that cannot be read as what it seems to be. */
export type Entry =
  | { kind: "run"; folder: string; began: number; run: RunGlance }
  | { kind: "sweep"; folder: string; began: number; sweep: Sweep; states: CellState[] }
  | { kind: "model" | "broken"; folder: string; began: number; why: string };

/** Every place read, the newest first. With filters, or where it is named alone, a sweep gives its runs where it has any. */
export async function entriesOf(
  places: readonly Place[],
  { filters, open = false }: { filters: readonly Filter[]; open?: boolean },
): Promise<Entry[]> {
  const opened = filters.length > 0 || open;
  const all = (await Array.fromAsync(places, (place) => entry(place, opened))).flat();
  const isRun = (one: Entry): one is Entry & { kind: "run" } => one.kind === "run";
  const left = new Set(filtered(all.filter(isRun).map(({ run }) => run), filters));
  return all.filter((one) => isRun(one) ? left.has(one.run) : filters.length === 0)
    .sort((a, b) => b.began - a.began);
}

async function entry({ folder, kind }: Place, opened: boolean): Promise<Entry[]> {
  try {
    if (kind === "run") return [await runEntry(folder)];
    const begun = opened ? await runsOfSweep(folder) : [];
    if (begun.length > 0) return await Array.fromAsync(begun, runOrBroken);
    const sweep = await readSweep(folder);
    const facts = await allFacts(folder, sweep);
    const states = facts.map(({ state }) => state);
    return [{ kind, folder, began: Date.parse(sweep.started), sweep, states }];
  } catch (error) {
    return [await broken(folder, error)];
  }
}

const runOrBroken = (folder: string): Promise<Entry> =>
  runEntry(folder).catch((error) => broken(folder, error));

async function runEntry(folder: string): Promise<Entry> {
  const run = await glanceAt(folder);
  return { kind: "run", folder, began: await beganAt(run), run };
}

/** A model's folder has a `config.json` too, and is nothing to mend. */
async function broken(folder: string, error: unknown): Promise<Entry> {
  const why = firstLine(error, folder);
  const config = await readObject(folder, "config.json").catch(() => undefined);
  const type = (config as { model_type?: unknown } | null | undefined)?.model_type;
  if (typeof type !== "string") return { kind: "broken", folder, began: 0, why };
  return { kind: "model", folder, began: 0, why: `a model (${type}), and no run` };
}

/** Lines for people. */
export function listLines(entries: readonly Entry[], terminal: Terminal): string[] {
  const known = entries.filter(isKnown), others = entries.filter((one) => !isKnown(one));
  const table = columns([HEAD, ...known.map(cells)]);
  const isWide = table.every((line) => [...line].length <= terminal.columns);
  const below = (one: Entry) => [
    paint(terminal, "bold", printable(one.folder)),
    ...joinedLines(words(one).map(printable), "  ", terminal.columns - 2)
      .map((line) => `  ${line}`),
  ];
  const first = known.length === 0 ? [] : [paint(terminal, "bold", table[0]), ...table.slice(1)];
  return [...(isWide ? first : known.flatMap(below)), ...others.flatMap(below)];
}

type Known = Extract<Entry, { kind: "run" | "sweep" }>;
const isKnown = (one: Entry): one is Known => one.kind === "run" || one.kind === "sweep";

const HEAD = [
  ...["began", "state", "task", "algorithm", "rewards", "model", "seed", "steps", "held-out"],
  "folder",
];

/** The cells of the wide table. */
function cells(one: Known): string[] {
  const began = when(one.began);
  if (one.kind === "run") {
    const { config, state } = one.run;
    return [
      ...[began, state, config.task, config.algorithm, rewardsOf(one.run), config.model],
      ...[String(config.seed), stepsOf(one.run), heldoutOf(one.run), one.folder],
    ];
  }
  const axes = one.sweep.axes.map(({ name, values }) => `${name} ${values.join(",")}`).join(" ");
  const states = counts(one.states);
  return [began, "sweep", one.sweep.task, states, axes, "", "", "", "", one.folder];
}

/** The same below the folder's name. */
function words(one: Entry): string[] {
  if (one.kind === "run") {
    const { config, state } = one.run, heldout = heldoutOf(one.run);
    return [
      ...[state, config.task, config.algorithm, rewardsOf(one.run), config.model],
      ...[`seed ${config.seed}`, `steps ${stepsOf(one.run)}`],
      ...(heldout === "" ? [] : [heldout]),
      when(one.began),
    ];
  }
  if (one.kind === "sweep") {
    const axes = one.sweep.axes.map(({ name, values }) => `${name} ${values.join(",")}`);
    return ["sweep", one.sweep.task, counts(one.states), ...axes, when(one.began)];
  }
  return [`${one.kind}: ${one.why}`];
}

const rewardsOf = (run: RunGlance): string => String(factsOf(run).reward);

/** `40`, or `12 of 40` of a run that was cut short. */
const stepsOf = ({ done, config: { steps } }: RunGlance): string =>
  done === steps ? String(done) : `${done} of ${steps}`;

/** The best held-out figure: the task's own measure, else exact, else the reward; with its step where that is not the last. */
function heldoutOf({ best, done, summary }: RunGlance): string {
  if (!best) return "";
  const own = summary?.measure !== undefined && best.measure !== undefined;
  const [name, value] = own
    ? [summary.measure, best.measure]
    : Number.isFinite(best.exact)
    ? ["exact", best.exact]
    : ["reward", best.reward];
  if (!Number.isFinite(value)) return "";
  return `${name} ${score(value!)}${best.step === done ? "" : ` at ${best.step}`}`;
}

/** Minutes of this machine's time: what people remember. */
function when(ms: number): string {
  if (!(ms > 0)) return "";
  const date = new Date(ms), two = (n: number) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** What `--json` prints of an entry. */
export function entryObject(one: Entry): Record<string, unknown> {
  const { kind, folder, began } = one;
  const started = began > 0 ? new Date(began).toISOString() : undefined;
  if (one.kind === "run") {
    const { config, state, cause, next, done, best, summary } = one.run;
    const { task, algorithm, rewards, weights, model, seed, steps } = config;
    const facts = { task, algorithm, rewards, weights, model, seed, steps };
    return {
      kind,
      folder,
      started,
      ...facts,
      state,
      cause,
      next,
      done,
      best,
      measure: summary?.measure,
    };
  }
  if (one.kind === "sweep") {
    const states = Object.fromEntries(
      [...Map.groupBy(one.states, (state) => state)].map(([state, all]) => [state, all.length]),
    );
    return { kind, folder, started, task: one.sweep.task, axes: one.sweep.axes, states };
  }
  return { kind, folder, error: one.why };
}
