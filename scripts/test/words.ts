/** What follows `deno task test`: files or folders, and flags for `deno test`. @module */

/** Flags whose value may be the next word. */
const VALUED = new Set([
  ...[
    "--filter",
    "--config",
    "-c",
    "--seed",
    "--reporter",
    "--junit-path",
    "--import-map",
    "--shard",
  ],
  ...[
    "--retry",
    "--repeats",
    "--ext",
    "--location",
    "--cert",
    "--preload",
    "--require",
    "--related",
  ],
  ...["--conditions", "--coverage-threshold"],
]);
/** Flags that say the same to one process a file as to one for all files. Others, as `--watch`, do not. */
const FOR_EACH = new Set([
  ...["--filter", "--config", "-c", "--seed", "-A", "--allow-all", "--no-prompt", "--shuffle"],
  ...["--no-check", "--check", "--no-lock", "--cached-only", "-q", "--quiet", "--hide-stacktraces"],
  ...["--trace-leaks", "--v8-flags"],
]);

const nameOf = (word: string): string => word.replace(/=.*/s, "");
const isPermission = (name: string): boolean => /^--(allow|deny)-\w+$/.test(name);

/** The words, told apart. */
export interface Words {
  flags: string[];
  /** Files and folders, as they were given. */
  paths: string[];
  /** Each flag may be given to every process. */
  forEach: boolean;
}

/** Tells flags from paths; what follows "--" is neither. */
export function readWords(words: readonly string[]): Words {
  const flags: string[] = [], paths: string[] = [];
  let forEach = true;
  for (let i = 0; i < words.length && words[i] !== "--"; i++) {
    const word = words[i], name = nameOf(word);
    if (!word.startsWith("-")) {
      paths.push(word);
      continue;
    }
    flags.push(word);
    if (VALUED.has(word) && i + 1 < words.length) flags.push(words[++i]);
    forEach &&= FOR_EACH.has(name) || isPermission(name);
  }
  return { flags, paths, forEach: forEach && !words.includes("--") };
}

/** The flags with which the types of the same files are checked; undefined where they shall not be. */
export function checkFlags(flags: readonly string[]): string[] | undefined {
  if (flags.some((word) => nameOf(word) === "--no-check")) return undefined;
  return flags.filter((word, i) =>
    [word, flags[i - 1] ?? ""].some((of, isValue) =>
      ["--config", "-c"].includes(nameOf(of)) && !(isValue && of.includes("="))
    ) || ["--no-lock", "--cached-only"].includes(word)
  );
}

/** Whether some tests are left out. */
export const isFiltered = (flags: readonly string[]): boolean =>
  flags.some((word) => nameOf(word) === "--filter");

/** The test files of `path`, as `deno test` finds them; undefined where there is neither file nor folder. */
export async function testFiles(path: string): Promise<string[] | undefined> {
  const found = await Deno.stat(path).catch(() => undefined);
  if (found?.isFile) return [path];
  if (!found?.isDirectory) return undefined;
  const files: string[] = [];
  const walk = async (folder: string): Promise<void> => {
    for await (const { name, isFile, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory && name !== "node_modules" && name !== ".git") {
        await walk(`${folder}/${name}`);
      }
      if (isFile && /^(.*[._])?test\.[cm]?[jt]sx?$/.test(name)) files.push(`${folder}/${name}`);
    }
  };
  await walk(path.replace(/\/+$/, ""));
  return files.sort();
}
