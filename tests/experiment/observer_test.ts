import assert from "node:assert/strict";
import { parsePhase, type Phase, phaseText } from "../../experiment/observer.ts";

Deno.test("a phase is kept in completions.csv as text, as runs of every version have it", () => {
  const texts = ["train", "before:train", "before:heldout", "after:train", "after:heldout"];
  const phases: Phase[] = texts.map(parsePhase);
  assert.deepEqual(phases.map(phaseText), texts);
  assert.deepEqual(phases[0], { phase: "train", split: "train" });
  assert.deepEqual(phases[4], { phase: "after", split: "heldout" });
  for (const text of ["", "heldout", "train:train", "before:", "after:test", "x before:train"]) {
    assert.throws(() => parsePhase(text), /Cannot tell the phase ".*" as it must be train/);
  }
});
