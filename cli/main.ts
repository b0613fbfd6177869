/**
 * The command line. Exit codes: 0 ok, 1 failed, 2 wrong usage, 130 interrupted and saved.
 * @module
 */
import { type Command, UsageError } from "./command.ts";
import { COMMANDS } from "./commands/registry.ts";
import { HelpShown, parseArguments } from "./parse.ts";
import { consoleLosses, paint, printableLines, systemTerminal, type Terminal } from "./terminal.ts";

/** Runs one command line; gives the exit code. Tests hand in a terminal and commands of their own. */
export async function main(
  args: readonly string[],
  { commands = COMMANDS, terminal = systemTerminal() }: {
    commands?: readonly Command[];
    terminal?: Terminal;
  } = {},
): Promise<number> {
  try {
    const parsed = parseArguments(args, commands.map(({ spec }) => spec));
    const command = commands.find(({ spec }) => spec.name === parsed.command)!;
    const code = await command.run(parsed, terminal);
    if (code !== 0 || consoleLosses.out === undefined) return code;
    const why = `standard output took no more: ${consoleLosses.out}`;
    terminal.err(`${paint(terminal, "red", "error:")} Cannot print the whole result as ${why}`);
    return 1;
  } catch (error) {
    if (error instanceof HelpShown) {
      (error.asked ? terminal.out : terminal.err)(error.message);
      return error.asked ? 0 : 2;
    }
    const debug = args.includes("--debug");
    terminal.err(`${paint(terminal, "red", "error:")} ${messageOf(error)}`);
    if (debug && error instanceof Error) terminal.err(error.stack ?? "no stack");
    if (error instanceof UsageError) return 2;
    if (!debug) terminal.err("(--debug shows where)");
    return 1;
  }
}

function messageOf(error: unknown): string {
  if (error instanceof Deno.errors.NotCapable) {
    return `${error.message.split(",")[0]}. Start it with "deno task", which grants what it needs`;
  }
  const text = error instanceof Error ? error.message : String(error);
  return printableLines(text);
}
