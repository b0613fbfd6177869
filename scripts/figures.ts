/**
 * Draws the figures of docs/reading from numbers that the project's own code computes: `deno task figures`,
 * or `deno task figures 04` for those whose file starts so. Each module of scripts/figures/ whose name has
 * no underscore in front exports `figures`.
 * @module
 */
import { modulesOf } from "./_modules.ts";
import type { Figure } from "./figures/_svg.ts";

/** Where the pages find them, from the root of the project. */
export const FOLDER = "docs/reading/figures";

/** Every figure, by the name of its file. @throws {TypeError} where two have one name */
export async function listFigures(): Promise<Figure[]> {
  const found: Figure[] = [];
  for (const { figures } of await modulesOf<{ figures: readonly Figure[] }>("figures")) {
    for (const figure of figures) {
      if (found.some(({ file }) => file === figure.file)) {
        throw new TypeError(`Cannot draw ${figure.file} as two figures have that name`);
      }
      found.push(figure);
    }
  }
  return found;
}

if (import.meta.main) {
  const starts = Deno.args;
  for (const { file, draw } of await listFigures()) {
    if (starts.length > 0 && !starts.some((start) => file.startsWith(start))) continue;
    await Deno.writeTextFile(`${FOLDER}/${file}`, await draw());
    console.log(`${FOLDER}/${file}`);
  }
}
