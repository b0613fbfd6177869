import assert from "node:assert/strict";
import type { Example } from "../../rewards/reward.ts";
import { targetsOf } from "../../rewards/targets.ts";
import { firstWord, withoutMarks } from "../../rewards/words.ts";
import { open, scores } from "./_open.ts";

const MOON = { answer: "dim", accepted: ["pale", "Glowing!", "light blue"] };

Deno.test("first_word gives 1 for the first word of any accepted answer, 0 for another", async () => {
  const reward = await open("first_word");
  const completions = [
    "dim",
    "tall",
    " Pale, like snow",
    "“GLOWING”",
    "light",
    "a dim one",
    "dimmer",
  ];
  assert.deepEqual(await scores(reward, completions, MOON), [1, 0, 1, 1, 1, 0, 0]);
  assert.deepEqual(await scores(reward, ["pale"], { accepted: ["pale"] }), [1]); // no answer of a parent
});

Deno.test("first_word gives 0 where there is no word, null where there is no answer", async () => {
  const reward = await open("first_word");
  assert.deepEqual(await scores(reward, ["", "  ", "...", "?"], { answer: "?" }), [0, 0, 0, 0]);
  assert.deepEqual(await scores(reward, ["dim", ""]), [null, null]);
  assert.deepEqual(await scores(reward, ["dim"], { accepted: [] }), [null]);
});

Deno.test("firstWord() takes marks off both ends and leaves those inside", () => {
  for (
    const [text, word] of [
      ["  don't stop", "don't"],
      ["(self-made)", "self-made"],
      ["¿Qué?", "qué"],
      ["$5.00!", "5.00"],
      ["... then", ""],
      ["\u00a0word\u00a0", "word"],
      ["😀a😀 b", "a"],
    ]
  ) assert.equal(firstWord(text), word, text);
  assert.equal(withoutMarks("!"), "");
});

Deno.test("targetsOf() is answer and accepted, and refuses what is no list of texts", () => {
  assert.deepEqual(targetsOf({ id: "a", prompt: "" }), []);
  assert.deepEqual(targetsOf({ id: "a", prompt: "", ...MOON }), ["dim", ...MOON.accepted]);
  const cannot =
    'Cannot compare with the answers of "a" as accepted must be a list of texts: it is ';
  for (const [accepted, now] of [["pale", '"pale"'], [[1], "a list of 1"], [null, "null"]]) {
    const example = { id: "a", prompt: "", accepted } as unknown as Example;
    assert.throws(() => targetsOf(example), new TypeError(cannot + now));
  }
});
