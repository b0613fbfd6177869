/** Names of models of the hub: which are well formed, and what the old ones stand for. @module */

const PART = /^[A-Za-z0-9](?:[\w.-]{0,94}[A-Za-z0-9_])?$/;
const REVISION = /^\w(?:[\w./-]{0,198}\w)?$/;

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

/** A model's name in parts. */
export interface HubName {
  /** `owner/name`. */
  readonly id: string;
  /** What is before the @ as it was given: `id`, or its old name without owner. */
  readonly given: string;
  readonly revision: string;
}

/** Takes `owner/name[@revision]`, or an old name in place of `owner/name`, apart; undefined for anything else. */
export function hubName(model: string): HubName | undefined {
  const [given, revision = "main", ...more] = model.split("@");
  const id = RENAMED.get(given) ?? given;
  const parts = id.split("/");
  const plain = (text: string): boolean => !text.includes("..");
  const good = more.length === 0 && parts.length === 2 &&
    parts.every((part) => PART.test(part) && plain(part) && !part.includes("--")) &&
    REVISION.test(revision) && plain(revision) && !/\/[./]|\.lock$/.test(revision);
  return good ? { id, given, revision } : undefined;
}

/** Whether `model` has the form `owner/name` or `owner/name@revision`, or is an old name such as gpt2. */
export const isHubId = (model: string): boolean => hubName(model) !== undefined;
