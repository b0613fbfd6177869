/** Text and numbers as they stand in a drawing. @module */
import { spelledOut } from "./unseen.ts";

const NAMED: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;",
};

/** Text for the content and the quoted attributes of SVG and HTML; what cannot be seen is spelled out. */
export const escape = (text: string): string =>
  spelledOut(text).replace(/[&<>"'`]/g, (c) => NAMED[c]);

/** Units that a letter of 12 px takes on average, in the wide faces that some systems have. */
export const LETTER = 7.2;

/** A name in a room of so many units: cut, with a sign, where it would not fit. */
export function fitted(name: string, room: number): string {
  const most = Math.max(3, Math.floor(room / LETTER));
  const letters = [...name]; // never half of one
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : name;
}

/** A coordinate with at most two digits behind the point, so that the same numbers give the same bytes. */
export function coordinate(value: number): string {
  const text = value.toFixed(2).replace(/\.?0+$/, "");
  return text === "-0" ? "0" : text;
}

/** A number for people, at most four digits: 0.0123, 12.3, 1,234, 1.2e-7. Nothing of what is no number. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return "";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) {
    return value.toExponential(1).replace(/\.0e/, "e").replace("e+", "e");
  }
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3;
  const text = value.toFixed(digits);
  const cut = digits === 0 ? text : text.replace(/\.?0+$/, "");
  return (cut === "-0" ? "0" : cut).replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ",");
}
