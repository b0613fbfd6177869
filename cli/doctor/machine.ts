/** The machine that a command runs on, as far as it may be asked. @module */
import { statfs } from "node:fs/promises";
import { openDevice } from "../../kernels/devices/open.ts";
import { matmul } from "../../kernels/matmul.ts";

/** How fast a device multiplies matrices. */
export interface Speed {
  gflops: number;
  device: string;
  /** Why no adapter was taken, where the twins were. */
  passedOver?: string;
}

/** What the checks look at; tests hand in other machines. */
export interface Machine {
  os: string;
  deno: string;
  /** The adapter that `auto` would take; null where there is none. */
  adapter(): Promise<
    | Pick<GPUAdapter, "info" | "limits"> & {
      readonly features: Pick<ReadonlySet<string>, "has" | "size">;
    }
    | null
  >;
  /** Value of an environment variable; undefined where unset, null where it may not be read. */
  env(name: string): string | undefined | null;
  /** Free bytes where run folders go; null where that may not be asked. */
  freeBytes(): Promise<number | null>;
  /** Billions of multiplications and additions per second in a matrix product, and on what. */
  speed(): Promise<Speed | null>;
  /** State of a permission. */
  allowed(descriptor: Deno.PermissionDescriptor): boolean;
}

/** The machine that this program runs on. */
export const thisMachine: Machine = {
  os: Deno.build.os,
  deno: Deno.version.deno,
  async adapter() {
    const adapter = await autoAdapter();
    if (!adapter) return null;
    const { info, limits } = adapter, features = new Set<string>(adapter.features);
    if (await grantsSubgroups(adapter)) features.add("subgroups");
    return { info, limits, features };
  },
  env(name) {
    const { state } = Deno.permissions.querySync({ name: "env", variable: name });
    return state === "granted" ? Deno.env.get(name) : null;
  },
  async freeBytes() {
    if (Deno.permissions.querySync({ name: "sys", kind: "statfs" }).state !== "granted") {
      return null;
    }
    const disk = await statfs(".");
    return disk.bavail * disk.bsize;
  },
  speed: matmulSpeed,
  allowed: (descriptor) => Deno.permissions.querySync(descriptor).state === "granted",
};

/** The adapter that `auto` would take. */
export const autoAdapter = async (): Promise<GPUAdapter | null> =>
  await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" }) ??
    await navigator.gpu?.requestAdapter({ forceFallbackAdapter: true }) ?? null;

/** Whether a device may have them, which an adapter's list does not tell everywhere. */
async function grantsSubgroups(adapter: GPUAdapter): Promise<boolean> {
  const requiredFeatures = ["subgroups" as GPUFeatureName];
  const device = await adapter.requestDevice({ requiredFeatures }).catch(() => undefined);
  device?.destroy();
  return device !== undefined;
}

/** Repeats one matrix product for about a second. */
async function matmulSpeed(): Promise<Speed | null> {
  let passedOver: string | undefined;
  using device = await openDevice("auto", (line) => passedOver = line);
  const M = 256, N = 512, K = 512;
  const [a, b, out] = [[M, K], [K, N], [M, N]].map(([rows, width], i) =>
    device.alloc(rows * width, `doctor.${"abo"[i]}`)
  );
  const once = () => matmul(device, { a, b, out }, { M, N, K, orientation: "NN" });
  once(); // compiles
  await device.read(out);
  const start = performance.now();
  let count = 0, seconds = 0;
  for (let batch = 1; seconds < 1; batch *= 2) {
    for (let i = 0; i < batch; i++) once();
    await device.read(out);
    count += batch;
    seconds = (performance.now() - start) / 1000;
  }
  return {
    gflops: 2 * M * N * K * count / seconds / 1e9,
    device: `${device.name} (${device.kind})`,
    passedOver,
  };
}
