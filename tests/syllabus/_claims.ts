/**
 * What the pages of docs/reading say of their experiments. `deno task test:syllabus` runs them, each
 * training experiment with three seeds; in the suite a claim is checked for what takes no time: its page
 * shows what is run, and every command on it is one.
 * @module
 */
import assert from "node:assert/strict";
import { COMMANDS } from "../../cli/commands/registry.ts";
import type { TrainFlags } from "../../cli/commands/train.ts";
import type { Parsed } from "../../cli/command.ts";
import { parseArguments } from "../../cli/parse.ts";
import { requestOf } from "../../cli/train/request.ts";
import type {
  CompletionRow,
  RunObserver,
  SplitResult,
  Summary,
} from "../../experiment/observer.ts";
import { resolveRequest, type TrainRequest } from "../../experiment/request.ts";
import { type TrainOptions, trainTask } from "../../experiment/train.ts";
import { listRewards } from "../../rewards/registry.ts";
import { listPresets } from "../../experiment/presets/registry.ts";
import { listAlgorithms } from "../../rl/algorithms/registry.ts";
import { listTasks } from "../../tasks/registry.ts";
import { examplesOf, run } from "../_examples.ts";

/** Whether claims are run, and not only looked at. */
const IN_FULL = Deno.env.get("PLAINRL_SYLLABUS") === "1";
/** Seeds of a training experiment. */
export const SEEDS: readonly number[] = [1, 2, 3];

/** What one run came to. */
export interface Outcome {
  seed: number;
  /** Greedy answers to all prompts, before and after training. */
  train: Record<"before" | "after", SplitResult>;
  heldout: Record<"before" | "after", SplitResult>;
  /** Metrics of each step. */
  rows: Record<string, number>[];
  /** Everything that was drawn or answered. */
  completions: CompletionRow[];
}

/** Trains without a folder: nothing is written. */
async function outcomeOf(request: TrainRequest, options?: TrainOptions): Promise<Outcome> {
  const rows: Outcome["rows"] = [], completions: CompletionRow[] = [];
  let summary: Summary | undefined;
  const observer: RunObserver = {
    start() {},
    step(report) {
      rows.push({ step: report.step, ...report.metrics });
      completions.push(...report.completions);
    },
    evaluation: (_, answers) => void completions.push(...answers),
    checkpoint: async () => {},
    end: (all) => void (summary = all),
  };
  await trainTask(request, observer, options);
  const { train, heldout, seed } = summary!;
  return { seed, train, heldout, rows, completions };
}

/** One run a seed; says what each came to. */
export async function outcomesOf(
  name: string,
  request: (seed: number) => TrainRequest,
): Promise<Outcome[]> {
  const runs: Outcome[] = [];
  for (const seed of SEEDS) {
    const run = await outcomeOf(request(seed));
    runs.push(run);
    console.log(`${name}, seed ${seed}: ${shares(run)}`);
  }
  return runs;
}

/** The request that `deno task train WORDS` makes. @throws {UsageError} as the command line does */
function requestFrom(words: string): TrainRequest {
  const parsed = parseArguments(["train", ...words.split(" ")], COMMANDS.map(({ spec }) => spec));
  const named = (all: readonly { name: string; summary: string }[]) =>
    all.map(({ name, summary: doc }) => ({ name, doc }));
  const { rewards, resume: _, ...request } = requestOf(parsed as Parsed<TrainFlags>, {
    tasks: named(listTasks()),
    algorithms: named(listAlgorithms()),
    rewards: named(listRewards()),
    presets: listPresets().map((preset) => ({ ...preset, doc: preset.summary })),
  });
  return {
    ...request,
    saveEvery: 0,
    reward: rewards?.map(({ name, weight }) => `${name}:${weight}`).join(),
  };
}

/** One claim of a page. */
export interface Claim {
  /** File of docs/reading, without `.md`. */
  page: string;
  /** What is claimed, as a sentence. */
  says: string;
  /** What the page must contain word for word. */
  shows: readonly string[];
  /** Throws where the claim does not hold. Runs in `deno task test:syllabus` alone, unless it is quick. */
  holds: () => Promise<void> | void;
  /** It takes no time, so that the suite runs it too. */
  isQuick?: boolean;
}

/** Registers a claim as a test. */
export function claim({ page, says, shows, holds, isQuick }: Claim): void {
  Deno.test(`${page}: ${says}`, async () => {
    assert.ok(shows.length > 0, "a claim that its page does not show is nobody's");
    const text = plain(await textOf(page));
    for (const words of shows) {
      assert.ok(text.includes(plain(words)), `${page}.md does not say: ${words}`);
    }
    if (IN_FULL || isQuick) await holds();
  });
}

const textOf = (page: string): Promise<string> =>
  Deno.readTextFile(new URL(`../../docs/reading/${page}.md`, import.meta.url));

/** Words without the breaks of lines, which the formatter sets. */
const plain = (text: string): string => text.replaceAll(/\s+/g, " ");

/** The answer to a question of a page: what one of its examples prints with some words of it changed. */
export interface Answer extends Pick<Claim, "page" | "says"> {
  /** Which example of the page, from 1. */
  example: number;
  /** Each `from` stands in it once. */
  change: readonly (readonly [from: string, to: string])[];
  /** What it then prints; the page shows each of these. */
  prints: readonly string[];
}

/** Registers an answer as a test; it runs in the suite too. */
export function answer({ page, says, example, change, prints }: Answer): void {
  claim({
    page,
    says,
    shows: prints,
    isQuick: true,
    async holds() {
      const { code: given } = examplesOf(page, await textOf(page))[example - 1];
      let code = given;
      for (const [from, to] of change) {
        assert.equal(code.split(from).length, 2, `"${from}" stands once in the example`);
        code = code.replace(from, () => to);
      }
      const lines = (await run({ code })).join("\n");
      assert.notEqual(lines, (await run({ code: given })).join("\n"));
      for (const words of prints) assert.ok(lines.includes(words), `it prints\n${lines}`);
    },
  });
}

/** A claim about runs. */
export interface RunsClaim<Name extends string> extends Pick<Claim, "page" | "says"> {
  /**
   * What stands behind `deno task train` on the page, by a name, without `--seed` (each of three is run)
   * and `--out`.
   */
  commands: Readonly<Record<Name, string>>;
  /** Throws where the claim does not hold; `outcomes` has each command's runs by seed. */
  holds: (outcomes: Record<Name, Outcome[]>) => void;
}

/** Registers a claim about runs as a test, which says what each of them came to. */
export function claimOfRuns<Name extends string>(
  { page, says, commands, holds }: RunsClaim<Name>,
): void {
  const all = Object.entries(commands) as [Name, string][];
  for (const [, words] of all) resolveRequest(requestFrom(words));
  claim({
    page,
    says,
    shows: all.map(([, words]) => `deno task train ${words}`),
    async holds() {
      const outcomes: Partial<Record<Name, Outcome[]>> = {};
      for (const [name, words] of all) {
        outcomes[name] = await outcomesOf(`${page}, ${name}`, (seed) => ({
          ...requestFrom(words),
          seed,
        }));
      }
      holds(outcomes as Record<Name, Outcome[]>);
    },
  });
}

/** Shares of exact answers: before, after; train / held-out. */
export const shares = ({ train, heldout }: Pick<Outcome, "train" | "heldout">): string =>
  (["before", "after"] as const).map((when) =>
    `${train[when].exact.toFixed(3)} / ${heldout[when].exact.toFixed(3)}`
  ).join(", then ");
