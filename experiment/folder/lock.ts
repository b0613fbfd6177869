/**
 * One process at a time writes a run folder. The lock is the system's own on an open file, so that a
 * process that dies, however it dies, holds nothing. Reading a run asks for no lock.
 * @module
 */
import { join } from "node:path";
import { ifThere, readIfThere } from "../../model/files/deno_folder.ts";
import { writeError } from "./files.ts";
import { requireWithin } from "./links.ts";

/** Name of the file that is locked; its text says by whom. */
export const LOCK_FILE = "run.lock";

/** Another process writes the run. */
export class LockedError extends Error {
  override name = "LockedError";
}

/** The right to write a run folder, until it is disposed of or the process ends. */
export class RunLock implements Disposable {
  #file: Deno.FsFile | undefined;
  #path: string;
  /** For people, where the file system has no locks: nothing keeps a second process away. */
  readonly notice: string | undefined;

  private constructor(file: Deno.FsFile, path: string, notice: string | undefined) {
    this.#file = file;
    this.#path = path;
    this.notice = notice;
  }

  /** @throws {LockedError} naming process, machine and time where another process has it */
  static async take(folder: string): Promise<RunLock> {
    const path = join(folder, LOCK_FILE);
    for (;;) {
      await requireWithin(folder, path);
      using opened = new DisposableStack();
      const file = opened.use(await open(path));
      const { held, notice } = await tryLock(file);
      if (!held) throw new LockedError(await busy(folder, path));
      // Whoever held it may have removed its name meanwhile: then another file is the lock by now.
      if (!await isStillNamed(file, path)) continue;
      await file.truncate(0);
      await file.write(new TextEncoder().encode(ownText()));
      opened.move();
      return new RunLock(file, path, notice);
    }
  }

  [Symbol.dispose](): void {
    if (!this.#file) return;
    try {
      Deno.removeSync(this.#path); // while it is held: nobody else can have locked it
    } catch {
      // An open file may not be removed on Windows; an unlocked one says nothing either.
    }
    this.#file.close();
    this.#file = undefined;
  }
}

async function open(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { read: true, write: true, create: true });
  } catch (error) {
    throw writeError(path, error);
  }
}

/** Takes the lock where it is free. Network file systems may have none at all. */
async function tryLock(file: Deno.FsFile): Promise<{ held: boolean; notice?: string }> {
  try {
    return { held: await file.tryLock(true) };
  } catch (error) {
    const why = (error as Error).message;
    return {
      held: true,
      notice: `this file system has no locks (${why}): let no second process write this run`,
    };
  }
}

async function isStillNamed(file: Deno.FsFile, path: string): Promise<boolean> {
  const [open, named] = [await file.stat(), await ifThere(Deno.lstat(path))];
  return named !== undefined && named.ino === open.ino && named.dev === open.dev;
}

async function busy(folder: string, path: string): Promise<string> {
  const text = await readIfThere(path).catch(() => ""); // Windows lets nobody read a locked file
  const [pid, host, since] = (text ?? "").trim().split(" ");
  const who = since === undefined
    ? "another process"
    : `process ${Number(pid)} on ${printable(host)} since ${printable(since)}`;
  return `Cannot write ${folder} as one process at a time may: ${who} has it. ` +
    "Wait for its end, or stop it; a process that died holds nothing";
}

/** Letters that a host or a time is made of; the file may come from elsewhere. */
const printable = (text: string): string => text.replace(/[^\w.:-]/g, "?").slice(0, 64);

const ownText = (): string => `${Deno.pid} ${ownHost()} ${new Date().toISOString()}\n`;

/** This machine's name; "?" where the program may not ask for it. */
function ownHost(): string {
  const asks = { name: "sys", kind: "hostname" } as const;
  const may = Deno.permissions.querySync(asks).state === "granted";
  return may ? printable(Deno.hostname()) || "?" : "?";
}
