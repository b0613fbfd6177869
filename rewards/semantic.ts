/**
 * PGSRM, the parent-guided semantic reward: how near the child's answer comes to its parent's in an
 * embedding space (Plashchinsky 2025, arXiv:2512.06920).
 *   affine     R = ((cos + 1) / 2)^p               the authors' code; cos 0 gives 0.0625 at p = 4
 *   relu       R = max(0, cos)^p                   the paper; cos <= 0 gives 0
 *   euclidean  R = 1 - |p / |p| - c / |c||         in the authors' code, not used by them; -1 to 1
 * With targets "nearest" the answers that an example accepts beside the parent's count as well: the largest
 * R of all. With words "first" the completion's first word is all that is compared; so, affine with p = 1
 * is what a GRPO notebook on analogies describes: the largest cosine, rescaled to 0 to 1.
 * @module
 */
import {
  defineOptions,
  type OptionRows,
  type OptionTable,
  type OptionValues,
} from "../base/options.ts";
import { described } from "../base/excerpt.ts";
import { type Mapping, MAPPINGS, nearness } from "./embeddings/mapping.ts";
import { isAddress } from "./servers/address.ts";
import { encoderOf, isVectorFile, openEmbedder, WORDS } from "./embeddings/open.ts";
import type { Parent, Reward, RewardBatch, RewardDefinition, TextEmbedder } from "./reward.ts";
import { tally } from "./tally.ts";
import { targetsOf } from "./targets.ts";
import { firstWord } from "./words.ts";

export type { Mapping } from "./embeddings/mapping.ts";

/** Reward of a completion without any known word; "floor" is what a vector without length would give. */
export type OutOfVocabulary = "zero" | "floor" | "null";

/** What `semantic` needs, and its choices. */
export interface SemanticOptions {
  parent: Parent;
  embedder: TextEmbedder;
  /** Default "affine". */
  mapping?: Mapping;
  /** Exponent p, > 0; the larger, the less a near miss earns. Default 4. */
  power?: number;
  /** Default "zero"; "floor" repeats the authors' code. */
  oov?: OutOfVocabulary;
  /** Whether what an example accepts beside the parent's answer counts as well. Default "parent". */
  targets?: "parent" | "nearest";
  /** How much of the completion is compared. Default "all". */
  words?: "all" | "first";
}

const OOV: readonly OutOfVocabulary[] = ["zero", "floor", "null"];

/**
 * The reward, in [0, 1], or euclidean in [-1, 1]. Null where there is no answer, or none with a known word.
 * Counts `out_of_vocabulary` (completions), `no_parent_answer`, `parent_out_of_vocabulary` and `fallbacks`,
 * which are null too: a server embedded one of the texts not.
 * @throws TypeError for an unknown mapping or oov, RangeError for a power that is not above 0.
 */
export function semantic(options: SemanticOptions): Reward {
  const { parent, embedder, mapping = "affine", power = 4, oov = "zero" } = options;
  const { targets = "parent", words = "all" } = options;
  const near = nearness(mapping, power);
  if (!OOV.includes(oov)) {
    throw new TypeError(`Cannot score unknown words as oov must be ${OOV.join(", ")}: "${oov}"`);
  }
  const unknown = { zero: 0, floor: near([0], [1]), null: null }[oov];
  const counted = tally(
    "out_of_vocabulary",
    "no_parent_answer",
    "parent_out_of_vocabulary",
    "fallbacks",
  );

  return {
    name: "semantic",
    counts: counted.counts,
    takeCounts: counted.takeCounts,
    async score({ completions, examples }: RewardBatch): Promise<(number | null)[]> {
      const answers = checked(await parent.answer(examples), parent, completions.length);
      const wanted = answers.map((answer, i) => [
        ...(answer === null ? [] : [answer]),
        ...(targets === "nearest" ? targetsOf(examples[i]) : []),
      ]);
      const texts = words === "first" ? completions.map(firstWord) : completions;
      const [models, given] = await Promise.all([
        embedEach(embedder, wanted),
        embedder.embed(texts).then((all) => checked(all, embedder, completions.length)),
      ]);
      return given.map((child, i) => {
        const known = models[i].filter((model) => model != null);
        if (wanted[i].length === 0) counted.add("no_parent_answer");
        else if (child === undefined || models[i].includes(undefined)) counted.add("fallbacks");
        else if (known.length === 0) counted.add("parent_out_of_vocabulary");
        else if (child === null) {
          counted.add("out_of_vocabulary");
          return unknown;
        } else return Math.max(...known.map((model) => near(model, child)));
        return null;
      });
    },
  };
}

/** The vectors of each row's texts, all asked for at once. */
async function embedEach(
  embedder: TextEmbedder,
  rows: readonly (readonly string[])[],
): Promise<(Float32Array | null | undefined)[][]> {
  const texts = rows.flat();
  const vectors = checked(await embedder.embed(texts), embedder, texts.length);
  let next = 0;
  return rows.map(({ length }) => vectors.slice(next, next += length));
}

