/** What only the machine can tell that a program runs on. @module */

/** Bytes of memory that are available; undefined where the program may not ask. */
export function freeMemory(): number | undefined {
  const asks = { name: "sys", kind: "systemMemoryInfo" } as const;
  if (Deno.permissions.querySync(asks).state !== "granted") return undefined;
  return Deno.systemMemoryInfo().available;
}

/** The text of a file, at once. */
export const readTextNow = (path: string): string => Deno.readTextFileSync(path);
