/** What `train --resume` may change of a run, and what a change means. @module */
import { type Changes, changesOf } from "../../experiment/folder/history.ts";
import type { RunData } from "../../experiment/folder/run_data.ts";
import { type Parsed, UsageError } from "../command.ts";
import type { TrainFlags } from "../commands/train.ts";
import { quoted } from "../terminal.ts";
import type { RunRequest } from "./request.ts";

/** Flags that say how to run it, and change nothing of the run. */
const FREE = ["resume", "memory", "device", "json", "quiet", "accept-changed-files"];
/** Flags that change its course from here on, with the names of what they change. */
const FLAGS = {
  steps: "steps",
  "save-every": "saveEvery",
  "evaluate-every": "evaluateEvery",
  patience: "patience",
  log: "log",
} as const;
const FLAG_NAMES = Object.keys(FLAGS) as (keyof typeof FLAGS)[];
/**
 * Settings of how an update is taken. They are read anew in every step, and nothing that is saved depends
 * on them. What is learned, from which prompts in which order, drawn how and compared with what stays.
 */
const SETTINGS = [
  "learningRate",
  "learningRateSchedule",
  "learningRateFinal",
  "warmupSteps",
  "scheduleUnit",
  "maxGradNorm",
  "adamBeta1",
  "adamBeta2",
  "adamEps",
  "weightDecay",
  "epochs",
  "minibatches",
  "microbatchRows",
  "targetKl",
  "recompute",
  "sharePrefixes",
  // How servers are asked, not which or for what.
  "serverRequests",
  "serverPerMinute",
  "serverTimeout",
  "serverRetries",
  "serverPause",
  "serverOutage",
  "serverCache",
];

/** The changes that a command line asks for. @throws {UsageError} for what must stay */
export function changesAsked(
  { given, flags, settings }: Pick<Parsed<TrainFlags>, "given" | "flags" | "settings">,
): Changes {
  const refused = [
    ...given.filter((name) => ![...FREE, ...FLAG_NAMES].includes(name)).map((name) => `--${name}`),
    ...Object.keys(settings).filter((name) => !SETTINGS.includes(name)),
  ];
  if (refused.length > 0) {
    throw new UsageError(
      `Cannot change ${
        refused.join(", ")
      } on --resume as a run keeps what it learns and from what: ` +
        `only ${FLAG_NAMES.map((name) => `--${name}`).join(", ")}, --memory, --device, ${
          SETTINGS.join(", ")
        } may change; ` +
        "start a new run for the rest",
    );
  }
  return {
    ...Object.fromEntries(
      FLAG_NAMES.filter((name) => given.includes(name)).map((name) => [FLAGS[name], flags[name]]),
    ),
    settings,
  };
}

/**
 * All that differs from the first request of the run in `folder`: what was changed before, and now.
 * @throws {UsageError} where its history changes what must stay
 */
export function allChanges(
  { folder, history = [] }: Pick<RunData, "folder" | "history">,
  now: Changes,
): Changes {
  const before = changesOf(history);
  const foreign = Object.keys(before.settings).filter((name) => !SETTINGS.includes(name));
  if (foreign.length > 0) {
    throw new UsageError(
      `Cannot resume ${folder} as its history.json must be as the run wrote it: it changes ` +
        `${foreign.join(", ")}, which no resume may. Put it back`,
    );
  }
  return { ...before, ...now, settings: { ...before.settings, ...now.settings } };
}

/** The request with the changes in it. */
export function changed(request: RunRequest, { settings, ...rest }: Changes): RunRequest {
  return { ...request, ...rest, settings: { ...request.settings, ...settings } };
}

/** Changes in the words of the command line, each with a space before it. */
export const changeWords = (changes: Changes): string =>
  [
    ...FLAG_NAMES.flatMap((flag) => {
      const value = changes[FLAGS[flag]];
      return value === undefined ? [] : [` --${flag} ${value}`];
    }),
    ...Object.entries(changes.settings).map(([key, value]) => ` ${key}=${quoted(String(value))}`),
  ].join("");

/** For people: what schedules make of another number of steps. `config` holds the resolved settings. */
export function scheduleNotice(
  config: Readonly<Record<string, unknown>>,
  { from, to, step }: { from: number; to: number; step: number },
): string | undefined {
  const follows = Object.entries(config).filter(([key, value]) =>
    (key.endsWith("Schedule") && value !== "constant") ||
    (key === "klControl" && value === "linear")
  );
  if (from === to || follows.length === 0) return undefined;
  const names = follows.map(([key, value]) => `${key}=${value}`).join(" and ");
  return `${names} now spans ${to} steps, not ${from}: from step ${
    step + 1
  } on, values are those of ` +
    `a run of ${to} steps`;
}
