/**
 * The command line. Exit codes: 0 ok, 1 failed, 2 wrong usage, 130 interrupted and saved. `exitCode`
 * decides between 1 and 2. With `--json` the last line of standard output is one object, whatever happens:
 * `{ "error": { "code", "message" } }`, with the run's folder where there is one.
 * @module
 */
import { isUsage } from "../base/usage.ts";
import { type Command, factsOf } from "./command.ts";
import { COMMANDS } from "./commands/registry.ts";
import { HELP_WIDTH } from "./help.ts";
import { INTERRUPTED } from "./interrupt.ts";
import { glance, HelpShown, parseArguments } from "./parse.ts";
import { guarded, jsonLine, printable, printableMessage, withNames } from "./printable.ts";
import { consoleLosses, paint, systemTerminal, type Terminal } from "./terminal.ts";
import { orUncaught } from "./uncaught.ts";

/** Runs one command line; gives the exit code. Tests hand in a terminal and commands of their own. */
export async function main(
  args: readonly string[],
  { commands = COMMANDS, terminal: shown = systemTerminal() }: {
    commands?: readonly Command[];
    terminal?: Terminal;
  } = {},
): Promise<number> {
  const terminal = guarded(shown), json = args.includes("--json");
  const fail = (code: number, message: string, facts = {}): number => {
    if (json) terminal.out(jsonLine({ error: { code, message }, ...facts }));
    return code;
  };
  try {
    const code = await orUncaught(() => runCommand(args, commands, terminal));
    if (code === 0 && consoleLosses.out !== undefined) {
      const why = `standard output took no more: ${consoleLosses.out}`;
      terminal.err(`${paint(terminal, "red", "error:")} Cannot print the whole result as ${why}`);
      return 1;
    }
    if (code === 0 || terminal.printed) return code; // what a command prints stands for itself
    return fail(code, code === INTERRUPTED ? "interrupted" : "failed");
  } catch (error) {
    if (error instanceof HelpShown) {
      say(error.message, error.asked ? terminal.out : terminal.err);
      return error.asked ? 0 : fail(2, "no command was given");
    }
    const debug = args.includes("--debug"), code = exitCode(error);
    const message = messageOf(error, args);
    say(`${paint(terminal, "red", "error:")} ${message}`, terminal.err);
    if (debug && error instanceof Error) say(withNames(stacksOf(error), args), terminal.err);
    if (code === 1 && !debug) terminal.err("(--debug shows where)");
    return fail(code, message, factsOf(error));
  }
}

/** Says a text of several lines. */
function say(text: string, line: Terminal["err"]): void {
  for (const one of text.split("\n")) line(one);
}

async function runCommand(
  args: readonly string[],
  commands: readonly Command[],
  terminal: Terminal,
): Promise<number> {
  const columns = Math.min(HELP_WIDTH, terminal.columns);
  const ready = await Promise.all(commands.map((command) => prepared(command, args)));
  const parsed = parseArguments(args, ready.map(({ spec }) => spec), columns);
  return await ready.find(({ spec }) => spec.name === parsed.command)!.run(parsed, terminal);
}

/** The command as the command line needs it, where it is the one that is asked for. */
async function prepared(command: Command, [name, ...args]: readonly string[]): Promise<Command> {
  const asked = name === command.spec.name && command.prepare && glance(args, command.spec);
  return asked ? await command.prepare!(asked) : command;
}

/** The stack of an error, and below it those of what caused it: a user's own code may be the last. */
function stacksOf(error: Error, depth = 0): string {
  const causes = error instanceof AggregateError ? error.errors : [error.cause];
  const below = depth > 8 ? [] : causes.filter((cause) => cause instanceof Error);
  return [error.stack ?? "no stack", ...below.map((cause) => stacksOf(cause, depth + 1))]
    .join("\ncaused by: ");
}

/** 2 where what was asked for cannot be, 1 for every other failure. */
export const exitCode = (error: unknown): 1 | 2 => isUsage(error) ? 2 : 1;

/** What went wrong; of the words that were `typed`, none breaks a line. */
function messageOf(error: unknown, typed: readonly string[]): string {
  if (error instanceof Deno.errors.NotCapable) {
    const [, path] = /^Requires all access to "(.*?)",/.exec(error.message) ?? [];
    if (path !== undefined) {
      return `Cannot open ${
        printable(path)
      } as a folder of devices or of the system may not be read: ` +
        "name another";
    }
    return `${error.message.split(",")[0]}. Start it with "deno task", which grants what it needs`;
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    const [, path = "a file"] = /'([^']*)'$/.exec(error.message) ?? [];
    return printable(
      `Cannot open ${path} as it may not be read by who runs this: change its owner or mode ` +
        "(chmod u+r), or name another",
    );
  }
  const text = error instanceof Error ? error.message : String(error);
  return printableMessage(withNames(text, typed));
}
