/**
 * PGSRM, the parent-guided semantic reward: how near the child's answer comes to its parent's in an
 * embedding space (Plashchinsky 2025, arXiv:2512.06920).
 *   affine   R = ((cos + 1) / 2)^p     the authors' code; cos 0 gives 0.0625 at p = 4
 *   relu     R = max(0, cos)^p         the paper; cos <= 0 gives 0
 * @module
 */
import {
  defineOptions,
  type OptionRows,
  type OptionTable,
  type OptionValues,
} from "../base/options.ts";
import { described } from "../base/excerpt.ts";
import { cosine } from "./embeddings/cosine.ts";
import { openServerEmbedder } from "./embeddings/server.ts";
import { loadWordVectors } from "./embeddings/word_vectors.ts";
import type {
  Parent,
  Reward,
  RewardBatch,
  RewardContext,
  RewardDefinition,
  TextEmbedder,
} from "./reward.ts";
import { isAddress } from "./servers/address.ts";
import { Servers } from "./servers/servers.ts";

/** From cosine to reward. */
export type Mapping = "affine" | "relu";

/** Reward of a completion without any known word; "floor" is what cosine 0 would give. */
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
}

/** Name of the word vectors that ship with the project. */
const WORDS = "words";

const MAPPINGS: Record<Mapping, (cos: number) => number> = {
  affine: (cos) => (cos + 1) / 2,
  relu: (cos) => Math.max(0, cos),
};
const OOV: readonly OutOfVocabulary[] = ["zero", "floor", "null"];

/**
 * The reward, in [0, 1]. Null where the parent has no answer, or one without any known word. Counts
 * `out_of_vocabulary` (completions), `no_parent_answer`, `parent_out_of_vocabulary` and `fallbacks`, which
 * are null too: a server embedded one of the two texts not.
 * @throws TypeError for an unknown mapping or oov, RangeError for a power that is not above 0.
 */
export function semantic(options: SemanticOptions): Reward {
  const { parent, embedder, mapping = "affine", power = 4, oov = "zero" } = options;
  if (!Object.hasOwn(MAPPINGS, mapping)) {
    throw new TypeError(`Cannot map cosines as mapping must be affine or relu: it is "${mapping}"`);
  }
  if (!OOV.includes(oov)) {
    throw new TypeError(`Cannot score unknown words as oov must be ${OOV.join(", ")}: "${oov}"`);
  }
  if (!(power > 0 && power < Infinity)) {
    throw new RangeError(`Cannot sharpen cosines as power must be above 0: it is ${power}`);
  }
  const reward = (cos: number) => MAPPINGS[mapping](cos) ** power;
  const unknown = { zero: 0, floor: reward(0), null: null }[oov];
  const own = { out_of_vocabulary: 0, no_parent_answer: 0, parent_out_of_vocabulary: 0 };
  const none = { ...own, fallbacks: 0 };
  let counts = { ...none };

  return {
    name: "semantic",
    counts: Object.keys(none),
    async score({ completions, examples }: RewardBatch): Promise<(number | null)[]> {
      const answers = await parent.answer(examples);
      const [wanted, given] = await Promise.all([
        embedder.embed(Array.isArray(answers) ? answers.map((answer) => answer ?? "") : []),
        embedder.embed(completions),
      ]);
      const B = completions.length;
      for (const found of [answers, wanted, given]) {
        if (Array.isArray(found) && found.length === B) continue;
        throw new RangeError(
          `Cannot score as ${parent.name} and ${embedder.name} must give ${B} results: got ` +
            described(found),
        );
      }
      return given.map((child, i) => {
        const model = wanted[i];
        if (answers[i] === null) counts.no_parent_answer++;
        else if (model === undefined || child === undefined) counts.fallbacks++;
        else if (model === null) counts.parent_out_of_vocabulary++;
        else if (child === null) {
          counts.out_of_vocabulary++;
          return unknown;
        } else return reward(cosine(model, child));
        return null;
      });
    },
    takeCounts(): Record<string, number> {
      const taken = counts;
      counts = { ...none };
      return taken;
    },
  };
}

// deno-fmt-ignore
const ROWS = {
  embedder: { kind: "text", default: WORDS, unit: "words, a folder, a fetched OWNER/NAME, or https://host/v1", doc: "space of the semantic reward: word vectors, a sentence encoder, or an OpenAI-compatible server (docs/servers.md)", group: "Rewards and advantages" },
  embeddingModel: { kind: "text", otherwise: "none", doc: "name of the model of a server that embeds", group: "Rewards and advantages" },
  mapping: { kind: "choice", choices: ["affine", "relu"], default: "affine", doc: "semantic reward of cosine c: affine ((c+1)/2)^p, relu max(0,c)^p", group: "Rewards and advantages" },
  power: { kind: "number", default: 4, min: 0, above: true, usual: "1 to 16", doc: "exponent p of the semantic reward; the larger, the less a near miss earns", group: "Rewards and advantages" },
  oov: { kind: "choice", choices: ["zero", "floor", "null"], default: "zero", doc: "semantic reward where no word is known: 0, that of cosine 0, or none", group: "Rewards and advantages" },
} as const satisfies OptionRows;

/** Settings of `semantic` by name. */
export type SemanticSettings = OptionValues<typeof ROWS>;
const OPTIONS: OptionTable<SemanticSettings> = defineOptions("the reward semantic", ROWS);

/** The space that the settings name. */
function openEmbedder(
  { embedder: name, embeddingModel }: Pick<SemanticSettings, "embedder" | "embeddingModel">,
  { openEncoder, servers = new Servers() }: RewardContext,
): Promise<TextEmbedder> {
  if (name === WORDS) return loadWordVectors();
  if (isAddress(name)) return openServerEmbedder(name, embeddingModel, servers);
  if (openEncoder) return openEncoder(name);
  throw new TypeError(
    `Cannot embed with ${name} as a sentence encoder needs a device: give one beside it`,
  );
}

/** `semantic` by name. */
export const definition: RewardDefinition<SemanticSettings> = {
  name: "semantic",
  summary: "PGSRM: nearness of completion and parent's answer in an embedding space, 0 to 1",
  options: OPTIONS,
  // deno-fmt-ignore
  counts: [
    { name: "out_of_vocabulary", healthy: "falls to 0", meaning: "completions without any word that the word vectors know", remedy: "Above: the policy writes what is not a word; start from a better model, or lower learningRate." },
    { name: "no_parent_answer", healthy: "0", meaning: "completions whose parent gave no answer; they get null", remedy: "Above: give the examples an answer." },
    { name: "parent_out_of_vocabulary", healthy: "0", meaning: "completions whose parent's answer has no known word; they get null", remedy: "Above: choose answers of known words, or another embedder." },
    { name: "fallbacks", healthy: "0", meaning: "completions that a server gave no embedding for, or for their parent's answer; they get null", remedy: "Above: see to the server; fewer serverRequests, or a longer serverTimeout." },
  ],
  encoder: ({ embedder }) => embedder === WORDS || isAddress(embedder) ? undefined : embedder,
  server: ({ embedder }) => isAddress(embedder) ? embedder : undefined,
  notice: ({ embedder, embeddingModel }) =>
    isAddress(embedder)
      ? `semantic sends every completion to ${embedder}, where ${embeddingModel} embeds it`
      : undefined,
  async open({ embedder: name, embeddingModel, ...choices }, context) {
    const names = { embedder: name, embeddingModel };
    const { parent, embedder = await openEmbedder(names, context) } = context;
    if (!parent) throw new TypeError("Cannot reward nearness as a parent must give the answers");
    return semantic({ ...choices, parent, embedder });
  },
};
