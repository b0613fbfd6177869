/** Reads a command line against the table of options, and makes the help from it. @module */
import { Command, CommanderError, Option as Flag } from "commander";
import { type Option, optionFacts, type OptionRows, type OptionValue } from "../base/options.ts";
import type { CommandSpec, Parsed } from "./command.ts";
import { coerce, didYouMean, nearest, settingFacts, UsageError } from "./values.ts";

/** Help is the answer: `message` is the text; `asked` is false where no command was given. */
export class HelpShown extends Error {
  override name = "HelpShown";
  constructor(text: string, readonly asked: boolean) {
    super(text.trimEnd());
  }
}

/** Reads `["train", "colors", "--seed", "2", "clip=0.1"]`. @throws {UsageError | HelpShown} */
export function parseArguments(args: readonly string[], specs: readonly CommandSpec[]): Parsed {
  let parsed: Parsed | undefined;
  const program = base(new Command("deno task"))
    .description("PlainRL: reinforcement learning for GPT-2, from the kernels up");
  for (const { settings, ...spec } of specs) {
    const known = { ...spec, settings: settings?.(args) ?? {} };
    program.addCommand(commandOf(known, (words, flags) => parsed = read(known, words, flags)));
  }
  const texts: string[] = [];
  configure(program, (text) => texts.push(text));
  try {
    program.parse([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) throw new HelpShown(texts.join(""), true);
    if (error.code === "commander.help") throw new HelpShown(program.helpInformation(), false);
    throw new UsageError(explain(error, args, specs));
  }
  if (!parsed) throw new HelpShown(program.helpInformation(), false);
  return parsed;
}

/** A command's spec, with the settings that the words give it. */
type Known = Omit<CommandSpec, "settings"> & { readonly settings: OptionRows };

/** The help text of one command, as `--help` prints it beside `words`. */
export function helpOf(spec: CommandSpec, words: readonly string[] = []): string {
  try {
    parseArguments([spec.name, ...words, "--help"], [spec]);
  } catch (error) {
    if (error instanceof HelpShown) return error.message;
    throw error;
  }
  throw new Error(`no help for ${spec.name}`);
}

function base(command: Command): Command {
  return command.helpOption("-h, --help", "Show this help").showSuggestionAfterError(false)
    .helpCommand(false);
}

function configure(command: Command, write: (text: string) => void): void {
  command.exitOverride().configureOutput({
    writeOut: write,
    writeErr: () => {}, // errors are said once, in our own words, by `explain`
    getOutHelpWidth: () => 100,
    getErrHelpWidth: () => 100,
    getOutHasColors: () => false, // and so reads no environment variable
    getErrHasColors: () => false,
  });
  for (const child of command.commands) configure(child, write);
}

function commandOf(
  spec: Known,
  act: (words: string[], flags: Record<string, string | boolean>) => void,
): Command {
  const command = base(new Command(spec.name)).description(spec.doc);
  for (const [form, doc] of spec.positional) command.argument(form, doc);
  const settings = Object.entries(spec.settings);
  if (settings.length > 0) command.argument("[key=value...]", "Settings, listed below");
  for (const [name, option] of Object.entries(spec.flags)) {
    const value = option.kind === "boolean"
      ? ""
      : option.bare
      ? ` [${option.kind}]`
      : ` <${option.kind}>`;
    command.addOption(new Flag(`--${name}${value}`, describe(option)).helpGroup(option.group));
  }
  command.option("--debug", "Show the stack of an error");
  if (settings.length > 0) command.addHelpText("after", `\n${settingsHelp(spec.settings)}`);
  command.addHelpText("after", `\nExample:\n  ${spec.example}`);
  return command.action((...all: unknown[]) => {
    const words = all.slice(0, -2).flat().filter((word) => word !== undefined) as string[];
    act(words, command.opts());
  });
}

const describe = (option: Option): string => {
  const known = optionFacts(option);
  return known ? `${option.doc} (${known})` : option.doc;
};

function settingsHelp(settings: OptionRows): string {
  const rows = Object.entries(settings);
  const width = Math.max(...rows.map(([key]) => key.length));
  const groups = Map.groupBy(rows, ([, option]) => option.group);
  return [...groups].map(([group, members]) =>
    [
      `Settings, ${group}:`,
      ...members.map(([key, option]) =>
        `  ${key.padEnd(width)}  ${option.doc}\n  ${" ".repeat(width)}  (${settingFacts(option)})`
      ),
    ].join("\n")
  ).join("\n\n");
}

/** commander hands "save-every" over as saveEvery. */
const camel = (name: string): string =>
  name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

function read(
  spec: Known,
  words: string[],
  given: Record<string, string | boolean>,
): Parsed {
  const flags: Record<string, OptionValue | undefined> = {};
  for (const [name, option] of Object.entries(spec.flags)) {
    const value = given[camel(name)];
    if (value === undefined) flags[name] = option.default;
    else flags[name] = typeof value === "boolean" ? value : coerce(`--${name}`, option, value);
  }
  const settings: Record<string, OptionValue> = {};
  const positional: string[] = [];
  const hasSettings = Object.keys(spec.settings).length > 0;
  for (const word of words) {
    const at = hasSettings ? word.indexOf("=") : -1;
    if (at < 0) {
      positional.push(word);
      continue;
    }
    const key = word.slice(0, at);
    const option = Object.hasOwn(spec.settings, key) ? spec.settings[key] : undefined;
    if (!option) throw new UsageError(unknown("setting", key, spec));
    if (Object.hasOwn(settings, key)) {
      throw new UsageError(
        `Cannot set ${key} twice as one value must hold: it is set again to ${word}`,
      );
    }
    settings[key] = coerce(key, option, word.slice(at + 1));
  }
  if (positional.length > spec.positional.length) {
    const extra = positional[spec.positional.length];
    throw new UsageError(
      `Cannot use "${extra}" as ${spec.name} takes ${spec.positional.length} name${
        spec.positional.length === 1 ? "" : "s"
      }${hasSettings ? " and settings of the form key=value" : ""}`,
    );
  }
  const names = Object.keys(spec.flags).filter((name) => camel(name) in given);
  return { command: spec.name, positional, flags, given: names, settings };
}

/** One sentence that names the nearest flag or setting with its facts. */
function unknown(what: string, word: string, spec: Known): string {
  const bare = word.replace(/^-+/, "").replace(/=.*$/, "");
  const names = [...Object.keys(spec.flags), ...Object.keys(spec.settings)];
  const name = nearest(bare, names);
  const said = `unknown ${what} ${word}.`;
  if (name === undefined) {
    return `${said} See: deno task ${spec.name} --help`;
  }
  const option = spec.flags[name] ?? spec.settings[name];
  const form = name in spec.flags ? `--${name}` : `${name}=VALUE`;
  return `${said} Did you mean ${form} (${describeShort(option)})?`;
}

const describeShort = (option: Option): string =>
  [option.doc.split(/[;,:]/)[0], optionFacts(option)].filter((part) => part !== "").join(", ");

function explain(
  error: CommanderError,
  args: readonly string[],
  specs: readonly CommandSpec[],
): string {
  const quoted = /'([^']*)'/.exec(error.message)?.[1] ?? "";
  const spec = specs.find(({ name }) => args.includes(name));
  switch (error.code) {
    case "commander.unknownOption":
      return spec
        ? unknown("option", quoted, { ...spec, settings: spec.settings?.(args) ?? {} })
        : `unknown option ${quoted}`;
    case "commander.unknownCommand": {
      const names = specs.map(({ name }) => name);
      return `no command "${quoted}".${didYouMean(quoted, names)}  Commands: ${names.join(", ")}`;
    }
    case "commander.missingArgument":
      return `${spec?.name} needs <${quoted}>.  Example: ${spec?.example}`;
    case "commander.optionMissingArgument": {
      const name = quoted.replace(/^--/, "").split(" ")[0];
      const option = spec?.flags[name];
      return `--${name} needs a value${option ? ` (${optionFacts(option)})` : ""}`;
    }
    case "commander.excessArguments":
      return `${spec?.name} takes no further words.  Example: ${spec?.example}`;
    default:
      return error.message.replace(/^error: /, "");
  }
}
