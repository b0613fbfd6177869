/** Which run `train --resume` continues. @module */
import { join } from "node:path";
import { didYouMean } from "../../base/names.ts";
import { listFolder, listFolders } from "../../experiment/folder/files.ts";
import { LinkError } from "../../experiment/folder/links.ts";
import { lookedIn } from "../../experiment/folder/named_model.ts";
import { LockedError, type RunLock } from "../../experiment/folder/lock.ts";
import {
  findResumable,
  NotResumableError,
  type Resumable,
  unfinishedRuns,
} from "../../experiment/folder/resumable.ts";
import { type Parsed, UsageError } from "../command.ts";
import type { TrainFlags } from "../commands/train.ts";
import type { RunRequest } from "./request.ts";

/** Flags that may stand beside --resume. */
const WITH_RESUME = new Set(["resume", "memory", "device", "json", "quiet"]);

/** A run to continue. */
export interface Resumed {
  request: RunRequest;
  resume: { folder: string; step: number; lock: RunLock };
  /** What people should know before it continues. */
  notices: string[];
}

/** Finds the run to continue, and its newest good checkpoint. */
export async function resumed(parsed: Parsed<TrainFlags>): Promise<Resumed> {
  const refused = [...parsed.given.filter((name) => !WITH_RESUME.has(name)).map((n) => `--${n}`)];
  refused.push(...Object.keys(parsed.settings));
  if (refused.length > 0) {
    throw new UsageError(
      `Cannot change ${refused.join(", ")} on --resume as a run continues as it began; ` +
        "start a new run to change it",
    );
  }
  const { resume: asked, memory, device } = parsed.flags;
  const notices: string[] = [];
  const found = asked // "" where the flag stood alone
    ? await theRun(join(asked, ".")) // without a slash at its end
    : await newestUnfinished(parsed.positional[0], notices);
  const { folder, config, checkpoint, step, lock, passedOver } = found;
  for (const { folder, why } of passedOver) notices.push(`passed over ${folder}: ${why}`);
  notices.push(...found.notices, `continuing ${folder} from step ${step}`);
  const request = {
    ...config.request as unknown as RunRequest,
    ...(memory !== undefined && { memory }),
    ...(parsed.given.includes("device") && { device, changed: ["device"] }),
    resume: { checkpoint, step },
  };
  return { request, resume: { folder, step, lock }, notices };
}

async function theRun(folder: string): Promise<Resumable> {
  if ((await listFolder(folder).catch(() => [])).length === 0) {
    const runs = (await listFolders("runs")).map((name) => join("runs", name));
    throw new UsageError(
      `no run folder "${folder}"${lookedIn(folder)}.${didYouMean(folder, runs)}`,
    );
  }
  try {
    return await findResumable(folder);
  } catch (error) {
    throw isRefusal(error) ? new UsageError(error.message) : error;
  }
}

const isRefusal = (error: unknown): error is Error =>
  [NotResumableError, LockedError, LinkError].some((kind) => error instanceof kind);

/** The run written last that can be continued; adds to `notices` why newer ones are not taken. */
async function newestUnfinished(task: string | undefined, notices: string[]): Promise<Resumable> {
  for (const { folder, task: of } of await unfinishedRuns("runs")) {
    if (task !== undefined && of !== undefined && of !== task) continue;
    try {
      return await findResumable(folder);
    } catch (error) {
      notices.push(`passed over ${folder}: ${(error as Error).message}`);
    }
  }
  const of = task === undefined ? "" : ` of ${task}`;
  const why = notices.length === 0 ? "" : `: ${notices.join("; ")}`;
  throw new UsageError(
    `no unfinished run${of} in runs that can be continued${why}. Start one: deno task train`,
  );
}
