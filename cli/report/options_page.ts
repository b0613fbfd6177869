/** Writes docs/options.md from the table of options: `deno task docs`. @module */
import { COMMANDS, type Option } from "../options.ts";
import { helpOf } from "../parse.ts";
import { facts, settingFacts } from "../values.ts";

/** The page's text. */
export function optionsPage(): string {
  const parts = [
    "# Options",
    "Made from the table in `cli/options.ts` by `deno task docs`; a test compares the two. " +
    "Flags are written `--name value`, settings `key=value`. An unknown name or a value out of range " +
    "ends with exit code 2 and the nearest valid name.",
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted and saved.",
  ];
  for (const { name, doc, positional, flags, settings, example } of COMMANDS) {
    const forms = positional.map(([form]) => ` ${form}`).join("");
    parts.push(`## deno task ${name}${forms}`, `${doc}.`, "```\n" + example + "\n```");
    parts.push(
      table("flag", flags, (key, { kind }) => kind === "boolean" ? `--${key}` : `--${key} ${kind}`),
    );
    for (const [group, members] of Map.groupBy(Object.entries(settings), ([, o]) => o.group)) {
      parts.push(`### Settings: ${group}`);
      parts.push(table("setting", Object.fromEntries(members), (key) => key));
    }
  }
  return parts.join("\n\n") + "\n";
}

function table(
  head: string,
  rows: Readonly<Record<string, Option>>,
  form: (key: string, option: Option) => string,
): string {
  const known = head === "setting" ? settingFacts : facts;
  const cell = (text: string) => text.replaceAll("|", "\\|");
  return [
    `| ${head} | meaning | unit, default, range |`,
    "| --- | --- | --- |",
    ...Object.entries(rows).map(([key, option]) =>
      `| \`${form(key, option)}\` | ${cell(option.doc)} | ${cell(known(option))} |`
    ),
  ].join("\n");
}

/** The help of every command, one after the other. */
export const allHelp = (): string => COMMANDS.map(({ name }) => helpOf(name)).join("\n\n\n") + "\n";

if (import.meta.main) {
  await Deno.writeTextFile("docs/options.md", optionsPage());
  await Deno.writeTextFile("tests/cli/help.txt", allHelp());
}
