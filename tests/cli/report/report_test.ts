import assert from "node:assert/strict";
import { guard, readCsv, unguard } from "../../../experiment/folder/csv.ts";
import { madeUpRun } from "../../../bench/report.ts";
import { charts, curves } from "../../../cli/report/plots.ts";
import { chosen, escape, report } from "../../../cli/report/report.ts";
import { folded } from "../../../cli/report/fold.ts";
import { SERIES } from "../../../cli/report/series.ts";
import { wordsUsed } from "../../../cli/report/words_used.ts";
import { findings, opening, warnings } from "../../../cli/report/report_words.ts";
import { pairs, type RunData } from "../../../experiment/folder/run_data.ts";
import { RunFolder } from "../../../experiment/folder/run_folder.ts";
import { ppo } from "../../../rl/algorithms/ppo.ts";
import { fakeMetrics, HOSTILE } from "../_fake.ts";
import { completion, info, summary } from "../_folders.ts";

const names = Object.keys(fakeMetrics(0));

/** A run of 40 steps whose every text is hostile. */
const run: RunData = {
  folder: "runs/<b>",
  config: {
    ...info(HOSTILE[0]),
    rewards: [HOSTILE[1]],
    model: HOSTILE[3],
    steps: 40,
    command: `deno task train ${HOSTILE[0]}`,
    request: {},
    config: { [HOSTILE[2]]: HOSTILE[4], ppo: { gamma: 1, lambda: 0.5 }, list: [1, 2] },
    versions: { [HOSTILE[0]]: HOSTILE[1] },
  },
  names,
  metrics: Array.from({ length: 40 }, (_, i) => [i + 1, ...Object.values(fakeMetrics(i + 1))]),
  completions: ["before:heldout", "train", "after:heldout"].flatMap((phase) =>
    HOSTILE.map((text, i) => ({
      ...completion(phase.startsWith("b") ? 0 : 40, phase, text),
      id: `${i}`,
      prompt: text,
      answer: text,
    }))
  ),
  summary,
};

/** `assert.doesNotMatch` and `assert.match` without printing a whole page. */
const absent = (page: string, pattern: RegExp) =>
  assert.equal(pattern.exec(page)?.[0], undefined, `${pattern}`);
const present = (page: string, pattern: RegExp) => assert.ok(pattern.test(page), `${pattern}`);

