/**
 * The page of a long run: how long it takes to write, how large it is, and when a headless Chromium has it
 * on the screen. Nothing is trained, the run is made up: `deno run --allow-all bench/report.ts`.
 * @module
 */
import { parseArgs } from "node:util";
import { report } from "../cli/report/report.ts";
import { SERIES } from "../cli/report/series.ts";
import type { CompletionRow } from "../experiment/observer.ts";
import type { RunData } from "../experiment/folder/run_data.ts";
import { median } from "./_measure.ts";
import { countOf } from "./_options.ts";
import { mebibytes } from "./_table.ts";

const WORDS = ["red", "orange", "yellow", "green", "blue", "indigo", "violet", "brown"];
const HELDOUT = 100; // prompts

/** A run of so many steps, each with as many completions, that saw answers to held-out prompts at both ends. */
export function madeUpRun(steps: number, completions: number): RunData {
  const names = Object.values(SERIES).map(({ name }) => name);
  const word = (i: number) => WORDS[(i * 2654435761 >>> 8) % WORDS.length]; // any, and always the same
  const asked = (step: number, phase: CompletionRow["phase"], i: number): CompletionRow => ({
    ...{ step, phase, split: phase === "train" ? "train" : "heldout", id: `colors-${i}` },
    prompt: `Mix the colors and output only one lowercase color name: ${word(i)} and ${
      word(i + 1)
    } is => `,
    completion: ` ${word(i + step)} or, as some would say, ${word(i + step + 1)}\n`,
    answer: word(i),
    reward: (i + step) % 100 / 100,
    scores: { semantic: (i + step) % 100 / 100, exact: 0 },
  });
  const each = Math.floor(completions / steps);
  const split = { before: { exact: 0, reward: 0.2 }, after: { exact: 0, reward: 0.8 } };
  const about = {
    task: "colors",
    algorithm: "ppo",
    rewards: ["semantic"],
    model: "tiny",
    seed: 1,
    steps,
  };
  const device = { kind: "cpu", name: "none", software: true };
  return {
    folder: "runs/made-up",
    config: {
      ...{ ...about, device, weights: { semantic: 1 }, command: "deno task train colors" },
      ...{ request: {}, config: { seed: 1, totalSteps: steps }, versions: {} },
    },
    names,
    metrics: Array.from({ length: steps }, (_, i) => [
      i + 1,
      ...names.map((_, k) => Math.abs(Math.sin(i / 300 + k)) + (i * 7919 + k * 31) % 100 / 500),
    ]),
    completions: [
      ...Array.from({ length: HELDOUT }, (_, i) => asked(0, "before", i)),
      ...Array.from(
        { length: steps * each },
        (_, i) => asked(1 + Math.floor(i / each), "train", i),
      ),
      ...Array.from({ length: HELDOUT }, (_, i) => asked(steps, "after", i)),
    ],
    summary: {
      ...{ ...about, device, seconds: 3600, tokensPerSecond: 1000, train: split, heldout: split },
    },
    checkpoints: [steps - 2, steps - 1, steps],
  };
}

/** Milliseconds from asking for the page to its second frame, in which its script has run. */
const SHOWN = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => " +
  "done(performance.now()))))";

/** Seconds that a browser takes for a page: those in the middle of `samples`. */
interface Opening {
  /** Until it is on the screen, by the clock. */
  readonly seconds: number;
  /** Processor time of the page's main thread until then, whatever else the machine does. */
  readonly cpuSeconds: number;
}

async function open(path: string, chromium: string, samples: number): Promise<Opening> {
  const { default: puppeteer } = await import("puppeteer-core");
  const browser = await puppeteer.launch({
    ...{ executablePath: chromium, headless: true, pipe: true, args: ["--no-sandbox"] },
  });
  try {
    const times: number[] = [], cpu: number[] = [];
    for (let sample = 0; sample < samples; sample++) {
      const page = await browser.newPage();
      const session = await page.createCDPSession();
      await session.send("Performance.enable", { timeDomain: "threadTicks" });
      await page.goto(`file://${path}`);
      times.push(await page.evaluate(SHOWN) as number);
      const { metrics } = await session.send("Performance.getMetrics");
      cpu.push(metrics.find(({ name }) => name === "TaskDuration")!.value);
      await page.close();
    }
    return { seconds: median(times) / 1e3, cpuSeconds: median(cpu) };
  } finally {
    await browser.close();
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      steps: { type: "string", default: "2000" },
      completions: { type: "string", default: "100000" },
      samples: { type: "string", default: "5" },
      chromium: { type: "string", default: "/usr/bin/chromium" },
    },
  });
  const [steps, completions, samples] = (["steps", "completions", "samples"] as const)
    .map((name) => countOf(name, values[name]));
  const run = madeUpRun(steps, completions);
  const from = performance.now();
  const page = await report(run);
  const wrote = (performance.now() - from) / 1e3;
  const bytes = new TextEncoder().encode(page);
  const path = await Deno.makeTempFile({ suffix: ".html" });
  try {
    await Deno.writeFile(path, bytes);
    const opened = await open(path, values.chromium, samples);
    const size = mebibytes(bytes.length);
    console.log(
      `${steps} steps, ${run.completions.length} completions: written in ${
        wrote.toFixed(2)
      } s, ${size}, ` +
        `on the screen in ${opened.seconds.toFixed(2)} s, of which the page's thread computes ` +
        `${opened.cpuSeconds.toFixed(2)} s (medians of ${samples})`,
    );
  } finally {
    await Deno.remove(path);
  }
}
