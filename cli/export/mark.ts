/** The file that says which files of a folder export wrote, so that it replaces no others. @module */
import { join, win32 } from "node:path";
import { oneLine } from "../../base/excerpt.ts";
import about from "../../deno.json" with { type: "json" };
import type { ExportFacts } from "../../experiment/export.ts";
import { listFolder } from "../../experiment/folder/files.ts";
import { readIfThere } from "../../model/files/deno_folder.ts";
import type { ModelSource } from "../../model/hub/find_model.ts";
import { UsageError } from "../command.ts";
import type { Subject } from "./subject.ts";

const MARK = "plainrl.json";

/** Writes the mark beside the files that lie in the folder `to`. */
export async function writeMark(
  to: string,
  facts: ExportFacts,
  run: Subject["run"],
): Promise<void> {
  const files = [...await listFolder(to), MARK];
  const from = run && {
    run: lastPart(run.data.folder),
    step: run.step,
    base: run.data.config.source && published(run.data.config.source),
  };
  const source = published(facts.source);
  const mark = { plainrl: about.version, ...from, ...facts, source, files };
  await Deno.writeTextFile(join(to, MARK), JSON.stringify(mark, null, 2) + "\n");
}

/** The run may have come from another system, where the other slash parts folders. */
const lastPart = (path: string): string => win32.basename(path);

/** Without the folders of somebody's machine. */
const published = (source: ModelSource): ModelSource => ({
  ...source,
  ...(source.kind === "folder" && { path: lastPart(source.path) }),
  ...(source.base && { base: published(source.base) }),
});

/** @throws {UsageError} when there is something at `out` that would be lost */
export async function mayWrite(out: string, force: boolean): Promise<void> {
  const cannot = (reason: string): Error => new UsageError(`Cannot write ${out} as ${reason}`);
  const found = await Deno.stat(out).catch(() => undefined);
  if (found && !found.isDirectory) {
    throw cannot("there is a file of that name. Choose another folder with --out");
  }
  const names = await listFolder(out);
  if (names.length === 0) return;
  const files = filesOf(await readIfThere(join(out, MARK)));
  if (!files) throw cannot("it is not empty. Choose another folder with --out");
  const strange = names.filter((name) => !files.includes(name));
  if (strange.length > 0) {
    throw cannot(
      `it has files that export did not write: ${strange.slice(0, 5).map(oneLine).join(", ")}. ` +
        "Move them away, or choose another folder with --out",
    );
  }
  if (force) return;
  throw cannot("it holds an export already. Replace it with --force, or choose another with --out");
}

/** The files that an export's mark names; undefined where it is none. */
function filesOf(text: string | undefined): string[] | undefined {
  try {
    const { plainrl, files } = JSON.parse(text ?? "");
    return typeof plainrl === "string" && Array.isArray(files) ? files.map(String) : undefined;
  } catch {
    return undefined;
  }
}
