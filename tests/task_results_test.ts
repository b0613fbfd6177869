import assert from "node:assert/strict";
import { withTable } from "../scripts/results.ts";
import { type TaskRun, taskTable } from "../scripts/task_results.ts";

const run = (seed: number, exact: number, reward: number, more = {}): TaskRun => ({
  rewards: "semantic",
  summary: {
    ...{ task: "opposites", algorithm: "ppo", rewards: ["semantic"], model: "small", seed },
    ...{ steps: 40, seconds: 30, tokensPerSecond: 900, device: { kind: "cpu", name: "twins" } },
    train: { before: { exact: 0, reward: 0 }, after: { exact: 1, reward: 1 } },
    heldout: { before: { exact: 0.5, reward: 0.75 }, after: { exact, reward } },
    players: {
      ...{ prompts: 4, copy: { exact: 0, reward: 0.535 }, nothing: { exact: 0, reward: 0 } },
      constant: {
        ...{ answer: "hard", tried: { answers: 1, of: 1, prompts: 1 }, exact: 0.1, reward: 0.4 },
      },
    },
    ...more,
  },
});

Deno.test("a row a task tells its measure before and after, and the best that learns nothing", () => {
  const table = taskTable([run(1, 0.8, 0.9), run(2, 0.9, 0.95), run(3, 1, 1)]);
  const row = table.split("\n")[2];
  assert.equal(
    row,
    "| `opposites` | ppo, semantic, small | 0.500 | 0.900 (0.652 to 1.148) | 0.750 | " +
      "**0.950 (0.826 to 1.074)** | copy 0.535 |",
  );
});

Deno.test("a task without answers has no exact share", () => {
  const none = { exact: NaN, reward: 0.1 };
  const table = taskTable([run(1, 0, 0, { heldout: { before: none, after: none } })]);
  assert.match(table, /small \| - \| - \| 0\.100 \| \*\*0\.100\*\* \|/);
});

Deno.test("the page keeps what is around its second table", () => {
  const page = "a\n<!-- tasks -->\nold\n<!-- /tasks -->\nb\n";
  assert.equal(
    withTable(page, "new", "tasks"),
    "a\n<!-- tasks -->\n\nnew\n\n<!-- /tasks -->\nb\n",
  );
  assert.throws(() => withTable("a", "new", "tasks"), /docs\/results\.md has no <!-- tasks -->/);
});
