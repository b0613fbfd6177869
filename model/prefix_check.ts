/** Whether shared beginnings give what plain rows give, with the model and the texts at hand. @module */
import type { FloatArray, Tensor } from "../kernels/device.ts";
import { inGrid } from "./evaluation.ts";
import type { Gpt2 } from "./gpt2.ts";
import type { EvaluateOptions } from "./gpt2_options.ts";
import { sharePrefixes } from "./prefix_tree.ts";
import { fillNormal } from "./random.ts";
import { fromGrid, type ResponseRows } from "./rows.ts";

/** How far two passes over the same texts are apart. */
export interface PrefixFigures {
  /** Rows of the plain pass, its padding included, and of the shared one. */
  plainRows: number;
  sharedRows: number;
  /** Largest difference of a log-probability, entropy, value or KL; 0 where all bits are equal. */
  told: number;
  /** Largest difference of a parameter's gradient, relative to the norm of it; 0 of a frozen model. */
  gradient: number;
  /** The parameter of which that is. */
  parameter?: string;
}

/** What is still rounding. Both paths add up the same numbers in f32, gradients in another order. */
const MOST = { told: 1e-5, gradient: 1e-4 };

/**
 * Runs `plain` and its tree forward and, of a model that learns, backward. The loss is a sum over all
 * tokens of what the pass tells, each times a normal draw: no gradient is left out, and none cancels by
 * design. Gradients that were there are kept.
 * @throws {Error} with the figures where the two differ by more than rounding
 */
export async function checkPrefixes(
  model: Gpt2,
  plain: ResponseRows,
  options: EvaluateOptions = {},
): Promise<PrefixFigures> {
  const tree = sharePrefixes(plain);
  const want = await outcome(model, plain, options), got = await outcome(model, tree, options);
  const told = Math.max(
    ...Object.entries(want.told).map(([name, numbers]) => {
      const other = got.told[name];
      return numbers.reduce((most, x, i) => Math.max(most, Math.abs(x - other[i])), 0);
    }),
  );
  const all = Math.hypot(...[...want.gradients.values()].map((gradient) => norm(gradient)));
  let gradient = 0, parameter: string | undefined;
  for (const [name, numbers] of want.gradients) {
    const other = got.gradients.get(name)!;
    const size = Math.max(norm(numbers), 1e-3 * all); // of one that is nearly 0, all is rounding
    const apart = norm(numbers.map((x, i) => x - other[i])) / (size || 1);
    if (apart > gradient) [gradient, parameter] = [apart, name];
  }
  const rows = { plainRows: plain.B * plain.T, sharedRows: tree.T };
  if (told > MOST.told || gradient > MOST.gradient) {
    throw new Error(
      `Cannot share prefixes as both ways must agree within ${MOST.told} and ${MOST.gradient}: ` +
        `log-probabilities differ by ${told.toPrecision(2)}, gradients by ${
          gradient.toPrecision(2)
        } ` + `of their norm (${parameter ?? "no parameter"}); set sharePrefixes=off`,
    );
  }
  return { ...rows, told, gradient, ...(parameter && { parameter }) };
}

/** Takes one more comparison into account: rows add up, of differences the largest counts. */
export function noteFigures(all: PrefixFigures, next: PrefixFigures): void {
  all.plainRows += next.plainRows;
  all.sharedRows += next.sharedRows;
  all.told = Math.max(all.told, next.told);
  if (next.gradient <= all.gradient) return;
  [all.gradient, all.parameter] = [next.gradient, next.parameter];
}

/** The figures in words; empty where nothing was compared. */
export function figuresText(
  { plainRows, sharedRows, told, gradient, parameter }: PrefixFigures,
): string {
  if (plainRows === 0) return "";
  const equal = told === 0 ? "equal to the bit" : `within ${told.toPrecision(2)}`;
  const apart = parameter ? `within ${gradient.toPrecision(2)} (${parameter})` : "equal";
  return `shared prefixes, checked: ${sharedRows} rows in place of ${plainRows}; log-probabilities ` +
    `${equal}, gradients ${apart}`;
}

interface Outcome {
  /** In the grid of responses, by name. */
  told: Record<string, Float32Array>;
  gradients: Map<string, FloatArray>;
}

/** What a pass tells, and its gradients, by parameter. */
async function outcome(
  model: Gpt2,
  rows: ResponseRows,
  options: EvaluateOptions,
): Promise<Outcome> {
  const told = inGrid(await model.evaluate(rows, options), rows);
  const gradients = new Map<string, FloatArray>();
  if (!model.optimizer) return { told, gradients };
  const { device, optimizer: { gradients: store } } = model;
  const kept: [Tensor, FloatArray][] = [];
  for (const arena of store.arenas) kept.push([arena, (await device.read(arena))[0] as FloatArray]);
  model.zeroGradient();
  const draw = (parameter: number): Float32Array => {
    const out = new Float32Array(rows.responses * rows.width);
    fillNormal(out, { std: 1, seed: 0, parameter });
    return out;
  };
  model.backward({
    dlogprob: fromGrid(draw(0), rows),
    dentropy: fromGrid(draw(1), rows),
    ...(model.options.valueHead && { dvalue: fromGrid(draw(2), rows, "valuePlace") }),
    ...(told.kl && { dkl: fromGrid(draw(3), rows) }),
  });
  for await (const [{ name }, data] of store.read()) {
    gradients.set(name, data.slice() as FloatArray);
  }
  for (const [arena, data] of kept) device.write(arena, data);
  return { told, gradients };
}

function norm(of: FloatArray): number {
  let sum = 0;
  for (const x of of) sum += x * x;
  return Math.sqrt(sum);
}
