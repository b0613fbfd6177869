import assert from "node:assert/strict";
import fc from "fast-check";
import { extract, type Extraction, numbersIn, targetNumber } from "../../rewards/extract.ts";
import { assertClose } from "../_close.ts";
import { open, scores } from "./_open.ts";

const NUMBERS: [string, number[]][] = [
  ["it is 28.", [28]],
  ["1,234,567 and 1,23", [1234567, 1, 23]],
  ["1,2345", [1, 2345]],
  ["$1,000.50", [1000.5]],
  ["-$5, $-6, -7, +8, \u22129", [-5, -6, -7, 8, -9]],
  ["24-8+15=31", [24, 8, 15, 31]],
  ["24 - 8", [24, 8]],
  ["(3)-2, x-4, 50%-1", [3, 2, 4, 50, 1]],
  ["= -7", [-7]],
  ["50% of £20, 5th, 20cm, 3x", [50, 20, 5, 20, 3]],
  ["1/2, 2 1/2, -3/4, 7/8/9", [0.5, 2.5, -0.75, 7, 8, 9]],
  [".5 and 0.25 and 3. and wait...5", [0.5, 0.25, 3, 5]],
  ["1e3, 6.02E23, 2e-2", [1000, 6.02e23, 0.02]],
  ["1e5x, -2e2nd, 1e+3km, 1em, 1e, 2e-x", [100000, -200, 1000, 1, 1, 2]],
  ["1.2.3", [1.2]],
  ["10:30", [10, 30]],
  ["GPT2 b2b _7 v1", []],
  ["1e309 -1e999 1/0 0/0", []],
  ["NaN Infinity ١٢ १२ １２ ½ x²", []],
  ["0x1F", [0]],
  ["", []],
];

Deno.test("numbersIn() reads what its text says that it reads", () => {
  for (const [text, numbers] of NUMBERS) assert.deepEqual(numbersIn(text), numbers, text);
});

Deno.test("numbersIn() reads back what is written with commas, decimals and a sign", () => {
  const cents = fc.integer({ min: -1e12, max: 1e12 });
  fc.assert(fc.property(cents, fc.constantFrom("", "$", "€"), (n, sign) => {
    const size = Math.abs(n), whole = Math.floor(size / 100).toLocaleString("en-US");
    const text = `${n < 0 ? "-" : ""}${sign}${whole}.${`${size % 100}`.padStart(2, "0")}`;
    assert.deepEqual(numbersIn(`so it is ${text}, which is all`), [n / 100]);
  }));
});

const WORKED = "24 - 8 = 16, then <answer>16 + 15 = 31</answer> and 99";
const EXTRACTED: [string, Extraction, number | undefined][] = [
  [WORKED, "tagged-else-last", 31],
  [WORKED, "tag", 31],
  [WORKED, "last", 99],
  [WORKED, "first", 24],
  [WORKED, "parity", 16],
  ["6 plus 4 is 10 apples", "tagged-else-last", 10],
  ["6 plus 4 is 10 apples", "tag", undefined],
  ["6 plus 4 is 10 apples", "first", 6],
  ["6 plus 4 is 10 apples", "parity", 6],
  ["1 <answer>2</answer> <answer>3</answer> 4", "tag", 3], // the last one
  ["1 <answer>2, no: 5", "tag", 5], // not closed
  ["7 <answer>none</answer> 8", "tagged-else-last", undefined], // it claims to answer, and does not
  ["none at all", "tagged-else-last", undefined],
  ["none at all", "parity", 0],
  ["1,234 5-3", "parity", 1234],
  ["x-5.", "parity", -5],
  ["</answer>6", "tagged-else-last", 6],
];

Deno.test("extract() finds the number of each way to look", () => {
  for (const [text, from, number] of EXTRACTED) {
    assert.equal(extract(text, from).number, number, `${from} of ${text}`);
  }
  assert.equal(extract("a <answer> 7 </answer>", "tag").text, "7");
  assert.equal(extract(" 7 ", "last").text, "7");
});

