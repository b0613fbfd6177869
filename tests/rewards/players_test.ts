/** What docs/rewards.md says that players earn who do not do the task. */
import assert from "node:assert/strict";
import type { OptionValue } from "../../base/options.ts";
import { assertClose } from "../_close.ts";
import { open, scores } from "./_open.ts";

const EXAMPLE = { prompt: "Tom has 3 bags of 4 apples. How many?", answer: "12" };
const CASES: [string, Record<string, OptionValue>, [string, number | null][]][] = [
  ["first_word", {}, [["", 0], [EXAMPLE.prompt, 0], ["12", 1], ["12 or whatever", 1]]],
  ["numeric_hard", {}, [["", 0], [EXAMPLE.prompt, 0], ["12", 2], ["10", 0]]],
  ["numeric_soft", {}, [["", 0], [EXAMPLE.prompt, 2 / 3], ["10", 5 / 3]]],
  ["sentiment", {}, [["", null], [EXAMPLE.prompt, 0], ["great great great", 0.9231]]],
  ["format", {}, [["", 0], [EXAMPLE.prompt, 0], [
    "<reasoning></reasoning><answer></answer>",
    0.5,
  ]]],
  ["length", { max: 8 }, [["", 1], ["eight words that say nothing at all here", 1]]],
  ["length", { min: 2 }, [["", 0]]],
  ["contains", {}, [["", 0], [EXAMPLE.prompt, 0], ["10 11 12 13", 1]]],
  ["rouge", {}, [["", 0], [EXAMPLE.prompt, 0], ["12 or 10", 0.5]]],
  ["regex", { pattern: "\\d" }, [["", 0], ["1", 1]]],
  ["repetition", {}, [["", 0], [EXAMPLE.prompt, 0], ["12", 0]]],
];

for (const [name, settings, players] of CASES) {
  Deno.test(`${name} pays players who do not do the task as its docs say: ${JSON.stringify(settings)}`, async () => {
    const got = await scores(await open(name, settings), players.map(([text]) => text), EXAMPLE);
    assert.deepEqual(got.map((x) => x === null), players.map(([, want]) => want === null));
    assertClose(got.map((x) => x ?? 0), players.map(([, want]) => want ?? 0), name, 1e-4);
  });
}
