/** `rouge`: by hand, beside a table of all prefixes, and beside rouge_score. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { commonWords } from "../../rewards/rouge.ts";
import fixture from "../fixtures/rouge.json" with { type: "json" };
import { assertClose } from "../_close.ts";
import { open, scores } from "./_open.ts";

Deno.test("rouge is 2 common words in order / words of both", async () => {
  const reward = await open("rouge");
  const example = { answer: "The dog runs home." };
  const said: [string, number][] = [
    ["the DOG runs home", 1],
    ["home runs dog the", 2 / 8], // one word at a time is in order
    ["The dog quickly runs home.", 8 / 9],
    ["dog home", 4 / 6],
    ["cat", 0],
    ["", 0],
    ["...", 0],
  ];
  const got = await scores(reward, said.map(([text]) => text), example);
  assertClose(got as number[], said.map(([, want]) => want), "by hand", 1e-12);
});

Deno.test("of several answers the nearest counts; none, or none with a word, is not scored", async () => {
  const reward = await open("rouge");
  const accepted = { answer: "one two", accepted: ["...", "a b", "three"] };
  assert.deepEqual(await scores(reward, ["a b", "one", "no"], accepted), [1, 2 / 3, 0]);
  assert.deepEqual(await scores(reward, ["a"], {}), [null]);
  assert.deepEqual(await scores(reward, ["a", ""], { answer: "?!" }), [null, null]);
});

Deno.test("words of any script, accents written in either way", async () => {
  const reward = await open("rouge");
  assert.deepEqual(
    await scores(reward, ["cafe\u0301 Ärger 猫"], { answer: "caf\u00e9 ärger 猫" }),
    [1],
  );
});

Deno.test("common words are those of the table of all prefixes", () => {
  const word = fc.constantFrom("a", "b", "c", "d");
  fc.assert(
    fc.property(fc.array(word, { maxLength: 90 }), fc.array(word, { maxLength: 90 }), (a, b) => {
      let above = new Array(b.length + 1).fill(0);
      for (const left of a) {
        const row = [0];
        b.forEach((right, j) =>
          row.push(left === right ? above[j] + 1 : Math.max(above[j + 1], row[j]))
        );
        above = row;
      }
      assert.equal(commonWords(a, b), above.at(-1));
    }),
  );
});

Deno.test("equal to rouge_score's ROUGE-L, which drops all but a-z and 0-9", async () => {
  const reward = await open("rouge");
  for (const [answer, completion, want] of fixture.rows as [string, string, number][]) {
    const [got] = await scores(reward, [completion], { answer });
    assertClose([got!], [want], `${answer} | ${completion}`, 1e-12);
  }
});
