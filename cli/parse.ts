/** Reads a command line against the commands' tables, and makes the help from them. @module */
import { Command, CommanderError, Option as Flag } from "npm:commander@15.1.0";
import about from "../deno.json" with { type: "json" };
import { didYouMean, nearest } from "../base/names.ts";
import { type Option, optionFacts, type OptionValue, parseOption } from "../base/options.ts";
import {
  asUsageError,
  type CommandSpec,
  type FlagValues,
  type Glance,
  type Parsed,
  type Settings,
  UsageError,
} from "./command.ts";
import { flagHelp, HELP_WIDTH, inShort, settingsHelp } from "./help.ts";
import { synonymOf } from "./synonyms.ts";
import { NARROW, wrapIndented } from "./wrap.ts";

/** Help is the answer: `message` is the text; `asked` is false where no command was given. */
export class HelpShown extends Error {
  override name = "HelpShown";
  constructor(text: string, readonly asked: boolean) {
    super(text.trimEnd());
  }
}

/**
 * Reads `["train", "colors", "--seed", "2", "clip=0.1"]`. Help takes `columns` columns.
 * @throws {UsageError | HelpShown}
 */
export function parseArguments(
  args: readonly string[],
  specs: readonly CommandSpec[],
  columns: number = HELP_WIDTH,
): Parsed {
  let parsed: Parsed | undefined;
  const program = base(new Command("deno task"))
    .description("PlainRL: reinforcement learning for GPT-2, from the kernels up");
  for (const spec of specs) {
    const act: Act = (words, flags) => parsed = read(spec, words, flags);
    program.addCommand(commandOf(spec, columns, act));
  }
  const texts: string[] = [];
  configure(program, columns, (text) => texts.push(text));
  try {
    program.parse([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) throw new HelpShown(texts.join(""), true);
    if (error.code === "commander.help") throw new HelpShown(program.helpInformation(), false);
    throw new UsageError(explain(error, program, specs.find(({ name }) => args.includes(name))));
  }
  if (!parsed) throw new HelpShown(program.helpInformation(), false);
  return parsed;
}

/** What a command line says to `spec`, at a glance; undefined where it cannot be told. */
export function glance(args: readonly string[], spec: CommandSpec): Glance | undefined {
  let found: Glance | undefined;
  const command = commandOf(spec, HELP_WIDTH, (all, given) => {
    const [options, words] = [true, false].map((is) =>
      all.filter((word) => /^-./.test(word) === is)
    );
    const unknown = options.filter((option) => option !== "--help" && option !== "-h");
    if (unknown.length > 0) return; // the word behind it may be its value
    found = { flags: flagsOf(spec, given), words, help: options.length > 0 };
  });
  command.helpOption(false).allowUnknownOption().allowExcessArguments();
  configure(command, HELP_WIDTH, () => {});
  try {
    command.parse([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError || error instanceof UsageError)) throw error;
  }
  return found; // what is wrong with it is said by `parseArguments`
}

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

const VERSION = `PlainRL ${about.version}, Deno ${Deno.version.deno}`;

function base(command: Command): Command {
  return command.helpOption("-h, --help", "Show this help").showSuggestionAfterError(false)
    .helpCommand(false).version(VERSION, "--version", "Show the versions of PlainRL and Deno");
}

function configure(command: Command, columns: number, write: (text: string) => void): void {
  if (columns < NARROW) command.configureHelp({ formatItem: itemBelow });
  command.exitOverride().configureOutput({
    writeOut: write,
    writeErr: () => {}, // errors are said once, in our own words, by `explain`
    getOutHelpWidth: () => columns,
    getErrHelpWidth: () => columns,
    getOutHasColors: () => false, // and so reads no environment variable
    getErrHasColors: () => false,
  });
  for (const child of command.commands) configure(child, columns, write);
}

/** An entry of help whose words stand below its name: beside it there is no room. */
function itemBelow(
  term: string,
  _width: number,
  words: string,
  { helpWidth = HELP_WIDTH }: { helpWidth?: number },
): string {
  return [`  ${term}`, ...wrapIndented(words, helpWidth, 6)].join("\n");
}

/** What commander found: by flag in camel case, true where a flag stood without a value. */
type Given = Record<string, string | boolean>;

type Act = (words: string[], given: Given) => void;

function commandOf(spec: CommandSpec, columns: number, act: Act): Command {
  const command = base(new Command(spec.name)).description(spec.doc);
  for (const [form, doc] of spec.positional) command.argument(form, doc);
  if (spec.settings) command.argument("[key=value...]", "Settings, listed below");
  for (const [name, option] of Object.entries(spec.flags)) {
    const [open, close] = option.bare ? "[]" : "<>";
    const value = option.kind === "boolean" ? "" : ` ${open}${option.kind}${close}`;
    command.addOption(new Flag(`--${name}${value}`, flagHelp(option)).helpGroup(option.group));
    refuseAgain(command, name);
  }
  command.option("--debug", "Show the stack of an error");
  if (spec.settings) {
    command.addHelpText(
      "after",
      () => `\n${settingsHelp(settingsOf(spec, command.opts(), command.args), columns)}`,
    );
  }
  command.addHelpText("after", `\nExample:\n  ${spec.example}`);
  return command.action((...all: unknown[]) => {
    const words = all.slice(0, -2).flat().filter((word) => word !== undefined) as string[];
    act(words, command.opts());
  });
}

/** commander would take the last of several, and say nothing. @throws {UsageError} from the parser */
function refuseAgain(command: Command, flag: string): void {
  let given = false;
  command.on(`option:${flag}`, (value?: string | null) => {
    if (given) {
      const again = typeof value === "string" ? `it is set again to ${value}` : "it stands again";
      throw new UsageError(`Cannot give --${flag} twice as one value must hold: ${again}`);
    }
    given = true;
  });
}

/** commander hands "save-every" over as saveEvery. */
const camel = (name: string): string =>
  name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

/** The settings that these flags give the command. */
function settingsOf(spec: CommandSpec, given: Given, words: readonly string[] = []): Settings {
  return spec.settings?.(flagsOf(spec, given), words.filter(isName)) ?? { rows: {} };
}

/** What was given for each flag, as texts that nobody has checked, and defaults. */
const flagsOf = (spec: CommandSpec, given: Given): FlagValues =>
  Object.fromEntries(
    Object.entries(spec.flags).map((
      [name, option],
    ) => [name, given[camel(name)] ?? option.default]),
  );

const isName = (word: string): boolean => !/^-|=/.test(word);

function read(spec: CommandSpec, words: readonly string[], given: Given): Parsed {
  const flags: FlagValues = {};
  for (const [name, option] of Object.entries(spec.flags)) {
    const value = given[camel(name)];
    if (value === undefined) flags[name] = option.default;
    else if (option.kind === "boolean") flags[name] = value === true;
    else flags[name] = value === true ? "" : valueOf(`--${name}`, option, String(value));
  }
  if (spec.settings) refuseSpaces(words);
  const isSetting = (word: string) => spec.settings !== undefined && word.includes("=");
  const positional = words.filter((word) => !isSetting(word));
  const settings = readSettings(spec, { positional, words: words.filter(isSetting) }, given);
  const isEndless = spec.positional.at(-1)?.[0].includes("...");
  const room = isEndless ? Infinity : spec.positional.length;
  if (positional.length > room) throw new UsageError(tooMany(spec, positional[room], given));
  const names = Object.keys(spec.flags).filter((name) => camel(name) in given);
  return { command: spec.name, positional, flags, given: names, settings };
}

/** Which word has no place, and where it may be a setting how that is written. */
function tooMany(spec: CommandSpec, word: string, given: Given): string {
  const room = spec.positional.length, { rows } = settingsOf(spec, given);
  const cannot = `Cannot use "${word}" as ${spec.name} takes ${room} name${room === 1 ? "" : "s"}`;
  if (!spec.settings) return cannot;
  const name = nearest(word, Object.keys(rows));
  const form = `${cannot} and settings of the form key=value`;
  return name === undefined ? form : `${form}. Did you mean ${name}=VALUE?`;
}

/** @throws {UsageError} for `key = value`, in any of its forms */
function refuseSpaces(words: readonly string[]): void {
  const at = words.findIndex((word, i) =>
    word.startsWith("=") || (/^[^=]*=$/.test(word) && i + 1 < words.length)
  );
  if (at < 0) return;
  const from = words[at].startsWith("=") ? Math.max(0, at - 1) : at;
  const to = words[at].endsWith("=") ? at + 2 : at + 1;
  const parts = words.slice(from, to);
  throw new UsageError(
    `Cannot read "${parts.join(" ")}" as a setting is one word: write ${parts.join("")}`,
  );
}

/** Reads words of the form key=value. */
function readSettings(
  spec: CommandSpec,
  { positional, words }: Readonly<Record<"positional" | "words", readonly string[]>>,
  given: Given,
): Record<string, OptionValue> {
  const found: Record<string, OptionValue> = {};
  if (words.length === 0) return found;
  const names = positional.filter(isName), settings = settingsOf(spec, given, names);
  for (const word of words) {
    const at = word.indexOf("="), key = word.slice(0, at);
    if (!Object.hasOwn(settings.rows, key)) {
      throw new UsageError(unknown("setting", key, spec, settings));
    }
    if (Object.hasOwn(found, key)) {
      throw new UsageError(
        `Cannot set ${key} twice as one value must hold: it is set again to ${word}`,
      );
    }
    found[key] = valueOf(key, settings.rows[key], word.slice(at + 1));
  }
  return found;
}

/** @throws {UsageError} when `text` is not a value that the row allows */
const valueOf = (name: string, option: Option, text: string): OptionValue =>
  asUsageError(() => parseOption(name, option, text));

/** One sentence that names the nearest flag or setting with its facts. */
function unknown(what: string, word: string, spec: CommandSpec, settings: Settings): string {
  const bare = word.replace(/^-+/, "").replace(/=.*$/, "");
  const isFlag = (name: string) => Object.hasOwn(spec.flags, name);
  const elsewhere = settings.elsewhere?.(bare);
  if (elsewhere !== undefined) return elsewhere;
  const names = [...Object.keys(spec.flags), ...Object.keys(settings.rows)];
  const known = synonymOf(bare);
  const name = known && names.includes(known) ? known : nearest(bare, names);
  const said = `unknown ${what} ${word}.`;
  if (name === undefined) return `${said} See: deno task ${spec.name} --help`;
  const form = isFlag(name) ? `--${name}` : `${name}=VALUE`;
  const option = isFlag(name) ? spec.flags[name] : settings.rows[name];
  return `${said} Did you mean ${form} (${inShort(option)})?`;
}

/** What commander complains about, in one sentence with its cure. */
function explain(
  { code, message }: CommanderError,
  program: Command,
  spec: CommandSpec | undefined,
): string {
  const quoted = /'([^']*)'/.exec(message)?.[1] ?? "";
  if (code === "commander.unknownCommand") {
    const names = program.commands.map((command) => command.name());
    return `no command "${quoted}".${didYouMean(quoted, names)}  Commands: ${names.join(", ")}`;
  }
  if (!spec) return message.replace(/^error: /, "");
  switch (code) {
    case "commander.unknownOption": {
      const command = program.commands.find((one) => one.name() === spec.name);
      return unknown("option", quoted, spec, settingsOf(spec, command?.opts() ?? {}));
    }
    case "commander.missingArgument":
      return `${spec.name} needs <${quoted}>.  Example: ${spec.example}`;
    case "commander.optionMissingArgument": {
      const name = quoted.replace(/^--/, "").split(" ")[0];
      return `--${name} needs a value (${optionFacts(spec.flags[name])})`;
    }
    case "commander.excessArguments":
      return `${spec.name} takes no further words.  Example: ${spec.example}`;
    default:
      return message.replace(/^error: /, "");
  }
}
