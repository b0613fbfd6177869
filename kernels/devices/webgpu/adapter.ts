/** Opens an adapter with all that it offers. @module */
import type { DeviceLimits } from "../../device.ts";
import { kernelFeatures } from "./kernel_features.ts";

/** Which adapter to open, and how much of it to use. */
export interface WebGpuOptions {
  /** Which adapters to accept; "any" takes hardware first, else software. Default "any". */
  adapter?: "any" | "hardware" | "software";
  /** Caps the bytes of one binding below the adapter's own limit; tests use it to force row ranges. */
  maxBinding?: number;
  /** Asks for timestamps around passes where the adapter has them; benches do. Default false. */
  timestamps?: boolean;
}

/** An open device of WebGPU, and what `Device` says of it. */
export interface OpenAdapter {
  readonly device: GPUDevice;
  readonly name: string;
  readonly software: boolean;
  readonly limits: DeviceLimits;
  readonly features: ReadonlySet<string>;
  /** What WGSL with subgroups must begin with. */
  readonly enables: string;
}

/** How each kind is asked for, in this order; the first that gives a device is taken. */
const REQUESTS: Readonly<Record<"any" | "hardware" | "software", GPURequestAdapterOptions[]>> = {
  any: [{ powerPreference: "high-performance" }, { forceFallbackAdapter: true }],
  hardware: [{ powerPreference: "high-performance" }],
  software: [{ forceFallbackAdapter: true }],
};

/**
 * Opens an adapter with the largest buffers and bindings that it offers.
 * @throws {Error} when no adapter of the wanted kind gives a device: why each was passed over
 */
export async function openAdapter(
  { adapter: wanted = "any", maxBinding = Infinity, timestamps = false }: WebGpuOptions = {},
): Promise<OpenAdapter> {
  const passedOver: string[] = [];
  for (const request of REQUESTS[wanted]) {
    const adapter = await navigator.gpu?.requestAdapter(request);
    if (!adapter) continue;
    const name = adapterName(adapter.info);
    try {
      if (wanted !== "hardware" || !isSoftware(adapter.info)) {
        return describe(adapter, await requestDevice(adapter, timestamps), maxBinding);
      }
      passedOver.push(`only "${name}" answered`);
    } catch (error) {
      const why = `"${name}" gives no device (${(error as Error).message.trim()})`;
      if (!passedOver.includes(why)) passedOver.push(why);
    }
  }
  throw new Error(
    `Cannot open a ${wanted === "any" ? "" : wanted + " "}WebGPU adapter: ` +
      `${passedOver.join("; ") || "none answered"}; ` +
      (wanted === "hardware"
        ? "install the Vulkan driver of your graphics card, or take a software adapter"
        : "install a Vulkan driver (Debian: apt-get install mesa-vulkan-drivers libvulkan1)"),
  );
}

function describe(adapter: GPUAdapter, device: GPUDevice, maxBinding: number): OpenAdapter {
  const { info, limits } = adapter, name = adapterName(info), software = isSoftware(info);
  const binding = Math.min(safe(limits.maxStorageBufferBindingSize), maxBinding);
  return {
    ...{ device, name, software },
    limits: { maxBinding: Math.floor(binding / 256) * 256, maxBuffer: safe(limits.maxBufferSize) },
    features: new Set([...device.features, ...kernelFeatures(device, adapter, { name, software })]),
    // Browsers list the feature and want it said; Deno knows neither the name nor the line, but has it.
    enables: adapter.features.has("subgroups") ? "enable subgroups;\n" : "",
  };
}

/** A limit as WebGPU takes it back: "no limit" is 2^64 - 1 for some drivers, and 2^53 is refused. */
const safe = (limit: number): number => Math.min(limit, Number.MAX_SAFE_INTEGER);

async function requestDevice(adapter: GPUAdapter, timestamps: boolean): Promise<GPUDevice> {
  const offered = adapter.limits, stamps: GPUFeatureName = "timestamp-query";
  const features = timestamps && adapter.features.has(stamps) ? [stamps] : [];
  const request = (requiredFeatures: GPUFeatureName[]) =>
    adapter.requestDevice({
      label: "plainrl",
      requiredFeatures,
      requiredLimits: {
        maxBufferSize: safe(offered.maxBufferSize),
        maxStorageBufferBindingSize: safe(offered.maxStorageBufferBindingSize),
        maxStorageBuffersPerShaderStage: Math.min(16, offered.maxStorageBuffersPerShaderStage),
        maxComputeInvocationsPerWorkgroup: safe(offered.maxComputeInvocationsPerWorkgroup),
        maxComputeWorkgroupSizeX: safe(offered.maxComputeWorkgroupSizeX),
        maxComputeWorkgroupStorageSize: safe(offered.maxComputeWorkgroupStorageSize),
      },
    });
  // llvmpipe has subgroups although its feature list may not say so: asking is the only way to know.
  return await request([...features, "subgroups" as GPUFeatureName])
    .catch(() => request(features));
}

/** What people know an adapter by. */
export const adapterName = ({ description, device, vendor }: GPUAdapterInfo): string =>
  description || device || vendor || "unnamed adapter";

/** Adapters that compute on the processor. Of these Windows' own and some browsers' do not say so. */
const SOFTWARE = /llvmpipe|lavapipe|softpipe|swiftshader|basic render|\bwarp\b/i;

/** True for an adapter that computes on the processor: all that calls one so asks here. */
export function isSoftware(info: GPUAdapterInfo): boolean {
  const { description, device, vendor, architecture } = info;
  return info.isFallbackAdapter ||
    SOFTWARE.test([description, device, vendor, architecture].join(" "));
}
