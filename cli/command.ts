/** What a command is: what help shows of it, and what it does. A command's file exports one. @module */
import type { OptionRows, OptionValue } from "../base/options.ts";
import { asUsage } from "../base/usage.ts";
import type { Terminal } from "./terminal.ts";

/** One command, as help and docs show it. */
export interface CommandSpec {
  /** `deno task NAME`: lower-case, no spaces. */
  readonly name: string;
  readonly doc: string;
  /** Positional arguments as help shows them, with one line each; of a last one in "..." there may be any number. */
  readonly positional: readonly (readonly [form: string, doc: string])[];
  /** Given as --name. */
  readonly flags: OptionRows;
  /**
   * Given as key=value. They may depend on flags, such as the algorithm's, and on the words beside them,
   * such as the task: `flags` has what was given, as texts that nobody has checked, and defaults.
   * Default: none.
   */
  settings?(flags: Readonly<FlagValues>, words?: readonly string[]): Settings;
  readonly example: string;
}

/** What may be given as key=value. */
export interface Settings {
  readonly rows: OptionRows;
  /** A sentence that help adds below them. */
  readonly note?: string;
  /** Why a name that is not among them is none, where other flags would give it: a sentence with the cure. */
  readonly elsewhere?: (name: string) => string | undefined;
}

/** Values by flag; undefined where there is neither a value nor a default. */
export type FlagValues = Record<string, OptionValue | undefined>;

/** A command line that passed every check; `F` is `OptionValues` of the command's flags. */
export interface Parsed<F = FlagValues> {
  command: string;
  /** What stood where the command takes free text: the task, the prompt. */
  positional: string[];
  /** Every flag, with its default where it was not given; "" for a bare one without its value. */
  flags: F;
  /** Names of the flags that were given. */
  given: string[];
  /** Settings that were given; the others keep the task's value. */
  settings: Record<string, OptionValue>;
}

/** A command line at a glance, before anything of it is checked. */
export interface Glance {
  /** Texts by flag, with defaults; true where a flag stood without a value. */
  flags: Readonly<FlagValues>;
  /** Every word that is no flag, settings among them. */
  words: readonly string[];
  /** Whether help is asked for. */
  help: boolean;
}

/** A command. `run` gives the exit code: 0 ok, 1 failed, 2 wrong usage, 130 interrupted and saved. */
export interface Command {
  readonly spec: CommandSpec;
  run(parsed: Parsed, terminal: Terminal): Promise<number>;
  /**
   * The command as a command line needs it, where its settings depend on what must be read first, such as a
   * task in a file. Default: as it is.
   */
  prepare?(glance: Glance): Promise<Command>;
}

/** Wrong usage: `main` prints the message and exits with 2. */
export class UsageError extends Error {
  override name = "UsageError";
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    asUsage(this);
  }
}

/** What `body` gives, which looks at a command line: what it throws is wrong usage. @throws {UsageError} */
export function asUsageError<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

const facts = new WeakMap<Error, Readonly<Record<string, unknown>>>();

/** Adds what `--json` says beside an error: the run's folder and what is saved of it. */
export function withFacts<E>(error: E, more: Readonly<Record<string, unknown>>): E {
  if (error instanceof Error) facts.set(error, { ...facts.get(error), ...more });
  return error;
}

/** What `withFacts` added. */
export const factsOf = (error: unknown): Readonly<Record<string, unknown>> =>
  (error instanceof Error && facts.get(error)) || {};
