/**
 * Runs test files, each in a process of its own and as many at once as there are processors, up to 8,
 * by `deno test` with the flags that it is given: `deno task test`, or `deno task test --filter NAME FILE`.
 * Failures stand together at the end; the last lines say how many tests of the WGSL did not run on this
 * machine, why, and what mends it. DENO_JOBS is another number of processes at once.
 * @module
 */
import { adapterCure } from "../cli/doctor/findings.ts";
import { NOT_RUN, notRunLines } from "./test/not_run.ts";
import type { Job } from "./test/process.ts";
import { runQueue, secondsOf, secondsText, type Timed } from "./test/queue.ts";
import { Report } from "./test/report.ts";
import { Running } from "./test/running.ts";
import { checkFlags, isFiltered, readWords, testFiles } from "./test/words.ts";

const DEFAULT_PATH = "tests";
/** Writes what the files took into the list by which they are ordered. */
const KEEP_SECONDS = "--keep-seconds";
/** About how long the types take where none of them was checked before, in seconds. */
const CHECK_SECONDS = 15;
/** More at once would gain little, as the longest file takes a while, and take memory of the adapter. */
const MAX_AT_ONCE = 8;
/** What a shell gives for a command that a signal ended. */
const STOPPED = 130;

/** Red and green for lines of our own, as Deno has them; its lines come in their colours. */
const painted = (line: string): string =>
  Deno.noColor ? line : line
    .replace(/^ok(?= \|)/, "\x1b[32m$&\x1b[0m")
    .replace(/^FAILED(?= \|)/, "\x1b[31m$&\x1b[0m")
    .replace(/^ (ERRORS|FAILURES) $/, "\x1b[1m\x1b[37m\x1b[41m$&\x1b[0m");

const print = (lines: readonly string[]): void => {
  if (lines.length > 0) console.log(lines.map(painted).join("\n"));
};

/** One process over everything. */
async function runTogether(words: readonly string[], notes: string): Promise<number> {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["test", ...words],
    env: { [NOT_RUN]: `${notes}/all` },
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  return code;
}

/** A process a file, and one that checks the types. */
async function runApart(
  paths: readonly string[],
  { flags, notes, keepsSeconds, program }: {
    flags: readonly string[];
    notes: string;
    keepsSeconds: boolean;
    program?: string;
  },
): Promise<number> {
  const from = performance.now(), report = new Report(), took: Timed[] = [];
  using running = new Running(
    (signal, names) => print(["", `Stopped by ${signal} amid ${names.join(", ")}`]),
    program,
  );
  await runQueue(jobsOf(paths, flags, notes), {
    width: Number(Deno.env.get("DENO_JOBS")) ||
      Math.min(MAX_AT_ONCE, navigator.hardwareConcurrency),
    isOver: () => running.stoppedBy !== undefined,
    async run(job) {
      const ended = await running.run(job);
      if (running.stoppedBy) return;
      if (job.env) took.push(ended);
      if (ended.verdict !== "aborted") return print(report.add(ended));
      for (const file of Object.values(job.env ?? {})) await Deno.remove(file).catch(() => {});
      if (running.stoppedBy) return;
      const again = await running.run(job);
      if (!running.stoppedBy) print(report.addAgain(ended, again));
    },
  });
  if (running.stoppedBy) {
    print(report.failureLines());
    return STOPPED;
  }
  if (keepsSeconds) {
    await Deno.writeTextFile(new URL("test/seconds.json", import.meta.url), secondsText(took));
  }
  print(report.lines(performance.now() - from));
  return report.success ? 0 : 1;
}

/** What runs as processes; each test file has a file of its own in `notes`. */
function jobsOf(
  paths: readonly string[],
  flags: readonly string[],
  notes: string,
): (Job & Timed)[] {
  const own = flags.filter((word) => word !== "--check"), checked = checkFlags(flags);
  const tests = paths.map((path, i): Job & Timed => ({
    name: path,
    args: ["test", ...own, "--no-check", path],
    env: { [NOT_RUN]: `${notes}/${i}` },
    seconds: secondsOf(path),
  }));
  const types = { name: "deno check", args: ["check", "--quiet", ...checked ?? [], ...paths] };
  return checked ? [{ ...types, seconds: CHECK_SECONDS }, ...tests] : tests;
}

/** Why tests did not run, a reason each; what a process noted lies in a file of `folder`. */
async function readNotes(folder: string): Promise<string[]> {
  const texts: Promise<string>[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    texts.push(Deno.readTextFile(`${folder}/${name}`));
  }
  return (await Promise.all(texts)).join("").split("\n").filter((line) => line !== "");
}

/** Runs the tests and prints what came of them; gives the exit code. `program` takes the place of `deno`. */
export async function main(words: readonly string[], program?: string): Promise<number> {
  const asked = words.filter((word) => word !== KEEP_SECONDS);
  const { flags, paths, forEach } = readWords(asked);
  const given = paths.length > 0 ? paths : [DEFAULT_PATH];
  const found = await Promise.all(given.map(testFiles));
  const files = [...new Set(found.flatMap((of) => of ?? []))];
  const notes = await Deno.makeTempDir();
  try {
    const isApart = forEach && files.length > 1 && !found.includes(undefined);
    const code = isApart
      ? await runApart(files, { flags, notes, program, keepsSeconds: words.includes(KEEP_SECONDS) })
      : await runTogether(paths.length > 0 ? asked : [DEFAULT_PATH, ...asked], notes);
    const cure = adapterCure(Deno.build.os);
    const lines = notRunLines(await readNotes(notes), { isSome: isFiltered(flags), cure });
    if (code !== STOPPED) print(lines);
    return code;
  } finally {
    await Deno.remove(notes, { recursive: true });
  }
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
