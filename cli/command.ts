/** What a command is: what help shows of it, and what it does. A command's file exports one. @module */
import type { Option, OptionRows, OptionValue } from "../base/options.ts";
import type { Terminal } from "./terminal.ts";

/** One command, as help and docs show it. */
export interface CommandSpec {
  /** `deno task NAME`: lower-case, no spaces. */
  readonly name: string;
  readonly doc: string;
  /** Positional arguments as help shows them, with one line each. */
  readonly positional: readonly (readonly [form: string, doc: string])[];
  /** Given as --name. */
  readonly flags: OptionRows;
  /** Given as key=value; they may depend on the other words, such as the algorithm. Default: none. */
  settings?(args: readonly string[]): OptionRows;
  readonly example: string;
}

/** A command line that passed every check. */
export interface Parsed {
  command: string;
  /** What stood where the command takes free text: the task, the prompt. */
  positional: string[];
  /** Every flag, with its default where it was not given. */
  flags: Record<string, OptionValue | undefined>;
  /** Names of the flags that were given. */
  given: string[];
  /** Settings that were given; the others keep the task's value. */
  settings: Record<string, OptionValue>;
}

/** A command. `run` gives the exit code: 0 ok, 1 failed, 2 wrong usage, 130 interrupted and saved. */
export interface Command {
  readonly spec: CommandSpec;
  run(parsed: Parsed, terminal: Terminal): Promise<number>;
}

/** Rows by flag, as `satisfies` wants them. */
export type Flags = Readonly<Record<string, Option>>;
