/** Whether a run may be written where `--out` says. @module */
import { join } from "node:path";
import { listFolder, requireWritable } from "../../experiment/folder/files.ts";
import { refuseLinks } from "../../experiment/folder/links.ts";
import { refuseOwnFiles } from "../../experiment/folder/own_code.ts";
import { checkpointSteps, readRun } from "../../experiment/folder/run_data.ts";
import { UsageError } from "../command.ts";
import type { RunRequest } from "./request.ts";
import { resumeCommand } from "./resume.ts";

/**
 * @param request what is to be run there
 * @throws {UsageError} where there is something, with a line that continues it where that can be done
 * @throws {Error} marked as usage, where a file that the request names would be made there
 * @throws {WriteError} where this program may write nothing
 */
export async function checkOut(
  out: string,
  request?: Pick<RunRequest, "task" | "rewards" | "model" | "settings">,
): Promise<void> {
  const folder = join(out, "."); // without a slash at its end
  await refuseLinks(folder);
  requireWritable(folder);
  if ((await listFolder(folder).catch(() => [])).length > 0) {
    throw new UsageError(
      `Cannot write ${folder} as it is not empty. Choose another with --out${await orContinue(
        folder,
      )}`,
    );
  }
  if (request === undefined) return;
  const { task, rewards = [], model, settings } = request;
  const texts = [task, model, ...rewards.map(({ name }) => name), ...Object.values(settings)];
  await refuseOwnFiles(folder, texts.map(String), {
    action: "begin",
    cure: "Choose another folder with --out, or another file",
  });
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
