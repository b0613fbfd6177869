/** What kernels want to know of an adapter beside WebGPU's own features. @module */

/** What is known of an adapter by now. */
interface Known {
  readonly name: string;
  readonly software: boolean;
}

/**
 * Names that kernels look for among a device's features:
 * - "subgroups-4": of any workgroup, each four lanes side by side are in one subgroup;
 * - "subgroups-8": so are all lanes of a workgroup of 8, as a subgroup has 8, or 16 on a software adapter,
 *   which loads lane by lane, so that idle lanes cost it little;
 * - "subgroups-16": so are those of a workgroup of 16, and shuffles of 16 are fast: on llvmpipe where it
 *   does not write out its loads;
 * - "unrolled-loads": llvmpipe writes out its loads for every lane, as that of Mesa 25.0 does, in place of a
 *   loop (22.3): they are twice as fast, and code is twice as long. An adapter does not tell its driver's
 *   version; it offers 48 storage buffers a stage there, and 32 before.
 */
export function kernelFeatures(
  device: GPUDevice,
  { info, limits }: GPUAdapter,
  { name, software }: Known,
): string[] {
  const isUnrolled = /llvmpipe/i.test(name) && limits.maxStorageBuffersPerShaderStage > 32;
  const unrolled = isUnrolled ? ["unrolled-loads"] : [];
  const [least, most] = lanesOf(info);
  if (least < 4 || !device.features.has("subgroups" as GPUFeatureName)) return unrolled;
  const all = least === most ? least : 4, isSixteen = all === 16 && software;
  return [
    ...unrolled,
    "subgroups-4",
    ...(all === 8 || isSixteen ? ["subgroups-8"] : []),
    ...(isSixteen && !isUnrolled ? ["subgroups-16"] : []),
  ];
}

/** Fewest and most lanes of a subgroup; zeros where the adapter does not say. */
function lanesOf(info: GPUAdapterInfo): [number, number] {
  const { subgroupMinSize = 0, subgroupMaxSize = 0 } = info as Partial<
    Record<"subgroupMinSize" | "subgroupMaxSize", number>
  >;
  return [subgroupMinSize, subgroupMaxSize];
}
