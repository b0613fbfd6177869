/** What is read back of a forward pass: everything in one host sync. @module */
import type { Device, FloatArray, Tensor } from "../kernels/device.ts";
import { view } from "../kernels/tensor.ts";
import type { RowEvaluation } from "./gpt2_options.ts";
import type { HeadActivations } from "./layers/head.ts";
import { type LogitsError, logitsError } from "./logits.ts";
import { type ResponseRows, toGrid } from "./rows.ts";

/** What is wanted of R target positions. */
export interface Wanted {
  /** Of the pass itself; KL and the reference's log-probabilities where it compares. */
  head: HeadActivations;
  R: number;
  /** (at least R) log-probabilities under a reference that was evaluated for them alone. */
  reference?: Tensor;
  /** (2) of the last optimiser step, see `Optimizer.norm`. */
  norm?: Tensor;
}

/** Waits for them. `fault` where logits of the model or its reference are infinite or not numbers. */
export async function readEvaluation(
  device: Device,
  { head, R, reference = head.reference?.logprob, norm }: Wanted,
): Promise<{ evaluation: RowEvaluation; norm?: number; fault?: LogitsError }> {
  const { logprob, entropy, value } = head, kl = head.reference?.kl;
  const named = Object.entries({ logprob, entropy, value, kl, reference })
    .flatMap(([name, tensor]): [string, Tensor][] => tensor ? [[name, view(tensor, 0, R)]] : []);
  const read = await device.read(...named.map(([, tensor]) => tensor), ...(norm ? [norm] : []));
  const rows = Object.fromEntries(named.map(([name], i) => [name, read[i] as FloatArray]));
  const evaluation = { ...rows, value: rows.value ?? rows.logprob.slice().fill(0) };
  return {
    evaluation: evaluation as RowEvaluation,
    ...(norm && { norm: read[named.length][0] }),
    fault: faultOf(rows),
  };
}

/** What an evaluation tells, in the grid of responses; values are of their own tokens. */
export const inGrid = (
  { logprob, entropy, value, kl, reference }: RowEvaluation,
  rows: ResponseRows,
) => ({
  logprob: toGrid(logprob, rows),
  entropy: toGrid(entropy, rows),
  value: toGrid(value, rows, "valuePlace"),
  ...(kl && { kl: toGrid(kl, rows) }),
  ...(reference && { reference: toGrid(reference, rows) }),
});

function faultOf(
  { logprob, kl = [], reference = [] }: Record<string, ArrayLike<number>>,
): LogitsError | undefined {
  const under = " under the reference";
  for (const [of, whose] of [[logprob, ""], [kl, under], [reference, under]] as const) {
    const broken = Array.from(of).findIndex((x) => !Number.isFinite(x));
    if (broken >= 0) return logitsError("evaluate", `those of target position ${broken}${whose}`);
  }
}
