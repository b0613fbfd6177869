/** How likely a language model finds texts: the sum of the log-probabilities of their own tokens. @module */
import type { Gpt2 } from "./gpt2.ts";
import type { PassOptions } from "./gpt2_options.ts";
import { sharePrefixes } from "./prefix_tree.ts";
import { responseRows, toGrid } from "./rows.ts";
import type { Tokenizer } from "./tokenizer/tokenizer.ts";

/** The most that one pass takes, see `passSizes` of a run's policy. */
export interface ScoringSizes {
  /** Texts. */
  B: number;
  /** Rows of the tree of its texts. */
  treeRows: number;
  /** Target positions. */
  R: number;
}

/** Where nobody plans memory. */
const SIZES: ScoringSizes = { B: Infinity, treeRows: 4096, R: 4096 };

/** How texts are scored. */
export interface ScoringOptions extends PassOptions {
  /** Default: as many texts as have 4,096 rows together. */
  sizes?: ScoringSizes;
  /** Each text goes through a pass by itself, and not as far as it begins like another. Default false. */
  apart?: boolean;
}

/** What a model says of one text; it is a `TextScore` of the rewards. */
export interface TokenNll {
  /** -sum log p of the text's tokens, nats; 0 for none. */
  sum: number;
  tokens: number;
  /** True where there are too few positions: the text's end, or the prompt's beginning, is left out. */
  cut: boolean;
}

/** Tokens of one text: what stands before those that are scored. */
interface ScoredText {
  before: Int32Array;
  own: Int32Array;
  cut: boolean;
  /** What texts with the same beginning have in common. */
  prompt: string;
}

/**
 * Scores each completion behind its prompt, whose own tokens do not count; both are encoded apart, as a
 * policy's prompts and responses are. Behind an empty prompt the first token stands for it.
 * @throws {Error} when logits are infinite or not numbers
 */
export async function scoreTexts(
  model: Gpt2,
  tokenizer: Tokenizer,
  { prompts, completions }: { prompts: readonly string[]; completions: readonly string[] },
  { sizes = SIZES, apart = false, adapter }: ScoringOptions = {},
): Promise<TokenNll[]> {
  const encoded = new Map<string, Int32Array>();
  const promptOf = (text: string): Int32Array => {
    if (!encoded.has(text)) encoded.set(text, tokenizer.encode(text));
    return encoded.get(text)!;
  };
  const texts = completions.map((text, i) => ({
    prompt: prompts[i],
    ...fitted(promptOf(prompts[i]), tokenizer.encode(text), model.dims.P),
  }));
  const scores = texts.map(({ own, cut }): TokenNll => ({ sum: 0, tokens: own.length, cut }));
  for (const batch of batches(texts, sizes)) {
    const rows = responseRows({
      prompts: batch.map((i) => texts[i].before),
      responses: batch.map((i) => texts[i].own),
    });
    const laidOut = apart ? rows : sharePrefixes(rows);
    const grid = toGrid((await model.evaluate(laidOut, { adapter })).logprob, laidOut);
    batch.forEach((i, b) => {
      for (let t = 0; t < scores[i].tokens; t++) scores[i].sum -= grid[b * rows.width + t];
    });
  }
  return scores;
}

/** What fits into P positions: all of the text before any of its prompt, of which the end is kept. */
function fitted(prompt: Int32Array, text: Int32Array, P: number): Omit<ScoredText, "prompt"> {
  const [before, own] = prompt.length > 0
    ? [prompt, text]
    : [text.subarray(0, 1), text.subarray(1)];
  const kept = own.subarray(0, P), room = P - Math.max(0, kept.length - 1); // the last is no input
  const cut = kept.length < own.length || before.length > room;
  return { before: before.subarray(Math.max(0, before.length - room)), own: kept, cut };
}

/** Indices of the texts that have tokens to score, as many together as `sizes` has room for, or one. */
function* batches(texts: readonly ScoredText[], sizes: ScoringSizes): Generator<number[]> {
  let batch: number[] = [], rows = 0, targets = 0, prompts = new Set<string>();
  for (const [i, { before, own, prompt, cut }] of texts.entries()) {
    if (own.length === 0) continue;
    const isShared = !cut && prompt !== "" && prompts.has(prompt);
    const more = own.length - 1 + (isShared ? 0 : before.length);
    const isFull = batch.length >= sizes.B || rows + more > sizes.treeRows ||
      targets + own.length > sizes.R;
    if (isFull && batch.length > 0) {
      yield batch;
      [batch, rows, targets, prompts] = [[], 0, 0, new Set()];
    }
    const alone = batch.length === 0 ? own.length - 1 + before.length : more;
    batch.push(i);
    rows += alone;
    targets += own.length;
    if (!cut) prompts.add(prompt);
  }
  if (batch.length > 0) yield batch;
}

/** Preallocates the memory of scoring: texts within `sizes` take no more. */
export function reserveScoring(model: Gpt2, { treeRows, R }: ScoringSizes): void {
  model.reserve({ B: 1, T: 1, R, treeRows });
}

/** A language model of its own that scores texts: a `TextScorer` of the rewards. */
export class ModelScorer implements Disposable {
  /** @param name what it is called: the folder or name that it was found by */
  constructor(
    readonly name: string,
    readonly model: Gpt2,
    readonly tokenizer: Tokenizer,
    readonly options: ScoringOptions = {},
  ) {}

  /** Of each completion behind its prompt, see `scoreTexts`. */
  perTokenNll(prompts: readonly string[], completions: readonly string[]): Promise<TokenNll[]> {
    return scoreTexts(this.model, this.tokenizer, { prompts, completions }, this.options);
  }

  [Symbol.dispose](): void {
    this.model[Symbol.dispose]();
  }
}
