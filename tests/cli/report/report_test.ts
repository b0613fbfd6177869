import assert from "node:assert/strict";
import { guard, readCsv, unguard } from "../../../experiment/folder/csv.ts";
import { charts, curves } from "../../../cli/report/plots.ts";
import { chosen, escape, report } from "../../../cli/report/report.ts";
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

/** `assert.doesNotMatch` without printing a whole page. */
const absent = (page: string, pattern: RegExp) =>
  assert.equal(pattern.exec(page)?.[0], undefined, `${pattern}`);

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
  assert.ok(page.includes("\\u{202e}evil\\u{2066}"));
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
    `<td data-label="key" class="t name">${key}</td><td data-label="value" class="t">${value}</td>`;
  assert.ok(page.includes(`<tr class="changed">${row("ppo.lambda", "0.5")}`));
  assert.ok(page.includes(`<tr>${row("ppo.gamma", "1")}`));
  assert.ok(page.includes(row("list", "[1,2]")));
  assert.ok(page.includes("@media(min-width:641px){.name{white-space:nowrap}}")); // a name stays whole
  const small = { ...run.config, config: { learningRate: 2e-6, adamEps: 1e-8 } };
  const numbers = await report({ ...run, config: small });
  assert.ok(
    numbers.includes(`${row("learningRate", "2e-6")}<td data-label="default" class="t">1.41e-5<`),
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
  assert.equal(tables?.length, 4);
  assert.equal(page.match(/<table[ >]/g)?.length, 5 + 8); // before and after fits any screen, as charts' numbers do
  const bodies = page.replace(/<details[^]*?<\/details>/g, "").split("<tbody>").slice(1)
    .map((part) => part.split("</tbody>")[0]);
  for (const body of bodies.slice(1)) {
    assert.equal(body.match(/<td/g)?.length, body.match(/<td data-label="[a-z]+"/g)?.length);
  }
});

Deno.test("completions open on what training came to; cut lists of prompts say so", async () => {
  const page = await report(run);
  assert.match(page, /<option value="after:heldout" selected>/);
  assert.equal(page.match(/ selected>/g)?.length, 1);
  const left = run.completions.filter(({ phase }) => phase !== "after");
  assert.match(
    await report({ ...run, completions: left.filter(({ phase }) => phase === "train") }),
    /<option value="train" selected>[^]*<option value="40" selected>/,
  );
  assert.match(page, new RegExp(`All ${HOSTILE.length} of them`));
  const many = ["before:heldout", "after:heldout"].flatMap((phase) =>
    Array.from({ length: 101 }, (_, i) => ({ ...completion(0, phase, "x"), id: `${i}` }))
  );
  const long = await report({ ...run, completions: many });
  assert.match(long, /100 of 101 held-out prompts; all are in completions\.csv/);
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
  assert.match(page, /The mean of reward on held-out prompts rose from 0\.250 to 0\.750/);
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
      HOSTILE.map((text) => text.toWellFormed()),
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