Deno.test("targetNumber() is behind #### where an answer has that, else its last number", () => {
  assert.equal(targetNumber("He has 3*4=<<3*4=12>>12 left.\n#### 1,012"), 1012);
  assert.equal(targetNumber("#### -3"), -3);
  assert.equal(targetNumber("18"), 18);
  assert.equal(targetNumber("blue"), undefined);
});

Deno.test("numeric_hard gives its scale for the number within 0.01, or the same text", async () => {
  const hard = await open("numeric_hard");
  const completions = ["<answer>20</answer>", "20.009", "20.01", "19", "twenty", ""];
  assert.deepEqual(await scores(hard, completions, { answer: "20" }), [2, 2, 0, 0, 0, 0]);
  assert.deepEqual(hard.takeCounts!(), { no_number: 2, no_target: 0 });
  assert.deepEqual(await scores(hard, [" Blue ", "<answer>BLUE", "red"], { answer: "blue" }), [
    2,
    2,
    0,
  ]);
  assert.deepEqual(await scores(hard, ["", " "], { answer: "" }), [0, 0]); // an empty text is no answer
  const near = await open("numeric_hard", { tolerance: 2, scale: 1 });
  assert.deepEqual(await scores(near, ["21.5", "22", "5"], { answer: "20", accepted: ["4"] }), [
    1,
    0,
    1,
  ]);
});

Deno.test("numeric_soft gives the published check values", async () => {
  const soft = await open("numeric_soft");
  const of20 = await scores(soft, ["18", "20", "40", "41", "0", "-20", "22"], { answer: "20" });
  assertClose(of20 as number[], [1.8, 2, 0, 0, 0, 0, 1.8], "t = 20", 1e-12);
  const of0 = await scores(soft, ["5", "-5", "0", "20", "21", "1e300"], { answer: "0" });
  assertClose(of0 as number[], [1.5, 1.5, 2, 0, 0, 0], "t = 0", 1e-12);
  const ofMinus = await scores(soft, ["-9", "9"], { answer: "-10" });
  assertClose(ofMinus as number[], [1.8, 0], "t = -10", 1e-12);
  const half = await open("numeric_soft", { scale: 0.5 });
  assertClose(await scores(half, ["18"], { answer: "20" }) as number[], [0.45], "scale", 1e-12);
});

Deno.test("numeric_soft takes the nearest of several answers, and says where there is none", async () => {
  const soft = await open("numeric_soft");
  const several = await scores(soft, ["9"], { answer: "20", accepted: ["10", "x"] });
  assertClose(several as number[], [1.8], "nearest", 1e-12);
  assert.deepEqual(await scores(soft, ["none", "7"], { answer: "20" }), [0, 2 * (1 - 13 / 20)]);
  assert.deepEqual(await scores(soft, ["7"], { answer: "blue" }), [null]);
  assert.deepEqual(await scores(soft, ["7"]), [null]);
  assert.deepEqual(soft.takeCounts!(), { no_number: 1, no_target: 2 });
  assert.deepEqual(soft.takeCounts!(), { no_number: 0, no_target: 0 });
});

Deno.test("parity reads as the published system: the first number, 0 for none, shared letters", async () => {
  const settings = { extract: "parity" };
  const [hard, soft] = [await open("numeric_hard", settings), await open("numeric_soft", settings)];
  const completions = ["24 - 8 = 16, so 28", "<answer>28</answer>", "nothing"];
  assert.deepEqual(await scores(hard, completions, { answer: "28" }), [0, 2, 0]);
  assert.deepEqual(await scores(soft, ["nothing"], { answer: "0" }), [2]); // its fault, repeated
  const letters = await scores(soft, ["bad", "zzz"], { answer: "bade" }); // b, a, d of b, a, d, e
  assert.deepEqual(letters, [1.5, 0]);
});

Deno.test("numeric rewards refuse settings out of range, under their names", async () => {
  const wrong = { scale: [0, -1, "2"], tolerance: [0], extract: ["best"] };
  for (const [name, value] of Object.entries(wrong).flatMap(([k, all]) => all.map((v) => [k, v]))) {
    await assert.rejects(
      open("numeric_hard", { [name]: value }),
      /Cannot configure the reward numeric_hard/,
    );
  }
});
