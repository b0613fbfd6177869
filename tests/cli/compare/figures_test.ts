import assert from "node:assert/strict";
import { acrossCharts, groupCharts, meanLine, mostReward } from "../../../cli/compare/charts.ts";
import { compareTable, type Comparison, comparisonOf } from "../../../cli/compare/compare.ts";
import { figureShort, figureText, windowOf } from "../../../cli/compare/figures.ts";
import { letterOf, withMetrics } from "../../../cli/compare/groups.ts";
import { comparePage, opening } from "../../../cli/compare/page.ts";
import { groupName } from "../../../cli/compare/settings.ts";
import { readCsv } from "../../../experiment/folder/csv.ts";
import { glanceAt } from "../../../experiment/folder/run_state.ts";
import { inTemporary } from "../../_folder.ts";
import { HOSTILE } from "../_fake.ts";
import { type MadeRun, makeRun } from "./_runs.ts";

/** Runs made and compared, each in a folder of its number. */
async function compared(place: string, runs: readonly MadeRun[]): Promise<Comparison> {
  const all = await Promise.all(
    runs.map(async (made, i) =>
      await withMetrics(await glanceAt(await makeRun(`${place}/${i}`, made)))
    ),
  );
  return comparisonOf(all, "deno task compare x");
}

const figureOf = ({ groups }: Comparison, name: string, group = 0) =>
  groups[group].figures.find((one) => one.name === name)!;
const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-6, `${a} is not ${b}`);

const line = (from: number, by: number) => ({ "score/mean": (step: number) => from + by * step });

inTemporary(
  "runs that differ only in their seed are one group, with an interval",
  async (place) => {
    const all = await compared(
      place,
      [3, 1, 2].map((seed) => ({ seed, heldout: [0.2, seed / 10] as [number, number] })),
    );
    assert.equal(all.groups.length, 1);
    assert.deepEqual(all.groups[0].runs.map(({ config }) => config.seed), [1, 2, 3]);
    assert.deepEqual(all.differing, []);
    const { over, values } = figureOf(all, "heldout_exact");
    assert.deepEqual(values, [0.1, 0.2, 0.3]);
    near(over.mean, 0.2);
    near(over.high - over.mean, 4.302653 * 0.1 / Math.sqrt(3)); // t of 2 degrees of freedom
    near(over.mean - over.low, 4.302653 * 0.1 / Math.sqrt(3));
    assert.equal(
      figureText(figureOf(all, "heldout_exact_before"), String),
      "0.2",
      "all seeds agree",
    );
  },
);

inTemporary("first, last, change, and means of the windows at both ends", async (place) => {
  const all = await compared(place, [{ metrics: line(1, 2) }]); // 3, 5, … 21
  const found = ["first", "last", "change", "early", "late", "gain"]
    .map((name) => figureOf(all, `reward_${name}`).over.mean);
  assert.deepEqual(found, [3, 21, 18, 4, 20, 16]);
  assert.equal(figureText(figureOf(all, "reward_last"), String), "21", "one seed has no interval");
  assert.deepEqual([1, 9, 10, 99, 100, 5000].map(windowOf), [1, 1, 2, 19, 20, 20]);
});

inTemporary("KL, groups without signal, fallbacks and what was not scored", async (place) => {
  const all = await compared(place, [{
    metrics: {
      "score/mean": () => 1,
      "kl/reference": (step) => step / 100,
      "groups/equal_share": (step) => step <= 5 ? 0.2 : 0.4,
      "rewards/null_count": (step) => step === 3 ? 7 : 0,
      "rewards/judge_hard/fallbacks": () => 2,
      "rewards/semantic/fallbacks": () => 1,
    },
  }]);
  const means = ["kl", "silent_groups", "unscored", "fallbacks"]
    .map((name) => figureOf(all, name).over.mean);
  near(means[1], 0.3);
  assert.deepEqual([means[0], means[2], means[3]], [0.1, 7, 30]);
  assert.equal(all.groups[0].figures.some(({ name }) => name === "skipped"), false, "not reported");
});

