/**
 * The folder of one run. Tables grow at their ends, every other file is replaced whole, so that a run
 * killed at any moment leaves whole files and at most one cut row. Rows are written at a bounded cadence:
 * at once where writing is cheap, and never for more than a twentieth of the time; always before a
 * checkpoint, so that a checkpoint's rows are on disk before it is.
 * @module
 */
import type {
  CompletionRow,
  EvaluationReport,
  Phase,
  RunInfo,
  RunObserver,
  StepReport,
  Summary,
} from "../observer.ts";
import {
  completionCells,
  completionHeader,
  evaluationCells,
  EVALUATIONS,
  numberCell,
  scoreNames,
} from "./csv.ts";
import { removeTemporaries, replaceFile } from "./files.ts";
import { type Disk, disk } from "../../model/files/disk.ts";
import { Course } from "../runaway.ts";
import { CheckpointFolders } from "./checkpoint_folders.ts";
import { GrowingTable } from "./growing_table.ts";
import { type Changes, differing, finished, note, type RunEventBody } from "./history.ts";
import { requireRunFolder } from "./links.ts";
import { RunLock } from "./lock.ts";
import { type Identity, identityOf, readManifest, writeManifest } from "./manifest.ts";
import { makeRunFolder, newConfig } from "./make_run_folder.ts";
import { otherFiles } from "./own_changes.ts";
import { keepFiles } from "./own_copies.ts";
import type { FileMark } from "./marks.ts";
import { Pace } from "./pace.ts";
import {
  checkpointFolder,
  currentColumn,
  readRun,
  readRunConfig,
  readTable,
  type RunData,
} from "./run_data.ts";

/** Parts of a step that are timed. */
const PARTS = ["generate", "score", "evaluate", "update"] as const;
/** Columns of timings.csv, seconds: since the run began, of the step, and of its parts. */
const TIMINGS = ["step", "seconds", "step_seconds", ...PARTS];

/** How to open a run folder. */
export interface RunFolderOptions {
  /** Folder to make; absent: a name made from the run, under `runs`. */
  out?: string;
  /**
   * Continue in this run folder, after this step; rows beyond it are dropped. `asked` is what differs from
   * the run's first request; it is kept in the folder, with the step. `lock` is the right to write it where
   * that was taken already; it is released with the run.
   */
  resume?: { folder: string; step: number; asked?: Changes; lock?: RunLock };
  /** Line that repeats the run, for config.json and the report. */
  command: string;
  /** What the command line asked for, for `--resume`. */
  request: Record<string, unknown>;
  /** Makes the files that people look at, by name: drawn at the end, and where a run was cut short. */
  draw?: (run: RunData) => Promise<Readonly<Record<string, string>>>;
  /** Tests hand in a disk that fails. */
  io?: Disk;
  /** Clock in milliseconds. */
  now?: () => number;
}

/** Writes everything that a run leaves behind. */
export class RunFolder implements RunObserver {
  /** Path of the run's folder; empty before `start`. */
  folder = "";
  /** Step of the newest checkpoint; undefined while there is none. */
  saved: number | undefined;
  /** Steps that are done. */
  done = 0;
  #options: RunFolderOptions;
  #io: Disk;
  #now: () => number;
  #metrics = new GrowingTable("metrics.csv");
  #timings = new GrowingTable("timings.csv");
  #completions = new GrowingTable("completions.csv");
  #evaluations = new GrowingTable("evaluations.csv");
  #scores: string[] | undefined;
  #names: string | undefined;
  /** Of metrics.csv. A run that earlier versions began may have fewer than there are metrics. */
  #columns: readonly string[] | undefined;
  #timed: readonly string[] = TIMINGS;
  #lock: RunLock | undefined;
  #identity: Identity | undefined;
  #device: RunInfo["device"] | undefined;
  /** Of the tables before the closing evaluation, which a resumed run makes again. */
  #closing: Record<string, FileMark> | undefined;
  #started = 0;
  #stepped = 0;
  #pace: Pace;
  #course = new Course();

  constructor(options: RunFolderOptions) {
    this.#options = options;
    this.#lock = options.resume?.lock;
    this.#io = options.io ?? disk;
    this.#now = options.now ?? (() => performance.now());
    this.#pace = new Pace(this.#now);
  }

