/** The second step of a product whose sums are taken in parts: adds them up, and does its epilogue. @module */
import type { Kernel } from "./device.ts";
import gelu from "./fragments/gelu_epilogue.wgsl" with { type: "text" };
import { packed } from "./fragments/pack.ts";
import operands from "./fragments/product_operands.wgsl" with { type: "text" };
import code from "./matmul_combine.wgsl" with { type: "text" };
import { stores } from "./matmul_kernels.ts";
import { combineTwin, type Epilogue } from "./matmul_twin.ts";

/** What tells one kernel from another. */
export interface CombineChoice {
  readonly epilogue: Epilogue;
  readonly accumulate: boolean;
  /** N is no multiple of 4. */
  readonly partial: boolean;
}

const kernels = new Map<string, Kernel>();

/** The kernel of a choice, the same object each time. */
export function combineKernel({ epilogue, accumulate, partial }: CombineChoice): Kernel {
  const key = `${epilogue} ${accumulate} ${partial}`;
  let kernel = kernels.get(key);
  if (!kernel) {
    kernels.set(
      key,
      kernel = {
        label: `matmul_combine.${epilogue}`,
        entryPoint: "combine",
        code: packed([gelu, operands, code, stores[epilogue]].join("\n"), 4).text.code,
        twin: combineTwin(epilogue),
        workgroup: 64,
        constants: { PARTIAL: Number(partial), ACCUMULATE: Number(accumulate) },
      },
    );
  }
  return kernel;
}
