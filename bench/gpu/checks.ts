/** What may be claimed of this adapter: reruns, twins, kinds of kernels, accuracy of its functions. @module */
import type { HostArray, Kernel, Tensor } from "../../kernels/device.ts";
import { Scope } from "../../kernels/scope.ts";
import { upload } from "../../kernels/tensor.ts";
import { hasShuffles } from "../../kernels/tuning.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { relativeError } from "../../tests/_close.ts";
import { type KernelCase, noise, prepareCase } from "../_case.ts";
import { attentionCases, kernelCases } from "../_cases.ts";
import { product } from "../_products.ts";
import type { Shape } from "../_shapes.ts";
import { short } from "../_table.ts";
import type { GpuContext } from "./context.ts";
import functionsCode from "./functions.wgsl" with { type: "text" };
import { ATTENTION_FORMS } from "./kernel_rows.ts";
import type { Line, Row } from "./rows.ts";
import { RAGGED } from "./sizes.ts";

/** Rows that compare bytes and numbers; they have no times. */
export const checkRows: readonly Row<GpuContext>[] = [
  { name: "accuracy", estimate: 8, run: accuracy },
  { name: "reruns", estimate: 25, short: true, run: reruns },
  { name: "twins", estimate: 15, short: true, run: twins },
  { name: "kinds of kernels", estimate: 10, run: kinds },
];

type Outputs = Record<string, HostArray>;

/** What a case gives from fresh buffers. */
async function outputsOf(device: Scope["device"], kernel: KernelCase): Promise<Outputs> {
  using scope = new Scope(device);
  const { work, outputs } = await prepareCase(scope, kernel);
  work[Symbol.dispose]();
  return outputs;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: HostArray): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** True when all outputs hold the same bytes. */
export function sameBytes(a: Outputs, b: Outputs): boolean {
  return Object.keys(a).every((name) => {
    const [x, y] = [bytesOf(a[name]), bytesOf(b[name])];
    return x.length === y.length && x.every((byte, i) => byte === y[i]);
  });
}

/** Of 64 numbers a head is shared by four lanes; rows past what a workgroup owns. */
const HEADS = { B: 2, T: 37, H: 2, C: 128 };

const possible = ({ device }: GpuContext, shape: Shape): KernelCase[] =>
  [...kernelCases(shape), ...attentionCases(HEADS, ATTENTION_FORMS)]
    .filter(({ feature }) => !feature || device.features.has(feature));

/** Every kernel twice from the same inputs: a missing barrier shows as a difference. */
async function* reruns(context: GpuContext): AsyncGenerator<Line> {
  const { device, sizes: { equal } } = context;
  const cases = possible(context, equal);
  let same = 0;
  for (const kernel of cases) {
    const first = await outputsOf(device, kernel);
    if (sameBytes(first, await outputsOf(device, kernel))) same++;
    else yield { name: `rerun of ${kernel.name}`, size: kernel.size, note: "OTHER BYTES" };
    if (context.remaining() < 0) return;
  }
  device.trim();
  yield { name: "reruns with equal bytes", size: equal.batch, note: `${same} of ${cases.length}` };
  if (same < cases.length) throw new Error(`${cases.length - same} reruns gave other bytes`);
}

/** Every kernel against its definition, at sizes that are ragged in every dimension. */
async function* twins(context: GpuContext): AsyncGenerator<Line> {
  using cpu = new CpuDevice();
  let worst = 0, name = "", wrong = 0;
  const cases = possible(context, RAGGED);
  for (const kernel of cases) {
    const want = await outputsOf(cpu, kernel), got = await outputsOf(context.device, kernel);
    for (const output of kernel.outputs) {
      const error = relativeError(got[output], want[output]);
      if (!(error <= 1e-4)) {
        wrong++;
        const note = `relative error ${short(error)} of ${output}`;
        yield { name: `${kernel.name} against its twin`, size: kernel.size, note };
      }
      if (error > worst) [worst, name] = [error, kernel.name];
    }
  }
  yield {
    name: "largest error against the twins",
    size: `${cases.length} cases`,
    note: `${short(worst)}: ${name}`,
  };
  if (wrong > 0) throw new Error(`${wrong} outputs differ from their twins'`);
}

