/** What can go wrong with a hub, each with what to do about it. @module */
import { redacted } from "../../base/redact.ts";
import { retryAfter } from "../../base/wait.ts";
import type { HubConnection } from "./client.ts";
import { REPOS } from "./names.ts";

/** What went wrong: a program may act on it, the message is for people. */
export type HubErrorCode =
  | "name" // no name of a model or data set
  | "missing" // the hub has no such model, data set, revision or file
  | "refused" // private, gated, or a token that is not accepted
  | "unreachable" // no connection, or the hub is busy
  | "answer" // something that is not the hub answered
  | "damaged" // what came is not what the hub promised
  | "unsupported" // no weights, or no data, that can be read
  | "offline"; // not in the cache, and the network may not be used

/** Raised for every download that ends without the model or data set. */
export class HubError extends Error {
  override name = "HubError";
  constructor(readonly code: HubErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** An error that may be gone at the next try. */
export class RetryableError extends HubError {
  /** `wait`: milliseconds that the hub asks for. `progress`: the try brought a good part. */
  constructor(
    code: HubErrorCode,
    message: string,
    readonly more: { wait?: number; progress?: boolean; cause?: unknown } = {},
  ) {
    super(code, message, { cause: more.cause });
  }
}

/** A text without the token: a redirect may lead to a host that is named so. */
export const hidden = ({ token }: HubConnection, text: string): string =>
  token ? redacted(text, token, "[token]") : text;

/** Where something else than a hub answers. */
export function unexpectedResponse(hub: HubConnection, what: string, found: string): HubError {
  return new HubError(
    "answer",
    `Cannot fetch ${what} as ${hub.endpoint} does not answer as a model hub does: ${found}. ` +
      `Check HF_ENDPOINT, and whether a proxy or login page stands in between`,
  );
}

/** The error that an answer with another status than that of a file means. */
export function statusError(
  hub: HubConnection,
  response: Response,
  url: URL,
  what: string,
): HubError {
  const { status } = response, { noun, page } = REPOS[hub.kind];
  const other = hub.kind === "model" ? "; of a data set: deno task fetch --dataset" : "";
  const code = response.headers.get("x-error-code"), host = hidden(hub, url.host);
  const cannot = (kind: HubErrorCode, text: string): HubError =>
    new HubError(kind, `Cannot fetch ${what} as ${text}`);
  if (code === "GatedRepo") {
    return cannot(
      "refused",
      `its authors ask for consent: accept their terms at ${hub.endpoint}${page}/${
        what.split("@")[0]
      }, ` +
        `then set HF_TOKEN to a token of that account`,
    );
  }
  if (status === 401 || status === 403) {
    const cure = !hub.token
      ? `Check the name; for a private ${noun} set HF_TOKEN${other}`
      : `Check the name, and that the token in ${hub.tokenFrom} is valid and may read it`;
    return cannot("refused", `${host} refuses it (${status}): none such, or private. ${cure}`);
  }
  if (status === 404 || status === 410) {
    return code === "RevisionNotFound"
      ? cannot("missing", `it has no such revision: name a branch, tag or commit behind the @`)
      : cannot(
        "missing",
        `${host} has no such ${noun} or file (${status}): check the name${other}`,
      );
  }
  if (status === 408 || status === 429 || status >= 500) {
    const why = status === 429 ? "too many requests" : "it has trouble";
    return new RetryableError(
      "unreachable",
      `Cannot fetch ${what} as ${host} says: ${why} (${status})`,
      {
        wait: retryAfter(response.headers.get("retry-after")),
      },
    );
  }
  return cannot("answer", `${host} answers with status ${status}`);
}