inTemporary("settings that differ are told, those that all have are not", async (place) => {
  const all = await compared(place, [
    { settings: { learningRate: 1e-4, clipLow: 0.2 } },
    { settings: { learningRate: 1e-3, clipLow: 0.2 }, seed: 2 },
    { settings: { learningRate: 1e-3, groupSize: 8 }, algorithm: "grpo" },
  ]);
  assert.deepEqual(all.differing, ["algorithm", "learningRate"], "only one has a groupSize");
  assert.deepEqual(all.groups.map((group) => groupName(group, all.differing)), [
    "ppo, learningRate 1e-4",
    "ppo, learningRate 0.001",
    "grpo, learningRate 0.001",
  ]);
  assert.deepEqual([0, 25, 26, 27, 52].map(letterOf), ["A", "Z", "AA", "AB", "BA"]);
  const [head, ...rows] = readCsv(compareTable(all));
  assert.deepEqual(head.slice(0, 4), ["group", "algorithm", "learningRate", "seeds"]);
  assert.deepEqual(rows.map((row) => row.slice(0, 4)), [
    ["A", "ppo", "1e-4", "1"],
    ["B", "ppo", "0.001", "2"],
    ["C", "grpo", "0.001", "1"],
  ]);
});

inTemporary(
  "a copy without a step does not displace the run that it is a copy of",
  async (place) => {
    await makeRun(`${place}/good`, { done: 4 });
    await makeRun(`${place}/bad`, { done: 0, started: "2026-11-28T08:00:00Z" });
    const runs = await Promise.all(
      ["good", "bad"].map(async (name) => await withMetrics(await glanceAt(`${place}/${name}`))),
    );
    const { groups, notices } = comparisonOf(runs, "c");
    assert.deepEqual(groups.map(({ runs }) => runs.map(({ folder }) => folder)), [[
      `${place}/good`,
    ]]);
    assert.match(notices.join(), /good counts, \S*bad not/);
  },
);

inTemporary("a model of the same name with other weights is another setting", async (place) => {
  await makeRun(`${place}/a`);
  await makeRun(`${place}/b`, { seed: 2 });
  const path = `${place}/b/config.json`, config = JSON.parse(await Deno.readTextFile(path));
  config.source.sha256["model.safetensors"] = "00".repeat(32);
  await Deno.writeTextFile(path, JSON.stringify(config));
  const runs = await Promise.all(
    ["a", "b"].map(async (name) => await withMetrics(await glanceAt(`${place}/${name}`))),
  );
  assert.equal(comparisonOf(runs, "").groups.length, 2);
});

inTemporary(
  "a seed that was run twice counts once, the newest finished one, and is said",
  async (place) => {
    const all = await compared(place, [
      { started: "2026-11-01T00:00:00Z", heldout: [0, 0.1] },
      { started: "2026-11-03T00:00:00Z", heldout: [0, 0.3] },
      { started: "2026-11-04T00:00:00Z", done: 4 },
      { started: "2026-11-02T00:00:00Z", heldout: [0, 0.2] },
    ]);
    assert.deepEqual(figureOf(all, "heldout_exact").values, [0.3]);
    assert.match(
      all.notices.join(),
      /seed 1 of one setting was run 4 times: \S+\/1 counts, .* not/,
    );
  },
);

inTemporary(
  "what was cut short is left out beside what has its steps, and named",
  async (place) => {
    const history = [{ step: 4, time: "t", kind: "diverged" as const, cause: "KL is NaN" }];
    const some = await compared(`${place}/some`, [{ seed: 1 }, { seed: 2, done: 4, history }]);
    assert.deepEqual(some.groups[0].runs.map(({ config }) => config.seed), [1]);
    assert.match(some.notices.join(), /\/1 is diverged at step 4 of 10 \(KL is NaN\): left out/);
    const none = await compared(`${place}/none`, [{ seed: 2, done: 4, history }, {
      seed: 3,
      done: 0,
    }]);
    assert.deepEqual(none.groups[0].runs.map(({ config }) => config.seed), [2]);
    assert.match(none.notices.join(), /its last step stands for its end/);
    assert.match(none.notices.join(), /\/1 is stopped at step 0 of 10 \(.*killed\): left out/);
  },
);

