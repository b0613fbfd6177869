/**
 * What an optimizer remembers, as one safetensors file: both moments of every trained parameter, and in the
 * metadata the number of steps.
 * @module
 */
import { shown } from "../../base/excerpt.ts";
import type { Gpt2 } from "../gpt2.ts";
import type { Optimizer } from "../optimizer.ts";
import type { TensorSpec } from "../tensor_source.ts";
import { openSafetensors } from "./safetensors.ts";
import { writeSafetensors } from "./safetensors_write.ts";

const KINDS = ["m", "v"] as const;

/** Names and shapes in the file, in the order of its data. */
const tensorsOf = ({ gradients: { order } }: Optimizer): TensorSpec[] =>
  KINDS.flatMap((kind) => order.map(({ name, shape }) => ({ name: `${kind}.${name}`, shape })));

/**
 * Writes moments and step count of `model`, all or nothing.
 * @throws {Error} when the model is frozen, or its adapter is merged
 */
export async function exportOptimizer(model: Gpt2, path: string): Promise<void> {
  const optimizer = model.requireOptimizer("export its optimizer");
  await writeSafetensors(path, {
    tensors: tensorsOf(optimizer),
    data: async function* () {
      for (const kind of KINDS) {
        for await (const [, data] of optimizer.moments[kind].read()) yield data;
      }
    },
    metadata: {
      t: String(await optimizer.steps()),
      ...(optimizer.hasValues && { t_value: String(await optimizer.steps("value")) }),
    },
  });
}

/**
 * Reads what `exportOptimizer` wrote.
 * @throws {Error} naming every moment that is missing or of another shape
 * @throws {TypeError|RangeError} for no step count, or means of squares below 0
 */
export async function importOptimizer(model: Gpt2, path: string): Promise<void> {
  const optimizer = model.requireOptimizer("import an optimizer");
  using file = await openSafetensors(path);
  const t = stepsIn(file.metadata, "t", path);
  // Earlier versions had one count for both.
  const value = file.metadata.t_value === undefined ? t : stepsIn(file.metadata, "t_value", path);
  file.expect(tensorsOf(optimizer));
  for (const kind of KINDS) {
    const moments = optimizer.moments[kind];
    for (const { name } of moments.order) {
      const numbers = await file.read(`${kind}.${name}`);
      const negative = kind === "v" ? numbers.findIndex((x: number) => x < 0) : -1;
      if (negative >= 0) { // its root would make the weights NaN
        throw new RangeError(
          `Cannot read the optimizer from ${path} as means of squares must be >= 0: ` +
            `v.${name}[${negative}] is ${numbers[negative]}`,
        );
      }
      optimizer.device.write(moments.get(name), numbers);
    }
  }
  optimizer.setSteps(t, value);
}

/** @throws {TypeError} where the metadata say no such count */
function stepsIn(metadata: Readonly<Record<string, string>>, name: string, path: string): number {
  const said = metadata[name], t = Number(said);
  if (/^\d+$/.test(said ?? "") && Number.isSafeInteger(t)) return t; // Number("") would be 0
  const found = said === undefined ? "nothing" : shown(said);
  throw new TypeError(
    `Cannot read the optimizer from ${path} as its metadata must say the step ${name}: it says ${found}`,
  );
}
