import assert from "node:assert/strict";
import { readCsv } from "../../base/csv.ts";
import { loadWordVectors } from "../../rewards/embeddings/word_vectors.ts";
import { colors } from "../../tasks/colors.ts";
import { parseShades, shades } from "../../tasks/shades.ts";

const TEN = "red blue yellow green orange purple pink brown black white".split(" ");
const { train, heldout } = shades().examples;
const all = [...train, ...heldout];

/** What a mixture is mixed as, as tasks/data/README.md lists it. */
async function mixedAs(): Promise<Map<string, string>> {
  const page = await Deno.readTextFile(new URL("../../tasks/data/README.md", import.meta.url));
  const section = page.slice(page.indexOf("| mixture "), page.indexOf("A mixture that meets"));
  const rows = [...section.matchAll(/^\| ([a-z, ]+?) +\| ([a-z]+) +\|$/gm)];
  return new Map(
    rows.flatMap(([, names, as]) => names.split(", ").map((name) => [name, as] as const)),
  );
}

Deno.test("shades asks in the style of colors, each row in three orders, 288 and 72 prompts", () => {
  assert.deepEqual([train.length, heldout.length], [288, 72]);
  const prompt =
    "Mix the three colors and output only one lowercase color name: red and blue and green is => ";
  const found = all.filter(({ a, b, c }) => [a, b, c].sort().join() === "blue,green,red");
  assert.deepEqual(found.map(({ id }) => id), [
    "red+blue+green",
    "blue+green+red",
    "green+red+blue",
  ]);
  assert.equal(found[0].prompt, prompt);
  assert.equal(new Set(all.map(({ id }) => id)).size, 360);
  const sets = new Set(all.map(({ a, b, c }) => [a, b, c].sort().join()));
  assert.equal(sets.size, 120);
  assert.deepEqual(new Set(all.map(({ a }) => a)), new Set(TEN));
});

Deno.test("every answer of shades follows from colors.csv by the rule of data/README.md", async () => {
  const { train, heldout } = colors().examples;
  const pairs = new Map([...train, ...heldout].map(({ id, answer }) => [id, answer!]));
  const as = await mixedAs();
  assert.equal(as.size, 16);
  const mixIn = (first: string, third: string) => {
    const paint = as.get(first) ?? first;
    return paint === third ? first : pairs.get(`${paint}+${third}`)!;
  };
  for (const { id, answer } of all) {
    const [a, b, c] = id.split("+").sort((x, y) => TEN.indexOf(x) - TEN.indexOf(y));
    const ways = [[a, b, c], [a, c, b], [b, c, a]]
      .map(([x, y, z]) => mixIn(pairs.get(`${x}+${y}`)!, z));
    const twice = ways.find((one, i) => ways.indexOf(one) !== i);
    assert.equal(answer, twice ?? ways[0], `${id}: ${ways}`);
  }
});

Deno.test("shades holds out a fifth: yellow with pink, and every seventh other set", () => {
  const both = ({ a, b, c }: typeof all[number]) =>
    [a, b, c].filter((x) => x === "yellow" || x === "pink");
  assert.deepEqual(train.filter((one) => both(one).length === 2), []);
  assert.equal(heldout.filter((one) => both(one).length === 2).length, 24);
  const sets = TEN.flatMap((a, i) =>
    TEN.slice(i + 1).flatMap((b, j) => TEN.slice(i + j + 2).map((c) => `${a}+${b}+${c}`))
  ).filter((id) => !(id.includes("yellow") && id.includes("pink")));
  const held = new Set(heldout.map(({ id }) => id));
  assert.deepEqual(sets.filter((id) => held.has(id)), sets.filter((_, i) => i % 7 === 0));
});

Deno.test("a held-out answer of shades also answers a training set, and all colours are in both", async () => {
  const trained = new Set(train.map(({ answer }) => answer));
  assert.deepEqual(heldout.filter(({ answer }) => !trained.has(answer)), []);
  for (const part of [train, heldout]) {
    assert.deepEqual(new Set(part.map(({ a }) => a)), new Set(TEN));
  }
  const vectors = await loadWordVectors();
  assert.deepEqual(all.filter(({ answer }) => !vectors.has(answer!)), []);
  assert.deepEqual(await shades().parent.answer(all), all.map(({ answer }) => answer));
});

Deno.test("shades.csv lists each set in the order of the ten", async () => {
  const file = new URL("../../tasks/data/shades.csv", import.meta.url);
  const rows = readCsv(await Deno.readTextFile(file), {
    file: "shades.csv",
    columns: ["a", "b", "c"],
  });
  for (const { line, values: { a, b, c } } of rows) {
    const places = [a, b, c].map((name) => TEN.indexOf(name));
    assert.ok(places[0] < places[1] && places[1] < places[2], `line ${line}`);
  }
});

const HEAD = "a,b,c,answer,split\n";
for (
  const [what, rows, message] of [
    [
      "one colour twice in a set",
      "red,blue,red,purple,train\n",
      '2 as a, b and c must differ: they are "red", "blue" and "red"',
    ],
    [
      "a set twice",
      "red,blue,pink,plum,train\nred,blue,green,gray,heldout\npink,red,blue,plum,train\n",
      "4 as three colours may occur once together: pink, red and blue are on line 2 too",
    ],
    [
      "no word",
      "red,blue,pink,,train\n",
      '2 as a, b, c and answer must be lower-case words: "" is not',
    ],
  ]
) {
  Deno.test(`parseShades() refuses ${what}`, () => {
    assert.throws(
      () => parseShades(HEAD + rows, "s.csv"),
      new SyntaxError(`Cannot read s.csv:${message}`),
    );
  });
}