  /** Makes the folder, or opens the one that is resumed, and writes config.json. */
  async start(info: RunInfo): Promise<void> {
    const { resume, command, request } = this.#options;
    this.#started = this.#stepped = this.#now();
    this.#device = info.device;
    if (resume) {
      await this.#continue(resume, info);
      await this.#takeUp(resume, info);
      return;
    }
    this.folder = await makeRunFolder(info, { out: this.#options.out, io: this.#io });
    this.#lock = await RunLock.take(this.folder);
    const ownFiles = info.files && await keepFiles(this.folder, info.files, { io: this.#io });
    const config = newConfig(info, { command, request, ownFiles });
    this.#identity = identityOf(info, config.id!);
    await replaceFile(`${this.folder}/config.json`, json(config), this.#io);
  }

  /** Adds one row to metrics.csv and timings.csv, and the step's completions. */
  async step({ step, metrics, completions, timings }: StepReport): Promise<void> {
    const names = Object.keys(metrics).join();
    if (this.#metrics.empty) this.#metrics.add([["step", ...Object.keys(metrics)]]);
    if (this.#timings.empty) this.#timings.add([TIMINGS]);
    if (this.#closing) throw new Error(`Cannot add step ${step} after the closing evaluation`);
    this.#names ??= names;
    const columns = this.#columns ??= Object.keys(metrics);
    if (names !== this.#names || columns.some((name) => !Object.hasOwn(metrics, name))) {
      throw new TypeError(
        `Cannot write metrics of step ${step} as every step has the same names: ` +
          `it has ${names}, the first had ${names !== this.#names ? this.#names : columns}`,
      );
    }
    this.#metrics.add([[String(step), ...columns.map((name) => numberCell(metrics[name]))]]);
    this.#course.take(step, metrics);
    this.done = step;
    const now = this.#now();
    const passed = [now - this.#started, now - this.#stepped].map((ms) => ms / 1000);
    const seconds = [...passed, ...PARTS.map((part) => timings[part])];
    const cells = [String(step), ...seconds.map((s) => s.toFixed(3))];
    this.#timings.add([cells.slice(0, this.#timed.length)]); // earlier versions timed fewer parts
    this.#stepped = now;
    this.#addCompletions(completions);
    if (this.#pace.isDue) await this.#save();
  }

  /** Adds the completions, and one row to evaluations.csv. */
  async evaluation(
    phase: Phase,
    completions: readonly CompletionRow[],
    report?: EvaluationReport,
  ): Promise<void> {
    if (phase.phase === "after" && !this.#closing) {
      await this.#save();
      this.#closing = this.#marks();
    }
    if (report) {
      if (this.#evaluations.empty) this.#evaluations.add([EVALUATIONS]);
      this.#evaluations.add([evaluationCells(phase, report)]);
    }
    this.#addCompletions(completions);
    await this.#save();
  }

  /** Steps done that are surely good, where the run went astray later; undefined where it did not. */
  get good(): number | undefined {
    return this.#course.good;
  }

  /** Adds an entry to the run's history. */
  async note(body: RunEventBody): Promise<void> {
    await note(this.folder, { ...body, step: this.done, io: this.#io });
  }

  /**
   * The checkpoint appears whole, under its name, its manifest written last, or not at all; then those go
   * that are not to be kept.
   */
  async checkpoint(
    step: number,
    write: (folder: string) => Promise<void>,
    best?: number,
  ): Promise<void> {
    await this.#save();
    const [identity, device] = [this.#identity, this.#device];
    if (!identity || !device) throw new Error("Cannot save a checkpoint before start()");
    const tables = this.#closing ?? this.#marks();
    const folders = new CheckpointFolders(this.folder, this.#io);
    await folders.place(step, async (temporary) => {
      await write(temporary);
      await writeManifest(temporary, { identity, step, device, tables }, this.#io);
    });
    this.saved = step;
    await folders.prune({ newest: step, good: this.good, best });
  }

  /** Draws, and writes summary.json last. */
  async end(summary: Summary): Promise<void> {
    await this.#save();
    await this.#draw(summary);
    await replaceFile(`${this.folder}/summary.json`, json(summary), this.#io);
    this.#release();
  }

  /**
   * After an interruption or an error: puts the rows on disk, with the curves of what there is. `end` is
   * kept in the run's history.
   */
  async close(end?: RunEventBody): Promise<void> {
    try {
      if (this.folder === "") return;
      await this.#save();
      if (end) await this.note(end);
      await this.#draw(undefined);
    } finally {
      this.#release();
    }
  }

  #release(): void {
    this.#lock?.[Symbol.dispose]();
  }

  async #draw(summary: Summary | undefined): Promise<void> {
    const { draw } = this.#options;
    if (!draw) return;
    const files = await draw({ ...await readRun(this.folder), summary });
    for (const [name, text] of Object.entries(files)) {
      await replaceFile(`${this.folder}/${name}`, text, this.#io);
    }
  }

  #addCompletions(completions: readonly CompletionRow[]): void {
    if (completions.length === 0) return;
    if (!this.#scores) {
      this.#scores = Object.keys(completions[0].scores);
      this.#completions.add([completionHeader(this.#scores)]);
    }
    const names = this.#scores;
    this.#completions.add(completions.map((row) => completionCells(row, names)));
  }

  async #save(): Promise<void> {
    await this.#pace.timed(async () => {
      for (const table of this.#tables()) await table.save(this.folder, this.#io);
    });
  }

  #tables(): GrowingTable[] {
    return [this.#metrics, this.#timings, this.#completions, this.#evaluations];
  }

  #marks(): Record<string, FileMark> {
    return Object.fromEntries(this.#tables().map((table) => [table.name, table.mark()]));
  }

  /** Takes over a run at the checkpoint of a step; what came later is made again. */
  async #continue(
    { folder, step }: NonNullable<RunFolderOptions["resume"]>,
    info: RunInfo,
  ): Promise<void> {
    await requireRunFolder(folder);
    this.#lock ??= await RunLock.take(folder);
    [this.folder, this.saved] = [folder, step];
    this.#identity = identityOf(info, (await readRunConfig(folder)).id ?? null);
    const marks = (await readManifest(checkpointFolder(folder, step)))?.tables;
    for (const table of this.#tables()) {
      const mark = marks?.[table.name]; // earlier versions had fewer tables
      if (mark) await table.check(folder, mark);
    }
    await removeTemporaries(folder, this.#io);
    await new CheckpointFolders(folder, this.#io).setAside(step);
    if (!marks) await this.#reload(step, info.algorithm);
    for (const table of marks ? this.#tables() : []) {
      await table.cut(folder, this.#io);
      const [head, ...rows] = await readTable(folder, table.name);
      if (head) this.#takeOver(table, { head, last: rows.at(-1), algorithm: info.algorithm });
    }
  }

  /** Keeps the columns that a table has, and the time that a run took so far. */
  #takeOver(
    table: GrowingTable,
    { head, last, algorithm }: { head: string[]; last?: string[]; algorithm: string },
  ): void {
    if (table === this.#metrics) {
      this.#columns = head.slice(1).map((name) => currentColumn(name, algorithm));
    }
    if (table === this.#completions) this.#scores = scoreNames(head);
    if (table !== this.#timings) return;
    this.#timed = head;
    if (last) this.#started -= Number(last[1]) * 1000;
  }

  /** Of a checkpoint of an earlier version, which has no manifest: drops rows by their step. */
  async #reload(step: number, algorithm: string): Promise<void> {
    for (const table of this.#tables()) {
      const [head, ...rows] = await readTable(this.folder, table.name);
      if (!head) continue;
      const names = table === this.#metrics ? head.map((n) => currentColumn(n, algorithm)) : head;
      const kept = rows.filter((cells) => Number(cells[0]) <= step && !/^after:/.test(cells[1]));
      if (table === this.#timings) {
        const { length } = head;
        names.push(...TIMINGS.slice(length)); // runs of earlier versions timed no parts
        for (const cells of kept) cells.push(...Array(TIMINGS.length - length).fill(""));
      }
      this.#takeOver(table, { head: names, last: kept.at(-1), algorithm });
      await table.replace(this.folder, [names, ...kept], this.#io);
    }
  }

  /** Follows the course of the rows that are kept, and notes what holds from here on. */
  async #takeUp(
    { folder, step, asked = { settings: {} } }: NonNullable<RunFolderOptions["resume"]>,
    info: RunInfo,
  ): Promise<void> {
    const run = await readRun(folder, { isWhole: false }); // its summary may be of later steps
    for (const [step, ...values] of run.metrics) {
      this.#course.take(step, Object.fromEntries(run.names.map((name, i) => [name, values[i]])));
    }
    if (run.summary) {
      this.done = run.summary.steps;
      await this.note(finished(run.summary));
      await this.#io.remove(`${folder}/summary.json`);
    }
    this.done = step;
    const changed = differing(run.config.config, info.config);
    const files = await otherFiles(run, info, this.#io);
    const isAsBefore = Object.keys(changed).length === 0 && !files;
    if (!run.history?.length && !run.summary && isAsBefore) return;
    await this.note({ kind: "resumed", asked, changed, ...(files && { files }) });
  }
}

const json = (value: unknown): string => JSON.stringify(value, null, 2) + "\n";
