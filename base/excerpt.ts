/** Text from outside, cut to what an error or a line of a terminal can hold. @module */

/** The text, or its first `most` characters and how many it has. */
export function excerpt(text: string, most = 200): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most).toWellFormed()}… (${text.length} characters)`;
}

/** A name that was found, on its way into an error: it stays on its line. */
export const oneLine = (name: string): string =>
  name.replace(/[\r\n]/g, (c) => JSON.stringify(c).slice(1, -1));

/** A value as JSON, as `excerpt` cuts it; "missing" for undefined, and in words what has no JSON. */
export function shown(value: unknown, most = 200): string {
  if (typeof value === "string") { // no copy of all of it is made
    const text = JSON.stringify(value.slice(0, most).toWellFormed());
    return value.length <= most ? text : `${text}… (${value.length} characters)`;
  }
  try {
    return excerpt(JSON.stringify(value) ?? "missing", most);
  } catch {
    return "a value that is no JSON"; // it holds itself, or is nested too deep
  }
}

/** The first `most` of what is listed, joined, and how many more there are. */
export function firstOf(items: readonly string[], { most = 8, apart = "; " } = {}): string {
  const more = items.length > most ? [`and ${items.length - most} more`] : [];
  return [...items.slice(0, most), ...more].join(apart);
}

const LONGEST = 80;

/** A text in quotes and cut where it is long, an object by its names, anything else as it prints. */
export function described(value: unknown): string {
  if (typeof value === "string") {
    const cut = value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value;
    return JSON.stringify(cut);
  }
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  const names = Object.keys(value);
  return names.length > 0 ? `an object with ${names.slice(0, 12).join(", ")}` : "an empty object";
}