Deno.test("no text of a completion, prompt, name or setting becomes markup", async () => {
  const page = await report(run);
  const tags = new Set([...page.matchAll(/<([a-z][a-z0-9]*)/gi)].map((match) => match[1]));
  for (const tag of ["img", "iframe", "object", "b"]) assert.ok(!tags.has(tag), tag);
  assert.equal(page.match(/<script/g)?.length, 1);
  absent(page, /<[^>]*\son\w+=/i); // no handler inside any tag
  absent(page, /<[^>]*\sstyle=/i); // the policy would block it
  absent(page, /<[^>]*\s(src|href)=/i);
  assert.match(page, /&lt;script&gt;alert\(1\)&lt;\/script&gt;/);
  // deno-lint-ignore no-control-regex -- they must be gone
  absent(page, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  assert.ok(page.includes("<i>\\u{202e}</i>evil<i>\\u{2066}</i>"));
  assert.ok(page.isWellFormed());
  assert.equal(escape("&<>\"'`"), "&amp;&lt;&gt;&quot;&#39;&#96;");
});

Deno.test("the page's policy names the hashes of its one style and its one script, and no host", async () => {
  const page = await report(run);
  const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)![1];
  assert.match(policy, /^default-src 'none'; /);
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  for (const [tag, rule] of [["style", "style-src"], ["script", "script-src"]]) {
    const text = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(page)![1];
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    const hash = new Uint8Array(digest).toBase64();
    assert.ok(policy.includes(`${rule} 'sha256-${hash}'`), rule);
  }
  assert.doesNotMatch(page.replace(/xmlns(:\w+)?="[^"]*"/g, ""), /https?:\/\//);
});

Deno.test("the page is whole: opening, table, curves, completions, settings, glossary, command", async () => {
  const page = await report(run);
  for (
    const part of ["Before and after", "Curves", "Completions", "Configuration", "metrics mean"]
  ) {
    assert.ok(page.includes(part), part);
  }
  assert.equal(page.match(/<tr data-step=/g)?.length, 3 * HOSTILE.length);
  for (const { name, meaning } of ppo.metrics) {
    assert.ok(page.includes(name) && page.includes(escape(meaning)), name);
  }
  assert.match(page, /rewards\/exact\/mean<\/td>.*equal the answer/);
  const other = { ...run, names: ["rewards/semantic/mean"], metrics: [[1, 2]] };
  assert.match(await report(other), /rewards\/semantic\/mean<\/td>.*mean of one reward/);
  const row = (key: string, value: string) =>
    `<td data-label="key" class="t name">${key}</td><td data-label="value" class="t name">${value}</td>`;
  assert.ok(page.includes(`<tr class="changed">${row("ppo.lambda", "0.5")}`));
  assert.ok(page.includes(`<tr>${row("ppo.gamma", "1")}`));
  assert.ok(page.includes(row("list", "[1,2]")));
  assert.ok(page.includes("@media(min-width:641px){.name,.d{white-space:nowrap}}")); // a name stays whole
  const small = { ...run.config, config: { learningRate: 2e-6, adamEps: 1e-8 } };
  const numbers = await report({ ...run, config: small });
  assert.ok(
    numbers.includes(
      `${row("learningRate", "2e-6")}<td data-label="default" class="t name">1.41e-5<`,
    ),
  );
  assert.ok(numbers.includes(`<tr>${row("adamEps", "1e-8")}`));
  assert.equal(await report(run), page); // the same run, the same bytes
});

Deno.test("curves have a title, both axes with units, and a line through every step", () => {
  const svg = curves(run);
  for (
    const text of [
      "Reward",
      "KL to the reference",
      "Entropy",
      "Policy loss",
      "Value loss",
      "Clipped tokens",
    ]
  ) {
    assert.ok(svg.includes(`>${text}</text>`), text);
  }
  for (
    const unit of ["nats per completion", "share, 0 to 1", "reward², per token"]
  ) {
    assert.ok(svg.includes(`>${unit}</text>`), unit);
  }
  assert.equal(svg.match(/>step<\/text>/g)?.length, 7);
  for (const kind of ["raw", "line"]) { // what was measured, and its means
    const lines = [...svg.matchAll(new RegExp(`class="${kind} s0" d="([^"]*)"`, "g"))];
    assert.equal(lines.length, 7);
    for (const [, line] of lines) assert.equal(line.match(/[ML]/g)?.length, 40);
  }
  assert.ok(svg.includes(">training</text>") && svg.includes(">held-out</text>"));
  assert.equal(svg.match(/<title>(training|held-out), (before|after): /g)?.length, 4);
  assert.equal(svg.match(/class="well"/g)?.length, 2); // KL and clipped tokens have a healthy range
  assert.equal(curves(run), svg);
});

Deno.test("each chart is an SVG of its own, and shares have the axis 0 to 1", async () => {
  const all = charts(run).map(({ svg }) => svg);
  assert.equal(all.length, 8);
  for (const svg of all) {
    const width = Number(/^<svg[^>]* width="(\d+)"/.exec(svg)![1]);
    assert.ok(width < 480, `a phone would shrink ${width} px`);
  }
  for (const svg of all.filter((svg) => svg.includes(">share, 0 to 1</text>"))) {
    assert.ok(svg.includes(">0</text>") && svg.includes(">1</text>"));
  }
  assert.equal(all.filter((svg) => svg.includes(">share, 0 to 1</text>")).length, 3);
  const page = await report(run);
  for (const svg of all) assert.ok(page.includes(svg));
});

Deno.test("a phone gets cards: every cell of a wide table carries its column's name", async () => {
  const page = await report(run);
  const tables = page.match(/<table class="stack">|<table id="completions" class="stack">/g);
  assert.equal(tables?.length, 5);
  // The means fit any screen, as do charts' numbers, and the words that came and went, of which there are none.
  assert.equal(page.match(/<table[ >]/g)?.length, 5 + 1 + 8);
  const bodies = page.replace(/<details class="numbers[^]*?<\/details>/g, "").split("<tbody>")
    .slice(1).map((part) => part.split("</tbody>")[0]);
  assert.equal(bodies.length, 6);
  for (const body of bodies.slice(1)) {
    assert.equal(body.match(/<td/g)?.length, body.match(/<td data-label="[a-z ]+"/g)?.length);
  }
});

/** Texts of the cells of one column of a table, in the order of the page. */
const column = (page: string, label: string): string[] =>
  [...page.matchAll(new RegExp(`<td data-label="${label}"[^>]*>(.*?)</td>`, "g"))].map((m) => m[1]);

Deno.test("completions begin with the last step, and of it with what was not trained on", async () => {
  const rows = ["before:heldout", "train", "train", "after:train", "after:heldout"].map((
    phase,
    i,
  ) => completion([0, 1, 2, 2, 2][i], phase, "x"));
  const page = await report({ ...run, completions: rows });
  assert.deepEqual(column(page, "step"), ["2", "2", "2", "1", "0"]);
  assert.deepEqual(column(page, "drawn"), [
    "after, held-out",
    "after, training prompts",
    "sampled in training",
    "sampled in training",
    "before, held-out",
  ]);
});

Deno.test("what is left out of the page is counted in it", async () => {
  const page = await report(run);
  present(page, new RegExp(`All ${HOSTILE.length} of them`));
  absent(page, /left out/);
  const many = ["before:heldout", "after:heldout"].flatMap((phase) =>
    Array.from({ length: 101 }, (_, i) => ({ ...completion(0, phase, "x"), id: `${i}` }))
  );
  present(
    await report({ ...run, completions: many }),
    /100 of 101 held-out prompts; 1 are left out here, and all are in completions\.csv/,
  );
  const steps = Array.from({ length: 200 }, (_, i) => i + 1);
  const long = steps.flatMap((step) =>
    Array.from({ length: 10 }, () => completion(step, "train", "x"))
  );
  present(
    await report({ ...run, completions: long }),
    /1,500 of 2,000 are here, of 150 steps; 500 are left out, and all are in completions\.csv/,
  );
});

Deno.test("of 100,000 completions, half of them evaluations, a page keeps some thousands", () => {
  const answers = (step: number, phase: string) =>
    Array.from({ length: 500 }, () => completion(step, phase, "y"));
  const on = Array.from({ length: 98 }, (_, i) => answers(i + 1, "during:heldout")).flat();
  const rows = [...answers(0, "before:heldout"), ...on, ...answers(99, "after:heldout")];
  const rollouts = Array.from({ length: 50_000 }, (_, i) => completion(i % 50, "train", "x"));
  const kept = chosen([...rows, ...rollouts]);
  const of = (phase: string) => kept.filter((row) => row.phase === phase);
  assert.deepEqual([of("before").length, of("during").length, of("after").length], [500, 500, 500]);
  assert.deepEqual(new Set(of("during").map(({ step }) => step)), new Set([98]));
  assert.ok(of("train").length > 1_400 && of("train").length <= 3_000, `${of("train").length}`);
});

Deno.test("the page of 2,000 steps and 100,000 completions has less than 10 MB, most of it laid out on request", async () => {
  const page = await report(madeUpRun(2000, 100_000));
  assert.ok(page.length < 10e6, `${page.length} characters`);
  const rows = page.match(/<tr data-step="\d+" data-phase="[a-z:]+"( hidden)?>/g)!;
  assert.ok(rows.length > 1500, `${rows.length} rows`);
  assert.equal(rows.findIndex((row) => row.endsWith(" hidden>")), 250);
  present(page, /1,700 of 100,200 are here, of 30 steps; 98,500 are left out/);
});

Deno.test("each reward has a column with its weight; what is only measured says so", async () => {
  const config = {
    ...run.config,
    rewards: ["semantic", "length"],
    weights: { semantic: 1, length: -0.25 },
  };
  const scores = { semantic: 0.5, length: 1, exact: 0 };
  const page = await report({
    ...run,
    config,
    completions: [{ ...completion(1, "train", "x"), scores }],
  });
  const heads = [...page.matchAll(/<button>(.*?)<\/button>/g)].map((m) => m[1]);
  assert.deepEqual(heads.slice(5), [
    "reward",
    "semantic × 1",
    "length × -0.25",
    "exact, measured only",
  ]);
  present(page, /reward = semantic × 1 \+ length × -0\.25</);
  assert.deepEqual(column(page, "length"), ["1"]);
});

Deno.test("prompts are shown without what they share, which is said once", async () => {
  const of = (...prompts: string[]) => folded(prompts);
  const colours = of("Mix the two colors: red and blue", "Mix the two colors: red and white");
  assert.equal(colours.prefix, "Mix the two colors: red and ");
  assert.equal(colours.short("Mix the two colors: red and blue"), "… blue");
  assert.equal(
    of("Mix the two colors: red", "Mix the two colors: rose").prefix,
    "Mix the two colors: ",
  );
  for (const texts of [["one prompt that is alone"], ["short a", "short b"], [], ["", ""]]) {
    assert.equal(of(...texts).prefix, "");
    for (const text of texts) assert.equal(of(...texts).short(text), text);
  }
  const rows = ["red", "rose"].map((word) => ({
    ...completion(1, "train", "x"),
    prompt: `Say again, word for word: ${word}`,
  }));
  const page = await report({ ...run, completions: rows });
  present(page, /Each prompt begins: <code>Say again, word for word: <\/code>/);
  assert.deepEqual(column(page, "prompt"), ["… red", "… rose"]);
});

Deno.test("the opening sentence has the figure, and its interval where the answers give it", async () => {
  const opens = (page: string) => /<h1>(.*?)<\/h1>/.exec(page)![1].replace(/<[^>]*>/g, "");
  const split = (before: number, after: number) => ({
    before: { exact: before, reward: before },
    after: { exact: after, reward: after },
  });
  const answers = (phase: string, right: number, of: number) =>
    Array.from({ length: of }, (_, i) => ({
      ...completion(phase.startsWith("b") ? 0 : 9, phase, "x"),
      scores: { exact: i < right ? 1 : 0 },
    }));
  const rows = [...answers("before:heldout", 5, 18), ...answers("after:heldout", 18, 18)];
  const end = (heldout: ReturnType<typeof split>) => ({ ...summary, train: heldout, heldout });
  const page = await report({ ...run, completions: rows, summary: end(split(5 / 18, 1)) });
  // Wilson's score interval, by hand: 5 of 18 is 0.12499 to 0.5087, 18 of 18 is 0.824 to 1.
  assert.equal(
    opens(page),
    "Held-out exact answers rose from 28\u00a0% (12\u00a0% to 51\u00a0%) to 100\u00a0% (82\u00a0% to 100\u00a0%)",
  );
  present(page, /intervals of 95 % \(Wilson&#39;s\) over the 18 held-out prompts/);
  const other = await report({ ...run, completions: rows, summary: end(split(0.5, 0.1)) });
  assert.equal(opens(other), "Held-out exact answers fell from 50\u00a0% to 10\u00a0%"); // of other answers
  const scored = rows.map((row, i) => ({ ...row, reward: i % 4 / 3, scores: {} }));
  const none = (reward: number) => ({ exact: NaN, reward });
  const means = [0, 1].map((k) =>
    scored.slice(18 * k, 18 * k + 18).reduce((s, r) => s + r.reward, 0) / 18
  );
  const halves = { before: none(means[0]), after: none(means[1]) };
  const bootstrap = await report({
    ...run,
    completions: scored,
    summary: { ...end(halves), train: halves },
  });
  assert.match(
    opens(bootstrap),
    /^Held-out reward rose from 0\.463 \(0\.2\d\d to 0\.6\d\d\) to 0\.537 \(0\.3\d\d to 0\.7\d\d\)$/,
  );
  const same = await report({ ...run, completions: [], summary: end(split(0.281, 0.283)) });
  assert.equal(opens(same), "Held-out exact answers stayed at 28\u00a0%");
  assert.equal(page.match(/<div class="tile">/g)?.length, 4);
});

Deno.test("a run that was cut short says why in its first lines, with the line that mends it", async () => {
  const event = { step: 7, time: "", cause: "the gradient norm is NaN", from: 5 };
  const cut = { ...run, summary: undefined, checkpoints: [5, 6, 7] };
  const page = await report({
    ...cut,
    history: [{ ...event, kind: "diverged", next: "deno task train --resume x learningRate=1e-4" }],
  });
  const top = page.slice(page.indexOf("<h1>"), page.indexOf("<h2>"));
  present(top, /<h1>Diverged after step 7 of 40<\/h1>/);
  present(top, /It diverged after step 7: the gradient norm is NaN\./);
  present(top, /mends it:<\/p>\n<pre>deno task train --resume x learningRate=1e-4<\/pre>/);
  present(top, /<span>Last good checkpoint<\/span><strong>step 5<\/strong>/);
  for (const [kind, word] of [["stopped", "Stopped"], ["failed", "Failed"]] as const) {
    const other = await report({ ...cut, history: [{ ...event, kind, next: "deno task train" }] });
    present(other, new RegExp(`<h1>${word} after step 7 of 40</h1>`));
    present(other, /continues it:<\/p>\n<pre>deno task train<\/pre>/);
  }
  present(await report(cut), /<h1>At step 40 of 40: it did not reach its end<\/h1>/);
});

Deno.test("words that came and went are counted once a completion, the largest change first", async () => {
  const { came, went, kinds } = wordsUsed(["Red red blue", "red"], [
    "don't",
    "don't say",
    "green",
    "say",
  ]);
  assert.deepEqual(came, [
    { word: "don't", before: 0, after: 0.5 },
    { word: "say", before: 0, after: 0.5 },
    { word: "green", before: 0, after: 0.25 },
  ]);
  assert.deepEqual(went, [{ word: "red", before: 1, after: 0 }, {
    word: "blue",
    before: 0.5,
    after: 0,
  }]);
  assert.deepEqual(kinds, [2, 3]);
  const rows = [completion(0, "before:heldout", "yes"), completion(9, "after:heldout", "no")];
  const page = await report({ ...run, completions: rows });
  assert.deepEqual(column(page, "word"), ["no", "yes"]);
  const steps = [1, 2].map((step) => completion(step, "train", `step ${step}`));
  const cut = await report({ ...run, completions: steps });
  present(cut, /completions of the first and the last step\. 2 different words before, 2 after\./);
});

Deno.test("settings that differ stand first, with who set them", async () => {
  const settings = {
    learningRate: 2e-6,
    clipLow: 0.1,
    klCoefficient: 0.05,
    gamma: 1,
    maxNewTokens: 2,
  };
  const config = {
    ...run.config,
    config: settings,
    request: { settings: { klCoefficient: 0.05, gamma: 1 }, preset: "dapo" },
  };
  const rowsOf = (page: string) =>
    ["key", "set by"].map((label) => column(page, label)).reduce<string[][]>(
      (rows, cells) => cells.map((cell, i) => [...(rows[i] ?? []), cell]),
      [],
    );
  const rows = rowsOf(await report({ ...run, config }));
  assert.deepEqual(rows.slice(0, 2), [["klCoefficient", "you"], ["gamma", "you"]]);
  assert.deepEqual(rows.find(([key]) => key === "maxNewTokens"), ["maxNewTokens", "the task"]);
  assert.deepEqual(rows.find(([key]) => key === "learningRate"), [
    "learningRate",
    "the preset dapo",
  ]);
  const resumed = {
    ...{ step: 3, time: "", kind: "resumed" as const },
    asked: { settings: { maxNewTokens: 2 } },
    changed: {},
  };
  const later = rowsOf(await report({ ...run, config, history: [resumed] }));
  assert.deepEqual(later.find(([key]) => key === "maxNewTokens"), ["maxNewTokens", "you"]);
  // A program's own run does not say what was asked for.
  const own = await report({ ...run, config: { ...config, request: {} } });
  assert.deepEqual(new Set(column(own, "set by")), new Set([""]));
});

Deno.test("checkpoints, skipped updates and the best answers are marked, and the page says what marks are", async () => {
  const at = run.names.indexOf("optimizer/skipped_updates") + 1;
  const metrics = run.metrics.map((row) => row.map((x, i) => i === at ? Number(row[0] === 3) : x));
  const page = await report({
    ...run,
    metrics,
    checkpoints: [20, 40],
    summary: { ...summary, best: { step: 30, exact: 1, reward: 1 } },
  });
  const [svg] = charts({ ...run, metrics, checkpoints: [20, 40] });
  assert.deepEqual([...svg.svg.matchAll(/<title>(step \d+: checkpoint)</g)].map((m) => m[1]), [
    "step 20: checkpoint",
    "step 40: checkpoint",
  ]);
  present(page, /<title>step 3: the update was skipped<\/title><line class="mark ill"/);
  present(page, /▲ on the axis: a checkpoint\. Dashed: the best held-out answers\. Dashed in red/);
  const plain = await report({ ...run, metrics: metrics.filter(([step]) => step !== 3) });
  absent(plain, /Dashed|▲ on/);
});

Deno.test("healthy ranges that are shaded are those of docs/metrics.md", async () => {
  const docs = await Deno.readTextFile(new URL("../../../docs/metrics.md", import.meta.url));
  const shaded = Object.values(SERIES).filter((series) => "healthy" in series);
  assert.deepEqual(shaded.map(({ name }) => name), ["kl/reference", "policy/clipfrac"]);
  for (const { name, healthy } of shaded) {
    const part = docs.split(`### \`${name}\``)[1].split("###")[0];
    assert.match(part, new RegExp(`healthy: .*\\b${healthy.to}\\b`));
  }
});

Deno.test("a cut run still has a page: no comparison, missing numbers left out of the curves", async () => {
  const metrics = run.metrics.slice(0, 3).map((row, i) => i === 1 ? row.map(() => NaN) : row);
  const cut = { ...run, summary: undefined, metrics };
  assert.doesNotMatch(JSON.stringify(charts(cut)), /NaN|training/);
  assert.match(await report(cut), /did not reach its end/);
  assert.match(await report({ ...cut, metrics: [], names: [], completions: [] }), /<h2>Curves/);
});

Deno.test("a run whose prompts have no answers tells its reward in place of exact", async () => {
  const none = (reward: number) => ({ exact: NaN, reward });
  const split = { before: none(0.25), after: none(0.75) };
  const summary = { ...run.summary!, train: split, heldout: split };
  const page = await report({ ...run, summary });
  present(
    page,
    /<h1>Held-out reward rose from <strong>0\.250<\/strong> to <strong>0\.750<\/strong><\/h1>/,
  );
  assert.match(page, /<title>held-out, after: 0\.75<\/title>/);
  assert.doesNotMatch(page, /Exact answers on held-out/);
});

Deno.test("a run of 200,000 steps is drawn", () => {
  const metrics = Array.from({ length: 200_000 }, (_, i) => [i + 1, Math.sin(i)]);
  const [{ svg }] = charts({ ...run, names: ["score/mean"], metrics });
  assert.match(svg, /least -1, largest 1\./);
});

Deno.test("what a run could not measure has no chart and no sentence", async () => {
  const kl = run.names.indexOf("kl/reference") + 1;
  const without = {
    ...run,
    metrics: run.metrics.map((row) => row.map((x, i) => i === kl ? NaN : x)),
  };
  assert.equal(charts(without).length, charts(run).length - 1);
  assert.doesNotMatch(curves(without), /KL to the reference/);
  const words = /nats per completion from the model that it started as/;
  assert.match(await report(run), words);
  assert.doesNotMatch(await report(without), words);
});

Deno.test("the opening says what the numbers say, and warns where they deserve it", () => {
  const series = (name: string, values: number[]): RunData => ({
    ...run,
    names: [name],
    metrics: values.map((value, i) => [i + 1, value]),
  });
  assert.match(
    opening(run).join(" "),
    /for 40 of 40 steps .* Exact answers on held-out prompts rose from 0\.000 to 1\.000\.$/,
  );
  const scores = findings(series("score/mean", [0, 1, 2, 3])).join(" ");
  assert.match(
    scores,
    /sampled completions rose from 0 to 3 \(first and last step\)/,
  );
  const long = series("score/mean", Array.from({ length: 20 }, (_, i) => i < 10 ? 0 : 1));
  assert.match(findings(long).join(" "), /from 0 to 1 \(means of the run's first and last tenth\)/);
  assert.match(findings(series("score/mean", [2, 2])).join(" "), /stayed at 2\./);
  assert.match(findings(series("score/mean", [2, 1])).join(" "), /fell from 2 to 1/);
  assert.deepEqual(warnings(series("policy/entropy", [2, 1.5])), []);
  assert.match(warnings(series("policy/entropy", [2, 0.05])).join(), /hardly explores/);
  assert.match(warnings(series("policy/clipfrac", [0.1, 0.5])).join(), /Up to 50 % of tokens/);
  assert.match(warnings(series("kl/reference", [0.1, -3])).join(), /KL estimate fell to -3/);
  assert.match(
    warnings(series("optimizer/skipped_updates", [0, 1, NaN, 1])).join(),
    /^2 of 4 updates skipped: a number was not finite/,
  );
  assert.deepEqual(warnings(series("optimizer/skipped_updates", [0, 0])), []);
  assert.match(
    warnings(series("policy/approxkl", [0.1, 0.2, 9, 0])).join(),
    /^Step 3 shows a policy/,
  );
  assert.deepEqual(warnings({ ...series("policy/approxkl", [9]), summary: undefined }), []);
  const split = (exact: number, reward: number) => ({
    before: { exact: 0.5, reward: 0.5 },
    after: { exact, reward },
  });
  const ends = (train: ReturnType<typeof split>, heldout: ReturnType<typeof split>) =>
    warnings({ ...run, metrics: [], summary: { ...summary, train, heldout } }).join();
  assert.match(ends(split(0.9, 0.9), split(0.6, 0.9)), /better than held-out ones by 0\.3/);
  assert.match(ends(split(0.4, 0.9), split(0.4, 0.9)), /Reward rose while exact answers fell/);
  assert.equal(ends(split(0.9, 0.9), split(0.8, 0.9)), "");
});

Deno.test("a long run's page holds all evaluations and whole steps, first and last among them", () => {
  const rollouts = Array.from(
    { length: 100 },
    (_, step) => Array.from({ length: 64 }, () => completion(step + 1, "train", "x")),
  ).flat();
  const kept = chosen([completion(0, "before:heldout", "y"), ...rollouts]);
  assert.deepEqual([kept[0].phase, kept[0].split], ["before", "heldout"]);
  const steps = new Set(kept.slice(1).map(({ step }) => step));
  assert.ok(steps.has(1) && steps.has(100) && kept.length <= 1501 && kept.length > 1300);
  assert.equal(kept.length - 1, steps.size * 64);
});

Deno.test("before and after are matched by id", () => {
  const row = (phase: string, id: string, text: string) => ({ ...completion(0, phase, text), id });
  const rows = [
    row("before:heldout", "a", "1"),
    row("before:heldout", "b", "2"),
    row("after:heldout", "b", "3"),
    row("after:heldout", "c", "4"),
    row("after:train", "a", "5"),
  ];
  assert.deepEqual(pairs(rows, "heldout"), [
    { prompt: "red and blue make", before: "2", after: "3", answer: "purple" },
  ]);
});

Deno.test("completions.csv holds every text, and no cell that a spreadsheet runs", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const written = new RunFolder({ out: `${folder}/run`, command: "", request: {} });
    await written.start(info());
    await written.evaluation(
      { phase: "train", split: "train" },
      HOSTILE.map((text) => ({
        ...completion(1, "train", text),
        reward: -0.5,
        scores: { exact: -0 },
      })),
    );
    const [head, ...rows] = readCsv(await Deno.readTextFile(`${folder}/run/completions.csv`));
    const columns = ["step", "phase", "id", "prompt", "completion", "answer", "reward"];
    assert.deepEqual(head, [...columns, "score:exact"]);
    assert.deepEqual(
      rows.map((row) => unguard(row[4])),
      HOSTILE.map((text) => text.replaceAll("\ud800", "\\u{d800}")),
    );
    for (const row of rows) {
      assert.doesNotMatch(row[4], /^[=+\-@\t\r\n\0＝]/);
      assert.equal(row[6], "-0.5"); // numbers stay numbers
      assert.equal(row[7], "0");
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  for (const text of ["a", "", "'", "'a", "=1", "''"]) assert.equal(unguard(guard(text)), text);
  assert.equal(guard("a=1"), "a=1");
});
