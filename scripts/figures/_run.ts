/** Runs a training command in a process of its own, with a line of the code changed where asked. @module */
import type { Summary } from "../../experiment/observer.ts";

const ROOT = new URL("../../", import.meta.url);

/** A line of one file to be replaced, the experiment of a page: the file itself stays as it is. */
export interface Change {
  /** From the root of the project. */
  file: string;
  from: string;
  to: string;
}

/** What a run leaves. */
export interface Finished {
  summary: Summary;
  /** The text of `metrics.csv`. */
  metrics: string;
}

/**
 * `deno task train WORDS`, in a temporary folder.
 * @throws {Error} where it fails, or the line to change is not once in its file
 */
export async function runCommand(words: string, change?: Change): Promise<Finished> {
  const folder = await Deno.makeTempDir();
  try {
    const map = change ? [`--import-map=${await changedFile(folder, change)}`] : [];
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-check", "--no-prompt", "--allow-read", "--allow-write=.", "--allow-env"],
        ...["--allow-sys", ...map, new URL("cli/bin.ts", ROOT).href],
        ...["train", ...words.split(" "), "--out", "runs/one", "--json", "--quiet"],
      ],
      cwd: folder,
    }).output();
    if (!success) throw new Error(`train ${words} failed:\n${new TextDecoder().decode(stderr)}`);
    return {
      summary: JSON.parse(new TextDecoder().decode(stdout).trim().split("\n").at(-1)!),
      metrics: await Deno.readTextFile(`${folder}/runs/one/metrics.csv`),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Writes the changed file and an import map that puts it in the place of its own; gives the map's path. */
async function changedFile(folder: string, { file, from, to }: Change): Promise<string> {
  const url = new URL(file, ROOT), text = await Deno.readTextFile(url);
  const found = text.split(from).length - 1;
  if (found !== 1) {
    throw new Error(`Cannot change ${file} as the line must stand there once: ${found} times`);
  }
  const placed = text.replace(from, () => to).replaceAll(
    /(from |import\()"(\.[^"]+)"/g,
    (_, how, path) => `${how}"${new URL(path, url).href}"`,
  );
  await Deno.writeTextFile(`${folder}/changed.ts`, placed);
  const imports = { [url.href]: new URL(`file://${folder}/changed.ts`).href };
  await Deno.writeTextFile(`${folder}/map.json`, JSON.stringify({ imports }));
  return `${folder}/map.json`;
}