inTemporary(
  "where rewards or tasks differ, it is said that heights cannot be compared",
  async (place) => {
    const all = await compared(place, [
      { weights: { exact: 1 } },
      { weights: { exact: 1, semantic: 0.5 } },
      { task: "opposites", weights: { exact: 1 } },
    ]);
    assert.match(all.notices[0], /Rewards differ \(A, C: exact; B: exact,semantic:0\.5\)/);
    assert.match(all.notices[1], /Tasks differ \(A, B: colors; C: opposites\)/);
    assert.equal((await compared(`${place}/same`, [{}, { seed: 2 }])).notices.length, 0);
  },
);

inTemporary(
  "the mean over seeds by step, in a band from the least to the largest",
  async (place) => {
    const { groups: [{ runs }] } = await compared(place, [
      { seed: 1, metrics: line(0, 1), done: 3 },
      { seed: 2, metrics: line(0, 3), done: 2 },
    ]);
    assert.deepEqual(meanLine(runs, "score/mean", "A"), {
      name: "A",
      steps: [1, 2, 3],
      values: [2, 4, 3], // of the third step only the first seed's is there
      band: { low: [1, 2, 3], high: [3, 6, 3] },
    });
    assert.equal(meanLine(runs, "kl/reference", "A"), undefined);
    assert.equal(meanLine(runs.slice(0, 1), "score/mean", "A")!.band, undefined);
  },
);

const metrics = Object.fromEntries(
  [
    ...["score/mean", "rewards/exact/mean", "kl/reference", "optimizer/learning_rate"],
    ...["loss/policy", "tokens/responses_len_mean", "tokens/responses_len_std"],
  ].map((name, k) => [name, (step: number) => step / (10 + k)]),
);
const titles = (drawn: readonly { svg: string }[]) =>
  drawn.map(({ svg }) => /<title id="[^"]*">([^<]*)</.exec(svg)![1]);

inTemporary(
  "two by two for a group, three by two across groups of one or two tasks",
  async (place) => {
    const one = await compared(`${place}/one`, [{ metrics }, { metrics, settings: { gamma: 1 } }]);
    assert.deepEqual(titles(groupCharts(one.groups[0])), [
      ...["Reward", "Loss and KL", "Learning rate", "Length of completions"],
    ]);
    assert.deepEqual(titles(acrossCharts(one.groups)), [
      ...["Reward at the end", "KL at the end", "Reward", "Exact answers, sampled"],
      ...["KL to the reference", "Learning rate"],
    ]);
    const two = await compared(`${place}/two`, [{ metrics }, { metrics, task: "opposites" }]);
    assert.deepEqual(titles(acrossCharts(two.groups)).slice(2, 4), [
      ...["Reward on colors", "Reward on opposites"],
    ]);
    const all = await compared(
      `${place}/many`,
      Array.from(
        { length: 8 },
        (_, i) => ({ metrics: line(0, i % 2 ? 1 : i), settings: { gamma: i } }),
      ),
    );
    assert.equal(
      mostReward(all.groups).map(({ letter }) => letter).join(""),
      "BCDEFG",
    );
  },
);

