import assert from "node:assert/strict";
import { freeMemory } from "../../../experiment/folder/host.ts";

Deno.test("free memory is the machine's, or what a control group leaves of its limit", () => {
  const facts = { available: 8e9, limit: 0, resident: 1e8 };
  assert.equal(freeMemory(facts), 8e9, "no control group");
  assert.equal(freeMemory({ ...facts, limit: 2 ** 63 }), 8e9, "one without a limit");
  assert.equal(freeMemory({ ...facts, limit: 2e9 }), 1.9e9);
  assert.equal(freeMemory({ ...facts, limit: 16e9 }), 8e9, "the machine has less");
  assert.equal(freeMemory({ ...facts, limit: 5e7 }), 0);
  const here = freeMemory()!;
  assert.ok(here > 0 && here <= Deno.systemMemoryInfo().available * 1.1, `${here}`);
});
