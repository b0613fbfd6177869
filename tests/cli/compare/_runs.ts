/** Run folders made by hand, with numbers that one can follow. @module */
import { csvLines } from "../../../experiment/folder/csv.ts";
import type { RunEvent } from "../../../experiment/folder/history.ts";
import { info, summary } from "../_folders.ts";

/** What of a run a test says; the rest is that of a run of ten steps. */
export interface MadeRun {
  seed?: number;
  task?: string;
  algorithm?: string;
  weights?: Record<string, number>;
  settings?: Record<string, unknown>;
  /** Columns of metrics.csv, each with its value by step. */
  metrics?: Record<string, (step: number) => number>;
  steps?: number;
  /** Steps done, where it was cut short. */
  done?: number;
  heldout?: [before: number, after: number];
  started?: string;
  history?: RunEvent[];
}

/** Writes the folder of a run. */
export async function makeRun(folder: string, made: MadeRun = {}): Promise<string> {
  const { seed = 1, task = "colors", algorithm = "ppo", weights = { exact: 1 }, steps = 10 } = made;
  const { settings = {}, started = "2026-11-27T08:00:00Z", heldout = [0.25, 0.75] } = made;
  const { metrics = { "score/mean": (step) => step / 10 }, done = steps } = made;
  const rewards = Object.keys(weights), about = { task, algorithm, rewards, seed, steps };
  await Deno.mkdir(folder, { recursive: true });
  const put = (name: string, text: string) => Deno.writeTextFile(`${folder}/${name}`, text);
  await put(
    "config.json",
    JSON.stringify({
      ...info(task),
      ...about,
      ...{ weights, started, command: "deno task train", versions: {} },
      request: { task, algorithm, seed, settings },
      config: { seed, totalSteps: steps, learningRate: 1e-4, ...settings },
    }),
  );
  const names = Object.keys(metrics);
  await put(
    "metrics.csv",
    csvLines([
      ["step", ...names],
      ...Array.from(
        { length: done },
        (_, i) => [i + 1, ...names.map((name) => metrics[name](i + 1))].map(String),
      ),
    ]),
  );
  const [before, after] = heldout.map((x) => ({ exact: x, reward: x }));
  if (done === steps) {
    const result = { before, after };
    await put(
      "summary.json",
      JSON.stringify({ ...summary, ...about, train: result, heldout: result }),
    );
  }
  if (made.history) await put("history.json", JSON.stringify(made.history));
  return folder;
}
