/** Names of models and data sets of the hub: which are well formed, and what the old ones stand for. @module */

const PART = /^[A-Za-z0-9](?:[\w.-]{0,94}[A-Za-z0-9_])?$/;
const REVISION = /^\w(?:[\w./-]{0,198}\w)?$/;

/** What a repository of the hub holds. */
export type RepoKind = "model" | "dataset";

/** Where the hub and its cache keep each kind, and how messages call it. */
export const REPOS: Readonly<Record<RepoKind, RepoPlace>> = {
  model: { noun: "model", plural: "models", page: "", example: "openai-community/gpt2" },
  dataset: { noun: "data set", plural: "datasets", page: "/datasets", example: "openai/gsm8k" },
};
interface RepoPlace {
  noun: string;
  /** In paths of the hub's API, and first in the name of a folder of the cache. */
  plural: string;
  /** What stands before `/OWNER/NAME` in an address. */
  page: string;
  example: string;
}

// Models that had no owner until 2024, and are still asked for by these names. The hub answers them
// with a redirect; the full name is asked for here, as Python's cache has either.
const RENAMED: ReadonlyMap<string, string> = new Map([
  ["gpt2", "openai-community/gpt2"],
  ["gpt2-medium", "openai-community/gpt2-medium"],
  ["gpt2-large", "openai-community/gpt2-large"],
  ["gpt2-xl", "openai-community/gpt2-xl"],
  ["distilgpt2", "distilbert/distilgpt2"],
  [
    "distilbert-base-uncased-finetuned-sst-2-english",
    "distilbert/distilbert-base-uncased-finetuned-sst-2-english",
  ],
]);

const RENAMED_DATA: ReadonlyMap<string, string> = new Map([
  ["gsm8k", "openai/gsm8k"],
  ["imdb", "stanfordnlp/imdb"],
]);

/** A name in parts. */
export interface HubName {
  /** `owner/name`. */
  readonly id: string;
  /** What is before the @ as it was given: `id`, or its old name without owner. */
  readonly given: string;
  readonly revision: string;
}

/** Takes `owner/name[@revision]`, or an old name in place of `owner/name`, apart; undefined for anything else. */
export function hubName(name: string, kind: RepoKind = "model"): HubName | undefined {
  const [given, revision = "main", ...more] = name.split("@");
  const id = (kind === "model" ? RENAMED : RENAMED_DATA).get(given) ?? given;
  const parts = id.split("/");
  const plain = (text: string): boolean => !text.includes("..");
  const good = more.length === 0 && parts.length === 2 &&
    parts.every((part) => PART.test(part) && plain(part) && !part.includes("--")) &&
    REVISION.test(revision) && plain(revision) && !/\/[./]|\.lock$/.test(revision);
  return good ? { id, given, revision } : undefined;
}

/** Whether `model` has the form `owner/name` or `owner/name@revision`, or is an old name such as gpt2. */
export const isHubId = (model: string): boolean => hubName(model) !== undefined;
