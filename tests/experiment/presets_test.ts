import assert from "node:assert/strict";
import { definePreset } from "../../experiment/presets/preset.ts";
import { listPresets } from "../../experiment/presets/registry.ts";
import { resolveRequest } from "../../experiment/request.ts";
import { settingsTable } from "../../experiment/settings.ts";
import { findAlgorithm } from "../../rl/algorithms/registry.ts";
import { presetsPage } from "../../cli/report/presets_page.ts";
import type { Task } from "../../tasks/task.ts";

/** A task that wants every setting otherwise than anybody would. */
function contraryTask(algorithm: string): Task {
  const { rows } = settingsTable(findAlgorithm(algorithm), []);
  const settings = Object.fromEntries(
    Object.entries(rows).filter(([name]) => name !== "maxNewTokens").map(([name, row]) => {
      const other = row.choices?.find((choice) => choice !== row.default);
      if (row.kind === "boolean") return [name, !row.default];
      return [name, other ?? (row.kind === "text" ? "all-linear" : row.max ?? 64)];
    }),
  );
  const examples = { train: [{ id: "a", prompt: "a", answer: "b" }], heldout: [] };
  return {
    ...{
      name: "contrary",
      summary: "",
      examples,
      maxNewTokens: 3,
      defaultRewards: "exact",
      steps: 2,
    },
    settings: { ...settings, batchSize: 64 },
    parent: { name: "none", answer: () => Promise.resolve([null]) },
  };
}

Deno.test("a preset is complete: a run with it has its every value, whatever the task wants", () => {
  for (const { name, algorithm, settings } of listPresets()) {
    const { rows } = settingsTable(findAlgorithm(algorithm), []);
    // A setting that follows another one is left to that, so that it follows it further.
    const follows = Object.keys(rows).filter((row) =>
      Object.hasOwn(rows, rows[row].otherwise ?? "")
    );
    const asked = Object.keys(rows)
      .filter((row) => row !== "maxNewTokens" && !(follows.includes(row) && !(row in settings)));
    assert.deepEqual(Object.keys(settings).sort(), asked.sort(), name);
    const { config, settings: run } = resolveRequest({
      task: contraryTask(algorithm),
      preset: name,
    });
    const held: Record<string, unknown> = { ...config, ...run };
    for (const row of follows) assert.equal(held[row], settings[row], `${name} ${row}`);
    for (const [key, value] of Object.entries(settings)) {
      assert.equal(held[key], value, `${name} ${key}`);
    }
  }
});

Deno.test("every preset says where it is from, and where a run with it is otherwise", () => {
  const names = listPresets().map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const { name, summary, source, differences } of listPresets()) {
    assert.match(name, /^[a-z][a-z0-9.-]*$/);
    assert.ok(summary.length > 20 && source.length > 20, name);
    for (const text of differences) assert.match(text, /^[A-Z].*\.$/, name);
  }
});

Deno.test("a preset with a setting that its algorithm lacks, or out of range, cannot be made", () => {
  const about = { name: "x", summary: "x", source: "x", differences: [], algorithm: "grpo" };
  assert.throws(
    () => definePreset({ ...about, settings: { batchSize: 8, valueClip: 1 } }),
    /has no setting "valueClip"/,
  );
  assert.throws(() => definePreset({ ...about, settings: { batchSize: 0 } }), /batchSize must be/);
});

Deno.test("docs/presets.md is what the presets make: deno task docs writes it", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/presets.md", import.meta.url));
  assert.equal(page, presetsPage());
});