/** Tile against the other kernels, f16 storage against f32 with the same numbers. */
async function* kinds({ device, sizes }: GpuContext): AsyncGenerator<Line> {
  const { M, N, K } = sizes.products.find(({ what }) => what === "MLP in, few rows")!;
  const dims = { M, N, K, orientation: "NN" } as const;
  const tile = await outputsOf(device, product("kinds", { ...dims, variant: "tile" }));
  const others = [
    "plain",
    "workgroup",
    ...(hasShuffles(device) ? ["shuffle"] : []),
  ] as ("plain" | "workgroup" | "shuffle")[];
  for (const variant of others) {
    const other = await outputsOf(device, product("kinds", { ...dims, variant }));
    yield compared(`tile against ${variant}`, tile, other);
  }
  const base = product("kinds", dims), data = base.data();
  data.b = Float32Array.from(new Float16Array(data.b));
  const rounded = { ...base, data: () => data };
  const f32 = await outputsOf(device, rounded);
  const f16 = await outputsOf(device, { ...rounded, half: ["b"] });
  yield compared("f16 storage against f32", f32, f16);
}

function compared(name: string, a: Outputs, b: Outputs): Line {
  const error = Math.max(...Object.keys(a).map((key) => relativeError(a[key], b[key])));
  return { name, note: sameBytes(a, b) ? "equal bytes" : `relative error ${short(error)}` };
}

interface BuiltIn {
  readonly name: string;
  readonly exact: (x: number) => number;
  /** From a number in [-1, 1) to an argument. */
  readonly argument: (u: number) => number;
}

/** Arguments as the kernels have them: softmax takes exp of what is not above zero. */
const FUNCTIONS: readonly BuiltIn[] = [
  { name: "exp", exact: Math.exp, argument: (u) => 20 * (u - 1) },
  { name: "log", exact: Math.log, argument: (u) => 10 ** (5 * u) },
  { name: "tanh", exact: Math.tanh, argument: (u) => 5 * u },
  { name: "inverseSqrt", exact: (x) => 1 / Math.sqrt(x), argument: (u) => 10 ** (5 * u) },
];

const functionKernel = (entry: "run" | "halves", FUNCTION: number): Kernel => ({
  label: `functions.${entry}`,
  entryPoint: entry,
  code: functionsCode,
  twin: () => {
    throw new Error("Cannot measure built-in functions on the CPU: they have no twin");
  },
  constants: { FUNCTION },
});

/**
 * The largest errors of `got`: in units of the last place of the f32 nearest to `exact(x)`, and as they
 * are. A logarithm near zero has a large first one and a small second one.
 */
export function worstErrors(
  x: Float32Array,
  got: ArrayLike<number>,
  exact: (x: number) => number,
): { ulps: number; absolute: number } {
  let ulps = 0, absolute = 0;
  for (let i = 0; i < x.length; i++) {
    const want = exact(x[i]), error = Math.abs(got[i] - want);
    const unit = 2 ** (Math.floor(Math.log2(Math.max(Math.abs(want), 2 ** -126))) - 23);
    ulps = Math.max(ulps, error / unit); // NaN is the worst, and stays
    absolute = Math.max(absolute, error);
  }
  return { ulps, absolute };
}

async function* accuracy({ device, software }: GpuContext): AsyncGenerator<Line> {
  using scope = new Scope(device);
  const N = software ? 4096 : 2 ** 20;
  const run = async (
    kernel: Kernel,
    bind: Record<string, readonly [Tensor, number]>,
    n: number,
  ) => {
    const out = scope.alloc(n, "out");
    device.launch({ kernel, dims: { N: n }, bind: { ...bind, out: [out, n] }, threads: n });
    return (await device.read(out))[0];
  };
  for (const [i, { name, exact, argument }] of FUNCTIONS.entries()) {
    const x = noise(N).map(argument);
    const tensor = upload(device, x, "x");
    const got = await run(functionKernel("run", i), { x: [tensor, N] }, N);
    device.free(tensor);
    const { ulps, absolute } = worstErrors(x, got, exact);
    yield {
      name: `accuracy of ${name}`,
      size: `${N} arguments`,
      note: `${short(ulps)} ulp, ${absolute.toExponential(1)}`,
    };
  }
  const finite = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i).filter((i) =>
    (i & 0x7c00) !== 0x7c00
  );
  const bits = upload(device, new Uint32Array(finite.buffer), "halves");
  const got = await run(functionKernel("halves", 0), { bits: [bits, bits.length] }, finite.length);
  device.free(bits);
  const want = new Float16Array(finite.buffer);
  const wrong = want.reduce((count, value, i) => count + (value === got[i] ? 0 : 1), 0);
  yield { name: "f16 to f32", size: `${finite.length} numbers`, note: `${wrong} differ` };
}
