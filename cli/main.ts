/**
 * The command line. Exit codes: 0 ok, 1 failed, 2 wrong usage, 130 interrupted and saved.
 * @module
 */
import { HelpShown, parseArguments } from "./parse.ts";
import type { Programs } from "./programs.ts";
import { paint, printableLines, systemTerminal, type Terminal } from "./terminal.ts";
import { UsageError } from "./values.ts";

/** Runs one command line; gives the exit code. A command is loaded only when it is asked for. */
export async function main(
  args: readonly string[],
  programs: Programs,
  terminal: Terminal = systemTerminal(),
): Promise<number> {
  try {
    const parsed = parseArguments(args);
    switch (parsed.command) {
      case "train":
        return await (await import("./commands/train.ts")).train(parsed, programs, terminal);
      case "generate":
        return await (await import("./commands/generate.ts")).generate(
          parsed,
          programs,
          terminal,
        );
      case "pretrain":
        return await (await import("./commands/pretrain.ts")).pretrain(
          parsed,
          programs,
          terminal,
        );
      case "export":
        return await (await import("./commands/export.ts")).exportCommand(
          parsed,
          programs,
          terminal,
        );
      case "fetch":
        return await (await import("./commands/fetch.ts")).fetchCommand(parsed, programs, terminal);
      case "doctor":
        return await (await import("./commands/doctor.ts")).doctor(
          parsed.flags.json === true,
          terminal,
        );
    }
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
