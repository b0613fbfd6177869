/**
 * Whether llvmpipe, Mesa's software adapter, trains faster with wider or narrower vectors: it reads
 * `LP_NATIVE_VECTOR_WIDTH` when it is loaded. Processors differ in what 512 bits are worth, so that it is
 * measured, each width in processes of its own. Results are the same, bit for bit. A run never sets it.
 * @module
 */
import type { VectorSpeed } from "./vector_child.ts";

/** The driver's variable. */
export const VARIABLE = "LP_NATIVE_VECTOR_WIDTH";

/** One width. */
export interface VectorWidth {
  readonly bits: number;
  readonly tokensPerSecond: number;
  /** As this process has it, with the variable as it is. */
  readonly isPresent: boolean;
}

const WIDTHS = [256, 512];

/** Bits of the vectors of the adapter of that name; undefined where it is not llvmpipe. */
export function vectorBits(adapter: string): number | undefined {
  const [, bits] = /^llvmpipe .*\b(\d+) bits/.exec(adapter) ?? [];
  return bits === undefined ? undefined : Number(bits);
}

/** Starts a process with the variable set to `bits`, or as it is; gives what it measured. */
export type StartChild = (seconds: number, bits?: number) => Promise<VectorSpeed>;

/**
 * Times training at each width, in turn and twice; the better time of each counts.
 * @throws {Error} when a process fails, or the driver takes another width than it was told
 */
export async function timeVectors(
  adapter: string,
  { seconds, start = startChild, signal }: {
    /** Of each process, once it has compiled. */
    seconds: number;
    start?: StartChild;
    signal?: AbortSignal;
  },
): Promise<VectorWidth[]> {
  const present = vectorBits(adapter)!, widths = [present, ...WIDTHS.filter((w) => w !== present)];
  const speeds = new Map<number, number>();
  for (let round = 0; round < 2; round++) {
    for (const bits of widths) {
      signal?.throwIfAborted();
      const found = await start(seconds, bits === present ? undefined : bits);
      const taken = vectorBits(found.adapter);
      if (taken !== bits) {
        throw new Error(
          `Cannot time vectors of ${bits} bits as the driver takes ${taken ?? "none"}: ` +
            `${VARIABLE} does nothing here`,
        );
      }
      speeds.set(bits, Math.max(speeds.get(bits) ?? 0, found.tokensPerSecond));
    }
  }
  return widths.map((bits) => ({
    ...{ bits, tokensPerSecond: speeds.get(bits)!, isPresent: bits === present },
  }));
}

/** How much faster another width must be: less is noise. */
const GAIN = 1.05;

/** What to do, in a sentence. */
export function vectorAdvice(widths: readonly VectorWidth[]): string {
  const present = widths.find(({ isPresent }) => isPresent)!;
  const best = widths.reduce((a, b) => b.tokensPerSecond > a.tokensPerSecond ? b : a);
  if (best.tokensPerSecond <= GAIN * present.tokensPerSecond) {
    return `Leave ${VARIABLE} as it is: no other width is faster`;
  }
  return `Vectors of ${best.bits} bits are faster: export ${VARIABLE}=${best.bits} before a run, and tune ` +
    "again, as it is another adapter then; results stay the same";
}

/** Whether this program may start one: `deno` must be on the path. */
export const mayStart = (): boolean =>
  Deno.permissions.querySync({ name: "run", command: "deno" }).state === "granted";

/** Starts `vector_child.ts`. @throws {Error} when it fails */
export async function startChild(seconds: number, bits?: number): Promise<VectorSpeed> {
  const child = new URL("./vector_child.ts", import.meta.url).href;
  const { success, stdout, stderr } = await new Deno.Command("deno", {
    args: ["run", "--no-prompt", "--allow-read", child, String(seconds)],
    ...(bits !== undefined && { env: { [VARIABLE]: String(bits) } }),
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (success) return JSON.parse(text(stdout).split("\n").at(-1)!);
  const last = text(stderr).split("\n").find((line) => /error/i.test(line)) ?? "it said nothing";
  throw new Error(
    `Cannot time vectors of ${bits ?? "present"} bits as the process failed: ${last}`,
  );
}
