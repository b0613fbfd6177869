import assert from "node:assert/strict";
import { evalTableText } from "../../../experiment/eval/table.ts";
import type { ModelAnswer, PromptAnswers } from "../../../experiment/eval/figures.ts";
import { readCsv, unguard } from "../../../experiment/folder/csv.ts";
import { HOSTILE } from "../../cli/_fake.ts";

const answer = (completion: string, reward: number | null): ModelAnswer => ({
  ...{ completion, reward, tokens: 2, nats: { sum: 1.5, tokens: 1 } },
  scores: { exact: 0, "semantic": reward },
});

const one = (id: string, text: string, more: Partial<PromptAnswers> = {}): PromptAnswers => ({
  ...{ id, prompt: `${text}?`, answer: text },
  base: [answer(text, 0.25)],
  tuned: [answer(`${text}!`, 1)],
  ...more,
});

Deno.test("a row a pair: greedy first, then samples by number, with the difference", () => {
  const two = {
    base: [answer("a", 0), answer("b", null)],
    tuned: [answer("c", 1), answer("d", 1)],
  };
  const [header, ...rows] = readCsv(
    evalTableText({ greedy: [one("x", "blue")], sampled: [one("x", "blue", two)] }),
  );
  assert.equal(
    header.join(),
    "id,draw,prompt,answer,base_response,tuned_response,base_reward,tuned_reward,difference," +
      "base_score:exact,tuned_score:exact,base_score:semantic,tuned_score:semantic," +
      "base_tokens,tuned_tokens,base_nats,tuned_nats,base_scored_tokens,tuned_scored_tokens",
  );
  assert.deepEqual(rows.map((cells) => cells.slice(0, 9).join()), [
    "x,greedy,blue?,blue,blue,blue!,0.25,1,0.75",
    "x,1,blue?,blue,a,c,0,1,1",
    "x,2,blue?,blue,b,d,,1,",
  ]);
  assert.equal(rows[0].slice(9).join(), "0,0,0.25,1,2,2,1.5,1.5,1,1");
});

Deno.test("no text becomes a formula or a row, and all of it comes back", () => {
  const texts = [...HOSTILE, "=1+1", "@SUM(A1)", "-2", "+3", "a\n=cmd|' /C calc'!A0", "\t=1", "'x"];
  const greedy = texts.map((text, i) => one(`${i}`, text));
  const [, ...rows] = readCsv(evalTableText({ greedy, sampled: [] }));
  assert.equal(rows.length, texts.length);
  rows.forEach((cells, i) => {
    for (const cell of cells.slice(2, 6)) assert.doesNotMatch(cell, /^[=+\-@\t\r]|\n[=+\-@\t]/);
    const whole = texts[i].replaceAll("\ud800", "\\u{d800}"); // half a character is spelled out
    assert.equal(unguard(cells[4]), whole);
    assert.equal(unguard(cells[5]), `${whole}!`);
  });
});
