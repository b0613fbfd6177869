/** The rewards that look at a text and nothing else: format, length, contains, regex, repetition. */
import assert from "node:assert/strict";
import { isUsage } from "../../base/usage.ts";
import { holds } from "../../rewards/contains.ts";
import { assertClose } from "../_close.ts";
import { open, scores } from "./_open.ts";

const BOTH = "<reasoning>a</reasoning>\n<answer>b</answer>";

Deno.test("format gives a quarter for each pair of tags, wherever they stand", async () => {
  const completions = [
    BOTH,
    "<answer>b</answer>",
    "<reasoning>a</reasoning>",
    "</answer><answer>",
    "<answer>b <reasoning>",
    "<Answer>b</Answer>",
    "",
    BOTH + BOTH,
  ];
  const want = [0.5, 0.25, 0.25, 0.25, 0, 0, 0, 0.5];
  assert.deepEqual(await scores(await open("format"), completions), want);
});

Deno.test("format, strict, asks for each tag once and the answer behind the reasoning", async () => {
  const strict = await open("format", { strict: true });
  const want: [string, number][] = [
    [BOTH, 0.5],
    [`well, ${BOTH} done`, 0.5],
    ["<answer>b</answer>", 0.25],
    ["</answer><answer>", 0],
    ["<answer>b</answer><reasoning>a</reasoning>", 0.25], // the reasoning's quarter
    ["<reasoning><answer>b</answer></reasoning>", 0.25],
    ["<reasoning>a<answer></reasoning>b</answer>", 0.25],
    [BOTH + "<answer>", 0.25],
    [BOTH + BOTH, 0],
    ["<answer>b", 0],
  ];
  const got = await scores(strict, want.map(([text]) => text));
  assert.deepEqual(got, want.map(([, value]) => value));
});

Deno.test("length gives 1 within limits, and falls to 0 at nothing and at twice the most", async () => {
  const words = (n: number) => "w ".repeat(n);
  const limits = await open("length", { min: 4, max: 10 });
  const lengths = [0, 1, 3, 4, 7, 10, 11, 15, 20, 30];
  const got = await scores(limits, lengths.map(words));
  assertClose(got as number[], [0, 0.25, 0.75, 1, 1, 1, 0.9, 0.5, 0, 0], "4 to 10", 1e-12);
  const target = await open("length", { target: 4 });
  const near = await scores(target, [2, 4, 5, 8].map(words));
  assertClose(near as number[], [0.5, 1, 0.75, 0], "4", 1e-12);
  const least = await open("length", { min: 2 }), most = await open("length", { max: 2 });
  assert.deepEqual(await scores(least, ["", "a", "a b", words(1000)]), [0, 0.5, 1, 1]);
  assert.deepEqual(await scores(most, ["", "a", "a b", "a b c"]), [1, 1, 1, 0.5]);
});

Deno.test("length counts characters as code points, without white space at the ends", async () => {
  const signs = await open("length", { unit: "characters", target: 4 });
  assert.deepEqual(await scores(signs, ["  abcd\n", "a bc", "😀😀😀😀", "ab", "\ud83dabc"]), [
    ...[1, 1, 1, 0.5, 1],
  ]);
});

Deno.test("length refuses no limit, a target beside one, and limits that cross", async () => {
  const cannot = "Cannot reward length as ";
  await assert.rejects(
    open("length"),
    new TypeError(
      `${cannot}it needs a limit: there is none; set lengthTarget, lengthMin or lengthMax`,
    ),
  );
  await assert.rejects(
    open("length", { target: 3, max: 5 }),
    new TypeError(
      `${cannot}target is both limits: min is undefined, max is 5; leave one of the two out`,
    ),
  );
  await assert.rejects(
    open("length", { min: 6, max: 5 }),
    new RangeError(`${cannot}min must be at most max: they are 6 and 5`),
  );
});

Deno.test("contains finds whole words and phrases, whatever case, accents' form and gaps", async () => {
  const reward = await open("contains", { phrases: "Cat|New  York|café" });
  const found: [string, number][] = [
    ["a CAT sat", 1],
    ["concatenate cats", 0],
    ["cat", 1],
    ["cat's", 1],
    ["_cat_ cat2 éCat", 0],
    ["in new\n york.", 1],
    ["new yorker", 0],
    ["(cafe\u0301)", 1],
    ["", 0],
    ["concat cat", 1], // the second place counts
  ];
  const got = await scores(reward, found.map(([text]) => text));
  assert.deepEqual(got, found.map(([, value]) => value));
});

