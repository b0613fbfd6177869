/** What `train --resume` does about files that changed since the run read them. @module */
import type { OptionValue } from "../../base/options.ts";
import type { ChangedFile } from "../../experiment/folder/own_changes.ts";
import type { RunData } from "../../experiment/folder/run_data.ts";
import { kindOf } from "../../model/files/deno_folder.ts";
import { UsageError } from "../command.ts";
import { quoted } from "../terminal.ts";
import type { RunRequest } from "./request.ts";

/** The flag that takes them as they are now. */
export const ACCEPT = "--accept-changed-files";

/**
 * The refusal of a run whose files are others now, with the commands that go on.
 * @param files one at least
 * @param line resumes the run as it was asked to
 */
export async function changedFilesError(
  files: readonly ChangedFile[],
  { folder, step, line }: { folder: string; step: number; line: string },
): Promise<UsageError> {
  const said = files.map(({ path, isGone }) =>
    isGone ? `${path}, which it had at step ${step}, is gone` : `${path} changed since step ${step}`
  );
  const isGone = files.some((one) => one.isGone);
  const back = await takingBack(files), none = files.filter(({ copy }) => copy === undefined);
  const byHand = none.length === 0
    ? ""
    : ` (${
      none.map(({ path }) => path).join(", ")
    } from where you have it: the run folder keeps no copy)`;
  const cures = [
    `take the old text back${byHand}:\n    ${[...back, line].join(" && ")}`,
    ...(isGone
      ? []
      : [`go on with the new one, which is noted in the run:\n    ${line} ${ACCEPT}`]),
  ];
  return new UsageError(
    `Cannot resume ${folder} as ${said.join(", and ")}. ${
      isGone ? "Do this" : "Do one of the two"
    }:\n` +
      cures.map((cure) => `  ${cure}`).join("\n"),
  );
}

/** Commands of a shell that put the old texts in place; what is there now is kept beside them. */
async function takingBack(files: readonly ChangedFile[]): Promise<string[]> {
  const commands: string[] = [];
  for (const { path, isGone, copy } of files) {
    if (copy === undefined) continue;
    if (!isGone) commands.push(`mv ${quoted(path)} ${quoted(await freeBeside(path))}`);
    commands.push(`cp ${quoted(copy)} ${quoted(path)}`);
  }
  return commands;
}

/** A path beside `path` where nothing is. */
async function freeBeside(path: string): Promise<string> {
  let free = `${path}.new`;
  for (let i = 2; await kindOf(free) !== undefined; i++) free = `${path}.new${i}`;
  return free;
}

/** For people: that the run goes on with other files. */
export const acceptedNotice = (files: readonly ChangedFile[], step: number): string =>
  files.length === 0
    ? `${ACCEPT} changes nothing as every file is as it was at step ${step}`
    : `continuing with ${
      files.map(({ path }) => path).join(", ")
    } as changed since step ${step}: ` +
      "what the run has up to there, and what it measured before training, is of the old text";

/** What keeps all of a run but its files, whatever a changed task suggests by now. */
export function keptOf(
  { config: { config, steps, weights } }: Pick<RunData, "config">,
  request: RunRequest,
): Partial<RunRequest> {
  const kept = Object.entries(config).filter(([name, value]) =>
    name !== "maxNewTokens" && ["number", "string", "boolean"].includes(typeof value)
  );
  const rewards = Object.entries(weights ?? {}).map(([name, weight]) => ({ name, weight }));
  return {
    kept: Object.fromEntries(kept) as Record<string, OptionValue>,
    steps: request.steps ?? steps,
    ...(!request.rewards && !request.preset && rewards.length > 0 && { rewards }),
  };
}
