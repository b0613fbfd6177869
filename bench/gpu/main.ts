/**
 * Everything that is worth measuring on a machine with graphics hardware, within a few minutes:
 * `deno task bench:gpu`, or on a machine with nothing, `sh .gpu/run.sh`. See docs/performance.md.
 * @module
 */
import { ceilingRows } from "./ceilings.ts";
import { checkRows } from "./checks.ts";
import { type GpuContext, Machine } from "./context.ts";
import { kernelRows } from "./kernel_rows.ts";
import { modelRows } from "./model_rows.ts";
import { type GpuBenchOptions, gpuBenchOptions } from "./options.ts";
import { firstRunRow, processRows } from "./process_rows.ts";
import { GpuReport, type Results, tableText, takenOver } from "./report.ts";
import { type Row, runRows } from "./rows.ts";

/** All measurements in their order: what decides most comes first, as the time may end. */
export const ROWS: readonly Row<GpuContext>[] = [
  ...ceilingRows,
  firstRunRow,
  ...kernelRows,
  ...modelRows,
  ...checkRows,
  ...processRows,
];

/** The rows that the options ask for. */
export function chosenRows({ short, only }: GpuBenchOptions): Row<GpuContext>[] {
  return ROWS.filter((row) => (!short || row.short) && (!only || row.name.includes(only)));
}

/** Results to add to: empty ones, or with `resume` those of the process that crashed. */
export async function begun(options: GpuBenchOptions, args: readonly string[]): Promise<Results> {
  const results: Results = {
    version: 1,
    started: new Date().toISOString(),
    adapter: "",
    deno: Deno.version.deno,
    arguments: args,
    finished: false,
    rows: [],
  };
  if (!options.resume) return results;
  const earlier: Results = JSON.parse(await Deno.readTextFile(`${options.out}/results.json`));
  return { ...results, started: earlier.started, rows: takenOver(earlier) };
}

/** Measures and reports. Gives the exit code: 0, or 2 when a row failed. */
export async function benchGpu(args: readonly string[]): Promise<number> {
  const options = gpuBenchOptions(args);
  await Deno.mkdir(options.out, { recursive: true });
  const results = await begun(options, args);
  const report = new GpuReport(results, (now) => {
    Deno.writeTextFileSync(`${options.out}/results.json`, JSON.stringify(now, null, 1) + "\n");
  });
  report.write(results); // a crash from here on must not find those of another run
  using machine = await Machine.open(options);
  results.adapter = machine.name;
  console.log(`${machine.name}; ${machine.remaining().toFixed(0)} s`);
  const done = new Set(results.rows.map(({ name }) => name));
  await runRows(chosenRows(options).filter(({ name }) => !done.has(name)), {
    context: () => machine.context(),
    budget: machine,
    sink: report,
    recover: () => machine.reopen(),
  });
  results.finished = true;
  report.write(results);
  const table = tableText(results);
  await Deno.writeTextFile(`${options.out}/table.md`, table);
  console.log(`\n${table}\n${options.out}/results.json, ${options.out}/table.md`);
  return results.rows.some(({ state }) => state === "failed") ? 2 : 0;
}

if (import.meta.main) {
  // Where this is not set the Vulkan loader writes two error lines that mean nothing without windows.
  if (Deno.build.os === "linux" && !Deno.env.get("XDG_RUNTIME_DIR")) {
    Deno.env.set("XDG_RUNTIME_DIR", "/tmp");
  }
  try {
    Deno.exit(await benchGpu(Deno.args));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