inTemporary("the page says which is best, and how sure that is", async (place) => {
  const runs = (after: number[], gamma: number, seeds = [1, 2, 3]): MadeRun[] =>
    after.map((x, i) => ({ seed: seeds[i], settings: { gamma }, heldout: [0, x] }));
  const told = async (name: string, ...all: MadeRun[][]) =>
    opening(await compared(`${place}/${name}`, all.flat())).join();
  assert.match(
    await told("far", runs([0.5, 0.6, 0.7], 0), runs([0.6, 0.7, 0.8], 1)),
    /held-out exact: B \(gamma 1\) with 0\.700.*, ahead of A .*By the same seeds the difference is 0\.100\.?/,
    "each seed by as much",
  );
  assert.match(
    await told("near", runs([0.5, 0.9, 0.7], 0), runs([0.6, 0.7, 0.9], 1)),
    /, beside A .*the difference is 0\.033 \(-0\.\d+ to 0\.\d+\), so it may be none\./,
  );
  assert.match(
    await told("others", runs([0.5, 0.6, 0.7], 0), runs([0.6, 0.7, 0.8], 1, [1, 2, 4])),
    /, beside A .*Their intervals overlap: give both the same seeds/,
  );
  assert.match(
    await told("one", runs([0.5], 0), runs([0.6], 1)),
    /, beside A .*With one seed nobody knows/,
  );
  assert.match(await told("same", runs([0.5], 0), runs([0.5], 1)), /Both are the same/);
  assert.match(
    await told(
      "alike",
      runs([0.5], 0),
      runs([0.5], 1).map((made) => ({ ...made, metrics: line(1, 1) })),
    ),
    /held-out exact: 0\.500 in all\.,held-out reward: 0\.500 in all\.,reward, late: B/,
  );
  const rewarded = runs([0.5], 1).map((made) => ({ ...made, weights: { semantic: 1 } }));
  assert.match(await told("reward", runs([0.6], 0), rewarded), /^held-out exact: A/);
  const elsewhere = runs([0.5], 0).map((made) => ({ ...made, task: "opposites" }));
  assert.match(await told("task", runs([0.6], 0), elsewhere), /^No setting is called the best/);
});

inTemporary(
  "no text of a run becomes markup or a formula, and nothing is fetched or run",
  async (place) => {
    const all = await compared(
      place,
      HOSTILE.filter((text) => text.isWellFormed()).map((text) => ({
        task: text,
        algorithm: text,
        weights: { [text]: 1 },
        settings: { [text]: text },
        metrics,
      })),
    );
    const page = await comparePage(all),
      absent = (pattern: RegExp) => assert.equal(pattern.exec(page)?.[0], undefined, `${pattern}`);
    for (const tag of [/<script/i, /<img/i, /<iframe/i, /<svg onload/i, /<a\s/i, /<link/i]) {
      absent(
        tag,
      );
    }
    absent(/<[^>]*\son\w+=/i);
    absent(/<[^>]*\s(src|href|style)=/i);
    // deno-lint-ignore no-control-regex -- they must be gone
    absent(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    assert.match(page, /default-src 'none'; style-src 'sha256-/);
    assert.equal(page, await comparePage(all), "the same runs give the same bytes");
    const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id);
    assert.equal(new Set(ids).size, ids.length, "a name of its own for every title");
    for (const row of readCsv(compareTable(all))) {
      for (const cell of row) assert.doesNotMatch(cell, /^(?:[=+@\t\r]|-(?!\d))/, cell);
    }
  },
);

inTemporary("figures in short", async (place) => {
  const all = await compared(place, [{ seed: 1, heldout: [0, 0.4] }, {
    seed: 2,
    heldout: [0, 0.6],
  }]);
  const short = figureShort(figureOf(all, "heldout_exact"), (x) => x.toFixed(2));
  assert.equal(short, "0.50 ± 1.27", "half an interval of two seeds: 12.71 times 0.1");
  const long = (name: string) => figureText(figureOf(all, name), (x) => x.toFixed(2));
  assert.equal(long("heldout_exact"), "0.50 (0.00 to 1.00)", "a share ends at 0 and 1");
  assert.equal(long("heldout_reward"), "0.50 (-0.77 to 1.77)");
});
