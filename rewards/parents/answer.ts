/** The answer in what a parent's model writes: JSON, else what looks like it, else the text itself. @module */

const OUTPUT = /["']?OUTPUT["']?\s*:\s*("(?:[^"\\]|\\.)*")/;

/**
 * `{"OUTPUT": "purple"}`, also with words around it, is purple; a text that is no JSON is the answer
 * itself. Null for an empty one, and for JSON of another form.
 */
export function parentAnswer(text: string): string | null {
  const whole = fromJson(text), [, part] = OUTPUT.exec(text) ?? [];
  const found = whole !== undefined ? outputOf(whole) : part !== undefined ? fromJson(part) : text;
  return typeof found === "string" && found.trim() !== "" ? found.trim() : null;
}

const outputOf = (value: unknown): unknown => {
  const output = (value as { OUTPUT?: unknown } | null)?.OUTPUT;
  return typeof output === "number" ? String(output) : output;
};

/** The value of JSON that is all of the text; undefined for other text. */
function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
