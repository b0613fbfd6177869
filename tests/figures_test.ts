/** Every figure of docs/reading is drawn again, to the same bytes, and stands on a page. @module */
import assert from "node:assert/strict";
import { lineChart, lines, n, svg, text } from "../scripts/figures/_svg.ts";
import { commandsOf, RUNS } from "../scripts/figures/_record.ts";
import { FOLDER, listFigures } from "../scripts/figures.ts";

const ROOT = new URL("../", import.meta.url);
const figures = await listFigures();

for (const { file, draw } of figures) {
  Deno.test(`${file} is what its numbers draw`, async () => {
    const drawn = await draw();
    const committed = await Deno.readTextFile(new URL(`${FOLDER}/${file}`, ROOT));
    assert.ok(committed === drawn, `run: deno task figures ${file}`);
    assert.match(drawn, /<title id="t">[^<]{5,}<\/title>\n<desc id="d">[^<]{20,}<\/desc>/);
    assert.doesNotMatch(drawn, /NaN|Infinity|undefined/);
  });
}

Deno.test("every figure is drawn by a module and stands on the page that it is numbered for", async () => {
  const there: string[] = [];
  for await (const { name } of Deno.readDir(new URL(FOLDER, ROOT))) there.push(name);
  assert.deepEqual(there.sort(), figures.map(({ file }) => file).sort());
  const pages: string[] = [];
  for (const folder of ["docs/reading", "docs/exercises", "docs"]) {
    for await (const { name } of Deno.readDir(new URL(folder, ROOT))) {
      if (name.endsWith(".md")) pages.push(`${folder}/${name}`);
    }
  }
  const texts = await Promise.all(pages.map((page) => Deno.readTextFile(new URL(page, ROOT))));
  for (const file of there) {
    const on = pages.filter((_, i) => texts[i].includes(`figures/${file})`));
    assert.ok(on.length > 0, `no page shows ${file}`);
    const number = /^(\d\d)-/.exec(file)?.[1];
    if (number) assert.deepEqual(on, on.filter((page) => page.includes(`/${number}-`)), file);
  }
});

Deno.test("each command behind the tables is trained once, and gives each table its columns", () => {
  const all = commandsOf();
  const keys = all.map(({ words, change }) => JSON.stringify([words, change]));
  assert.equal(new Set(keys).size, keys.length);
  const names = all.flatMap(({ tables }) => tables.map(({ name }) => name));
  assert.deepEqual(names.toSorted(), [...Object.keys(RUNS), ..."abcdef"].toSorted());
  const namesOf = (name: string) =>
    all.find(({ tables }) => tables.some((of) => of.name === name))!.tables.map(({ name }) => name);
  assert.deepEqual(namesOf("healthy"), ["healthy", "12-lambda-0.95", "d"]);
  assert.deepEqual(namesOf("lambda-0"), ["lambda-0", "12-lambda-0", "e"]);
  assert.deepEqual(namesOf("one-row-early"), ["one-row-early", "f"]); // the same words, another code
  const [{ words, change, tables: [healthy, twelve] }, ...none] = commandsOf([
    "healthy",
    "12-lambda-0.95",
  ]);
  assert.deepEqual([words, change, none], [RUNS.healthy[0], undefined, []]);
  assert.ok(healthy.columns.length > 5 && healthy.columns.includes("kl/reference"));
  assert.deepEqual(twelve, { name: "12-lambda-0.95", columns: ["step", "rewards/exact/mean"] });
});

Deno.test("a chart leaves out what is not finite, and escapes words", () => {
  const box = { x: 0, y: 0, width: 100, height: 100 }, axis = { label: "a" };
  const points: [number, number][] = [[0, 1], [1, NaN], [2, 3]];
  const drawn = lines(box, { x: axis, y: axis, series: [{ name: "one", points }] });
  assert.equal(/points="([^"]*)"/.exec(drawn)?.[1].split(" ").length, 2);
  assert.match(text(0, 0, "a < b & c"), /a &lt; b &amp; c/);
  const whole = { title: "a < b", desc: "words", width: 10, height: 10 };
  assert.match(svg(whole), /<title id="t">a &lt; b<\/title>/);
  assert.deepEqual([n(-0.001), n(1 / 3), n(2)], ["0", "0.33", "2"]);
});

Deno.test("a scale puts each number where it belongs", () => {
  const at = (y: object, points: [number, number][]) => {
    const chart = { title: "words", desc: "words", width: 170, height: 154 };
    const axes = { x: { label: "x" }, y: { label: "y", ...y } };
    const drawn = lineChart({ ...chart, ...axes, series: [{ name: "one", points }] });
    return /points="([^"]*)"/.exec(drawn)?.[1];
  };
  // The plot is 100 wide from 54, and 100 high from 12.
  assert.equal(at({ range: [0, 10] }, [[0, 0], [4, 10]]), "54,112 154,12");
  assert.equal(at({ log: true }, [[0, 1], [4, 10], [2, 100]]), "54,112 154,62 104,12");
});
