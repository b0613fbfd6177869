/** How adapters are chosen and opened, with adapters that this machine does not have. @module */
import assert from "node:assert/strict";
import type { Faults } from "../../../kernels/devices/webgpu/faults.ts";
import { Pipelines } from "../../../kernels/devices/webgpu/pipelines.ts";
import { adapterName, isSoftware, openAdapter } from "../../../kernels/devices/webgpu/adapter.ts";
import { attention } from "../../../kernels/attention.ts";
import { openDevice } from "../../../kernels/devices/open.ts";
import { WebGpuDevice } from "../../../kernels/devices/webgpu.ts";
import { testOnWebGpu } from "../../_devices.ts";

const info = (given: Partial<GPUAdapterInfo>): GPUAdapterInfo =>
  ({ vendor: "", architecture: "", device: "", description: "", ...given }) as GPUAdapterInfo;

/** Limits of a card that has 24 GiB. */
const LIMITS = {
  maxBufferSize: 2 ** 34,
  maxStorageBufferBindingSize: 2 ** 32 - 4,
  maxStorageBuffersPerShaderStage: 64,
  maxComputeInvocationsPerWorkgroup: 1024,
  maxComputeWorkgroupSizeX: 1024,
  maxComputeWorkgroupStorageSize: 49152,
};

/** An adapter as Deno's own, which refuses what it cannot be asked for; `requested` collects what it was. */
function adapterOf(
  name: string,
  { limits = {}, fails, requested = [], lanes }: {
    limits?: Partial<typeof LIMITS>;
    fails?: string;
    requested?: Record<string, number>[];
    /** Fewest and most of a subgroup, which it has then. */
    lanes?: [subgroupMinSize: number, subgroupMaxSize: number];
  } = {},
): GPUAdapter {
  const offered = { ...LIMITS, ...limits };
  const adapter = {
    info: Object.assign(info({ description: name }), {
      ...(lanes && { subgroupMinSize: lanes[0], subgroupMaxSize: lanes[1] }),
    }),
    limits: offered,
    features: new Set(),
    requestDevice({ requiredLimits }: { requiredLimits: typeof LIMITS }) {
      if (fails) return Promise.reject(new Error(fails));
      requested.push(requiredLimits);
      for (const [key, limit] of Object.entries(requiredLimits)) {
        if (!Number.isSafeInteger(limit)) {
          return Promise.reject(new TypeError(`${key} is outside the accepted range`));
        }
        if (limit > offered[key as keyof typeof LIMITS]) {
          return Promise.reject(new Error(`${key} is beyond the limit`));
        }
      }
      return Promise.resolve({ features: new Set(lanes && ["subgroups"]) });
    },
  };
  return adapter as unknown as GPUAdapter;
}

/** Runs `body` on a machine whose adapters are these. */
async function withAdapters(
  { best, fallback }: { best?: GPUAdapter; fallback?: GPUAdapter },
  body: () => Promise<void>,
): Promise<void> {
  const { requestAdapter } = GPU.prototype;
  GPU.prototype.requestAdapter = (options) =>
    Promise.resolve((options?.forceFallbackAdapter ? fallback : best) ?? null);
  try {
    await body();
  } finally {
    GPU.prototype.requestAdapter = requestAdapter;
  }
}

Deno.test("limits of 2^53 and above are asked for and told as 2^53 - 1", async () => {
  const requested: Record<string, number>[] = [];
  const limits = { maxBufferSize: 2 ** 64, maxStorageBufferBindingSize: 2 ** 53 };
  const best = adapterOf("huge", { limits, requested });
  await withAdapters({ best }, async () => {
    const { limits, name } = await openAdapter();
    assert.equal(name, "huge");
    assert.equal(limits.maxBuffer, Number.MAX_SAFE_INTEGER);
    assert.ok(limits.maxBinding % 256 === 0 && limits.maxBinding > 2 ** 53 - 512);
    assert.equal(requested[0].maxBufferSize, Number.MAX_SAFE_INTEGER);
    assert.equal(requested[0].maxStorageBuffersPerShaderStage, 16);
  });
  await withAdapters({ best: adapterOf("card") }, async () => {
    assert.deepEqual((await openAdapter()).limits, {
      maxBuffer: LIMITS.maxBufferSize,
      maxBinding: 2 ** 32 - 256,
    });
  });
});

/** The names that kernels look for. */
async function featuresOf(
  name: string,
  lanes?: [number, number],
  maxStorageBuffersPerShaderStage = 32,
): Promise<string[]> {
  const best = adapterOf(name, { lanes, limits: { maxStorageBuffersPerShaderStage } });
  let found: string[] = [];
  await withAdapters({ best }, async () => {
    found = [...(await openAdapter()).features].filter((name) => name !== "subgroups");
  });
  return found;
}

Deno.test("lanes shuffle by eights where subgroups have 8, or llvmpipe's 16, and by fours in any", async () => {
  const eights = ["subgroups-4", "subgroups-8"];
  assert.deepEqual(await featuresOf("llvmpipe", [8, 8]), eights);
  assert.deepEqual(await featuresOf("llvmpipe", [16, 16]), [...eights, "subgroups-16"]);
  assert.deepEqual(await featuresOf("card", [8, 8]), eights);
  for (const lanes of [[4, 4], [16, 16], [8, 32], [32, 32]] as const) {
    assert.deepEqual(await featuresOf("card", [...lanes]), ["subgroups-4"], String(lanes));
  }
  assert.deepEqual(await featuresOf("card", [1, 32]), []);
  assert.deepEqual(await featuresOf("llvmpipe"), []);
});

