import assert from "node:assert/strict";
import fc from "fast-check";
import { type Json, JsonNumber, parseJson } from "../../base/json.ts";

/** Back to plain values, for comparison with JSON.parse. */
function plain(value: Json): unknown {
  if (value instanceof JsonNumber) return Number(value.text);
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return Object.fromEntries([...value].map(([k, v]) => [k, plain(v)]));
  return value;
}

Deno.test("parseJson() reads what JSON.stringify writes", () => {
  fc.assert(fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, indent) => {
    const text = JSON.stringify(value, null, indent);
    assert.deepEqual(plain(parseJson(text)), JSON.parse(text));
  }));
});

Deno.test("parseJson() refuses every text that JSON.parse refuses", () => {
  const pieces = fc.constantFrom(
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"a"',
    '"',
    "\\",
    "1",
    "-",
    "0",
    ".",
    "e",
    "nul",
    "null",
    " ",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 8 }), (parts) => {
      const text = parts.join("");
      let valid = true;
      try {
        JSON.parse(text);
      } catch {
        valid = false;
      }
      if (valid) parseJson(text); // too short to repeat a key
      else assert.throws(() => parseJson(text), SyntaxError);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("parseJson() refuses repeated keys and deep nesting, which JSON.parse lets through", () => {
  assert.throws(() => parseJson('{"a": 1, "b": {"a": 2}, "\\u0061": 3}'), {
    name: "SyntaxError",
    message: 'the key "\\u0061" a second time at character 32',
  });
  assert.throws(() => parseJson("[".repeat(1e6)), /more than 64 levels at character 65/);
  assert.throws(() => parseJson("[[[]]]", { depth: 2 }), /more than 2 levels/);
});

Deno.test("parseJson() gives __proto__ no meaning and keeps numbers as written", () => {
  const map = parseJson('{"__proto__": 1e400, "n": 9007199254740993}') as Map<string, JsonNumber>;
  assert.equal(map.get("__proto__")!.text, "1e400");
  assert.equal(map.get("__proto__")!.size, undefined);
  assert.equal(map.get("n")!.size, undefined);
  assert.equal(new JsonNumber("12").size, 12);
  assert.equal(new JsonNumber("-1").size, undefined);
  assert.equal(new JsonNumber("1.0").size, undefined);
});

Deno.test("parseJson() reads a string of ten million characters", () => {
  const text = `["${"x\\n".repeat(3_333_333)}"]`;
  assert.equal((parseJson(text) as string[])[0].length, 6_666_666);
});