/** @throws {RangeError} where `whose` gave another number of results than it was asked for */
function checked<T>(found: readonly T[], { name }: { name: string }, count: number): readonly T[] {
  if (Array.isArray(found) && found.length === count) return found;
  throw new RangeError(
    `Cannot score as ${name} must give ${count} results: got ${described(found)}`,
  );
}

// deno-fmt-ignore
const ROWS = {
  embedder: { kind: "text", default: WORDS, unit: "words, FILE.txt[.gz], a folder, a fetched OWNER/NAME, or https://host/v1", doc: "space of the semantic reward: word vectors, a sentence encoder, or an OpenAI-compatible server (docs/servers.md)", group: "Rewards and advantages" },
  vectorRows: { kind: "integer", default: 0, unit: "0 = all", min: 0, max: 1e7, only: { semanticEmbedder: { not: WORDS } }, doc: "rows kept of a file of word vectors, from its first on; each takes 2 bytes a number", group: "Rewards and advantages" },
  mapping: { kind: "choice", choices: MAPPINGS, default: "affine", doc: "semantic reward of cosine c: affine ((c+1)/2)^p, relu max(0,c)^p; euclidean: 1 less the distance of both scaled to length 1", group: "Rewards and advantages" },
  power: { kind: "number", default: 4, min: 0, above: true, usual: "1 to 16", only: { semanticMapping: { not: "euclidean" } }, doc: "exponent p of the semantic reward; the larger, the less a near miss earns", group: "Rewards and advantages" },
  embeddingModel: { kind: "text", otherwise: "none", doc: "name of the model of a server that embeds", group: "Rewards and advantages" },
  oov: { kind: "choice", choices: ["zero", "floor", "null"], default: "zero", doc: "semantic reward where no word is known: 0, that of cosine 0, or none", group: "Rewards and advantages" },
  targets: { kind: "choice", choices: ["parent", "nearest"], default: "parent", doc: "semantic reward: nearness to the parent's answer, or to the nearest of all accepted", group: "Rewards and advantages" },
  words: { kind: "choice", choices: ["all", "first"], default: "all", doc: "semantic reward: whether all of the completion is compared or its first word", group: "Rewards and advantages" },
} as const satisfies OptionRows;

/** Settings of `semantic` by name. */
export type SemanticSettings = OptionValues<typeof ROWS>;
const OPTIONS: OptionTable<SemanticSettings> = defineOptions("the reward semantic", ROWS);

/** `semantic` by name. */
export const definition: RewardDefinition<SemanticSettings> = {
  name: "semantic",
  summary: "PGSRM: nearness of completion and parent's answer in an embedding space, 0 to 1",
  formula: [
    "affine: ((cos + 1) / 2)^power",
    "relu: max(0, cos)^power",
    "euclidean: 1 - |p / |p| - c / |c||",
    "nearest: the largest of all accepted answers",
  ],
  range: "0 to 1; euclidean -1 to 1",
  source: "Plashchinsky 2025, arXiv 2512.06920",
  players:
    "Nothing earns 0 (semanticOov). On colors a copied colour earns 0.45, always purple 0.46, all answers at once 0.53: a mean of 0.5 is no sign of learning.",
  options: OPTIONS,
  // deno-fmt-ignore
  counts: [
    { name: "out_of_vocabulary", healthy: "falls to 0", meaning: "completions without any word that the word vectors know", remedy: "Above: the policy writes what is not a word; start from a better model, or lower learningRate." },
    { name: "no_parent_answer", healthy: "0", meaning: "completions whose parent gave no answer; they get null", remedy: "Above: give the examples an answer." },
    { name: "parent_out_of_vocabulary", healthy: "0", meaning: "completions whose parent's answer has no known word; they get null", remedy: "Above: choose answers of known words, or another embedder." },
    { name: "fallbacks", healthy: "0", meaning: "completions that a server gave no embedding for, or for their parent's answer; they get null", remedy: "Above: see to the server; fewer serverRequests, or a longer serverTimeout." },
  ],
  encoder: ({ embedder }) => encoderOf(embedder),
  vectors: ({ embedder }) => isVectorFile(embedder) ? embedder : undefined,
  server: ({ embedder }) => isAddress(embedder) ? embedder : undefined,
  notice: ({ embedder, embeddingModel }) =>
    isAddress(embedder)
      ? `semantic sends every completion to ${embedder}, where ${embeddingModel} embeds it`
      : undefined,
  quick: ({ embedder }) => !isAddress(embedder) && encoderOf(embedder) === undefined,
  async open({ embedder: name, embeddingModel, vectorRows, ...choices }, context) {
    const chosen = { name, rows: vectorRows, model: embeddingModel };
    const { parent, embedder = await openEmbedder(chosen, context) } = context;
    if (!parent) throw new TypeError("Cannot reward nearness as a parent must give the answers");
    return semantic({ ...choices, parent, embedder });
  },
};
