/**
 * This project beside PyTorch and transformers, on the same processor and in turn:
 * `deno task bench:torch -- --python VENV/bin/python [--only TEXT] [--samples N]`. Random weights are
 * made once and kept in `runs/bench-torch`: 0.7 GB.
 * @module
 */
import { parseArgs } from "node:util";
import { countOf, openDevice } from "../_options.ts";
import { formatTable, short } from "../_table.ts";
import { compare, type Comparison, type Side } from "./compare.ts";
import { ourSide } from "./ours.ts";
import { PythonSide } from "./python_side.ts";
import { allWorks, provide } from "./works.ts";

/** What may follow `deno task bench:torch --`. */
export interface TorchOptions {
  readonly python: string;
  /** Only works whose name contains it. */
  readonly only: string;
  readonly samples: number;
  /** Where the weights are kept. */
  readonly folder: string;
}

/** Reads the arguments. @throws {TypeError|RangeError} for others, or samples that are no whole number */
export function torchOptions(args: readonly string[]): TorchOptions {
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== "--"),
    options: {
      python: { type: "string", default: "python3" },
      only: { type: "string", default: "" },
      samples: { type: "string", default: "5" },
      folder: { type: "string", default: "runs/bench-torch" },
    },
  });
  return { ...values, samples: countOf("samples", values.samples) };
}

/** The comparisons as a table. */
export function comparisonTable(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map(({ work, ours: [wall, cpu], theirs, equal }) => [
    ...[work, theirs[0] * 1e3, wall * 1e3, wall / theirs[0]],
    ...[theirs[1] * 1e3, cpu * 1e3, cpu / theirs[1], equal],
  ]);
  const columns = ["work", "PyTorch ms", "ours ms", "ratio"];
  return formatTable([...columns, "PyTorch cpu ms", "ours cpu ms", "cpu ratio", "equal"], rows);
}

/** Compares all works that are asked for; one that fails is reported and the next begins. */
async function compareAll(
  sides: { ours: Side; theirs: Side },
  { only, samples, folder }: Omit<TorchOptions, "python">,
  say: (text: string) => void,
): Promise<{ done: Comparison[]; failed: number }> {
  const done: Comparison[] = [];
  let failed = 0;
  for (const { weights, work } of allWorks(folder).filter(({ work }) => work.name.includes(only))) {
    try {
      await provide(weights);
      for (const one of await compare(work, sides, { samples })) {
        done.push(one);
        const [there, here] = [one.theirs, one.ours].map(([wall]) => `${short(1e3 * wall)} ms`);
        say(`${one.work}: ${there} there, ${here} here`);
      }
    } catch (error) {
      failed++;
      say(`${work.name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  return { done, failed };
}

if (import.meta.main) {
  const options = torchOptions(Deno.args);
  using device = await openDevice("webgpu");
  const theirs = await PythonSide.start(options.python, "scripts/torch_peer.py").catch((error) => {
    console.error(`error: ${error.message}`);
    Deno.exit(1);
  });
  const ours = ourSide(device);
  const { done, failed } = await compareAll({ ours, theirs }, options, console.log);
  await theirs[Symbol.asyncDispose]();
  console.log(`\n${theirs.name}; ${ours.name}; medians of ${options.samples} samples in turn\n`);
  console.log(comparisonTable(done));
  Deno.exit(failed ? 2 : 0);
}
