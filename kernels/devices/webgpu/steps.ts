/** What a WebGPU device enqueues: launches and zeros. @module */

/** One step of a program. */
export type Step = LaunchStep | { clear: GPUBuffer; offset: number; size: number };

/** One launch, with the buffer of its dims, which it owns. */
export interface LaunchStep {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly grid: readonly [x: number, y: number, z: number];
  readonly uniform: GPUBuffer;
  /** About how long it takes, by `workOf`. */
  readonly work: number;
}

/** Cuts `steps` into runs of at most `most` work; a step that is more is a run of its own. */
export function* partsOf(
  steps: readonly Step[],
  most: number,
): Generator<{ steps: readonly Step[]; work: number }, void, void> {
  let from = 0, work = 0;
  for (const [i, step] of steps.entries()) {
    const own = "clear" in step ? 0 : step.work;
    if (work > 0 && work + own > most) {
      yield { steps: steps.slice(from, i), work };
      [from, work] = [i, 0];
    }
    work += own;
  }
  yield { steps: from === 0 ? steps : steps.slice(from), work };
}

/** The commands of `steps`, one after another; neighbouring launches share a pass. */
export function encodeSteps(
  device: GPUDevice,
  label: string,
  steps: readonly Step[],
): GPUCommandBuffer {
  const encoder = device.createCommandEncoder({ label });
  let pass: GPUComputePassEncoder | undefined;
  for (const step of steps) {
    if ("clear" in step) {
      pass?.end();
      pass = undefined;
      encoder.clearBuffer(step.clear, step.offset, step.size);
      continue;
    }
    pass ??= encoder.beginComputePass({ label });
    pass.setPipeline(step.pipeline);
    pass.setBindGroup(0, step.group);
    pass.dispatchWorkgroups(...step.grid);
  }
  pass?.end();
  return encoder.finish();
}
