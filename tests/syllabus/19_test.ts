import assert from "node:assert/strict";
import { examplesOf, run } from "../_examples.ts";
import { claim } from "./_claims.ts";

const page = "19-gspo-and-cispo";

claim({
  page,
  says: "the product of ratios spreads with the length, the geometric mean closes in",
  shows: ["0.002 to 214.782"],
  async holds() {
    const text = await Deno.readTextFile(new URL(`../../docs/reading/${page}.md`, import.meta.url));
    const [spread] = examplesOf(page, text);
    for (const seed of [1, 2, 3]) {
      const lines = await run({ ...spread, code: spread.code.replace("seed: 1", `seed: ${seed}`) });
      const numbers = lines.map((line) => [...line.matchAll(/\d+\.\d+/g)].map(Number));
      const [two, , long] = [numbers[1], numbers[3], numbers[5]];
      console.log(`${page}, seed ${seed}: ${two}; ${long}`);
      const width = ([low, high]: number[]) => high - low;
      assert.ok(width(long.slice(2)) > 5 * width(two.slice(2)), `product, seed ${seed}`);
      assert.ok(width(long.slice(0, 2)) < width(two.slice(0, 2)), `mean, seed ${seed}`);
    }
  },
});
