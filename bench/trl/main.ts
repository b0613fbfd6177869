/**
 * `train colors --reward exact` here and by TRL's PPO, in turn: same model, batch, epochs, rates:
 * `deno task bench:trl -- --python VENV/bin/python [--rounds N] [--steps N] [--dropout P]`. With a dropout there,
 * which TRL leaves on while it samples, it shows what that costs; there is none here.
 * @module
 */
import { parseArgs } from "node:util";
import { readCsv } from "../../base/csv.ts";
import { loadGpt2 } from "../../model/files/gpt2_folder.ts";
import { saveGpt2 } from "../../model/files/gpt2_save.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { colors } from "../../tasks/colors.ts";
import { median } from "../_measure.ts";
import { countOf } from "../_options.ts";
import { formatTable } from "../_table.ts";

/** What one training run gave, here or there. */
export interface ColorsRun {
  /** Program and versions. */
  readonly name: string;
  /** Of each step, from its prompts to its update. */
  readonly seconds: readonly number[];
  /** Share of the held-out prompts whose greedy completion is right. */
  readonly before: number;
  readonly after: number;
}

/** Where the model, the examples and the settings are written for the other side. */
const FOLDER = "runs/bench-trl";

/** Milliseconds of the middle step; the first one compiles and does not count. */
export function stepMilliseconds(runs: readonly ColorsRun[]): number {
  return 1e3 * median(runs.flatMap(({ seconds }) => seconds.slice(1)));
}

/** A probability of the command line. @throws {RangeError} for what is none, or 1 */
export function dropoutOf(text: string): number {
  const dropout = text.trim() === "" ? NaN : Number(text);
  if (dropout >= 0 && dropout < 1) return dropout;
  throw new RangeError(
    `Cannot compare with TRL as --dropout is a probability, 0 to below 1: it is "${text}"`,
  );
}

/** Both sides, a line each. */
export function colorsTable(sides: readonly (readonly ColorsRun[])[]): string {
  const rows = sides.map((runs) => [
    runs[0].name,
    stepMilliseconds(runs),
    median(runs.map(({ seconds }) => seconds.reduce((sum, x) => sum + x, 0))),
    median(runs.map(({ before }) => before)),
    median(runs.map(({ after }) => after)),
  ]);
  return formatTable(["by", "ms a step", "s all steps", "held-out before", "after"], rows);
}

/** Seconds of each step, from a run's `timings.csv`. */
export function stepSeconds(timings: string): number[] {
  return readCsv(timings, { file: "timings.csv", columns: ["step_seconds"] })
    .map(({ values }) => Number(values.step_seconds));
}

async function program(command: string, args: string[]): Promise<string> {
  const env = { OMP_NUM_THREADS: "2", TRANSFORMERS_VERBOSITY: "error" };
  const { success, stdout, stderr } = await new Deno.Command(command, { args, env }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (!success) throw new Error(`Cannot run ${command} ${args.join(" ")}:\n${err.slice(-2000)}`);
  return out.trim().split("\n").at(-1)!;
}

/** One run of this project's command line in a process of its own. */
async function ours(steps: number, seed: number): Promise<ColorsRun & { folder: string }> {
  const folder = `${FOLDER}/ours-${seed}-${Date.now()}`;
  const train = ["train", "colors", "--reward", "exact", "--device", "webgpu", "--json", "--quiet"];
  const flags = ["--seed", `${seed}`, "--steps", `${steps}`, "--out", folder];
  const line = await program(Deno.execPath(), [
    ...["run", "--no-prompt", "-A", "cli/bin.ts", ...train, ...flags],
  ]);
  const { heldout, device } = JSON.parse(line);
  const seconds = stepSeconds(await Deno.readTextFile(`${folder}/timings.csv`));
  const [before, after] = [heldout.before.exact, heldout.after.exact];
  return { name: `PlainRL on ${device.name}`, seconds, before, after, folder };
}

/** The default model in f32 with its tokenizer, and the examples, as files. */
async function writeInputs(): Promise<void> {
  using device = new CpuDevice();
  using model = await loadGpt2(device, "assets/tiny", { frozen: true });
  await saveGpt2(model, `${FOLDER}/model`, { tokenizer: "assets/tiny" });
  const { train, heldout } = colors().examples;
  await Deno.writeTextFile(`${FOLDER}/examples.json`, JSON.stringify({ train, heldout }));
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args.filter((arg) => arg !== "--"),
    options: {
      python: { type: "string", default: "python3" },
      rounds: { type: "string", default: "3" },
      steps: { type: "string", default: "40" },
      dropout: { type: "string", default: "0" },
    },
  });
  const [rounds, steps] = [countOf("rounds", values.rounds), countOf("steps", values.steps)];
  const dropout = dropoutOf(values.dropout);
  await Deno.mkdir(FOLDER, { recursive: true });
  await writeInputs();
  const here: ColorsRun[] = [], there: ColorsRun[] = [];
  for (let seed = 1; seed <= rounds; seed++) {
    const own = await ours(steps, seed);
    here.push(own);
    const { config } = JSON.parse(await Deno.readTextFile(`${own.folder}/config.json`));
    await Deno.writeTextFile(`${FOLDER}/settings.json`, JSON.stringify({ ...config, dropout }));
    const files = [`${FOLDER}/model`, `${FOLDER}/examples.json`, `${FOLDER}/settings.json`];
    there.push(JSON.parse(await program(values.python, ["scripts/trl_colors.py", ...files])));
    console.log(
      `round ${seed}: ${stepMilliseconds([here.at(-1)!]).toFixed(0)} ms a step here, ` +
        `${stepMilliseconds([there.at(-1)!]).toFixed(0)} there`,
    );
  }
  console.log(`\n${colorsTable([there, here])}\n`);
  console.log(`${(stepMilliseconds(here) / stepMilliseconds(there)).toFixed(2)} times TRL's step`);
}
