/** Text in lines that a window holds. @module */
import { stripVTControlCharacters } from "node:util";

/** Characters that a terminal shows of a text. */
export const shownWidth = (text: string): number => [...stripVTControlCharacters(text)].length;

/** Breaks at spaces; a word that is longer than a line stays whole. Lines after the first are indented. */
export function wrap(text: string, width: number, indent = 0): string[] {
  const lines: string[] = [], room = Math.max(1, width - indent);
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && shownWidth(longer) > (lines.length === 0 ? Math.max(1, width) : room)) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line].map((one, i) => i === 0 ? one : " ".repeat(indent) + one);
}

/** `text` in lines of at most `width` characters, all of them indented. */
export const wrapIndented = (text: string, width: number, indent: number): string[] =>
  wrap(text, width - indent).map((line) => " ".repeat(indent) + line);

/** Width of a window below which what is said of a name stands under it: beside it there is no room. */
export const NARROW = 70;

/** Names and what is said of each, one part or several: in two columns, in a narrow window below it. */
export function beside(
  rows: readonly (readonly [name: string, parts: readonly string[]])[],
  width: number,
): string[] {
  if (width < NARROW) {
    return rows.flatMap(([name, parts]) => [
      `  ${name}`,
      ...parts.flatMap((part) => wrap(part, width - 4, 2).map((line) => " ".repeat(4) + line)),
    ]);
  }
  const longest = Math.max(...rows.map(([name]) => [...name].length));
  return rows.flatMap(([name, parts]) => {
    const lines = parts.flatMap((part) => wrap(part, width - longest - 4, 2));
    return lines.map((line, i) => `  ${(i === 0 ? name : "").padEnd(longest)}  ${line}`);
  });
}
