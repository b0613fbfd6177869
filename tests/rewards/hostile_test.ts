/** Every reward that needs no network, under hostile texts: finite numbers in its range, or null, and soon. */
import assert from "node:assert/strict";
import { listRewards } from "../../rewards/registry.ts";
import type { RewardContext } from "../../rewards/reward.ts";
import { tableParent } from "../../rewards/parents/table.ts";
import { HOSTILE } from "./_hostile.ts";

/** What a reward cannot be opened without. */
const NEEDED: Record<string, Record<string, string | number>> = {
  length: { max: 20, min: 3 },
  regex: { pattern: "(a+)+$|((.*)*)*z" },
};
/** Least and largest value. */
const RANGES: Record<string, [number, number]> = {
  exact: [0, 1],
  semantic: [0, 1],
  first_word: [0, 1],
  numeric_hard: [0, 2],
  numeric_soft: [0, 2],
  judge_hard: [0, 2],
  judge_soft: [0, 2],
  perplexity: [0, 2],
  sentiment: [-1, 1],
  format: [0, 0.5],
  length: [0, 1],
  contains: [0, 1],
  rouge: [0, 1],
  regex: [0, 1],
  repetition: [-1, 0],
};

const texts = Object.values(HOSTILE);
const answers = ["7", "", "red", ...texts];
const context: RewardContext = {
  parent: tableParent(new Map(texts.map((_, i) => [`${i}`, "red"]))),
  openScorer: () =>
    Promise.resolve({
      name: "length",
      perTokenNll: (_, all) =>
        Promise.resolve(all.map(({ length }) => ({ sum: length ** 2, tokens: length }))),
    }),
};

for (const { name, options, open } of listRewards()) {
  Deno.test(`${name} gives numbers in its range, or null, for hostile texts and answers, within seconds`, async () => {
    assert.ok(RANGES[name], `tell the range of ${name}`);
    const [least, most] = RANGES[name];
    const reward = await open(options.resolve(NEEDED[name] ?? {}), context);
    const from = performance.now();
    for (const answer of name === "semantic" ? ["red"] : answers) {
      const examples = texts.map((_, i) => ({
        id: `${i}`,
        prompt: "p",
        answer,
        accepted: [answer],
      }));
      const few = answer.length > 1000 ? 3 : texts.length; // a long answer beside a few texts is enough
      const values = await reward.score({
        prompts: texts.slice(0, few).map(() => "p"),
        completions: texts.slice(0, few),
        examples: examples.slice(0, few),
      });
      assert.equal(values.length, few);
      values.forEach((value, i) =>
        assert.ok(
          value === null || value >= least && value <= most,
          `${Object.keys(HOSTILE)[i]}: ${value}`,
        )
      );
    }
    const seconds = (performance.now() - from) / 1000;
    assert.ok(seconds < 20, `${seconds} s`);
    for (const count of Object.values(reward.takeCounts?.() ?? {})) assert.ok(count >= 0);
  });
}
