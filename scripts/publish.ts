/**
 * Does all of `deno publish` but the sending, and says how much would go out: `deno task test:publish`.
 * It needs no network where Deno's cache has the packages.
 * @module
 */

const MB = 1e6;

/** The files that a dry run of `deno publish` lists, as addresses. */
export const publishedFiles = (output: string): string[] =>
  [...output.matchAll(/^ +(file:\S+) \([\d.]+[KM]?i?B\)$/gm)].map(([, url]) => url);

/** One line of counts, then one of each folder at the top and what it weighs, the heaviest first. */
export function publishedLines(files: readonly { path: string; bytes: number }[]): string[] {
  const folders = new Map<string, number>();
  let total = 0;
  for (const { path, bytes } of files) {
    const folder = path.includes("/") ? path.slice(0, path.indexOf("/") + 1) : path;
    folders.set(folder, (folders.get(folder) ?? 0) + bytes);
    total += bytes;
  }
  const heaviest = [...folders].sort(([, a], [, b]) => b - a);
  return [
    `${files.length} files, ${(total / MB).toFixed(2)} MB would be published`,
    ...heaviest.map(([folder, bytes]) => `${(bytes / MB).toFixed(2).padStart(6)} MB  ${folder}`),
  ];
}

if (import.meta.main) {
  const root = new URL("../", import.meta.url);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty"], // what is checked is not committed yet
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("\n");
  const files = await Promise.all(
    publishedFiles(text).map(async (url) => ({
      path: decodeURI(url.slice(root.href.length)),
      bytes: (await Deno.stat(new URL(url))).size,
    })),
  );
  if (!success || files.length === 0) {
    console.error(`${text}\nerror: Cannot publish: see above`);
    Deno.exit(1);
  }
  console.log(publishedLines(files).join("\n"));
}
