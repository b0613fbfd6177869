/** What is shown of players that learn nothing, and of a task's own measure: table, progress, report, card. @module */
import assert from "node:assert/strict";
import { Progress } from "../../cli/progress.ts";
import { modelCard } from "../../cli/report/card.ts";
import { report } from "../../cli/report/report.ts";
import { opening, warnings } from "../../cli/report/report_words.ts";
import { bestPlayer, playerRows } from "../../cli/report/results.ts";
import { closing } from "../../cli/report/table.ts";
import type { Terminal } from "../../cli/terminal.ts";
import type { ExportFacts } from "../../experiment/export.ts";
import type { Players, Summary } from "../../experiment/observer.ts";
import type { RunData } from "../../experiment/folder/run_data.ts";
import { info, summary } from "./_folders.ts";

const players: Players = {
  prompts: 18,
  copy: { exact: 0, reward: 0.217 },
  constant: {
    answer: " purple",
    tried: { answers: 9, of: 9, prompts: 72 },
    ...{ exact: 0.1111, reward: 0.465 },
  },
  nothing: { exact: 0, reward: NaN },
};
const terminal = (columns: number, said: string[] = []): Terminal => ({
  ...{ out: () => {}, write: () => {}, err: (line) => said.push(line), fancy: false, columns },
});
const run = (change: Partial<Summary>): RunData => ({
  ...{ folder: "runs/x", names: [], metrics: [], completions: [] },
  config: { ...info(), command: "", request: {}, versions: {} },
  summary: { ...summary, players, ...change },
});

Deno.test("the closing table has what earns without a model below held-out prompts", () => {
  assert.deepEqual(closing(run({}), terminal(100)).slice(1, 7), [
    "                       exact before  after  reward before  after",
    "training                      0.000  1.000          0.000  1.000",
    "held-out                      0.000  1.000          0.000  1.000",
    "  copy the last word          0.000                 0.217",
    '  always say "purple"         0.111                 0.465',
    "  say nothing                 0.000                     -",
  ]);
  assert.deepEqual(closing(run({}), terminal(40)).slice(1, 12), [
    "                       before  after",
    "exact, training         0.000  1.000",
    "exact, held-out         0.000  1.000",
    "  copy the last word    0.000",
    '  always say "purple"   0.111',
    "  say nothing           0.000",
    "reward, training        0.000  1.000",
    "reward, held-out        0.000  1.000",
    "  copy the last word    0.217",
    '  always say "purple"   0.465',
    "  say nothing               -",
  ]);
  const long = { ...players.constant!, answer: "word ".repeat(40) };
  for (const columns of [40, 59, 60, 64, 80, 100]) {
    for (const measure of [undefined, "sentence_similarity"]) {
      const lines = closing(
        run({ measure, players: { ...players, constant: long } }),
        terminal(columns),
      );
      assert.ok(
        lines.every((line) => line.length <= Math.max(columns, 44)),
        `${columns}: ${lines.join("\n")}`,
      );
    }
  }
  assert.deepEqual(playerRows({}), []);
});

Deno.test("a run says before its first step what a policy must earn to be more", () => {
  const said: string[] = [];
  new Progress(terminal(100, said), () => "").players(players);
  assert.deepEqual(said, [
    'without a model: copy the last word 0.217, always say "purple" 0.465, say nothing -',
  ]);
});

Deno.test("the page has them beside the policy, and warns where the policy is no better", async () => {
  const page = await report(run({}));
  const rows = [
    ...page.replace(/<details[^]*?<\/details>/g, "").matchAll(/<tr><td>(.*?)<\/td>(.*?)<\/tr>/g),
  ]
    .map((
      [, name, cells],
    ) => [name, ...[...cells.matchAll(/>([^<]*)<\/td>/g)].map(([, cell]) => cell)]);
  assert.deepEqual(rows, [
    ["training", "0.000", "1.000", "0.000", "1.000"],
    ["held-out", "0.000", "1.000", "0.000", "1.000"],
    ["copy the last word", "0.000", "0.217"],
    ["always say &quot;purple&quot;", "0.111", "0.465"],
    ["say nothing", "0.000", "-"],
    ["the model before training", "0.000", "0.000"],
    ["the model after training", "1.000", "1.000"],
  ]);
  assert.ok(
    page.includes(
      "They learn nothing: what they earn on 18 held-out prompts takes no model. The answer that is " +
        "always said is the best of 9 of the 9 answers of training, on 72 training prompts.",
    ),
  );
  assert.deepEqual(warnings(run({})), []);
  const after = { exact: 0, reward: 0.465 }, heldout = { before: after, after };
  assert.deepEqual(warnings(run({ heldout, train: heldout })), [
    'To always say "purple" earns 0.465 on held-out prompts and takes no model: the trained policy earns 0.465.',
  ]);
  assert.deepEqual(warnings(run({ heldout, train: heldout, players: undefined })), []);
  assert.equal(
    bestPlayer({ players: { ...players, copy: { exact: 0, reward: NaN } } })!.name,
    'always say "purple"',
  );
  const hostile = { ...players.constant!, answer: "<img src=x onerror=alert(1)>\u001b[2J" };
  const safe = await report(run({ players: { ...players, constant: hostile } }));
  assert.ok(safe.includes("always say &quot;&lt;img src=x onerror=al"));
  assert.ok(!safe.includes("<img") && !safe.includes("\u001b"));
});

Deno.test("a task's own measure stands where exact would", async () => {
  const of = (measure: number) => ({ exact: NaN, reward: 0.5, measure });
  const own = run({
    measure: "semantic",
    train: { before: of(0.1), after: of(0.9) },
    heldout: { before: of(0.2), after: of(0.8) },
    best: { step: 4, ...of(0.85) },
    players: { prompts: 3, copy: of(0.6), nothing: of(0) },
  });
  assert.deepEqual(closing(own, terminal(100)).slice(1, 6), [
    "                      semantic before  after  reward before  after",
    "training                        0.100  0.900          0.500  0.500",
    "held-out                        0.200  0.800          0.500  0.500",
    "  copy the last word            0.600                 0.500",
    "  say nothing                   0.000                 0.500",
  ]);
  assert.ok(
    closing(own, terminal(100)).some((line) =>
      line.includes("at step 4: semantic 0.850, reward 0.500")
    ),
  );
  assert.equal(
    opening(own)[1],
    "The mean of semantic on held-out prompts rose from 0.200 to 0.800.",
  );
  const page = await report(own);
  assert.match(page, /<th class="n">semantic before<\/th>/);
  assert.match(page, /best after step 4: semantic 0\.850, reward 0\.500/);
});

Deno.test("a model card's results have them too", () => {
  const facts: ExportFacts = {
    source: { kind: "folder", path: "tiny", sha256: {} },
    ...{
      modelType: "gpt2",
      parameters: 10,
      positions: 64,
      dtype: "F32",
      valueHead: false,
      tokenizer: true,
    },
  };
  const card = modelCard({ folder: "exports/x", run: { data: run({}), step: 9 } }, facts);
  assert.match(card, /\| always say "purple" \| 0\.111 +\| +\| 0\.465 +\| +\|/);
  assert.match(
    card,
    /The last rows learn nothing: what they earn on held-out prompts takes no model\./,
  );
  const own = modelCard(
    { folder: "x", run: { data: run({ measure: "semantic" }), step: 9 } },
    facts,
  );
  assert.match(own, /`semantic` is the task's own measure/);
});
