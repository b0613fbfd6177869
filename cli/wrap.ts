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

/** A name and what is said of it, in two columns of which the second keeps to itself. */
export function beside(rows: readonly (readonly [string, string])[], width: number): string[] {
  const longest = Math.max(...rows.map(([name]) => [...name].length));
  return rows.flatMap(([name, words]) => {
    const [first, ...more] = wrap(words, width - longest - 4);
    const gap = " ".repeat(longest - [...name].length);
    return [`  ${name}${gap}  ${first}`, ...more.map((line) => " ".repeat(longest + 4) + line)];
  });
}
