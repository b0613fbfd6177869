/** What `tune` measured, as a file: in the user's cache, one for each adapter and version. @module */
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import * as z from "npm:zod@4.6.7";
import about from "../../deno.json" with { type: "json" };
import { writeError } from "../../experiment/folder/files.ts";
import { faultOf, tuningSchema } from "../../experiment/folder/schemas.ts";
import { adapterName } from "../../kernels/devices/webgpu/adapter.ts";
import type { AdapterTuning } from "../../kernels/tuning.ts";
import { readIfThere } from "../../model/files/deno_folder.ts";
import { makeFolders, replaceFile } from "../../model/files/disk.ts";
import { UsageError } from "../command.ts";
import { autoAdapter, thisMachine } from "../doctor/machine.ts";
import type { TuneResult } from "./tune.ts";
import type { VectorWidth } from "./vectors.ts";

/**
 * What a measurement holds for. Of its driver an adapter says no more than this; Deno compiles the kernels.
 * Where any of it changes, other kernels may be faster.
 */
export interface TunedFor {
  readonly adapter: string;
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly plainrl: string;
  readonly deno: string;
}

/** What the file holds. */
export interface TuningFile extends TuneResult {
  readonly tunedFor: TunedFor;
  /** When, ISO 8601 in UTC. */
  readonly measured: string;
  readonly quick: boolean;
  readonly vectors?: readonly VectorWidth[];
}

const row = z.looseObject({ name: z.string(), way: z.string(), gflops: z.number() });
const schema = z.looseObject({
  tunedFor: z.record(z.string(), z.string()),
  choices: tuningSchema,
  rows: z.array(row),
});

/** The adapter that `--device webgpu` takes, and the versions. @throws {UsageError} where there is none */
export async function tunedForHere(): Promise<TunedFor> {
  const adapter = await autoAdapter();
  if (!adapter) {
    throw new UsageError(
      "Cannot tune as only a WebGPU adapter has kernels to choose from: none answers; " +
        "deno task doctor says what is missing",
    );
  }
  const { vendor, architecture, device } = adapter.info;
  return {
    ...{ adapter: adapterName(adapter.info), vendor, architecture, device },
    ...{ plainrl: about.version, deno: Deno.version.deno },
  };
}

/** The user's cache. @throws {UsageError} where the environment does not tell */
export function cacheFolder(env: (name: string) => string | undefined | null): string {
  const cache = env("XDG_CACHE_HOME"), home = env("HOME") || env("USERPROFILE");
  if (cache) return join(cache, "plainrl");
  if (home) return join(home, ".cache", "plainrl");
  throw new UsageError(
    "Cannot find the user's cache as neither XDG_CACHE_HOME nor HOME can be read: name a file, " +
      "tune --out FILE and train --tuned FILE",
  );
}

/** The file for an adapter and versions: by name for people, by hash for all that tells them apart. */
export function cacheFile(
  tunedFor: TunedFor,
  env: (name: string) => string | undefined | null = thisMachine.env,
): string {
  const name = tunedFor.adapter.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
  const hash = createHash("sha256").update(JSON.stringify(Object.entries(tunedFor).sort()));
  return join(
    cacheFolder(env),
    `tuning-${name.slice(0, 60)}-${hash.digest("hex").slice(0, 8)}.json`,
  );
}

/**
 * Makes the file's folder, and asks for permission where it is not granted: before minutes of measuring.
 * @throws {UsageError|WriteError} where it could not be written
 */
export async function preparePlace(path: string): Promise<void> {
  const { state } = await Deno.permissions.request({ name: "write", path: dirname(path) });
  if (state !== "granted") throw denied(path);
  await written(path, () => makeFolders(dirname(path)));
}

/** @throws {UsageError|WriteError} where it cannot be written */
export const writeTuning = (path: string, file: TuningFile): Promise<void> =>
  written(path, () => replaceFile(path, JSON.stringify(file, null, 2) + "\n"));

async function written<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    throw error instanceof Deno.errors.NotCapable ? denied(path) : writeError(path, error);
  }
}

const denied = (path: string): UsageError =>
  new UsageError(
    `Cannot write ${path} as deno task tune may write only inside ~/.cache/plainrl. Leave --out out, or ` +
      "run: deno run --allow-read --allow-run=deno --allow-env=XDG_RUNTIME_DIR,HOME " +
      `--allow-write=${dirname(path)} cli/bin.ts tune --out ${path}`,
  );

/**
 * The choices in a file.
 * @throws {UsageError} where there is none, it is damaged, or it holds for another adapter or version
 */
export async function readTuning(path: string, here: TunedFor): Promise<AdapterTuning> {
  const text = await readIfThere(path);
  if (text === undefined) {
    throw new UsageError(
      `Cannot run by what was tuned as nothing was on "${here.adapter}": ${path} is not there; ` +
        "run deno task tune",
    );
  }
  const cannot = (why: string) =>
    new UsageError(`Cannot run by what was tuned in ${path} as ${why}; run deno task tune again`);
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    throw cannot("it is no JSON");
  }
  const fault = faultOf(schema, file);
  if (fault !== undefined) throw cannot(fault);
  const { tunedFor, choices } = schema.parse(file);
  for (const [what, is] of Object.entries(here)) {
    const was = tunedFor[what];
    if (was !== is) {
      throw cannot(`its ${what} is ${JSON.stringify(was)}: here it is ${JSON.stringify(is)}`);
    }
  }
  return { adapter: here.adapter, choices };
}

/** Removes the file; whether it was there. @throws as `writeTuning` */
export async function forgetTuning(path: string): Promise<boolean> {
  return await written(path, async () => {
    try {
      await Deno.remove(path);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  });
}
