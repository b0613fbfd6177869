/**
 * Lists files and functions that are longer than one reads in one sitting: `deno task ceilings`. Exits
 * with 1 where one is over that `ceilings.json` does not excuse, or where an excuse has become useless.
 * @module
 */
import ts from "typescript";

/** Most lines of a file, by the folder it lies in; the longest folder that fits holds. */
export const FILE_CEILINGS: Readonly<Record<string, number>> = {
  "": 350,
  "kernels/": 150,
  "rl/": 200,
  "rewards/": 80,
  "tasks/": 150,
};
/** Most lines of a kernel's WGSL, which cannot be split over files. */
const WGSL_CEILING = 200;
/** Most lines of a function, from its first word to its closing brace. */
export const FUNCTION_CEILING = 60;

/** A file, or a function in it, and how long it is. */
export interface Length {
  /** `model/gpt2.ts`, or `model/gpt2.ts#Gpt2.load` for a function. */
  name: string;
  lines: number;
  ceiling: number;
}

/** Why something may be longer, and how long at most. By the name of `Length`. */
export type Excuses = Readonly<Record<string, { lines: number; reason: string }>>;

/** What of one file is over its ceiling. `path` is relative to the project. */
export function overCeiling(path: string, text: string): Length[] {
  const all = [{ name: path, lines: countLines(text), ceiling: fileCeiling(path) }];
  if (path.endsWith(".ts")) all.push(...functionsOf(path, text));
  return all.filter(({ lines, ceiling }) => lines > ceiling);
}

/** What is wrong: over and not excused, longer than its excuse, or excused for nothing. */
export function complaints(over: readonly Length[], excuses: Excuses): string[] {
  const found = over.flatMap(({ name, lines, ceiling }) => {
    const excuse = Object.hasOwn(excuses, name) ? excuses[name] : undefined;
    if (!excuse) return [`${name} has ${lines} lines, at most ${ceiling}`];
    if (lines <= excuse.lines) return [];
    return [`${name} has ${lines} lines, at most ${excuse.lines} by its excuse`];
  });
  const names = new Set(over.map(({ name }) => name));
  const idle = Object.keys(excuses).filter((name) => !names.has(name))
    .map((name) => `${name} needs no excuse any more: take it out of scripts/ceilings.json`);
  return [...found, ...idle];
}

const countLines = (text: string): number => text.trimEnd().split("\n").length;

function fileCeiling(path: string): number {
  const folder = Object.keys(FILE_CEILINGS).filter((start) => path.startsWith(start))
    .sort((a, b) => b.length - a.length)[0];
  const ceiling = FILE_CEILINGS[folder];
  return path.endsWith(".wgsl") ? Math.max(WGSL_CEILING, ceiling) : ceiling;
}

/** Every function with a body; one inside another counts for itself and for the outer one. */
function functionsOf(path: string, text: string): Length[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const lineOf = (at: number): number => source.getLineAndCharacterOfPosition(at).line;
  const found: Length[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && "body" in node && node.body) {
      const lines = lineOf(node.end) - lineOf(node.getStart(source)) + 1;
      found.push({ name: `${path}#${nameOf(node)}`, lines, ceiling: FUNCTION_CEILING });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** `Class.method`, `function`, the variable or property that holds it, or the call that takes it. */
function nameOf(node: ts.Node): string {
  const own = ts.isConstructorDeclaration(node) ? "constructor" : declared(node);
  const { parent } = node;
  if (own !== undefined) return ts.isClassLike(parent) ? `${declared(parent)}.${own}` : own;
  if (declared(parent) !== undefined) return nameOf(parent);
  if (!ts.isCallExpression(parent)) return "anonymous";
  const title = parent.arguments.find(ts.isStringLiteralLike)?.text;
  const called = parent.expression.getText();
  return title === undefined ? called : `${called}(${JSON.stringify(title)})`;
}

const declared = (node: ts.Node): string | undefined =>
  "name" in node && node.name ? (node.name as ts.Node).getText() : undefined;

/** Not tests: a test file is a list, read one entry at a time. */
const SKIPPED = /^[.]|^(?:runs|exports|node_modules|tests)$/;

async function* codeFiles(folder = ""): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder || ".")) {
    const path = folder + name;
    if (isDirectory) {
      if (!SKIPPED.test(name)) yield* codeFiles(`${path}/`);
    } else if (/\.(?:ts|js|wgsl|py)$/.test(name)) yield path;
  }
}

if (import.meta.main) {
  const paths = (await Array.fromAsync(codeFiles())).sort();
  const over: Length[] = [];
  for (const path of paths) over.push(...overCeiling(path, await Deno.readTextFile(path)));
  const excuses: Excuses = JSON.parse(
    await Deno.readTextFile(new URL("./ceilings.json", import.meta.url)),
  );
  for (const { name, lines, ceiling } of over) {
    if (!Object.hasOwn(excuses, name)) continue;
    console.log(`${String(lines).padStart(5)} of ${ceiling}  ${name}  (${excuses[name].reason})`);
  }
  const wrong = complaints(over, excuses);
  for (const line of wrong) console.error(`error: ${line}`);
  console.log(`${paths.length} files; over their ceiling: ${over.length}; wrong: ${wrong.length}`);
  Deno.exit(wrong.length > 0 ? 1 : 0);
}
