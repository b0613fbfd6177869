import assert from "node:assert/strict";
import { matchesGlob } from "../../../model/hub/glob.ts";

Deno.test("a pattern means what it means to Python's libraries", () => {
  const cases: [string, string, boolean][] = [
    ["main/train-*", "main/train-00000-of-00001.parquet", true],
    ["main/train-*", "main/test-00000-of-00001.parquet", false],
    ["main/train-*", "main/train-a/b.parquet", false],
    ["*", "a.csv", true],
    ["*", "a/b.csv", false],
    ["*.csv", "a.csv.gz", false],
    ["a?.csv", "ab.csv", true],
    ["a?.csv", "a.csv", false],
    ["**/*.csv", "a.csv", true],
    ["**/*.csv", "x/y/a.csv", true],
    ["**", "x/y/a.csv", true],
    ["x/**", "x/y/a.csv", true],
    ["x/**", "y/x/a.csv", false],
    ["x/**/a.csv", "x/a.csv", true],
    ["x/**/a.csv", "x/1/2/a.csv", true],
    ["x/**/**/a.csv", "x/a.csv", true],
    ["x/**/b/*.csv", "x/b/c/b/a.csv", true],
    ["*a*b*", "xxaxxbxx", true],
    ["*a*b*", "xxbxxaxx", false],
    ["*ab", "aab", true],
    ["./a.csv", "a.csv", true],
    ["/a.csv", "a.csv", true],
    ["a.csv", "a.csv", true],
    ["a.csv", "axcsv", false],
    ["a[0].csv", "a[0].csv", true],
    ["*.CSV", "a.csv", false],
    ["?", "🙂", true],
    ["", "a", false],
  ];
  for (const [pattern, path, is] of cases) {
    assert.equal(matchesGlob(path, pattern), is, `${pattern} ${path}`);
  }
});

Deno.test("a pattern that would take a regular expression years takes no time", () => {
  const begun = performance.now();
  assert.equal(matchesGlob("a".repeat(250) + "b", "*a".repeat(400) + "*c"), false);
  const deep = "a/".repeat(120) + "b";
  assert.equal(matchesGlob(deep, "**/*a*/".repeat(60) + "c"), false);
  assert.ok(performance.now() - begun < 5000);
});
