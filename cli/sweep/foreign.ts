/** Whether a run that lies where one of a sweep belongs is that one: all that it was asked for is compared. @module */
import { basename, dirname, join } from "node:path";
import { isPath, isTableFile } from "../../base/own_file.ts";
import { findPreset } from "../../experiment/presets/registry.ts";
import type { RunConfig } from "../../experiment/folder/run_data.ts";
import type { SweepCell } from "../../experiment/folder/sweep_file.ts";
import { rewardParts } from "../../rewards/parse.ts";
import { DEFAULT_ALGORITHM } from "../../rl/algorithms/registry.ts";
import { openTaskNow } from "../../tasks/open.ts";
import { DEFAULT_MODEL } from "../../tasks/task.ts";
import type { Glance } from "../command.ts";
import { singleRun } from "../commands/train.ts";
import { glance } from "../parse.ts";
import { settingsIn } from "./grid.ts";

/** The request of a run as its config.json keeps it: nobody has checked it. */
type Kept = Readonly<Record<string, unknown>>;

/** A part of a request. */
interface Part {
  name: string;
  /** What the cell asks for; undefined where that is not known without opening its task. */
  asked: (glance: Glance) => string | undefined;
  /** What the run was asked for, in the same words; what earlier versions did not have is the usual. */
  kept: (request: Kept) => string;
  same?: (asked: string, kept: string) => boolean;
}

const NONE = "not given";
const text = (value: unknown): string => value === undefined ? NONE : String(value);

/** A flag whose value the request has under `key`; what is not kept was the usual. */
const flag = (name: string, key = name): Part => ({
  name,
  asked: ({ flags }) => text(flags[name]),
  kept: (request) => text(request[key] ?? singleRun().spec.flags[name].default),
});

const samePath = (asked: string, kept: string): boolean => join(asked, ".") === join(kept, ".");

const PARTS: readonly Part[] = [
  {
    name: "task",
    asked: ({ words }) => words.find((word) => !word.includes("=")),
    kept: ({ task }) => text(task),
    same: samePath,
  },
  {
    name: "algorithm",
    asked: ({ flags, words }) => {
      const { algorithm, preset } = flags as Record<string, string | undefined>;
      return algorithm ?? (preset === undefined ? defaultOf(words, "algorithm") : ofPreset(preset));
    },
    kept: ({ algorithm }) => text(algorithm),
  },
  {
    name: "reward",
    asked: ({ flags }) => rewardText(flags.reward),
    kept: ({ rewards }) => rewardText(termsText(rewards)),
  },
  {
    name: "model",
    asked: ({ flags, words }) => flags.model as string | undefined ?? defaultOf(words, "model"),
    kept: ({ model }) => text(model),
    same: sameModel,
  },
  ...["preset", "steps", "seed", "device", "memory"].map((name) => flag(name)),
  ...[flag("save-every", "saveEvery"), flag("evaluate-every", "evaluateEvery")],
  ...["patience", "log"].map((name) => flag(name)),
  {
    name: "skip-players",
    asked: ({ flags }) => text(flags["skip-players"]),
    kept: ({ players }) => text(players === false),
  },
  {
    name: "tuned",
    asked: ({ flags }) => flags.tuned === undefined ? NONE : "given",
    kept: ({ tuning }) => tuning === undefined ? NONE : "given",
  },
];

/**
 * What of the run is otherwise than the cell asks, such as `seed 2 in place of 1`; undefined where nothing is.
 * What a resume changed since, such as more steps, is in the run's history and none of this.
 */
export function foreignIn(
  { words }: Pick<SweepCell, "words">,
  { request }: Pick<RunConfig, "request">,
): string | undefined {
  const seen = glance(words, singleRun().spec), differs: string[] = [];
  if (seen === undefined) return undefined; // no command line: it is said where it is run
  const { settings = {} } = request as { settings?: Kept };
  const compare = (name: string, asked: string, kept: string, isSame = sameValue) => {
    if (!isSame(asked, kept)) differs.push(`${name} ${kept} in place of ${asked}`);
  };
  for (const { name, asked, kept, same } of PARTS) {
    const has = kept(request), wanted = asked(seen);
    if (wanted === undefined || (has === NONE && seen.flags[name] === undefined)) continue;
    compare(name, wanted, has, same);
  }
  const given = settingsIn(words);
  for (const [name, asked] of given) compare(name, asked, text(settings[name]));
  for (const [name, kept] of Object.entries(settings)) {
    if (!given.has(name)) differs.push(`${name} ${kept} in place of the usual`);
  }
  return differs.length === 0 ? undefined : differs.join(", ");
}

/** The same text, or the same number: `1e-4` is 0.0001. */
const sameValue = (asked: string, kept: string): boolean =>
  asked === kept || (asked.trim() !== "" && Number(asked) === Number(kept));

/** A run stands for its last checkpoint when a run begins with it, `RUN@best` for its best. */
function sameModel(asked: string, kept: string): boolean {
  if (samePath(asked, kept)) return true;
  return /^step-\d+$/.test(basename(kept)) &&
    samePath(dirname(kept), join(asked.replace(/@best$/, ""), "checkpoints"));
}

/** Rewards with their weights, one of 1 left out. */
const rewardText = (given: unknown): string =>
  typeof given !== "string" ? NONE : rewardParts(given)
    .map(([name, digits]) => Number(digits) === 1 ? name : `${name}:${Number(digits)}`).join();

/** What a request keeps of `--reward`. */
const termsText = (kept: unknown): string | undefined =>
  Array.isArray(kept) ? kept.map((term) => `${term?.name}:${term?.weight}`).join() : undefined;

function ofPreset(name: string): string | undefined {
  try {
    return findPreset(name).algorithm;
  } catch {
    return undefined; // there is none of this name, which is said where it is run
  }
}

type Defaults = Record<"algorithm" | "model", string>;
const known = new Map<string, Defaults | undefined>();

/** What a run of the task has where nothing is named; undefined for a task that must be read for it. */
function defaultOf(words: readonly string[], what: keyof Defaults): string | undefined {
  const task = words.find((word) => !word.includes("="));
  if (task === undefined || isPath(task) && !isTableFile(task)) return undefined;
  if (!known.has(task)) known.set(task, defaultsOf(task));
  return known.get(task)?.[what];
}

function defaultsOf(name: string): Defaults | undefined {
  if (isTableFile(name)) return { algorithm: DEFAULT_ALGORITHM, model: DEFAULT_MODEL };
  try {
    const { algorithm = DEFAULT_ALGORITHM, model = DEFAULT_MODEL } = openTaskNow(name).task;
    return { algorithm, model };
  } catch {
    return undefined;
  }
}
