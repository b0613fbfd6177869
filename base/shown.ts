/** Values in the words of an error. @module */

const LONGEST = 80;

/** A text in quotes and cut where it is long, an object by its names, anything else as it prints. */
export function shown(value: unknown): string {
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