Deno.test("contains takes a letter beyond the BMP as part of a word, at either end", () => {
  const long = "\u{10400}", sign = "\u{1f600}"; // a Deseret letter, and an emoji
  const found: [string, string, boolean][] = [
    [`${long}at`, "at", false],
    [`at${long}`, "at", false],
    [`${long}${long}`, long, false],
    [`a${long}`, long, false],
    [`${long}a`, long, false],
    [`${long}at at`, "at", true],
    [`${sign}at${sign}`, "at", true],
    [`x ${long} y`, long, true],
    [`a${sign}b`, sign, true],
  ];
  for (const [text, phrase, held] of found) assert.equal(holds(text, phrase), held, text);
});

Deno.test("contains asks for any, all or a share; of the example where no phrases are set", async () => {
  const phrases = "red|green|blue|c++";
  const texts = ["red and blue", "green", "none", "c++, blue, green and red", "c+"];
  const by = async (match: string) =>
    await scores(await open("contains", { phrases, match }), texts);
  assert.deepEqual(await by("any"), [1, 1, 0, 1, 0]);
  assert.deepEqual(await by("all"), [0, 0, 0, 1, 0]);
  assert.deepEqual(await by("share"), [0.5, 0.25, 0, 1, 0]);
  const own = await open("contains");
  const example = { answer: "Paris", accepted: ["the capital"] };
  assert.deepEqual(await scores(own, ["it is paris", "The  Capital!", "Rome"], example), [1, 1, 0]);
  assert.deepEqual(await scores(own, ["Paris"]), [null]);
  assert.deepEqual(await scores(own, ["Paris", ""], { answer: " " }), [null, null]);
  await assert.rejects(
    open("contains", { phrases: " | " }),
    /phrases must be one or more phrases with \| between them: it is " \| "/,
  );
});

Deno.test("regex finds its pattern, or with whole: must be all of the completion", async () => {
  const find = await open("regex", { pattern: "\\b(yes|no)\\b" });
  assert.deepEqual(await scores(find, ["oh yes.", "now", "No", ""]), [1, 0, 0, 0]);
  const whole = await open("regex", { pattern: "(?i)[a-z]+", whole: true });
  assert.deepEqual(await scores(whole, [" Blue\n", "sky blue", "", "blue."]), [1, 0, 0, 0]);
});

Deno.test("regex refuses no pattern, and one that RE2 cannot read, which it names", async () => {
  await assert.rejects(
    open("regex"),
    new TypeError("Cannot reward a pattern as it must be set: it is not; set regexPattern=PATTERN"),
  );
  for (const pattern of ["[", "(?=a)", "(a)\\1", "a{5000}", "*"]) {
    await assert.rejects(open("regex", { pattern }), (error: Error) => {
      assert.ok(error instanceof SyntaxError);
      const start = `Cannot reward the pattern ${
        JSON.stringify(pattern)
      } as RE2 must be able to read it: `;
      assert.ok(error.message.startsWith(start), error.message);
      return true;
    });
  }
});

Deno.test("regex takes no longer for a pattern that takes others for ever", async () => {
  const reward = await open("regex", { pattern: "^(a+)+$" });
  const from = performance.now();
  assert.deepEqual(await scores(reward, [`${"a".repeat(50_000)}!`, "a".repeat(50_000)]), [0, 1]);
  assert.ok(performance.now() - from < 5000);
});

Deno.test("repetition is minus the share of n-grams that came before", async () => {
  const two = await open("repetition", { size: 2 });
  const want: [string, number][] = [
    ["a b a b", -1 / 3], // ab, ba, ab
    ["A b a B", -1 / 3],
    ["a a a a a", -3 / 4],
    ["a b c d", 0],
    ["a", 0],
    ["", 0],
    ["a bc ab c", 0], // "a bc" is another pair than "ab c"
  ];
  const got = await scores(two, want.map(([text]) => text));
  assertClose(got as number[], want.map(([, value]) => value), "pairs", 1e-12);
  const signs = await open("repetition", { size: 1, unit: "characters" });
  assertClose(await scores(signs, ["aab ", "abc"]) as number[], [-0.25, 0], "characters", 1e-12);
  const three = await open("repetition");
  assertClose(await scores(three, ["x y z x y z"]) as number[], [-0.25], "default", 1e-12);
  assert.ok((await scores(three, ["a"])).every((value) => Object.is(value, 0)), "no minus 0");
});

Deno.test("what is asked for and cannot be opened is wrong usage, as the command line tells it", async () => {
  const cases: [string, Record<string, string | number>][] = [
    ["length", {}],
    ["length", { target: 3, max: 5 }],
    ["length", { min: 6, max: 5 }],
    ["regex", {}],
    ["regex", { pattern: "[" }],
  ];
  for (const [name, settings] of cases) {
    await assert.rejects(async () => await open(name, settings), (error) => isUsage(error));
  }
});
