/** Every WGSL text that the kernels run, found by launching each of them on a device that notes them. @module */
import { caseBuffers } from "../bench/_case.ts";
import { kernelCases } from "../bench/_cases.ts";
import type { Shape } from "../bench/_shapes.ts";
import { attention, attentionBackward } from "../kernels/attention.ts";
import { advanceAdamw } from "../kernels/adamw.ts";
import { globalNorm } from "../kernels/global_norm.ts";
import type { Kernel, Launch } from "../kernels/device.ts";
import { CountingDevice } from "../kernels/devices/counting.ts";
import { overridesOf } from "../kernels/devices/launch.ts";
import { fewRowsKernel } from "../kernels/few_rows.ts";
import type { Block, Sharing } from "../kernels/few_rows_text.ts";
import { unfilteredLogprob } from "../kernels/filter.ts";
import { combineKernel } from "../kernels/matmul_combine.ts";
import { matmulKernel } from "../kernels/matmul_kernels.ts";
import { Scope } from "../kernels/scope.ts";

/** One text, and how it runs. */
export interface KernelText {
  /** "add.forward" */
  label: string;
  entryPoint: string;
  code: string;
  /** What tells the launches of this text apart, as "Pack of 4; WORKGROUP = 64". */
  variants: string[];
}

/** Of even sizes, and of odd ones: between them every text of a kernel is chosen. */
const small: Shape = {
  ...{ model: "tiny", batch: "2x4", B: 2, T: 4, C: 16, H: 2, I: 64, V: 40, P: 8, R: 4 },
  ...{ parameters: 512, rowsOfPlain: 8 },
};
const odd: Shape = {
  ...{ model: "tiny", batch: "1x3", B: 1, T: 3, C: 5, H: 1, I: 15, V: 41, P: 8, R: 3 },
  ...{ parameters: 513, rowsOfPlain: 3 },
};

/** Notes the kernel of every launch. */
class NotingDevice extends CountingDevice {
  readonly kernels: Kernel[] = [];

  constructor(software: boolean, features: ReadonlySet<string>) {
    const limits = { maxBinding: 2 ** 27, maxBuffer: 2 ** 28 };
    super({ kind: "webgpu", name: "notes launches", software, limits, features });
  }

  override launch(launch: Launch): void {
    this.kernels.push(launch.kernel);
    super.launch(launch);
  }
}

/** Graphics hardware with subgroups and without, software adapters, and those among them that are as llvmpipe. */
const ADAPTERS = [[false, "subgroups-4"], [false], [true], [true, "subgroups-8"]] as const;

/** All texts, by label. Attention has one for each head size, of which here are four. */
export function kernelTexts(): KernelText[] {
  const found = new Map<string, KernelText>();
  for (const [software, ...features] of ADAPTERS) {
    using device = new NotingDevice(software, new Set(features));
    for (const shape of [small, odd]) launchAll(device, shape);
    for (const kernel of [...device.kernels, ...products(), ...fewRows()]) {
      const { label, entryPoint, code } = kernel;
      const key = `${label} ${code}`;
      let text = found.get(key);
      if (!text) found.set(key, text = { label, entryPoint, code, variants: [] });
      const variant = variantOf(kernel);
      if (!text.variants.includes(variant)) text.variants.push(variant);
    }
  }
  return [...found.values()].sort((a, b) => a.label < b.label ? -1 : a.label > b.label ? 1 : 0);
}

const EPILOGUES = ["plain", "biased", "residual_add", "gelu", "dgelu"] as const;
const DTYPES = ["f32", "f16"] as const;

