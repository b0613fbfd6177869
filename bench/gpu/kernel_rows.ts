/** The project's kernels at the sizes of GPT-2. @module */
import type { KernelCase } from "../_case.ts";
import type { AttentionKernel } from "../../kernels/attention.ts";
import { attentionCases, kernelCases } from "../_cases.ts";
import { product } from "../_products.ts";
import type { Shape } from "../_shapes.ts";
import type { GpuContext } from "./context.ts";
import type { Line, Row } from "./rows.ts";
import type { ProductSize } from "./sizes.ts";
import { timeCases } from "./timing.ts";

/** Rows about kernels, the decisive ones first. */
export const kernelRows: readonly Row<GpuContext>[] = [
  { name: "orientations", estimate: 12, short: true, run: orientations },
  { name: "kernels of a product", estimate: 25, run: variants },
  { name: "products", estimate: 45, run: products },
  { name: "products of decoding", estimate: 25, short: true, run: decodeProducts },
  { name: "sums in parts", estimate: 15, run: (context) => named(context, SUMS) },
  { name: "attention", estimate: 35, short: true, run: attentionForms },
  {
    name: "rows and vocabulary",
    estimate: 30,
    short: true,
    run: (context) => named(context, ROWS),
  },
  { name: "decoding", estimate: 25, short: true, run: decoding },
  { name: "optimizer", estimate: 30, run: (context) => named(context, OPTIMIZER) },
];

/** Products that are few and long, whole and in parts. */
const SUMS = ["NN logits, dx", "NN MLP out", "NT MLP in, dx", "TN MLP out, dw"]
  .flatMap((name) => [`matmul ${name}`, `matmul ${name}, in parts`]);
/** Ways of attention: which is fastest on hardware is not known until a card has run them. */
export const ATTENTION_FORMS: readonly AttentionKernel[] = [
  { form: "share" },
  { form: "alone" },
  { form: "shuffle" },
];
const ROWS = [
  ...["layernorm", "layernorm backward", "column_sum", "gelu", "add"],
  ...["embedding", "embedding backward", "token_logprob", "token_logprob backward"],
];
const OPTIMIZER = ["global_norm", "adamw"];
const DECODE = ["attend_kv", "sample", "filter, top-k 40 and top-p 0.9"];

const productOf = ({ what, ...dims }: ProductSize): KernelCase => {
  // Rows of odd width are padded as the model pads its logits, so that the tiles may run.
  const pad = (n: number) => Math.ceil(n / 64) * 64;
  const { orientation, M, N, K } = dims;
  const widthA = orientation === "TN" ? M : K;
  return product(what, {
    ...dims,
    ...(widthA % 4 && { ldA: pad(widthA) }),
    ...(N % 4 && { ldOut: pad(N) }),
  });
};

/**
 * Each case by itself, so that buffers of gigabytes are not held together. One that fails is a line, and
 * the others still run.
 * @throws {Error} at the end, what the first of them said
 */
export async function* each(
  context: GpuContext,
  cases: readonly KernelCase[],
): AsyncGenerator<Line> {
  const errors: unknown[] = [];
  for (const kernel of cases) {
    try {
      yield* await timeCases(context, [kernel]);
    } catch (error) {
      errors.push(error);
      const { name, size } = kernel, [said] = String(error).split("\n");
      yield { name, size, note: `FAILED: ${said}` };
    }
    context.device.trim();
  }
  if (errors.length > 0) throw errors[0];
}

/** The cases of a shape that have these names. @throws {Error} for a name that no case has */
function casesNamed(shape: Shape, names: readonly string[]): KernelCase[] {
  const cases = kernelCases(shape);
  return names.map((name) => {
    const found = cases.find((kernel) => kernel.name === name);
    if (!found) {
      throw new Error(`Cannot time "${name}" as bench/_cases.ts must have it: it has not`);
    }
    return found;
  });
}

async function* orientations(context: GpuContext): AsyncGenerator<Line> {
  yield* await timeCases(context, context.sizes.orientations.map(productOf));
}

async function* variants(context: GpuContext): AsyncGenerator<Line> {
  const n = context.sizes.square;
  const dims = { M: n, N: n, K: n, orientation: "NN" } as const;
  const kernels = (["tile", "workgroup", "shuffle", "plain"] as const).map((variant) => ({
    ...product("square", { ...dims, variant }),
    ...(variant === "shuffle" && { feature: "subgroups-8" }),
  }));
  yield* await timeCases(context, kernels);
}

async function* products(context: GpuContext): AsyncGenerator<Line> {
  yield* each(context, context.sizes.products.map(productOf));
}

async function* decodeProducts(context: GpuContext): AsyncGenerator<Line> {
  yield* each(context, context.sizes.decodeProducts.map(productOf));
}

async function* named(context: GpuContext, names: readonly string[]): AsyncGenerator<Line> {
  yield* each(context, casesNamed(context.sizes.pass, names));
}

async function* attentionForms(context: GpuContext): AsyncGenerator<Line> {
  yield* each(context, attentionCases(context.sizes.pass, ATTENTION_FORMS));
}

async function* decoding(context: GpuContext): AsyncGenerator<Line> {
  for (const shape of context.sizes.decode) yield* each(context, casesNamed(shape, DECODE));
}
