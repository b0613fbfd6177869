/** `tune`: measures which kernels are fastest on this adapter, and keeps it for `train --tuned`. @module */
import type { OptionRows, OptionValues } from "../../base/options.ts";
import type { Command, Parsed } from "../command.ts";
import { JSON_FLAG, QUIET } from "../flags.ts";
import { INTERRUPTED, listenForInterrupt } from "../interrupt.ts";
import { jsonLine } from "../printable.ts";
import type { Terminal } from "../terminal.ts";
import type { TuneOptions, TuneResult } from "../tune/tune.ts";
import type { TunedFor } from "../tune/tuning_file.ts";
import type { VectorWidth } from "../tune/vectors.ts";

const FLAGS = {
  quick: {
    kind: "boolean",
    default: false,
    doc: "Smaller works and fewer samples: under 2 minutes on a software adapter, else under 5",
    group: "Run",
  },
  out: {
    kind: "text",
    otherwise: "one for this adapter and version in the user's cache",
    unit: "file",
    doc: "File to write; train --tuned FILE reads it",
    group: "Output",
  },
  forget: {
    kind: "boolean",
    default: false,
    doc: "Remove what was measured on this adapter, and stop",
    group: "Run",
  },
  json: JSON_FLAG,
  quiet: QUIET,
} as const satisfies OptionRows;

/** Values of the command's flags. */
export type TuneFlags = OptionValues<typeof FLAGS>;

/** What was measured, and on what. */
export interface Measured extends TuneResult {
  readonly device: { name: string; kind: string; software: boolean };
  readonly vectors?: readonly VectorWidth[];
  /** Why vectors were not timed, where they could have been. */
  readonly noVectors?: string;
}

/** What the command runs; tests hand in others. */
export interface TuneParts {
  here(): Promise<TunedFor>;
  cacheFile(tunedFor: TunedFor): Promise<string>;
  measure(quick: boolean, options: Pick<TuneOptions, "report" | "signal">): Promise<Measured>;
}

const PARTS: TuneParts = {
  here: async () => await (await import("../tune/tuning_file.ts")).tunedForHere(),
  cacheFile: async (of) => (await import("../tune/tuning_file.ts")).cacheFile(of),
  measure: async (...given) => await (await import("../tune/measure.ts")).measureHere(...given),
};

/** Runs the command; gives the exit code. */
export async function tuneCommand(
  { flags }: Parsed<TuneFlags>,
  terminal: Terminal,
  parts: TuneParts = PARTS,
): Promise<number> {
  const tunedFor = await parts.here();
  const path = flags.out ?? await parts.cacheFile(tunedFor);
  if (flags.forget) return await forget(path, flags.json, terminal);
  await (await import("../tune/tuning_file.ts")).preparePlace(path);
  const { Bar } = await import("../progress.ts");
  const bar = new Bar(terminal), started = performance.now();
  using interrupt = listenForInterrupt(terminal);
  try {
    const measured = await parts.measure(flags.quick, {
      signal: interrupt.signal,
      report(name, done, of) {
        if (flags.quiet) return;
        if (done === 0) bar.open(of, 0);
        bar.update(done, "-");
        if (!terminal.fancy) terminal.err(`${done + 1}/${of} ${name}`);
      },
    });
    bar.close();
    const { writeTuning } = await import("../tune/tuning_file.ts");
    const { device: _, noVectors: __, ...result } = measured;
    const file = { tunedFor, measured: new Date().toISOString(), quick: flags.quick, ...result };
    await writeTuning(path, file);
    const seconds = Number(((performance.now() - started) / 1000).toFixed(1));
    if (flags.json) terminal.out(jsonLine({ path, seconds, ...file }));
    else {
      const { showTuning } = await import("../tune/show.ts");
      showTuning(measured, { path, named: flags.out, seconds }, terminal);
    }
    return 0;
  } catch (error) {
    bar.close();
    if (!interrupt.signal.aborted || error !== interrupt.signal.reason) throw error;
    terminal.err("stopped, nothing is kept");
    if (flags.json) terminal.out(jsonLine({ error: { code: INTERRUPTED, message: "stopped" } }));
    return INTERRUPTED;
  }
}

async function forget(path: string, json: boolean, terminal: Terminal): Promise<number> {
  const { forgetTuning } = await import("../tune/tuning_file.ts");
  const forgotten = await forgetTuning(path);
  if (json) terminal.out(jsonLine({ path, forgotten }));
  else terminal.out(forgotten ? `forgotten: ${path}` : `nothing to forget: ${path} is not there`);
  return 0;
}

/** `deno task tune` */
export const command: Command = {
  spec: {
    name: "tune",
    doc: "Measure which kernels are fastest on this adapter, for train --tuned",
    positional: [],
    flags: FLAGS,
    example: "deno task tune --quick",
  },
  run: tuneCommand,
};
