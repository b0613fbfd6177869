/** VADER beside vaderSentiment 3.3.2, whose numbers `tests/fixtures/vader.py` writes. */
import assert from "node:assert/strict";
import { loadLexicon } from "../../rewards/vader/lexicon.ts";
import { Vader } from "../../rewards/vader/vader.ts";

interface Fixture {
  versions: { vaderSentiment: string };
  rows: { text: string; compound: number }[];
}
const { versions, rows }: Fixture = JSON.parse(
  await Deno.readTextFile(new URL("../fixtures/vader.json", import.meta.url)),
);
const vader = await Vader.load();

Deno.test("Vader.score() is vaderSentiment 3.3.2's compound value, to its four places", async () => {
  assert.equal(versions.vaderSentiment, "3.3.2");
  assert.ok(rows.length >= 200, `${rows.length} sentences`);
  const got = await vader.score(rows.map(({ text }) => text));
  const wrong = rows.flatMap(({ text, compound }, i) =>
    Math.abs(got[i] - compound) <= 5.0001e-5
      ? []
      : [`${JSON.stringify(text)}: ${got[i]}, not ${compound}`]
  );
  assert.deepEqual(wrong, []);
});
