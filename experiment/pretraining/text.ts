/** What a recipe's model reads, as tokens: its tokenizer, the text to train on, and what is held out. @module */
import { Tokenizer as Engine } from "npm:@huggingface/tokenizers@0.2.0";
import { TOKENIZER_CONFIG, type TokenizerJson, trainBpe } from "../../model/tokenizer/bpe.ts";
import { buildCorpus, encodeCorpus, openSources, wholeWords } from "./corpus.ts";
import type { Recipe, SmallRecipe, TinyRecipe } from "./recipe.ts";
import {
  buildHeldout,
  buildSmallCorpus,
  openSmallSources,
  type SmallSources,
  smallWholeWords,
} from "./small/corpus.ts";

const HELD_OUT = 0.01; // share of tiny's token stream that is never trained on

/** Token streams of a recipe, and the tokenizer that made them. */
export interface PreparedText {
  tokenizer: TokenizerJson;
  training: Uint32Array;
  /** By subject; of tiny all subjects in one. */
  heldout: { subject: string; stream: Uint32Array }[];
}

/**
 * Corpus, tokenizer and token streams of a recipe; the same recipe gives the same bytes.
 *
 * @param given the tokenizer of an earlier stage; without it one is trained on the text
 */
export function prepare(recipe: Recipe, given?: TokenizerJson): PreparedText {
  return recipe.corpus === "tiny" ? prepareTiny(recipe, given) : prepareSmall(recipe, given);
}

function prepareTiny(
  recipe: TinyRecipe,
  given?: TokenizerJson,
): PreparedText {
  const sources = openSources();
  const documents = buildCorpus(recipe, sources);
  const whole = wholeWords(sources.mixtures);
  const tokenizer = given ?? trainBpe({ documents, vocabulary: recipe.vocabulary, whole });
  const stream = encodeCorpus(documents, new Engine(tokenizer, TOKENIZER_CONFIG), recipe);
  const cut = Math.floor(stream.length * (1 - HELD_OUT));
  return {
    tokenizer,
    training: stream.subarray(0, cut),
    heldout: [{ subject: "all", stream: stream.subarray(cut) }],
  };
}

/** Read once a process: stages share it. */
let opened: SmallSources | undefined;

function prepareSmall(
  recipe: SmallRecipe,
  given?: TokenizerJson,
): PreparedText {
  const sources = opened ??= openSmallSources();
  const heldout = buildHeldout(recipe, sources, recipe.heldoutCharacters);
  const documents = buildSmallCorpus(recipe, sources, heldout);
  const whole = smallWholeWords(sources.mixtures);
  const tokenizer = given ?? trainBpe({ documents, vocabulary: recipe.vocabulary, whole });
  const engine = new Engine(tokenizer, TOKENIZER_CONFIG);
  return {
    tokenizer,
    training: encodeCorpus(documents, engine, recipe),
    heldout: heldout.map(({ subject, documents }) => ({
      subject,
      stream: encodeCorpus(documents, engine, { seed: 1, cut: recipe.cut }),
    })),
  };
}
