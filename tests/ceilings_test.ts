import assert from "node:assert/strict";
import { complaints, overCeiling } from "../scripts/ceilings.ts";

const lines = (n: number, text = "let x = 1;"): string => `${text}\n`.repeat(n);
const namesOf = (path: string, text: string): string[] =>
  overCeiling(path, text).map(({ name, lines }) => `${name} ${lines}`);

Deno.test("a file is over at one line more than its folder allows", () => {
  for (
    const [path, most] of [
      ["kernels/a.ts", 150],
      ["kernels/fragments/a.wgsl", 200],
      ["rl/loss/a.ts", 200],
      ["rewards/a.ts", 80],
      ["tasks/a.ts", 150],
      ["model/a.ts", 350],
      ["mod.ts", 350],
    ] as const
  ) {
    assert.deepEqual(overCeiling(path, lines(most)), [], path);
    assert.deepEqual(overCeiling(path, lines(most + 1)), [
      { name: path, lines: most + 1, ceiling: most },
    ]);
  }
});

Deno.test("functions of every form are measured from their first word to their last brace", () => {
  const body = lines(59, "  f();"); // 61 lines with the lines of both braces
  const text = `
/** A comment
 * does not count. */
export async function plain(): Promise<void> {
${body}}
const arrow = (): void => {
${body}};
class A {
  constructor() {
${body}  }
  get size() {
${body}  }
  static #hidden = function () {
${body}  };
}
Deno.test("a title", () => {
${body}});
call(function () {
${body}});
const object = { method() {
${body}} };
`;
  const functions = (all: string) => namesOf("cli/a.ts", all).filter((name) => name.includes("#"));
  assert.deepEqual(functions(text), [
    "cli/a.ts#plain 61",
    "cli/a.ts#arrow 61",
    "cli/a.ts#A.constructor 61",
    "cli/a.ts#A.size 61",
    "cli/a.ts#A.#hidden 61",
    'cli/a.ts#Deno.test("a title") 61',
    "cli/a.ts#call 61",
    "cli/a.ts#method 61",
  ]);
  assert.deepEqual(functions(text.replaceAll(body, lines(58, "  f();"))), []);
  const brace = "const text = `function f() {`; // }\nfunction g() {}\n";
  assert.deepEqual(namesOf("cli/a.ts", brace + lines(70)), []);
});

Deno.test("an excuse holds up to its own length, and goes when it is needed no more", () => {
  const over = [{ name: "a.ts", lines: 400, ceiling: 350 }, {
    name: "b.ts#f",
    lines: 61,
    ceiling: 60,
  }];
  assert.deepEqual(complaints(over, {}), [
    "a.ts has 400 lines, at most 350",
    "b.ts#f has 61 lines, at most 60",
  ]);
  const excuses = {
    "a.ts": { lines: 400, reason: "a table" },
    "b.ts#f": { lines: 61, reason: "x" },
  };
  assert.deepEqual(complaints(over, excuses), []);
  assert.deepEqual(complaints([{ ...over[0], lines: 401 }, over[1]], excuses), [
    "a.ts has 401 lines, at most 400 by its excuse",
  ]);
  assert.deepEqual(complaints([over[0]], excuses), [
    "b.ts#f needs no excuse any more: take it out of scripts/ceilings.json",
  ]);
});

Deno.test("every excuse gives a reason", async () => {
  const excuses = JSON.parse(await Deno.readTextFile("scripts/ceilings.json"));
  for (
    const [name, { lines, reason }] of Object.entries<{ lines: number; reason: string }>(excuses)
  ) {
    assert.ok(lines > 60 && reason.length > 10, name);
  }
});
