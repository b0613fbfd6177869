/**
 * The folder of one run. Every file in it is replaced whole, so that a run killed at any moment leaves
 * old files or new ones. Tables grow in memory and are rewritten at a bounded cadence: at once where
 * writing is cheap, and never for more than a twentieth of the time; always before a checkpoint, so that
 * a checkpoint's rows are on disk before it is.
 * @module
 */
import { basename, dirname, join } from "node:path";
import about from "../../deno.json" with { type: "json" };
import type {
  CompletionRow,
  Phase,
  RunInfo,
  RunObserver,
  StepReport,
  Summary,
} from "../observer.ts";
import { completionCells, completionHeader, numberCell, scoreNames } from "./csv.ts";
import {
  flushTree,
  makeIfAbsent,
  makeParents,
  removeTemporaries,
  replaceFile,
  temporaryName,
  writeError,
} from "./files.ts";
import { type Disk, disk } from "../../model/files/disk.ts";
import { Course } from "../runaway.ts";
import { GrowingTable } from "./growing_table.ts";
import { type Changes, differing, finished, note, type RunEventBody } from "./history.ts";
import { keptSteps } from "./retention.ts";
import {
  checkpointSteps,
  currentColumn,
  readRun,
  readTable,
  type RunConfig,
  type RunData,
} from "./run_data.ts";

