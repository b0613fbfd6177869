/** The examples of the pages: fences marked ts, whose comments `// =>` are what they print. @module */

const ROOT = new URL("../", import.meta.url);

/** One fence: where it stands, its program, and the lines that it says it prints. */
export interface Example {
  name: string;
  code: string;
  prints: string[];
}

/**
 * The fences marked ts of a page. A comment `// => text` is one printed line; "…" stands for anything. Where
 * the reader is to predict first, the lines stand in a fence marked `text seen` behind the example instead.
 */
export function examplesOf(page: string, text: string): Example[] {
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$((?:(?!^```ts$)[\s\S])*)/gm)].map(
    ([, code, after], i) => {
      const seen = /^ *```text seen\n([\s\S]*?)\n *```$/m.exec(after)?.[1].split("\n");
      const said = [...code.matchAll(/\/\/ => (.*)$/gm)].map(([, line]) => line);
      return { name: `${page}, example ${i + 1}`, code, prints: [...said, ...seen ?? []] };
    },
  );
}

/** Whether a printed line is what the comment says. */
export function agrees(line: string, comment: string): boolean {
  const parts = comment.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s").test(line);
}

/** An example as a module that stands anywhere: its imports start at the root. */
export function moduleOf({ code }: Pick<Example, "code">): string {
  const placed = code.replaceAll(/(from |import\()"\.\//g, (_, how) => `${how}"${ROOT.href}`);
  return `${placed}\nexport {};\n`;
}

/** What `console.log` is given while `body` runs, one string a call. */
export async function printed(body: () => Promise<unknown>): Promise<string[]> {
  const lines: string[] = [], log = console.log;
  console.log = (...values: unknown[]) =>
    lines.push(
      values.map((x) => typeof x === "string" ? x : Deno.inspect(x, { colors: false })).join(" "),
    );
  try {
    await body();
  } finally {
    console.log = log;
  }
  return lines;
}

/** What an example prints when it runs. */
export async function run(example: Pick<Example, "code">): Promise<string[]> {
  const source = new Blob([moduleOf(example)], { type: "application/typescript" });
  const url = URL.createObjectURL(source);
  try {
    return await printed(() => import(url));
  } finally {
    URL.revokeObjectURL(url);
  }
}
