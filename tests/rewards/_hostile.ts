/** Texts that no reward may stumble over. @module */

/** By what is wrong with them. */
export const HOSTILE: Readonly<Record<string, string>> = {
  empty: "",
  white: " \n\t\u00a0",
  long: "a".repeat(100_000),
  "long words": "ab ".repeat(33_000),
  "long marks": "!".repeat(100_000),
  "marks and a letter": `${".".repeat(99_999)}a`,
  digits: "9".repeat(100_000),
  "digits and slashes": "1/".repeat(50_000),
  "thousands without end": `1${",111".repeat(25_000)}1`,
  "a lone high surrogate": "a \ud83d b",
  "a lone low surrogate": "\udc00",
  NUL: "a\0b 7\0",
  "an open tag": "<answer>7",
  "open tags": "<answer>".repeat(12_500),
  "closed tags": "</answer></reasoning>".repeat(4_700),
  "a number too large": "1e309",
  "no number": "NaN Infinity -0x1F",
  "other digits": "١٢ १२ １２ ½",
  emoji: "👨‍👩‍👧 😀".repeat(9_000),
  "accents without end": `e${"\u0301".repeat(99_999)}`,
  markup: "<script>alert(1)</script>\u202e",
};
