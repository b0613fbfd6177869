/** What an evaluation may be told as key=value: settings of rewards, parent, servers and task, and two of its own. @module */
import {
  defineOptions,
  joinOptions,
  type OptionRows,
  type OptionTable,
  type OptionValue,
  type OptionValues,
} from "../../base/options.ts";
import { PARENT_OPTIONS } from "../../rewards/parents/settings.ts";
import { listRewards } from "../../rewards/registry.ts";
import type { RewardDefinition } from "../../rewards/reward.ts";
import { SERVER_OPTIONS } from "../../rewards/servers/limits.ts";
import type { OpenedTask } from "../../tasks/open.ts";
import { rewardTables } from "../settings.ts";

// deno-fmt-ignore
const ROWS = {
  maxNewTokens: { kind: "integer", otherwise: "the run's, else the task's own", unit: "tokens", min: 1, max: 1_000_000, doc: "longest answer, EOS included", group: "Sampling" },
  batchSize: { kind: "integer", otherwise: "the run's, else the task's own", unit: "prompts", min: 1, max: 100_000, doc: "prompts that are answered at a time; it changes no answer", group: "Sampling" },
} as const satisfies OptionRows;

// deno-fmt-ignore
const FIELDS = {
  split: { kind: "choice", choices: ["heldout", "train"], default: "heldout", doc: "Which of the task's prompts", group: "What to evaluate" },
  prompts: { kind: "integer", otherwise: "all", unit: "prompts", min: 1, max: 1_000_000, doc: "At most so many of them, evenly spaced", group: "What to evaluate" },
  samples: { kind: "integer", default: 4, unit: "answers, 0 = none", min: 0, max: 1024, doc: "Sampled answers to each prompt, of each model, beside the greedy one", group: "Sampling" },
  temperature: { kind: "number", otherwise: "the run's, else 1", min: 0, above: true, max: 10, doc: "Divides the logits before a token of a sample is drawn", group: "Sampling" },
  seed: { kind: "integer", default: 1, min: 0, max: 2 ** 32 - 1, doc: "Key of the random numbers of samples and intervals: the same seed on the same device gives the same files", group: "Run" },
} as const satisfies OptionRows;

/** What of a request is a number or a choice. */
export const EVAL_FIELDS: OptionTable<OptionValues<typeof FIELDS>> = defineOptions(
  "an evaluation",
  FIELDS,
);

/** The same as rows, for a command line. */
export const EVAL_FIELD_ROWS: typeof FIELDS = FIELDS;

/** Settings of an evaluation itself. */
export const EVAL_OPTIONS: OptionTable<OptionValues<typeof ROWS>> = defineOptions(
  "an evaluation",
  ROWS,
);

/**
 * Every setting that an evaluation has.
 * @param own definitions of rewards that are not the registry's
 * @param task the task's own settings
 * @throws {TypeError} where two of them have a setting of one name
 */
export const evalTable = (
  own: readonly RewardDefinition[] = [],
  task?: Pick<OpenedTask["options"], "rows" | "owner">,
): OptionTable<Record<string, OptionValue>> =>
  joinOptions(
    "an evaluation",
    [
      EVAL_OPTIONS,
      ...rewardTables([...listRewards(), ...own]),
      PARENT_OPTIONS,
      SERVER_OPTIONS,
      ...(task ? [task] : []),
    ].map(({ owner, rows }) => ({ owner, rows })),
  );
