/**
 * A run as TensorBoard shows it: one event file in the run's folder. It holds nothing that the folder's
 * tables do not, so that it is written from them whenever a run starts: what a resume cuts off the tables is
 * then gone from it too, half a record that a kill left is, and a run that was not logged so far has all its
 * steps. A start gives the file a new name and begins it with what makes a running TensorBoard forget the
 * steps that it read before.
 * @module
 */
import { join } from "node:path";
import { type Disk, disk } from "../../model/files/disk.ts";
import type {
  CompletionRow,
  EvaluationReport,
  Phase,
  RunObserver,
  StepReport,
} from "../observer.ts";
import { type LogEvent, openingRecords, valuesRecord } from "./event_file.ts";
import { evaluationValues, type Spell, stepValues } from "./event_values.ts";
import { eventsOfRun } from "./events_of_run.ts";
import { ignoreAbsent, listFolder, writeError } from "./files.ts";
import { GrowingFile } from "./growing_file.ts";
import { requireWithin } from "./links.ts";
import { Pace } from "./pace.ts";

/** Names of the files that this writes; those of other programs in the folder stay. */
const OWN = /^events\.out\.tfevents\.(\d+)\.plainrl$/;

/** How to open a log. */
export interface EventLogOptions {
  /** The run's folder, known once the run folder has started. */
  folder: () => string;
  /** Spells out what must not act or hide in a text. Default: as JSON does. */
  spell?: Spell;
  /** Tests hand in a disk that fails. */
  io?: Disk;
}

/**
 * Writes the log of a run whose `RunFolder` is told everything first, but for the end: `end` and `close` come
 * before the folder's, as a run with a summary is finished and nothing is written without its lock.
 */
export class EventLog implements Omit<RunObserver, "checkpoint"> {
  #options: EventLogOptions;
  #io: Disk;
  #file: GrowingFile | undefined;
  /** Of the step that is written now. */
  #step = -1;
  #tags = new Set<string>();
  #pace = new Pace(() => performance.now());

  constructor(options: EventLogOptions) {
    this.#options = options;
    this.#io = options.io ?? disk;
  }

  /** Writes what the folder's tables hold. @throws {WriteError} when the disk is full, read-only, … */
  async start(): Promise<void> {
    const folder = this.#options.folder();
    const events = await eventsOfRun(folder, this.#options.spell);
    const before = await removeLogs(folder, { io: this.#io, emptied: true });
    // TensorBoard reads files in the order of their names.
    const newest = Math.max(0, ...before.map((name) => Number(OWN.exec(name)![1]) + 1));
    const seconds = Math.max(newest, Math.floor(now()));
    this.#file = new GrowingFile(`events.out.tfevents.${seconds}.plainrl`);
    for (const record of openingRecords(events[0]?.time ?? now())) this.#file.put(record);
    for (const event of events) this.#add(event);
    await this.#save();
  }

  /** Adds the step's metrics, and of some steps completions. */
  async step({ step, metrics, completions }: StepReport): Promise<void> {
    const values = stepValues({ step, metrics: Object.entries(metrics), completions }, this.#spell);
    this.#add({ time: now(), step, values });
    if (this.#pace.isDue) await this.#save();
  }

  /** Adds the means of an evaluation, and of held-out prompts some of its answers. */
  async evaluation(
    phase: Phase,
    completions: readonly CompletionRow[],
    report?: EvaluationReport,
  ): Promise<void> {
    const step = report?.step ?? completions[0]?.step;
    if (step === undefined) return;
    this.#add({
      time: now(),
      step,
      values: evaluationValues(phase, { completions, report }, this.#spell),
    });
    await this.#save();
  }

  /** Puts on disk what is pending. */
  async end(): Promise<void> {
    await this.close();
  }

  /** The same after an interruption or an error. */
  async close(): Promise<void> {
    if (this.#file) await this.#save();
  }

  get #spell(): Spell | undefined {
    return this.#options.spell;
  }

  /**
   * Takes an event, without what its step has under the same tag: who is evaluated during training after the
   * last step gives the same answers once it has ended.
   */
  #add({ step, time, values }: LogEvent): void {
    if (step !== this.#step) [this.#step, this.#tags] = [step, new Set()];
    const fresh = values.filter(({ tag }) => !this.#tags.has(tag));
    for (const { tag } of fresh) this.#tags.add(tag);
    if (fresh.length > 0) this.#file!.put(valuesRecord({ step, time, values: fresh }));
  }

  async #save(): Promise<void> {
    await this.#pace.timed(() => this.#file!.save(this.#options.folder(), this.#io));
  }
}

/**
 * Removes the logs in a run's folder; gives their names. With `emptied` the newest stays, with nothing in it: a
 * TensorBoard that is reading a file which is gone looks for no later one.
 * @throws {WriteError} when one cannot be removed
 */
export async function removeLogs(
  folder: string,
  { io = disk, emptied = false }: { io?: Disk; emptied?: boolean } = {},
): Promise<string[]> {
  const names = (await listFolder(folder)).filter((name) => OWN.test(name));
  for (const name of names) {
    const path = join(folder, name);
    try {
      await requireWithin(folder, path);
      if (emptied && name === names.at(-1)) await io.append(path, 0, []);
      else await io.remove(path).catch(ignoreAbsent);
    } catch (error) {
      throw writeError(path, error);
    }
  }
  return names;
}

const now = (): number => Date.now() / 1000;
