import assert from "node:assert/strict";
import { oursOf, seedsPage } from "../../cli/report/seeds_page.ts";
import { ORIGINS } from "../../experiment/presets/origins.ts";
import { findPreset } from "../../experiment/presets/registry.ts";
import { SEEDS } from "../../experiment/presets/systems.ts";
import { settingsTable } from "../../experiment/settings.ts";
import { findAlgorithm } from "../../rl/algorithms/registry.ts";

Deno.test("each system has its page, and every setting in which its preset is unusual a row", () => {
  assert.deepEqual(ORIGINS.map(({ preset }) => preset), SEEDS.map(({ name }) => name));
  for (const { preset: name, rows } of ORIGINS) {
    const preset = findPreset(name);
    const table = settingsTable(findAlgorithm(preset.algorithm)).rows;
    const told = new Set(rows.map(({ setting }) => setting));
    for (const [key, value] of Object.entries(preset.settings)) {
      if (table[key].default === value) continue;
      assert.ok(told.has(key), `${name} says nothing of ${key}`);
    }
  }
});

Deno.test("a setting that is not as it was says why, and one that is says nothing", () => {
  for (const { preset: name, rows } of ORIGINS) {
    const preset = findPreset(name);
    for (const row of rows) {
      assert.equal(row.setting === undefined, row.ours !== undefined && row.about !== undefined);
      if (row.setting === undefined) continue;
      const same = oursOf(row, preset) === row.theirs;
      assert.equal(row.why === undefined, same, `${name} ${row.setting}`);
    }
  }
});

Deno.test("docs/seeds.md is what the table makes: deno task docs writes it", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/seeds.md", import.meta.url));
  assert.equal(page, seedsPage());
});