const SHARE = 20; // writing takes at most one part in this many of the time

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
   * the run's first request; it is kept in the folder, with the step.
   */
  resume?: { folder: string; step: number; asked?: Changes };
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
  #scores: string[] | undefined;
  #names: string | undefined;
  #started = 0;
  #stepped = 0;
  #nextSave = 0;
  #course = new Course();

  constructor(options: RunFolderOptions) {
    this.#options = options;
    this.#io = options.io ?? disk;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Makes the folder, or opens the one that is resumed, and writes config.json. */
  async start(info: RunInfo): Promise<void> {
    const { resume, command, request } = this.#options;
    this.#started = this.#stepped = this.#now();
    if (resume) {
      this.folder = resume.folder;
      await removeTemporaries(this.folder, this.#io);
      await this.#reload(resume.step, info.algorithm);
      await this.#takeUp(resume, info);
      return;
    }
    this.folder = await this.#makeFolder(info);
    const config: RunConfig = {
      task: info.task,
      algorithm: info.algorithm,
      rewards: info.rewards,
      weights: info.weights,
      model: info.model,
      source: info.source,
      seed: info.seed,
      steps: info.steps,
      device: info.device,
      command,
      request,
      config: info.config,
      started: new Date().toISOString(),
      versions: {
        plainrl: about.version,
        deno: Deno.version.deno,
        system: `${Deno.build.os} ${Deno.build.arch}`,
      },
    };
    await replaceFile(`${this.folder}/config.json`, json(config), this.#io);
  }

  /** Adds one row to metrics.csv and timings.csv, and the step's completions. */
  async step({ step, metrics, completions, timings }: StepReport): Promise<void> {
    const names = Object.keys(metrics).join();
    if (this.#metrics.empty) this.#metrics.add([["step", ...Object.keys(metrics)]]);
    if (this.#timings.empty) this.#timings.add([TIMINGS]);
    this.#names ??= names;
    if (names !== this.#names) {
      throw new TypeError(
        `Cannot write metrics of step ${step} as every step has the same names: ` +
          `it has ${names}, the first had ${this.#names}`,
      );
    }
    this.#metrics.add([[String(step), ...Object.values(metrics).map(numberCell)]]);
    this.#course.take(step, metrics);
    this.done = step;
    const now = this.#now();
    const passed = [now - this.#started, now - this.#stepped].map((ms) => ms / 1000);
    const seconds = [...passed, ...PARTS.map((part) => timings[part])];
    this.#timings.add([[String(step), ...seconds.map((s) => s.toFixed(3))]]);
    this.#stepped = now;
    this.#addCompletions(completions);
    if (now >= this.#nextSave) await this.#save();
  }

  async evaluation(_phase: Phase, completions: readonly CompletionRow[]): Promise<void> {
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

  /** The checkpoint appears whole, under its name, or not at all; then those go that are not to be kept. */
  async checkpoint(step: number, write: (folder: string) => Promise<void>): Promise<void> {
    await this.#save();
    const place = `${this.folder}/checkpoints`;
    const path = `${place}/step-${step}`;
    const temporary = temporaryName(path);
    const there = await checkpointSteps(this.folder);
    if (!there.includes(step)) { // a resumed run may come by the step that it started from
      try {
        await makeIfAbsent(place, this.#io);
        await this.#io.makeFolder(temporary);
        await write(temporary);
        await flushTree(temporary, this.#io);
        await this.#io.rename(temporary, path);
        await this.#io.flush(place);
      } catch (error) {
        await this.#io.remove(temporary).catch(() => {}); // it may never have been made
        throw writeError(path, error);
      }
      there.push(step);
    }
    this.saved = step;
    const kept = keptSteps(there, { newest: step, good: this.good });
    for (const old of there.filter((other) => !kept.includes(other))) {
      // Renamed first: a kill amid the removal must not leave half a checkpoint under its name.
      const doomed = temporaryName(`${place}/step-${old}`);
      try {
        await this.#io.rename(`${place}/step-${old}`, doomed);
        await this.#io.remove(doomed);
      } catch (error) {
        throw writeError(`${place}/step-${old}`, error);
      }
    }
  }

  /** Draws, and writes summary.json last. */
  async end(summary: Summary): Promise<void> {
    await this.#save();
    await this.#draw(summary);
    await replaceFile(`${this.folder}/summary.json`, json(summary), this.#io);
  }

  /**
   * After an interruption or an error: puts the rows on disk, with the curves of what there is. `end` is
   * kept in the run's history.
   */
  async close(end?: RunEventBody): Promise<void> {
    if (this.folder === "") return;
    await this.#save();
    if (end) await this.note(end);
    await this.#draw(undefined);
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
    const before = this.#now();
    for (const table of [this.#metrics, this.#timings, this.#completions]) {
      await table.save(this.folder, this.#io);
    }
    const after = this.#now();
    this.#nextSave = after + SHARE * (after - before);
  }

  /** Takes over the rows of a run up to `step`; what came later is made again. */
  async #reload(step: number, algorithm: string): Promise<void> {
    const tables = [this.#metrics, this.#timings, this.#completions];
    for (const table of tables) {
      const [head, ...rows] = await readTable(this.folder, table.name);
      if (!head) continue;
      if (table === this.#metrics) {
        head.splice(0, head.length, ...head.map((name) => currentColumn(name, algorithm)));
        this.#names = head.slice(1).join();
      }
      if (table === this.#completions) this.#scores = scoreNames(head);
      const kept = rows.filter((cells) => Number(cells[0]) <= step && !/^after:/.test(cells[1]));
      if (table === this.#timings) {
        const { length } = head;
        head.push(...TIMINGS.slice(length)); // runs of earlier versions timed no parts
        for (const cells of kept) cells.push(...Array(TIMINGS.length - length).fill(""));
      }
      table.add([head, ...kept]);
      if (table === this.#timings && kept.length > 0) {
        this.#started -= Number(kept.at(-1)![1]) * 1000;
      }
    }
    this.saved = step;
    await this.#save();
  }

  /** Follows the course of the rows that are kept, and notes what holds from here on. */
  async #takeUp(
    { folder, step, asked = { settings: {} } }: NonNullable<RunFolderOptions["resume"]>,
    info: RunInfo,
  ): Promise<void> {
    for (const later of await checkpointSteps(folder)) { // of a course that the run leaves
      if (later > step) await this.#io.remove(`${folder}/checkpoints/step-${later}`);
    }
    const run = await readRun(folder);
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
    if (!run.history?.length && !run.summary && Object.keys(changed).length === 0) return;
    await this.note({ kind: "resumed", asked, changed });
  }

  async #makeFolder(info: RunInfo): Promise<string> {
    if (this.#options.out !== undefined) {
      const out = join(dirname(this.#options.out), basename(this.#options.out));
      await this.#make(makeParents, dirname(out));
      if (
        !await this.#make(makeIfAbsent, out) &&
        (await Array.fromAsync(Deno.readDir(out))).length > 0
      ) {
        throw writeError(
          out,
          new Error(`it is not empty. Choose another with --out, or continue: --resume ${out}`),
        );
      }
      return out;
    }
    await this.#make(makeIfAbsent, "runs");
    const time = new Date().toISOString().slice(0, 19).replaceAll(":", "").replace("T", "-");
    const name = `runs/${info.task}-${info.algorithm}-${info.seed}-${time}`;
    for (let i = 1;; i++) {
      const path = i === 1 ? name : `${name}-${i}`;
      if (await this.#make(makeIfAbsent, path)) return path;
    }
  }

  async #make<T>(how: (path: string, io: Disk) => Promise<T>, path: string): Promise<T> {
    try {
      return await how(path, this.#io);
    } catch (error) {
      throw writeError(path, error);
    }
  }
}

const json = (value: unknown): string => JSON.stringify(value, null, 2) + "\n";
