/** What only the machine can tell that a program runs on. @module */

import { constrainedMemory } from "node:process";

/** What is asked of the system; tests hand in another. */
export interface MemoryFacts {
  /** Bytes that the machine has left. */
  available: number;
  /** Bytes that this process's control group (cgroup v1 or v2) may have; without a limit huge, or 0. */
  limit: number;
  /** Bytes that this process holds. */
  resident: number;
}

/**
 * Bytes of memory that are available: to the machine, and to a container's control group, of whose
 * limit this process's own part is taken off. Undefined where the program may not ask.
 */
export function freeMemory(facts: MemoryFacts | undefined = memoryFacts()): number | undefined {
  if (!facts) return undefined;
  const { available, limit, resident } = facts;
  return limit > 0 ? Math.min(available, Math.max(0, limit - resident)) : available;
}

function memoryFacts(): MemoryFacts | undefined {
  const asks = { name: "sys", kind: "systemMemoryInfo" } as const;
  if (Deno.permissions.querySync(asks).state !== "granted") return undefined;
  return {
    available: Deno.systemMemoryInfo().available,
    limit: constrainedMemory(), // the one way to it: /sys is closed to a program without all permissions
    resident: Deno.memoryUsage().rss,
  };
}

/** The text of a file, at once. */
export const readTextNow = (path: string): string => Deno.readTextFileSync(path);
