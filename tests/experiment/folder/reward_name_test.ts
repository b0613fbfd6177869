/** The name of a reward in a run's request is one reward, however it is read again. */
import assert from "node:assert/strict";
import { faultOf, requestSchema } from "../../../experiment/folder/schemas.ts";

const fault = (name: string) =>
  faultOf(requestSchema, {
    ...{ task: "colors", algorithm: "grpo", model: "gpt2", seed: 1, device: "cpu", settings: {} },
    rewards: [{ name, weight: 1 }],
  });

Deno.test("a reward's name that would be read as several is a fault of the request", () => {
  for (const name of ["exact,runs/a/evil.ts", "runs/a/evil.ts:1,exact", "a:1", "x:/a.ts:1", ""]) {
    assert.match(fault(name) ?? "none", /must have no "," and no weight/, name);
  }
  for (const name of ["exact", "own/my reward.ts", "a:b/c.ts", "C:/own/a.ts", "C:\\own\\a.ts"]) {
    assert.doesNotMatch(fault(name) ?? "", /no weight/, name);
  }
});
