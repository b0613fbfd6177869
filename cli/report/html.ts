/**
 * Pages that need no network and run no text from outside: everything goes through `escape` or `shown`,
 * and a page's policy allows only its one style and its one script, by hash.
 * @module
 */
import { escape } from "../../web/view/text.ts";
import { spelledOut } from "../../web/view/unseen.ts";
import { short } from "../terminal.ts";

export { escape };

/**
 * Text for HTML content, from which a reader can tell what it was: what is spelled out stands in `<i>`,
 * so that a line feed is not taken for a backslash and an n.
 */
export const shown = (text: string): string =>
  spelledOut(text, (c) => `\0${c}\0`).split("\0")
    .map((part, i) => i % 2 === 1 ? `<i>${part}</i>` : escape(part)).join("");

/** A page of its own. */
export interface Page {
  title: string;
  /** Markup, made of what `escape` and `shown` gave. */
  body: string;
  style: string;
  /** A fixed text. Default: none, and none may run. */
  script?: string;
}

/** The whole page: it fetches nothing, and no markup in it can make it. The same parts give the same bytes. */
export async function htmlPage({ title, body, style, script }: Page): Promise<string> {
  const policy = [
    "default-src 'none'",
    `style-src '${await hash(style)}'`,
    ...(script === undefined ? [] : [`script-src '${await hash(script)}'`]),
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
${body}
</main>${script === undefined ? "" : `\n<script>${script}</script>`}
</body>
</html>
`;
}

async function hash(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `sha256-${new Uint8Array(digest).toBase64()}`;
}

/**
 * Where a table becomes a stack of cards, on a phone, each cell says which column it is. There its content
 * stands beside that word, so that it must be one piece; `right` marks an answer that is.
 */
export function cell(label: string, value: string, kind = "", right = false): string {
  const inner = shown(value), isOne = !right && !inner.includes("<i>");
  const piece = isOne ? inner : `<span${right ? ' class="right"' : ""}>${inner}</span>`;
  return labelled(label, piece, kind);
}

const labelled = (label: string, inner: string, kind: string): string =>
  `<td data-label="${escape(label)}"${kind && ` class="${kind}"`}>${inner}</td>`;

/** A cell with a number; its interval, where it has one, may stand below it, as a whole. */
export function meanCell(label: string, value: string): string {
  const [, mean, sure] = /^(\S+) (\(.+\)|± .+)$/.exec(value) ?? [];
  if (sure === undefined) return cell(label, value, "n");
  const interval = `<span class="sure">${escape(sure)}</span>`;
  return labelled(label, `<span>${escape(mean)} ${interval}</span>`, "n");
}

/** A cell with a number, flush right. */
export const number = (label: string, value: number | null): string =>
  cell(label, short(value), "n");

/** A cell with text as a program has it, in letters of one width. */
export const text = (label: string, value: string, more = "", right = false): string =>
  cell(label, value, `t${more}`, right);

/** A table that becomes cards on a phone; columns flush right end in `|`. */
export function stacked(
  heads: readonly string[],
  rows: readonly string[],
  { id = "", kind = "" } = {},
): string {
  const head = heads.map((name) =>
    name.endsWith("|")
      ? `<th class="n">${escape(name.slice(0, -1))}</th>`
      : `<th>${escape(name)}</th>`
  ).join("");
  return `<table${id && ` id="${id}"`} class="stack${
    kind && ` ${kind}`
  }"><thead><tr>${head}</tr></thead>
<tbody>${rows.join("\n")}</tbody></table>`;
}
