/** A disk that fails at one call, below every layer: the functions of Deno themselves. @module */

/** Calls that touch the disk by a path, their first argument. */
const BY_PATH = [
  ...["open", "mkdir", "rename", "remove", "removeSync", "writeTextFile", "writeFile"],
  ...["stat", "lstat", "realPath", "readTextFile", "readFile", "truncate"],
] as const;
/** Calls of an open file. */
const OF_FILE = ["write", "read", "sync", "truncate", "seek", "stat", "tryLock"] as const;
/** Those that change something: a full or broken disk refuses these. */
const WRITING = new Set(
  ["open to write", "mkdir", "rename", "writeTextFile", "writeFile", "write", "sync", "truncate"],
);

type Call = (...args: unknown[]) => unknown;

/** What a disk did while it was watched. */
export interface Watched {
  /** Names of the calls in `folder`, in order. */
  calls: string[];
}

/**
 * Runs `body` while call number `at` (from 1) in `folder` fails as a broken disk does, a write after half of
 * its bytes; with `lasting` all later calls that write fail too, as on a full disk.
 */
export async function whileFailing(
  folder: string,
  { at, lasting = false }: { at: number; lasting?: boolean },
  body: () => Promise<void>,
): Promise<Watched> {
  const calls: string[] = [], inside = new WeakSet<object>(), restore: (() => void)[] = [];
  const fails = (name: string): boolean => {
    calls.push(name);
    return calls.length === at || (lasting && calls.length > at && WRITING.has(name));
  };
  const broken = () =>
    Object.assign(new Error("injected (os error 28)"), { code: lasting ? "ENOSPC" : "EIO" });
  const replace = (owner: object, name: string, make: (real: Call) => Call) => {
    const functions = owner as Record<string, Call>, real = functions[name];
    functions[name] = make(real);
    restore.push(() => functions[name] = real);
  };
  for (const name of BY_PATH) {
    replace(Deno, name, (real) => (...args) => {
      const path = String(args[0]);
      if (path !== folder && !path.startsWith(`${folder}/`)) return real.apply(Deno, args);
      const writes = (args[1] as Deno.OpenOptions | undefined)?.write;
      if (fails(name === "open" && writes ? "open to write" : name)) {
        if (name.endsWith("Sync")) throw broken();
        return Promise.reject(broken());
      }
      const result = real.apply(Deno, args);
      return name !== "open" ? result : (result as Promise<Deno.FsFile>).then((file) => {
        inside.add(file);
        return file;
      });
    });
  }
  for (const name of OF_FILE) {
    replace(
      Deno.FsFile.prototype,
      name,
      (real) =>
        async function (this: Deno.FsFile, ...args: unknown[]) {
          if (!inside.has(this) || !fails(name)) return await real.apply(this, args);
          const bytes = args[0];
          if (name === "write" && bytes instanceof Uint8Array) {
            await real.apply(this, [bytes.subarray(0, bytes.length >> 1)]);
          }
          throw broken();
        },
    );
  }
  try {
    await body();
  } finally {
    for (const undo of restore) undo();
  }
  return { calls };
}
