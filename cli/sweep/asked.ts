/** Whether a command line of `train` asks for a sweep, and the command that it then is. @module */
import type { Option, OptionRows } from "../../base/options.ts";
import { isSweep, type SweepAxis } from "../../experiment/folder/sweep_file.ts";
import { type Command, type CommandSpec, type Glance, UsageError } from "../command.ts";
import { readyFor } from "../train/ready.ts";
import { settingsFor } from "../train/settings.ts";
import { FLAG_SEPARATORS, separatorOf, valuesOf } from "./grid.ts";

/**
 * The command that runs a sweep, where several values are given or a sweep is resumed; undefined else.
 * @param single the command for one run, which each of its runs is checked by
 * @throws {UsageError} for a list of values that cannot be one, and for a sweep's flags beside one run
 */
export async function sweepFor(glance: Glance, single: Command): Promise<Command | undefined> {
  const { flags, help } = glance;
  if (help) return undefined;
  if (typeof flags.resume === "string" && flags.resume !== "" && await isSweep(flags.resume)) {
    return {
      spec: single.spec,
      run: async (parsed, terminal) =>
        await (await import("./resume.ts")).resumeSweep(parsed, single, terminal),
    };
  }
  const axes = await axesOf(glance);
  if (axes.length > 0) {
    return {
      spec: relaxed(single.spec, glance.words),
      run: async (parsed, terminal) =>
        await (await import("./start.ts")).startSweep(parsed, { axes, single }, terminal),
    };
  }
  const own = (["jobs", "slurm"] as const).find((name) => flags[name]);
  if (own === undefined) return undefined;
  throw new UsageError(
    `Cannot take --${own} as that is of a sweep, and this is one run: give several values, as in ` +
      "--seed 1,2,3, or --resume with a sweep's folder",
  );
}

/** What has several values: flags in the order of the grid, settings as they were given, seeds last. */
export async function axesOf(glance: Glance): Promise<SweepAxis[]> {
  const flags = Object.entries(FLAG_SEPARATORS).flatMap(([name, separator]): SweepAxis[] => {
    const text = glance.flags[name];
    if (typeof text !== "string" || !text.includes(separator)) return [];
    return [{ name, values: valuesOf(`--${name}`, text, separator) }];
  });
  const found = glance.words.filter((word) => /^[^=]+=.*,/.test(word));
  const rows = found.length > 0 ? await rowsOf(glance) : {};
  const settings = found.flatMap((word): SweepAxis[] => {
    const at = word.indexOf("="), name = word.slice(0, at);
    const separator = Object.hasOwn(rows, name) && separatorOf(rows[name]);
    return separator ? [{ name, values: valuesOf(name, word.slice(at + 1), separator) }] : [];
  });
  const seeds = flags.filter(({ name }) => name === "seed");
  return [...flags.filter(({ name }) => name !== "seed"), ...settings, ...seeds];
}

/** The settings that some run of the grid has. */
async function rowsOf({ flags, words }: Glance): Promise<OptionRows> {
  const each = (name: keyof typeof FLAG_SEPARATORS): (string | undefined)[] => {
    const text = flags[name];
    return typeof text === "string" ? text.split(FLAG_SEPARATORS[name]) : [undefined];
  };
  const plain = words.filter((word) => !/^[^=]+=.*,/.test(word)), rows: Record<string, Option> = {};
  for (const reward of each("reward")) {
    const ready = await readyFor({ words: plain, flags: { ...flags, reward }, help: true });
    const task = plain.filter((word) => !word.includes("="));
    for (const algorithm of each("algorithm")) {
      for (const preset of each("preset")) {
        Object.assign(rows, settingsFor({ algorithm, preset }, task, { ready }).rows);
      }
    }
  }
  return rows;
}

/** The command line of a sweep, in which values are texts: each run's are checked on their own. */
function relaxed(spec: CommandSpec, words: readonly string[]): CommandSpec {
  const text = (row: Option): Option => ({ kind: "text", doc: row.doc, group: row.group });
  const names = words.filter((word) => word.includes("="))
    .map((word) => word.slice(0, word.indexOf("=")));
  return {
    ...spec,
    flags: Object.fromEntries(
      Object.entries(spec.flags).map((
        [name, row],
      ) => [name, name in FLAG_SEPARATORS ? text(row) : row]),
    ),
    settings: () => ({
      rows: Object.fromEntries(
        names.map((name) => [name, { kind: "text", doc: "a setting", group: "Settings" }]),
      ),
    }),
  };
}
