/** What a run says at its end that had nothing to learn from. @module */
import assert from "node:assert/strict";
import { parsePhase } from "../../experiment/observer.ts";
import { Signal } from "../../experiment/signal.ts";

/** Completions with what `exact` gives them. */
const rows = (...all: (number | null)[]) =>
  all.map((exact) => ({
    ...{ step: 1, ...parsePhase("train"), id: "a", prompt: "", completion: "", answer: "b" },
    ...{ reward: exact, scores: { exact } },
  }));

/** The first words of the notes of a run with such completions, and those of their steps' spreads. */
function notes(
  steps: (number | null)[][],
  { spread = 1, resumed = false, model = "tiny", measure }: {
    spread?: number;
    resumed?: boolean;
    model?: string;
    measure?: string;
  } = {},
): string[] {
  const signal = new Signal(resumed);
  for (const step of steps) signal.take(rows(...step), spread);
  return signal.notes({ model, measure });
}

Deno.test("a run without a right answer says which models know more", () => {
  const [note, ...more] = notes([[0, null], [0]]);
  assert.deepEqual(more, []);
  assert.match(
    note,
    /^note: no answer was right, before, in and after training: tiny may know nothing/,
  );
  assert.match(
    note,
    /--model small knows more words, .* \(deno task fetch openai-community\/gpt2\)$/,
  );
  const [other] = notes([[0]], { model: "small" });
  assert.match(
    other,
    /: small may know nothing of the subject; --model OWNER\/NAME takes one of the hub/,
  );
});

Deno.test("nothing is said where an answer was right, there is none, or another measure counts", () => {
  assert.deepEqual(notes([[0], [0, 1], [0]]), []);
  assert.deepEqual(notes([[null], [null]]), []);
  assert.deepEqual(notes([[0]], { measure: "sentiment" }), []);
  assert.deepEqual(notes([[0]], { resumed: true }), []); // an earlier one may have been
  const signal = new Signal(false);
  signal.take(rows(1)); // a greedy answer, of no step
  signal.take(rows(0), 1);
  assert.deepEqual(signal.notes({ model: "tiny" }), []);
});

Deno.test("equal rewards in every step are said, greedy answers aside", () => {
  const equal = /^note: in every step all completions had the same reward/;
  const [same, ...more] = notes([[1], [1]], { spread: 0 });
  assert.match(same, equal);
  assert.deepEqual(more, []);
  assert.equal(notes([[0]], { spread: 0 }).length, 2);
  const signal = new Signal(false);
  signal.take(rows(1), 0);
  signal.take(rows(1), 0.5);
  signal.take(rows(1), 0);
  assert.deepEqual(signal.notes({ model: "tiny" }), []);
  const greedy = new Signal(false);
  greedy.take(rows(1));
  assert.deepEqual(greedy.notes({ model: "tiny" }), []);
});
