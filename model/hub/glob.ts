/**
 * Which paths a pattern means: `*` is any part of a name, `?` one character, `**` any folders. Patterns
 * come from the cards of data sets; a regular expression made of one could run for years, this takes at
 * most the product of both lengths for a name.
 * @module
 */

/** Whether all of `path` is what the pattern says. */
export function matchesGlob(path: string, pattern: string): boolean {
  const plain = pattern.replace(/^\.?\//, "");
  const [start] = plain.split(/[*?]/, 1);
  if (!path.startsWith(start)) return false;
  const parts = plain.split("/")
    .filter((part, i, all) => part !== "**" || all[i - 1] !== "**"); // two mean what one does
  return matches(path.split("/"), parts, {
    isStar: (part) => part === "**",
    fits: (name, part) =>
      matches([...name], [...part], {
        isStar: (one) => one === "*",
        fits: (one, mark) => mark === "?" || one === mark,
      }),
  });
}

/** Items against marks, of which a star stands for any number; goes back to the last star alone. */
function matches(
  items: readonly string[],
  marks: readonly string[],
  { isStar, fits }: {
    isStar: (mark: string) => boolean;
    fits: (item: string, mark: string) => boolean;
  },
): boolean {
  let at = 0, mark = 0, star = -1, after = 0;
  while (at < items.length) {
    if (mark < marks.length && isStar(marks[mark])) {
      [star, after] = [mark++, at];
    } else if (mark < marks.length && fits(items[at], marks[mark])) {
      [at, mark] = [at + 1, mark + 1];
    } else if (star >= 0) {
      [mark, at] = [star + 1, ++after];
    } else return false;
  }
  return marks.slice(mark).every(isStar);
}
