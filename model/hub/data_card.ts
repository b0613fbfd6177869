/** What the card of a data set (README.md) says of its configs: which files are theirs. @module */
import * as z from "npm:zod@4.6.7";
import { excerpt } from "../../base/excerpt.ts";

/** One config of a data set. */
export interface CardConfig {
  readonly name: string;
  /** Whether it is the one that is meant where none is named. */
  readonly isDefault: boolean;
  /** The folder in which its files are; empty for the top. */
  readonly folder: string;
  /** Patterns by split; absent where splits are told by the names of files. */
  readonly splits?: readonly { readonly split: string; readonly patterns: readonly string[] }[];
}

const MAX_CARD = 2 ** 20; // characters of its head; the largest that is known has a quarter of that
const MAX_CONFIGS = 2000;

const text = z.string().min(1).max(1000);
const patterns = z.union([text.transform((one) => [one]), z.array(text).max(10_000)]);
const schema = z.looseObject({
  configs: z.array(z.looseObject({
    config_name: z.union([text, z.number().transform(String)]),
    default: z.boolean().nullish(),
    data_dir: text.nullish(),
    data_files: z.union([
      patterns,
      z.array(z.looseObject({ split: text, path: patterns })).max(1000),
    ]).nullish(),
  })).max(MAX_CONFIGS).nullish(),
});

/**
 * The configs that a card lists, in its order; none where it has no list.
 * @throws {SyntaxError} for a head that is not YAML, or a list that is not one of configs
 */
export async function readCard(card: string): Promise<CardConfig[]> {
  const [, head] = /^\uFEFF?---[ \t]*\r?\n([^]*?)\r?\n---[ \t]*(?:\r?\n|$)/
    .exec(card.slice(0, MAX_CARD)) ?? [];
  if (head === undefined && card.length > MAX_CARD && /^\uFEFF?---/.test(card)) {
    throw new SyntaxError(`its head may have ${MAX_CARD} characters: it has more`);
  }
  if (head === undefined || !/^configs[ \t]*:/m.test(head)) return [];
  const { parse } = await import("npm:yaml@2.9.1"); // most runs read no card
  let value: unknown;
  try {
    value = parse(head, { maxAliasCount: 100, logLevel: "error" });
  } catch (error) {
    throw new SyntaxError(`its head is not YAML: ${excerpt((error as Error).message)}`);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0];
    throw new SyntaxError(`its ${path.join(".") || "head"} is not what it must be: ${message}`);
  }
  return (parsed.data.configs ?? []).map((config) => ({
    name: config.config_name,
    isDefault: config.default === true,
    folder: (config.data_dir ?? "").replace(/^\.?\/+|\/+$/g, ""),
    ...(config.data_files && { splits: splitsOf(config.data_files) }),
  }));
}

/** A bare list of patterns is one split, which is trained on. */
function splitsOf(
  files: string[] | { split: string; path: string[] }[],
): NonNullable<CardConfig["splits"]> {
  return files.flatMap((one) =>
    typeof one === "string"
      ? { split: "train", patterns: [one] }
      : { split: one.split, patterns: one.path }
  );
}
