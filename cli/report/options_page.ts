/** Writes docs/options.md from the tables of options, and the help that tests compare: `deno task docs`. @module */
import { type Option, optionFacts, type OptionRows } from "../../base/options.ts";
import { DEFAULT_ALGORITHM, listAlgorithms } from "../../rl/algorithms/registry.ts";
import { COMMANDS } from "../commands/registry.ts";
import { settingFacts } from "../help.ts";
import { csvDefinition } from "../../tasks/csv.ts";
import { listTasks } from "../../tasks/registry.ts";
import { helpOf } from "../parse.ts";

/** The page's text. */
export function optionsPage(): string {
  const parts = [
    "# Options",
    "Made from the tables of commands, algorithms and rewards by `deno task docs`; a test compares them. " +
    "Flags are written `--name value`, settings `key=value`. An unknown name or a value out of range " +
    "ends with exit code 2 and the nearest valid name. Settings that cannot hold together are refused " +
    'before a run begins; one that is asked for and changes nothing ("needs" says of what) is a note, ' +
    "and the run goes on.",
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted and saved.",
  ];
  const told: Record<string, Option> = {}; // by the commands before
  for (const { spec: { name, doc, positional, flags, settings, example } } of COMMANDS) {
    const forms = positional.map(([form]) => ` ${form}`).join("");
    parts.push(`## deno task ${name}${forms}`, `${doc}.`, "```\n" + example + "\n```");
    parts.push(
      table("flag", flags, (key, { kind }) => kind === "boolean" ? `--${key}` : `--${key} ${kind}`),
    );
    if (!settings) continue;
    const rows = (algorithm: string) => settings({ algorithm }).rows;
    parts.push(
      ...Object.keys(told).length === 0
        ? settingsParts(rows)
        : laterParts(rows(DEFAULT_ALGORITHM), told),
    );
    Object.assign(told, rows(DEFAULT_ALGORITHM));
  }
  return parts.join("\n\n") + "\n";
}

/** The settings of the default algorithm, and what others have beside or in place of them. */
function settingsParts(settings: (algorithm: string) => OptionRows): string[] {
  const parts: string[] = [], usual = settings(DEFAULT_ALGORITHM);
  const add = (title: string, rows: OptionRows) => {
    for (const [group, members] of Map.groupBy(Object.entries(rows), ([, { group }]) => group)) {
      parts.push(`### ${title}: ${group}`);
      parts.push(table("setting", Object.fromEntries(members), (key) => key));
    }
  };
  add("Settings", usual);
  const others = othersTable(settings, usual);
  if (others) parts.push("### Settings of other algorithms", others);
  return [...parts, "### Settings of tasks", tasksTable()];
}

/** Settings that no command before has alike, and in a sentence the others. */
function laterParts(rows: OptionRows, told: OptionRows): string[] {
  const isTold = ([key, row]: [string, Option]) =>
    told[key] !== undefined && settingFacts(told[key]) === settingFacts(row);
  const own = Object.entries(rows).filter((one) => !isTold(one));
  return [
    "### Its settings",
    ...(own.length > 0 ? [table("setting", Object.fromEntries(own), (key) => key)] : []),
    "Beside these, every setting of rewards, parent, servers and the task that `train` has, above.",
  ];
}

/** The settings of tasks that have some, a table of prompts among them. */
function tasksTable(): string {
  const all = [...listTasks(), { ...csvDefinition("prompts.csv"), name: "a file (.csv)" }];
  return [
    "| setting | meaning | unit, default, range | task |",
    "| --- | --- | --- | --- |",
    ...all.flatMap(({ name, options: { rows } }) =>
      Object.entries(rows as OptionRows).map(([key, row]) =>
        `| \`${key}\` | ${cell(row.doc)} | ${cell(settingFacts(row))} | ${name} |`
      )
    ),
  ].join("\n");
}

/** Settings that the default algorithm has not, or has with another default, and whose they are. */
function othersTable(
  settings: (algorithm: string) => OptionRows,
  usual: OptionRows,
): string | undefined {
  const facts = (row: Option) => `${cell(row.doc)} | ${cell(settingFacts(row))}`;
  const owners = new Map<string, string[]>();
  for (const { name } of listAlgorithms()) {
    for (const [key, row] of Object.entries(settings(name))) {
      if (usual[key] && settingFacts(usual[key]) === settingFacts(row)) continue;
      const line = `| \`${key}\` | ${facts(row)} |`;
      owners.set(line, [...owners.get(line) ?? [], name]);
    }
  }
  if (owners.size === 0) return undefined;
  const others = listAlgorithms().length - 1;
  const whose = (names: string[]) =>
    names.length === others ? `all but ${DEFAULT_ALGORITHM}` : names.join(", ");
  const key = (line: string) => line.split(" | ", 1)[0]; // one setting's defaults stand together
  const lines = [...Map.groupBy(owners, ([line]) => key(line)).values()].flat();
  return [
    "| setting | meaning | unit, default, range | algorithms |",
    "| --- | --- | --- | --- |",
    ...lines.map(([line, names]) => `${line} ${whose(names)} |`),
  ].join("\n");
}

const cell = (text: string): string => text.replaceAll("|", "\\|");

function table(
  head: string,
  rows: OptionRows,
  form: (key: string, option: Option) => string,
): string {
  const known = head === "setting" ? settingFacts : optionFacts;
  return [
    `| ${head} | meaning | unit, default, range |`,
    "| --- | --- | --- |",
    ...Object.entries(rows).map(([key, option]) =>
      `| \`${form(key, option)}\` | ${cell(option.doc)} | ${cell(known(option))} |`
    ),
  ].join("\n");
}

/** The help of every command, one after the other. */
export const allHelp = (): string => COMMANDS.map(({ spec }) => helpOf(spec)).join("\n\n\n") + "\n";

if (import.meta.main) {
  await Deno.writeTextFile("docs/options.md", optionsPage());
  await Deno.writeTextFile("tests/cli/help.txt", allHelp());
}
