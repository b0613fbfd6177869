/** The charts of a comparison: what they call settings, in which colours, and whether a browser shows them well. @module */
import assert from "node:assert/strict";
import { acrossCharts, heldoutChart } from "../../../cli/compare/charts.ts";
import { type Comparison, comparisonOf } from "../../../cli/compare/compare.ts";
import { withMetrics } from "../../../cli/compare/groups.ts";
import { comparePage } from "../../../cli/compare/page.ts";
import { shortNames } from "../../../cli/compare/settings.ts";
import { glanceAt } from "../../../experiment/folder/run_state.ts";
import { testInBrowser } from "../../_browser.ts";
import { inTemporary, withFolder } from "../../_folder.ts";
import { faults, show, VIEWS } from "../../_page_checks.ts";
import { type MadeRun, makeRun } from "./_runs.ts";

const metrics = {
  "score/mean": (step: number) => step / 10,
  "rewards/exact/mean": (step: number) => step / 20,
  "kl/reference": (step: number) => step,
  "optimizer/learning_rate": () => 1e-4,
};

async function compared(place: string, runs: readonly MadeRun[]): Promise<Comparison> {
  const all = await Array.fromAsync(
    runs,
    async (made, i) =>
      await withMetrics(await glanceAt(await makeRun(`${place}/${i}`, { metrics, ...made }))),
  );
  return comparisonOf(all, "deno task compare x");
}

/** Settings of a few kinds, each with two seeds that do not agree. */
const settings = (count: number): MadeRun[] =>
  Array.from({ length: count }, (_, i) =>
    [1, 2].map((seed): MadeRun => ({
      seed,
      algorithm: i % 2 === 0 ? "grpo" : "ppo",
      weights: i < 2 ? { exact: 1 } : { exact: 1, semantic: 0.5 + i },
      settings: { clipLow: 0.2 + (i % 3) / 10 },
      heldout: [0.25, (seed + i % 7) / 9],
    }))).flat();

Deno.test("a setting's short name has what tells it from the others, and no more", () => {
  const of = (...all: Record<string, unknown>[]) =>
    shortNames(
      all.map((settings) => ({ settings })),
      ["algorithm", "reward", "steps", "clipLow"].filter((name) =>
        new Set(all.map((one) => one[name])).size > 1
      ),
    );
  assert.deepEqual(
    of(
      { algorithm: "grpo", reward: "exact", clipLow: 1 },
      { algorithm: "grpo", reward: "semantic", clipLow: 2 },
      { algorithm: "ppo", reward: "exact", clipLow: 3 },
    ),
    ["grpo, reward exact", "grpo, reward semantic", "ppo, reward exact"],
    "clipLow tells nothing more",
  );
  assert.deepEqual(of({ steps: 10, clipLow: 1 }, { steps: 10, clipLow: 2 }), [
    ...["clipLow 1", "clipLow 2"],
  ]);
  assert.deepEqual(of({ algorithm: "grpo", clipLow: 0.1 }, { algorithm: "ppo" }), ["grpo", "ppo"]);
  const same = { task: "colors", algorithm: "ppo", reward: "exact" };
  assert.deepEqual(of(same), ["colors, ppo, exact"], "one alone is called what it is");
});

inTemporary("a setting has one name and one colour in every chart", async (place) => {
  const { "kl/reference": _, ...without } = metrics; // one that has no KL moves no colour of the others
  const runs = settings(8).map((made) =>
    made.settings!.clipLow === 0.2 && made.algorithm === "grpo"
      ? { ...made, metrics: without }
      : made
  );
  const { groups } = await compared(place, runs);
  const drawn = [heldoutChart(groups)!, ...acrossCharts(groups)].map(({ svg }) => svg);
  const tones = new Map<string, Set<string>>();
  for (const svg of drawn) {
    for (const { label } of groups) {
      // Beside its name in a legend, or in front of its bar.
      const found = [...svg.matchAll(/<title>([^<]*)<\/title><rect class="([^"]*)"/g)]
        .filter(([, title]) => title === label || title.startsWith(`${label}, `));
      for (const [, , kind] of found) {
        const [tone] = /f[0-5n]/.exec(kind)!;
        tones.set(label, (tones.get(label) ?? new Set()).add(tone));
      }
    }
  }
  assert.deepEqual(groups.map(({ letter }) => letter).join(""), "ABCDEFGH");
  assert.equal(tones.size, 8, "each is named");
  assert.ok([...tones.values()].every((all) => all.size === 1), "by one colour");
  const all = [...tones.values()].flatMap((one) => [...one]);
  assert.deepEqual(all.sort().join(), "f0,f1,f2,f3,f4,f5,fn,fn", "two have no line");
  assert.match(groups[0].label, /^A grpo, reward exact$/);
  for (const svg of drawn) assert.ok(svg.includes(">B ppo, reward exact</text>"));
});

testInBrowser(
  "a comparison is readable on a phone and a desk, by day and by night",
  async (tab) => {
    await withFolder(async (place) => {
      const long = "an_algorithm_of_ones_own_named_at_length";
      const pages: Record<string, MadeRun[]> = {
        two: settings(2),
        many: settings(9),
        one: settings(1),
        long: [{ algorithm: long }, { algorithm: `${long}_and_more` }, {
          algorithm: "ppo",
          seed: 2,
        }],
      };
      for (const [name, runs] of Object.entries(pages)) {
        const path = `${place}/${name}.html`;
        await Deno.writeTextFile(path, await comparePage(await compared(`${place}/${name}`, runs)));
        await tab.open(path);
        for (const view of VIEWS) {
          await show(tab.page, view);
          assert.deepEqual(await faults(tab.page), [], `${name}, ${view.width} px, ${view.scheme}`);
        }
        assert.deepEqual([tab.requests, tab.said], [[], []], name);
      }
    });
  },
);
