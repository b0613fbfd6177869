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

Deno.test("the lexicon is the package's: its sizes, and words that the npm package lacks", async () => {
  const { valence, emoji } = await loadLexicon();
  assert.deepEqual([valence.size, emoji.size], [7506, 1212]);
  const some = ["badass", "flawed", "heart", "hearts", ":)", "no"].map((word) => valence.get(word));
  assert.deepEqual(some, [1.4, -2.1, 3.2, 3.3, 2, -1.2]);
  assert.equal(emoji.get("😀"), "grinning face");
  assert.ok([...valence.values()].every((value) => Math.abs(value) <= 4));
});

Deno.test("Vader.score() keeps the order of its texts, and 0 for what no word is known of", async () => {
  const texts = ["good", "xyzzy", "", "bad", "\ud83d \udc00", "good"];
  const [a, b, c, d, e, f] = await vader.score(texts);
  assert.deepEqual([b, c, e, f], [0, 0, 0, a]);
  assert.ok(a > 0 && d < 0);
});
