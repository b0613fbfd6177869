/** Opens an adapter with all that it offers. @module */
import type { DeviceLimits } from "../../device.ts";

/** Which adapter to open, and how much of it to use. */
export interface WebGpuOptions {
  /** Which adapters to accept; "any" takes hardware first, else software. Default "any". */
  adapter?: "any" | "hardware" | "software";
  /** Caps the bytes of one binding below the adapter's own limit; tests use it to force row ranges. */
  maxBinding?: number;
}

/** An open device of WebGPU, and what `Device` says of it. */
export interface OpenAdapter {
  readonly device: GPUDevice;
  readonly name: string;
  readonly software: boolean;
  readonly limits: DeviceLimits;
  readonly features: ReadonlySet<string>;
}

/**
 * Opens an adapter with the largest buffers and bindings that it offers.
 * @throws {Error} when no adapter of the wanted kind answers
 */
export async function openAdapter(
  { adapter: wanted = "any", maxBinding = Infinity }: WebGpuOptions = {},
): Promise<OpenAdapter> {
  const gpu = navigator.gpu;
  const adapter = wanted === "software"
    ? await gpu?.requestAdapter({ forceFallbackAdapter: true })
    : await gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter || (wanted === "hardware" && isSoftware(adapter))) {
    throw new Error(
      `Cannot open a ${wanted === "any" ? "" : wanted + " "}WebGPU adapter: ` +
        `${adapter ? `only "${adapter.info.description}" answered` : "none answered"}; ` +
        "install a Vulkan driver (Debian: apt-get install mesa-vulkan-drivers libvulkan1)",
    );
  }
  const { info, limits } = adapter;
  const device = await requestDevice(adapter);
  const binding = Math.min(limits.maxStorageBufferBindingSize, maxBinding);
  return {
    device,
    name: info.description || info.device || info.vendor || "unnamed adapter",
    software: isSoftware(adapter),
    limits: { maxBinding: Math.floor(binding / 256) * 256, maxBuffer: limits.maxBufferSize },
    features: new Set([...device.features, ...eightLanes(device, info)]),
  };
}

async function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const offered = adapter.limits;
  const features = (["shader-f16", "timestamp-query"] as GPUFeatureName[]).filter((feature) =>
    adapter.features.has(feature)
  );
  const request = (requiredFeatures: GPUFeatureName[]) =>
    adapter.requestDevice({
      label: "plainrl",
      requiredFeatures,
      requiredLimits: {
        maxBufferSize: offered.maxBufferSize,
        maxStorageBufferBindingSize: offered.maxStorageBufferBindingSize,
        maxStorageBuffersPerShaderStage: Math.min(16, offered.maxStorageBuffersPerShaderStage),
        maxComputeInvocationsPerWorkgroup: offered.maxComputeInvocationsPerWorkgroup,
        maxComputeWorkgroupSizeX: offered.maxComputeWorkgroupSizeX,
        maxComputeWorkgroupStorageSize: offered.maxComputeWorkgroupStorageSize,
      },
    });
  // llvmpipe has subgroups although its feature list may not say so: asking is the only way to know.
  return await request([...features, "subgroups" as GPUFeatureName])
    .catch(() => request(features));
}

/** Fewest and most lanes of a subgroup; zeros where the adapter does not say. */
function lanesOf(info: GPUAdapterInfo): [number, number] {
  const { subgroupMinSize = 0, subgroupMaxSize = 0 } = info as Partial<
    Record<"subgroupMinSize" | "subgroupMaxSize", number>
  >;
  return [subgroupMinSize, subgroupMaxSize];
}

/** The feature name that `matmul` looks for: shuffles among exactly 8 lanes work. */
function eightLanes(device: GPUDevice, info: GPUAdapterInfo): string[] {
  const isEight = lanesOf(info).every((lanes) => lanes === 8);
  return isEight && device.features.has("subgroups" as GPUFeatureName) ? ["subgroups-8"] : [];
}

/** True for adapters that compute on the processor (llvmpipe, SwiftShader, WARP). */
function isSoftware(adapter: GPUAdapter): boolean {
  return adapter.info.isFallbackAdapter ||
    /llvmpipe|lavapipe|swiftshader|basic render/i.test(adapter.info.description);
}
