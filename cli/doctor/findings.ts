/** What a machine offers, what is missing, and the line that fixes it. @module */
import { adapterName, isSoftware } from "../../kernels/devices/webgpu/adapter.ts";
import type { Machine } from "./machine.ts";

/** One thing looked at. */
export interface Finding {
  name: string;
  value: string;
  state: "ok" | "warn" | "missing";
  /** What to type, or to do. */
  cure?: string;
}

const GIB = 2 ** 30, MIB = 2 ** 20;
const NEEDED = { deno: [2, 9], disk: 1 * GIB, binding: 128 * MIB };
const MESA = "sudo apt-get install -y mesa-vulkan-drivers libvulkan1";

/** What makes an adapter answer on a system that has none; undefined where that is not known. */
export function adapterCure(os: string): string | undefined {
  if (os === "linux") return `${MESA}   (software Vulkan; a graphics card needs its own driver)`;
  return os === "windows" ? "install the graphics card's driver" : undefined;
}

/** Looks at everything once. */
export async function examine(machine: Machine): Promise<Finding[]> {
  const found: Finding[] = [denoVersion(machine.deno)];
  found.push(...await adapterFindings(machine));
  if (machine.os === "linux") found.push(runtimeFolder(machine.env("XDG_RUNTIME_DIR")));
  found.push(await freeDisk(machine));
  const speed = await machine.speed();
  found.push(speedFinding(speed, found.some(({ name }) => name === "limits")));
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

/** An adapter that answers, and then computes nothing, is a fault of its driver. */
function speedFinding(
  speed: Awaited<ReturnType<Machine["speed"]>>,
  hasAdapter: boolean,
): Finding {
  const name = "matmul";
  if (!speed) return { name, value: "not measured", state: "warn" };
  const value = `${speed.gflops.toFixed(1)} GFLOP/s on ${speed.device}`;
  if (!hasAdapter || speed.passedOver === undefined) return { name, value, state: "ok" };
  const cure = "update the graphics driver, or use --device cpu";
  return { name, value: `${value}. ${speed.passedOver}`, state: "warn", cure };
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
    return [{
      name: "adapter",
      value: "none: --device auto uses the CPU twins, which are slower",
      state: "warn",
      cure: adapterCure(machine.os),
    }];
  }
  const { info, limits, features } = adapter;
  const used = (["subgroups"] as const).filter((one) => features.has(one));
  const small = limits.maxStorageBufferBindingSize < NEEDED.binding;
  return [
    {
      name: "adapter",
      value: `${adapterName(info)} (${
        isSoftware(info) ? "software: runs on the processor" : "hardware"
      })`,
      state: "ok",
    },
    {
      name: "limits",
      value: `one binding ${mib(limits.maxStorageBufferBindingSize)}, one buffer ${
        mib(limits.maxBufferSize)
      }, ${limits.maxComputeInvocationsPerWorkgroup} invocations per workgroup`,
      state: small ? "warn" : "ok",
      cure: small ? "use a smaller model, or --device cpu" : undefined,
    },
    {
      name: "features",
      value: `${used.join(", ") || "none that would be used"} (of ${features.size})`,
      state: "ok",
    },
    ...tuningFinding(info),
  ];
}

/** On the processor so much depends on it that only a measurement tells: 512 bits may be worse than 256. */
function tuningFinding(info: GPUAdapterInfo): Finding[] {
  if (!isSoftware(info)) return [];
  const vectors = /^llvmpipe/.test(adapterName(info))
    ? ", and whether LP_NATIVE_VECTOR_WIDTH helps"
    : "";
  const value = `deno task tune measures which kernels are fastest here${vectors}`;
  return [{ name: "tuning", value, state: "ok" }];
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
