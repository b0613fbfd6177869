/**
 * Files on their way into the hub's cache, and what they must be when they are whole.
 * @module
 */
import { createHash, type Hash } from "node:crypto";
import { basename, dirname } from "node:path";
import type { HubConnection } from "./client.ts";
import { HubError, RetryableError } from "./errors.ts";

/** A file as the hub describes it. */
export interface RemoteFile {
  /** For messages. */
  readonly name: string;
  /** Path on the hub, with the commit in it. */
  readonly path: string;
  /** 64 digits: sha256 of the bytes. 40 digits: git's sha1 of them. */
  readonly hash: string;
  readonly size: number;
}

const STALE_AFTER_MS = 10 * 60_000; // without a write a file is orphaned; retries take less
const MIN_PROGRESS = 2 ** 20; // bytes that make a try worth another

/** Whether the file at `path` has the size and hash. */
export async function isWhole(path: string, { hash, size }: RemoteFile): Promise<boolean> {
  const found = await Deno.stat(path).catch(() => undefined);
  if (!found?.isFile || found.size !== size) return false;
  const digest = digestFor(hash, size);
  using file = await Deno.open(path);
  await pass(file, size, (bytes) => void digest.update(bytes));
  return digest.digest("hex") === hash;
}

/** A file on its way, with the hash of what is there. */
export class PartialFile implements AsyncDisposable {
  /** Bytes that are there, and that came over the network. */
  at = 0;
  arrived = 0;
  /** ETag of these bytes, as the server that sent them has it. */
  validator: string | null = null;
  /** Whether it stays when it is not finished. */
  keep = false;
  #digest: Hash;
  #best = 0; // most bytes so far
  #wrong = 0; // times that the bytes were not the file's
  #inherited = false; // the beginning is another process's
  #open = true;

  private constructor(
    readonly path: string,
    readonly own: string,
    readonly file: Deno.FsFile,
    readonly remote: RemoteFile,
    readonly report: (done: number) => void,
  ) {
    this.#digest = digestFor(remote.hash, remote.size);
  }

  static async create(
    path: string,
    remote: RemoteFile,
    report: (done: number) => void,
  ): Promise<PartialFile> {
    const own = `${path}.${crypto.randomUUID()}.incomplete`;
    const file = await Deno.open(own, { write: true, createNew: true });
    return new PartialFile(path, own, file, remote, report);
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) done += await this.file.write(bytes.subarray(done));
    this.#digest.update(bytes);
    this.report(this.at += bytes.length);
  }

  async restart(): Promise<void> {
    await this.file.truncate(0);
    await this.file.seek(0, Deno.SeekMode.Start);
    this.#digest = digestFor(this.remote.hash, this.remote.size);
    [this.at, this.validator] = [0, null];
  }

  /** Begins with what an earlier process has left, and removes what is orphaned. */
  async takeOver(): Promise<void> {
    const left = (await leftovers(dirname(this.path))).filter(({ path, hash }) =>
      hash === basename(this.path) && path !== this.own
    );
    const longest = left.sort((a, b) => b.size - a.size)[0];
    // Copied, not renamed: its process may be alive and still appending. It may just have gone, too.
    const file = longest && await Deno.open(longest.path).catch(() => undefined);
    if (file) {
      using open = file;
      await pass(open, this.remote.size, (bytes) => this.append(bytes));
    }
    this.#best = this.at;
    this.#inherited = this.at > 0;
    for (const { path, age } of left) {
      if (age > STALE_AFTER_MS) await Deno.remove(path).catch(() => {});
    }
  }

  /** @throws {HubError} when the bytes are not those of the hash */
  async check(hub: HubConnection): Promise<void> {
    const found = this.#digest.digest("hex");
    if (found !== this.remote.hash) await this.refuse(hub, `${found.slice(0, 12)}… came`);
  }

  /** Bytes that cannot be the file are thrown away, and asked for once more, not more often. */
  async refuse(hub: HubConnection, found: string): Promise<never> {
    await this.restart();
    const { name, size, hash } = this.remote;
    const message = `Cannot use ${name} as ${hub.endpoint} gives it ${size} bytes with hash ` +
      `${hash.slice(0, 12)}…: ${found}`;
    if (this.#inherited) this.#inherited = false; // not the hub's fault
    else if (++this.#wrong > 1) throw new HubError("damaged", `${message}, twice. Try again later`);
    throw new RetryableError("damaged", message);
  }

  /** Whether the last try was worth another, by the farthest byte so far: so there is an end. */
  advanced(): boolean {
    const enough = this.at - this.#best >= MIN_PROGRESS;
    this.#best = Math.max(this.#best, this.at);
    return enough;
  }

  /** Gives it its name. */
  async finish(): Promise<void> {
    await this.file.sync();
    this.#close();
    await Deno.rename(this.own, this.path).catch(async (error) => {
      // Another process was first, and has swept this one's file away.
      const gone = error instanceof Deno.errors.NotFound;
      if (!gone || !await isWhole(this.path, this.remote)) throw error;
    });
  }

  #close(): void {
    if (this.#open) this.file.close();
    this.#open = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    if (!this.keep) await Deno.remove(this.own).catch(() => {}); // gone where it was finished
  }
}

/** Removes unfinished files of a folder whose finished one is there, and those that are orphaned. */
export async function sweep(folder: string): Promise<void> {
  for (const { path, hash, age } of await leftovers(folder)) {
    const done = await Deno.stat(`${folder}/${hash}`).then(() => true, () => false);
    if (done || age > STALE_AFTER_MS) await Deno.remove(path).catch(() => {});
  }
}

interface Leftover {
  path: string;
  /** Of the file that it is to become. */
  hash: string;
  size: number;
  /** Milliseconds since the last write. */
  age: number;
}

async function leftovers(folder: string): Promise<Leftover[]> {
  const found: Leftover[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".incomplete")) continue;
    const path = `${folder}/${name}`;
    const stat = await Deno.stat(path).catch(() => undefined); // just removed
    if (!stat?.isFile) continue;
    const age = Date.now() - (stat.mtime?.getTime() ?? 0);
    found.push({ path, hash: name.slice(0, name.indexOf(".")), size: stat.size, age });
  }
  return found;
}

/** Hands on up to `size` bytes of a file, in order. */
async function pass(
  file: Deno.FsFile,
  size: number,
  use: (bytes: Uint8Array) => Promise<void> | void,
): Promise<void> {
  const buffer = new Uint8Array(2 ** 20);
  for (let at = 0; at < size;) {
    const got = await file.read(buffer.subarray(0, Math.min(buffer.length, size - at)));
    if (got === null) return;
    await use(buffer.subarray(0, got));
    at += got;
  }
}

const digestFor = (hash: string, size: number): Hash =>
  hash.length === 64 ? createHash("sha256") : createHash("sha1").update(`blob ${size}\0`);
