/** Writes docs/rewards.md from the rewards' own definitions: `deno task docs`. @module */
import { listRewards, rewardSetting } from "../../rewards/registry.ts";
import type { RewardDefinition } from "../../rewards/reward.ts";
import { settingFacts } from "../help.ts";
import { markdownTable } from "./markdown.ts";
import { capital } from "./metrics_page.ts";

/** The page's text. */
export function rewardsPage(): string {
  return [
    "# Rewards",
    "Made from the definitions of the rewards by `deno task docs`; a test compares them. " +
    "`--reward NAME[:WEIGHT],…` sums what is named; a weight of 0 measures a reward without training on it. " +
    "A reward that cannot score a completion gives null: such a completion is counted, and not learned from. " +
    "A reward of your own: [the library's page](library.md), and CONTRIBUTING.md.",
    "An example has an `answer`, which is its parent's, and may have further ones that count as right, " +
    "`accepted`, a list of texts; a reward that compares with several takes the best. Every run measures " +
    "`exact`, whatever it is trained on: [a reward and its holes](reading/09-rewards.md) says why.",
    markdownTable([
      ["reward", "what it gives", "range"],
      ...listRewards().map(({ name, summary, range = "" }) => [
        `[\`${name}\`](#${name})`,
        plain(summary),
        range,
      ]),
    ]),
    ...listRewards().flatMap(partsOf),
  ].join("\n\n") + "\n";
}

/** Text that stands in a cell, where tags are no tags. */
const plain = (text: string): string => text.replaceAll("|", "\\|").replaceAll("<", "&lt;");

function partsOf(definition: RewardDefinition): string[] {
  const { name, summary, formula, range, source, players, options, counts } = definition;
  const settings = options.names.map((option) => {
    const row = options.rows[option];
    return [`\`${rewardSetting(definition, option)}\``, plain(row.doc), plain(settingFacts(row))];
  });
  return [
    `## ${name}`,
    `${capital(plain(summary))}.`,
    ...(formula ? ["```\n" + formula.join("\n") + "\n```"] : []),
    ...(range ? [`Range: ${range}.`] : []),
    ...(source ? [`Source: ${source}.`] : []),
    ...(players ? [`Players who do not do the task: ${players}`] : []),
    ...(settings.length > 0
      ? [markdownTable([["setting", "meaning", "unit, default, range"], ...settings])]
      : []),
    ...(counts.length > 0
      ? [
        "Counted, and explained in [metrics](metrics.md#of-the-rewards): " +
        counts.map(({ name }) => `\`${name}\``).join(", ") + ".",
      ]
      : []),
  ];
}

if (import.meta.main) await Deno.writeTextFile("docs/rewards.md", rewardsPage());
