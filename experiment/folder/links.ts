/**
 * Symbolic links in a run folder, which may come from elsewhere, lead no write and no removal out of it:
 * resolved paths are compared before either.
 * @module
 */
import { dirname, join, relative, resolve, sep } from "node:path";
import { asUsage } from "../../base/usage.ts";
import { ifThere } from "../../model/files/deno_folder.ts";

/** A path that leads elsewhere, or to what is neither a file nor a folder. */
export class LinkError extends Error {
  override name = "LinkError";
}

/**
 * Refuses `path`, in `folder`, where a link on the way from one to the other leads elsewhere. What is not
 * there passes.
 * @throws {LinkError} naming where it leads
 */
export async function requireWithin(folder: string, path: string): Promise<void> {
  const found = await ifThere(Deno.lstat(path));
  if (found && !found.isSymlink && !found.isFile && !found.isDirectory) {
    throw new LinkError(
      `Cannot write ${path} as it must be a file or a folder: it is a device or a pipe. Remove it`,
    );
  }
  const root = await ifThere(Deno.realPath(folder));
  // A link to nothing has no real path, and opening it would make the file that it names.
  const real = found && await ifThere(Deno.realPath(path));
  if (!found || real !== undefined && real === join(root ?? folder, relative(folder, path))) return;
  throw new LinkError(
    `Cannot write ${path} as a link leads it out of its run folder: to ${real ?? "nothing"}. ` +
      "Put the file or folder itself in its place",
  );
}

/**
 * Refuses a folder that a link leads out of the folder that it lies in, or out of `place` where it is named as
 * one of those there. Of what is not there, the nearest parent that is there decides.
 * @param place where such folders are kept, of the working folder: "runs", "evals", "exports"
 * @throws {LinkError} naming where it leads
 */
export async function requireRunFolder(folder: string, place = "runs"): Promise<void> {
  const [full, all] = [resolve(folder), resolve(place)];
  const within = full.startsWith(all + sep) ? all : dirname(full);
  let real: string | undefined;
  for (let path = full; path !== within && real === undefined; path = dirname(path)) {
    real = await ifThere(Deno.realPath(path));
    if (path === dirname(path)) break; // the root of a disk
  }
  if (real === undefined) return;
  if (real.startsWith(join(await Deno.realPath(within), sep))) return;
  const what = place === "runs" ? "run folder" : "folder";
  throw new LinkError(
    `Cannot use the ${what} ${folder} as a link leads it out of ${within}: to ${real}. ` +
      "Name that folder itself",
  );
}

/** As `requireRunFolder`, of a folder that was asked for. @throws {LinkError} marked as usage */
export async function refuseLinks(folder: string, place?: string): Promise<void> {
  await requireRunFolder(folder, place).catch((error) => {
    throw error instanceof LinkError ? asUsage(error) : error;
  });
}
