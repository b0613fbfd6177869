/** The answer in what a parent's model writes: JSON, else what looks like it, else the text itself. @module */
import { withoutThoughts } from "../servers/thoughts.ts";

// A string may be open to the text's end: looked through once, however often OUTPUT stands in it.
const STRING = String.raw`"(?:[^"\\]|\\[^])*(?:"|$)`;
const SCALAR = String.raw`(?:-?\d[\d.eE+-]*|true|false|null)(?=\s*[,}]|[ \t]*(?:\n|$))`;
const OUTPUT = new RegExp(String.raw`["']?OUTPUT["']?\s*:\s*(${STRING}|${SCALAR})`, "g");

/**
 * `{"OUTPUT": "purple"}`, also with words around it, is purple, of several the last; so are `"purple"`, and a
 * text that is no JSON. Numbers, true and false are answers too. What is thought before is left out. Null for
 * an empty answer, and for JSON of another form.
 */
export function parentAnswer(text: string): string | null {
  const said = withoutThoughts(text), found = answerIn(said);
  const isAnswer = ["string", "number", "boolean"].includes(typeof found);
  return isAnswer && String(found).trim() !== "" ? String(found).trim() : null;
}

function answerIn(text: string): unknown {
  const whole = fromJson(text);
  if (typeof whole === "object") return (whole as { OUTPUT?: unknown } | null)?.OUTPUT;
  if (typeof whole === "string") return whole;
  if (whole !== undefined) return text; // a number as it is written
  const parts = [...text.matchAll(OUTPUT)].map(([, part]) => fromJson(part));
  const last = parts.findLast((part) => part !== undefined);
  return last === undefined ? text : last;
}

/** The value of JSON that is all of the text; undefined for other text. */
function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
