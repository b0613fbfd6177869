/** `doctor`: what this machine offers, what is missing, and the line that fixes it. @module */
import { statfs } from "node:fs/promises";
import { openDevice } from "../../kernels/devices/open.ts";
import type { Command, Flags } from "../command.ts";
import { JSON_FLAG } from "../flags.ts";
import { columns, paint, type Terminal } from "../terminal.ts";

/** One thing looked at. */
export interface Finding {
  name: string;
  value: string;
  state: "ok" | "warn" | "missing";
  /** What to type, or to do. */
  cure?: string;
}

/** What the checks look at; tests hand in other machines. */
export interface Machine {
  os: string;
  deno: string;
  /** The adapter that `auto` would take; null where there is none. */
  adapter(): Promise<Pick<GPUAdapter, "info" | "limits" | "features"> | null>;
  /** Value of an environment variable; undefined where unset, null where it may not be read. */
  env(name: string): string | undefined | null;
  /** Free bytes where run folders go; null where that may not be asked. */
  freeBytes(): Promise<number | null>;
  /** Billions of multiplications and additions a second in a matrix product, and on what. */
  speed(): Promise<{ gflops: number; device: string } | null>;
  /** State of a permission. */
  allowed(descriptor: Deno.PermissionDescriptor): boolean;
}

const GIB = 2 ** 30, MIB = 2 ** 20;
const NEEDED = { deno: [2, 9], disk: 1 * GIB, binding: 128 * MIB };
const MESA = "sudo apt-get install -y mesa-vulkan-drivers libvulkan1";

/** Looks at everything once. */
export async function examine(machine: Machine): Promise<Finding[]> {
  const found: Finding[] = [denoVersion(machine.deno)];
  found.push(...await adapterFindings(machine));
  if (machine.os === "linux") found.push(runtimeFolder(machine.env("XDG_RUNTIME_DIR")));
  found.push(await freeDisk(machine));
  const speed = await machine.speed();
  found.push(
    speed
      ? {
        name: "matmul",
        value: `${speed.gflops.toFixed(1)} GFLOP/s on ${speed.device}`,
        state: "ok",
      }
      : { name: "matmul", value: "not measured", state: "warn" },
  );
  for (
    const [name, descriptor] of [
      ["read files", { name: "read" }],
      ["write runs", { name: "write", path: "runs" }],
    ] as const
  ) {
    const allowed = machine.allowed(descriptor);
    found.push({
      name,
      value: allowed ? "allowed" : "denied",
      state: allowed ? "ok" : "missing",
      cure: allowed ? undefined : "run it as: deno task doctor",
    });
  }
  return found;
}

/** Says what `examine` finds; gives the exit code: 1 where something is missing. */
export async function doctor(
  json: boolean,
  terminal: Terminal,
  machine: Machine = thisMachine,
): Promise<number> {
  const found = await examine(machine);
  const missing = found.some((finding) => finding.state === "missing");
  if (json) {
    terminal.out(JSON.stringify({ ok: !missing, findings: found }));
    return missing ? 1 : 0;
  }
  const rows = found.map(({ state, name, value }) => [state, name, value]);
  const colors = { ok: "green", warn: "yellow", missing: "red" } as const;
  columns(rows).forEach((line, i) => {
    const { state, cure } = found[i];
    terminal.out(
      paint(terminal, colors[state], line.slice(0, state.length)) + line.slice(state.length),
    );
    if (cure) terminal.out(`         fix:  ${cure}`);
  });
  return missing ? 1 : 0;
}

function denoVersion(version: string): Finding {
  const [major, minor] = version.split(".").map(Number);
  const [wantMajor, wantMinor] = NEEDED.deno;
  const enough = major > wantMajor || (major === wantMajor && minor >= wantMinor);
  return {
    name: "deno",
    value: enough ? version : `${version}, needs ${NEEDED.deno.join(".")} or later`,
    state: enough ? "ok" : "missing",
    cure: enough ? undefined : "deno upgrade",
  };
}

async function adapterFindings(machine: Machine): Promise<Finding[]> {
  const adapter = await machine.adapter();
  if (!adapter) {
    const cures: Record<string, string> = {
      linux: `${MESA}   (software Vulkan; a graphics card needs its own driver)`,
      windows: "install the graphics card's driver",
    };
    return [{
      name: "adapter",
      value: "none: --device auto uses the CPU twins, which are slower",
      state: "warn",
      cure: cures[machine.os],
    }];
  }
  const { info, limits, features } = adapter;
  const software = info.isFallbackAdapter ||
    /llvmpipe|lavapipe|swiftshader/i.test(info.description);
  const name = info.description || info.device || info.vendor || "unnamed adapter";
  const used = (["shader-f16", "subgroups", "timestamp-query"] as const).filter((one) =>
    features.has(one)
  );
  const small = limits.maxStorageBufferBindingSize < NEEDED.binding;
  return [
    {
      name: "adapter",
      value: `${name} (${software ? "software: runs on the processor" : "hardware"})`,
      state: "ok",
    },
    {
      name: "limits",
      value: `one binding ${mib(limits.maxStorageBufferBindingSize)}, one buffer ${
        mib(limits.maxBufferSize)
      }, ${limits.maxComputeInvocationsPerWorkgroup} invocations a workgroup`,
      state: small ? "warn" : "ok",
      cure: small ? "use a smaller model, or --device cpu" : undefined,
    },
    {
      name: "features",
      value: `${used.join(", ") || "none that would be used"} (of ${features.size})`,
      state: "ok",
    },
  ];
}

const mib = (bytes: number): string => `${Math.floor(bytes / MIB)} MiB`;

function runtimeFolder(value: string | undefined | null): Finding {
  const name = "XDG_RUNTIME_DIR";
  if (value === null) return { name, value: "may not be read", state: "warn" };
  if (value) return { name, value, state: "ok" };
  return {
    name,
    value: "not set: the Vulkan loader complains at every start (harmless)",
    state: "warn",
    cure: "export XDG_RUNTIME_DIR=/tmp/xdg && mkdir -p -m 700 $XDG_RUNTIME_DIR",
  };
}

async function freeDisk(machine: Machine): Promise<Finding> {
  const bytes = await machine.freeBytes();
  if (bytes === null) return { name: "disk", value: "may not be asked", state: "warn" };
  const value = `${(bytes / GIB).toFixed(1)} GiB free`;
  return bytes >= NEEDED.disk ? { name: "disk", value, state: "ok" } : {
    name: "disk",
    value: `${value}; a run keeps 3 checkpoints and writes a 4th`,
    state: "warn",
    cure: "free some space, or choose another disk with --out",
  };
}

/** The machine that this program runs on. */
export const thisMachine: Machine = {
  os: Deno.build.os,
  deno: Deno.version.deno,
  adapter: async () =>
    await navigator.gpu?.requestAdapter() ??
      await navigator.gpu?.requestAdapter({ forceFallbackAdapter: true }) ?? null,
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

/** Repeats one matrix product for about a second. */
async function matmulSpeed(): Promise<{ gflops: number; device: string } | null> {
  const { matmul } = await import("../../kernels/matmul.ts");
  using device = await openDevice("auto");
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
  };
}

const FLAGS = { json: JSON_FLAG } as const satisfies Flags;

/** `deno task doctor` */
export const command: Command = {
  spec: {
    name: "doctor",
    doc: "Say what this machine offers and what is missing",
    positional: [],
    flags: FLAGS,
    example: "deno task doctor",
  },
  run: ({ flags }, terminal) => doctor(flags.json === true, terminal),
};
