/**
 * Prints the WGSL that runs: `deno task wgsl` lists the kernels, `deno task wgsl matmul_tile` or
 * `deno task wgsl matmul_tile.gelu` prints each of their texts with the variants that it serves.
 * @module
 */
import { unknownName } from "../base/names.ts";
import { type KernelText, kernelTexts } from "./_kernel_texts.ts";

const fileOf = (label: string): string => label.split(".")[0];

/** One line a kernel: its label and how many texts it has. */
export function listed(texts: readonly KernelText[]): string[] {
  const counts = new Map<string, number>();
  for (const { label } of texts) counts.set(label, (counts.get(label) ?? 0) + 1);
  const width = Math.max(...[...counts.keys()].map((label) => label.length));
  return [...counts].map(([label, n]) =>
    `${label.padEnd(width)}  ${n} ${n === 1 ? "text" : "texts"}`
  );
}

/**
 * The texts of a kernel, or of all kernels of a file or of files that begin so, each below a heading that
 * names its variants.
 * @throws {TypeError} when nothing has that name
 */
export function printed(texts: readonly KernelText[], name: string): string[] {
  const named = texts.filter(({ label }) => label === name || fileOf(label) === name);
  const found = named.length > 0
    ? named
    : texts.filter(({ label }) => label.startsWith(`${name}_`));
  if (found.length === 0) {
    const files = new Set(texts.map(({ label }) => fileOf(label)));
    const labels = new Set(texts.map(({ label }) => label));
    throw unknownName("kernel", name, [...(name.includes(".") ? labels : files)]);
  }
  return found.map(({ label, entryPoint, code, variants }) =>
    [
      `// ==== ${label}: fn ${entryPoint}`,
      ...variants.map((variant) => `//      ${variant}`),
      code,
    ].join("\n")
  );
}

if (import.meta.main) {
  const [name, ...rest] = Deno.args;
  const texts = kernelTexts();
  try {
    if (rest.length > 0) throw new TypeError(`Cannot print more than one kernel: ${Deno.args}`);
    console.log((name === undefined ? listed(texts) : printed(texts, name)).join("\n"));
  } catch (error) {
    console.error(`error: ${(error as Error).message}`);
    Deno.exit(1);
  }
}
