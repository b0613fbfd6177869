/** Whether a run may be written where `--out` says. @module */
import { join } from "node:path";
import { listFolder } from "../../experiment/folder/files.ts";
import { refuseLinks } from "../../experiment/folder/links.ts";
import { checkpointSteps, readRun } from "../../experiment/folder/run_data.ts";
import { UsageError } from "../command.ts";
import { resumeCommand } from "./resume.ts";

/** @throws {LinkError} marked as usage, where a link leads out of where the folder lies, there or not */
export const checkLinks = (folder: string): Promise<void> => refuseLinks(folder);

/** @throws {UsageError} where there is something, with a line that continues it where that can be done */
export async function checkOut(out: string): Promise<void> {
  const folder = join(out, "."); // without a slash at its end
  await checkLinks(folder);
  if ((await listFolder(folder).catch(() => [])).length === 0) return;
  throw new UsageError(
    `Cannot write ${folder} as it is not empty. Choose another with --out${await orContinue(
      folder,
    )}`,
  );
}

/** How to continue the run that is there; nothing where that cannot be done. */
async function orContinue(folder: string): Promise<string> {
  const run = await readRun(folder).catch(() => undefined);
  if (!run || (await checkpointSteps(folder)).length === 0) return "";
  const line = resumeCommand(run);
  return run.summary
    ? `, or extend the run that is there: ${line} --steps ${2 * run.summary.steps}`
    : `, or continue the run that is there: ${line}`;
}
