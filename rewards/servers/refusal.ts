/** What an answer means that is none: a redirect, a refusal, a server in trouble. @module */
import { excerpt } from "../../base/excerpt.ts";
import { retryAfter } from "../../base/wait.ts";
import { readBody } from "./body.ts";
import { AnswerError, OutageError } from "./errors.ts";
import type { Endpoint } from "./post.ts";

const SAID_BYTES = 4096; // of a refusal's body

/** The error that a status other than 2xx means; its message is a phrase behind "as". */
export async function refusal(
  response: Response,
  { address, key, keyFrom }: Endpoint,
): Promise<AnswerError | OutageError> {
  const { status, type, headers } = response;
  if (type === "opaqueredirect" || (status >= 300 && status < 400)) {
    const to = headers.get("location") ?? "";
    const host = URL.canParse(to, address.href) && new URL(to, address.href).host || "elsewhere";
    return new AnswerError(
      `it redirects to ${
        excerpt(key?.redact(host) ?? host)
      }, and a request with prompts and a key is not sent on: give the ` +
        "address that it ends at",
    );
  }
  if (status === 401) {
    return new OutageError(
      key
        ? `it does not take the key in ${key.from} (401)`
        : `it wants a key (401): set ${keyFrom}, see docs/servers.md`,
    );
  }
  const said = await saidIn(response);
  const words = said === "" ? `${status}` : `${status}: ${excerpt(key?.redact(said) ?? said)}`;
  if ([404, 405, 410].includes(status)) {
    return new OutageError(`it has no such path or model (${words}): check address and model`);
  }
  if (status === 408 || status === 429 || status >= 500) {
    const why = status === 429 ? "it has too many requests" : "it has trouble";
    const wait = retryAfter(headers.get("retry-after"));
    return new AnswerError(`${why} (${words})`, { retry: true, wait });
  }
  return new AnswerError(`it refuses the request (${words})`);
}

/** The message in a refusal's body, as servers of this kind give it; "" where there is none. */
async function saidIn(response: Response): Promise<string> {
  const text = await readBody(response, SAID_BYTES, { cut: true }).catch(() => "");
  try {
    const { error, message } = JSON.parse(text);
    const said = error?.message ?? error ?? message;
    return typeof said === "string" ? said : "";
  } catch {
    return /^\s*</.test(text) ? "" : text.trim();
  }
}
