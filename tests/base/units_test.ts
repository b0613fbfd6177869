import assert from "node:assert/strict";
import { decimals, formatBytes, formatSettings } from "../../base/units.ts";

Deno.test("what rounds to 0 has no sign", () => {
  assert.deepEqual(
    [-0.0004, -0, -0.0006, 0.0004, -10].map((value) => decimals(value, 3)),
    ["0.000", "0.000", "-0.001", "0.000", "-10.000"],
  );
  assert.deepEqual([decimals(-0.4, 0), decimals(-0.6, 0), decimals(NaN, 2)], ["0", "-1", "NaN"]);
});

Deno.test("bytes are told in MiB, and in GiB from one on", () => {
  assert.deepEqual([2 ** 19, 2 ** 30 - 1, 2 ** 30].map(formatBytes), [
    "0.5 MiB",
    "1024.0 MiB",
    "1.00 GiB",
  ]);
});

Deno.test("settings are told as a command line takes them", () => {
  assert.equal(
    formatSettings({ batchSize: 8, klCoefficient: 0.1 }),
    "batchSize=8 klCoefficient=0.1",
  );
});
