/** Whether a run had anything to learn from, and what is said where it had not. @module */
import type { CompletionRow } from "./observer.ts";

/** What all completions of a run have in common. */
export class Signal {
  /** Whether any step had rewards that differ; undefined before the first. */
  #toldApart?: boolean;
  /** Whether any completion was a right answer; undefined before the first that has one to be compared with. */
  #right?: boolean;

  /** @param resumed whether earlier completions are not known: one of them may have been right */
  constructor(resumed: boolean) {
    if (resumed) this.#right = true;
  }

  /**
   * Takes completions into account, drawn or greedy, of training or of held-out prompts.
   * @param spread of their rewards, where they are those of a step; NaN: nothing could be scored
   */
  take(rows: readonly CompletionRow[], spread?: number): void {
    if (spread !== undefined) this.#toldApart = this.#toldApart || spread !== 0;
    for (const { scores: { exact } } of rows) {
      if (typeof exact === "number") this.#right = this.#right || exact > 0;
    }
  }

  /** For people, where a run of `model` has ended and `measure` is not the task's own. */
  notes({ model, measure }: { model: string; measure?: string }): string[] {
    return [
      ...(this.#toldApart === false ? [NO_SIGNAL] : []),
      ...(this.#right === false && measure === undefined ? [neverRight(model)] : []),
    ];
  }
}

const NO_SIGNAL =
  "note: in every step all completions had the same reward, from which nothing can be " +
  "learned: take a reward that tells near from far (train --list), another model (--model), or a " +
  "higher temperature";

function neverRight(model: string): string {
  const other = model === "tiny"
    ? "tiny is enough for colors alone, --model small knows more words, and a model of the hub more of all"
    : "--model OWNER/NAME takes one of the hub";
  return `note: no answer was right, before, in and after training: ${model} may know nothing of the ` +
    `subject; ${other} (deno task fetch openai-community/gpt2)`;
}