Deno.test("llvmpipe unrolls its loads where it offers more than 32 storage buffers", async () => {
  const unrolling = ["unrolled-loads", "subgroups-4", "subgroups-8"];
  for (const lanes of [[8, 8], [16, 16]] as const) {
    assert.deepEqual(await featuresOf("llvmpipe", [...lanes], 48), unrolling);
  }
  assert.deepEqual(await featuresOf("card", [32, 32], 48), ["subgroups-4"]);
});

Deno.test("an adapter that gives no device makes way for the software one", async () => {
  const best = adapterOf("broken card", { fails: "driver too old" });
  await withAdapters({ best, fallback: adapterOf("llvmpipe") }, async () => {
    const { name, software } = await openAdapter();
    assert.deepEqual([name, software], ["llvmpipe", true]);
    await assert.rejects(
      openAdapter({ adapter: "hardware" }),
      /^Error: Cannot open a hardware WebGPU adapter: "broken card" gives no device \(driver too old\); install the Vulkan driver of your graphics card, or/,
    );
  });
});

Deno.test("auto comes to the twins with a word on each adapter that was passed over", async () => {
  const said: string[] = [], warn = (line: string) => void said.push(line);
  const best = adapterOf("broken card", { fails: "driver too old" });
  const fallback = adapterOf("llvmpipe", { fails: "no memory" });
  await withAdapters({ best, fallback }, async () => {
    using device = await openDevice("auto", warn);
    assert.equal(device.kind, "cpu");
  });
  await withAdapters({}, async () => {
    using device = await openDevice("auto", warn);
    assert.equal(device.kind, "cpu");
  });
  const install =
    "install a Vulkan driver (Debian: apt-get install mesa-vulkan-drivers libvulkan1)";
  const start =
    "The TypeScript twins compute, slower than WebGPU would. Cannot open a WebGPU adapter:";
  assert.deepEqual(said, [
    `${start} "broken card" gives no device (driver too old); "llvmpipe" gives no device (no memory); ${install}`,
    `${start} none answered; ${install}`,
  ]);
});

Deno.test("isSoftware() knows what computes on the processor, on every system", () => {
  for (
    const software of [
      { description: "llvmpipe (LLVM 15.0.6, 256 bits)" },
      { description: "Microsoft Basic Render Driver" },
      { description: "Microsoft Basic Render Driver", vendor: "5140" },
      { description: "SwiftShader Device (Subzero)" },
      { vendor: "google", architecture: "swiftshader" },
      { vendor: "microsoft", architecture: "warp" },
      { description: "softpipe" },
      { description: "anything", isFallbackAdapter: true },
    ]
  ) assert.equal(isSoftware(info(software)), true, JSON.stringify(software));
  for (
    const hardware of [
      { description: "NVIDIA H100 80GB HBM3" },
      { description: "AMD Radeon RX 7900 XTX (RADV NAVI31)" },
      { description: "Intel(R) UHD Graphics 630 (CFL GT2)" },
      { description: "Apple M3 Pro", vendor: "apple" },
      { vendor: "qualcomm", architecture: "adreno-7xx" },
      {},
    ]
  ) assert.equal(isSoftware(info(hardware)), false, JSON.stringify(hardware));
});

Deno.test("an adapter is known by its description, else by what it tells", () => {
  assert.equal(adapterName(info({ description: "a", device: "b", vendor: "c" })), "a");
  assert.equal(adapterName(info({ device: "b", vendor: "c" })), "b");
  assert.equal(adapterName(info({})), "unnamed adapter");
});

testOnWebGpu("a device's own kernels say so, too", async () => {
  const { requestAdapter } = GPU.prototype;
  GPU.prototype.requestAdapter = async function (options) {
    const adapter = await requestAdapter.call(this, options);
    const features = new Set([...adapter!.features, "subgroups"]);
    return new Proxy(adapter!, {
      get(target, key) {
        const value = key === "features" ? features : Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  };
  try {
    using device = await WebGpuDevice.open();
    const [dims, n] = [{ B: 1, T: 1, H: 1, D: 64, form: "share" } as const, 64];
    const words = device.alloc(1, "words", "u32"), out = device.alloc(n, "out");
    const x = { qkv: device.alloc(3 * n, "qkv"), end: words, position: words, out };
    attention(device, { ...x, lse: device.alloc(2, "lse") }, dims);
    // Deno's compiler knows the line, and refuses it: so it was there.
    await assert.rejects(
      device.read(out),
      /Cannot compile attention_d64\.forward .*enable-extension/,
    );
  } finally {
    GPU.prototype.requestAdapter = requestAdapter;
  }
});

Deno.test("WGSL with subgroups says so where the adapter lists them, as browsers' do", async () => {
  const enablesOf = async (listed: string[]) => {
    const best = Object.assign(adapterOf("card", { lanes: [32, 32] }), {
      features: new Set(listed),
    });
    let enables = "";
    await withAdapters({ best }, async () => void ({ enables } = await openAdapter()));
    return enables;
  };
  assert.equal(await enablesOf([]), "");
  const enables = await enablesOf(["subgroups"]);
  assert.equal(enables, "enable subgroups;\n");
  const codes: string[] = [];
  const device = {
    createShaderModule: ({ code }: GPUShaderModuleDescriptor) => void codes.push(code),
    createComputePipeline: () => ({ getBindGroupLayout: () => ({}) }),
  } as unknown as GPUDevice;
  const faults = { scope: (_: string, make: () => unknown) => make() } as unknown as Faults;
  const pipelines = new Pipelines(device, faults, enables);
  const kernel = { label: "one", entryPoint: "main", twin: () => {}, workgroup: 64 };
  const plain = "fn main() {} // in no subgroup",
    shuffling = "fn main() { subgroupShuffle(1, 0); }";
  for (const code of [plain, shuffling]) pipelines.get({ ...kernel, code });
  assert.deepEqual(codes, [plain, enables + shuffling]);
});
