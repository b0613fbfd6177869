import assert from "node:assert/strict";
import { examplesOf, run } from "../_examples.ts";
import { lacking } from "../_devices.ts";
import { claim } from "./_claims.ts";

const page = "01-one-kernel";

claim({
  page,
  says: "without its guard a kernel gives the same numbers and destroys what stands behind them",
  shows: ["unguarded: 61 72 83 94 105 6 7 8"],
  async holds() {
    const text = await Deno.readTextFile(new URL(`../../docs/reading/${page}.md`, import.meta.url));
    const [guarded, unguarded] = await run(examplesOf(page, text)[1]);
    assert.equal(guarded, "guarded: 61 72 83 94 105 77 77 77");
    const lacks = await lacking("adapter");
    if (lacks === undefined) assert.match(unguarded, /^unguarded: 61 72 83 94 105 (?!77 77 77)/);
    else console.log(`${page}: ${lacks}, so that only the twins ran`);
  },
});