/** The kernels of the product: more than the benches need. */
function products(): Kernel[] {
  const orientations = ["NN", "NT", "TN"] as const;
  const never = { ragged: false, partial: false, accumulate: false };
  const kinds = [
    { variant: "plain" },
    { variant: "tile", tile: { shape: { rows: 16, columns: 4 }, ...never } },
    { variant: "shuffle", tile: { shape: { rows: 32, columns: 8 }, ...never } },
    { variant: "workgroup", tile: { shape: { rows: 64, columns: 64 }, ...never } },
    { variant: "workgroup", tile: { shape: { rows: 128, columns: 128 }, ...never } },
  ] as const;
  const [, ...tiles] = kinds;
  const all = [
    ...kinds.flatMap((kind) => EPILOGUES.map((epilogue) => ({ ...kind, epilogue }))),
    ...tiles.map((kind) => ({ ...kind, epilogue: "part" } as const)),
  ];
  const products = all.flatMap((choice) =>
    DTYPES.flatMap((dtype) =>
      orientations.map((orientation) => matmulKernel({ ...choice, orientation, dtype }))
    )
  );
  const combining = { accumulate: false, partial: false };
  return [...products, ...EPILOGUES.map((epilogue) => combineKernel({ epilogue, ...combining }))];
}

/** Ways of few rows, one block of each: the other blocks repeat the same lines. */
export const FEW_ROWS: readonly (readonly [Sharing, "NN" | "NT", Block])[] = [
  ["shuffle", "NN", { ROWS: 1, STRIPS: 2 }],
  ["shuffle", "NT", { ROWS: 1, STRIPS: 3 }],
  ["parts", "NN", { ROWS: 4, STRIPS: 1 }],
  ["along_k", "NT", { ROWS: 4, STRIPS: 1 }],
];

function fewRows(): Kernel[] {
  const whole = { accumulate: false, partial: false };
  return FEW_ROWS.flatMap(([sharing, orientation, block]) =>
    EPILOGUES.flatMap((epilogue) =>
      DTYPES.map((dtype) =>
        fewRowsKernel({ sharing, orientation, ...block, epilogue, dtype, ...whole })
      )
    )
  );
}

function launchAll(device: NotingDevice, shape: Shape): void {
  for (const { launch, onlyWebgpu, feature, ...of } of kernelCases(shape)) {
    if (feature && !device.features.has(feature)) continue;
    if (onlyWebgpu && shape === odd) continue; // kernels asked for by name, which take whole fours
    using scope = new Scope(device);
    launch(device, caseBuffers(scope, of));
  }
  using scope = new Scope(device);
  for (const D of [32, 64]) attentionOf(D, device, scope);
  const words = (n: number) => scope.alloc(n, "words", "u32");
  const floats = (n: number) => scope.alloc(n, "floats");
  unfilteredLogprob(device, {
    ...{ logits: floats(8), control: words(16), tokens: words(4), norm: floats(4) },
    ...{ place: words(2), logprobs: floats(4) },
  }, { B: 2, V: 4, ld: 4, S: 2 });
  const state = { hyper: floats(8), norm: floats(2), correction: floats(2) };
  advanceAdamw(device, { ...state, taken: words(1) });
  const norms = { grads: [floats(4)], scratch: floats(1), norm: floats(2), whole: floats(2) };
  globalNorm(device, norms, { maxNorm: 1 });
}

/** Attention has a text for each head size; 32 is the default model's, and 64 is GPT-2's. */
function attentionOf(D: number, device: NotingDevice, scope: Scope): void {
  const word = scope.alloc(1, "word", "u32"), head = scope.alloc(D, "head");
  const x = {
    ...{ end: word, position: word, qkv: scope.alloc(3 * D, "qkv"), out: head },
    ...{ lse: scope.alloc(2, "lse"), dout: scope.alloc(D, "dout") },
    ...{ delta: scope.alloc(1, "delta"), dqkv: scope.alloc(3 * D, "dqkv") },
  };
  const dims = { B: 1, T: 1, H: 1, D };
  attention(device, x, dims);
  attentionBackward(device, x, dims);
}

function variantOf(kernel: Kernel): string {
  const overrides = Object.entries(overridesOf(kernel)).map(([name, x]) => `${name} = ${x}`);
  return [kernel.variant, overrides.join(", ")].filter(Boolean).join("; ");
}
