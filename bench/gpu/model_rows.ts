/** Training steps, decoding, an update by PPO and one by GRPO with shared beginnings and without. @module */
import { Gpt2 } from "../../model/gpt2.ts";
import { median } from "../_measure.ts";
import { decoding, type PhasedWork, ppoUpdate, trainingFlop, trainingStep } from "../_steps.ts";
import { colorsUpdate } from "../_prefixes.ts";
import type { GpuContext } from "./context.ts";
import type { Line, Row } from "./rows.ts";
import { timeTogether } from "./timing.ts";

/** Rows about whole models. */
export const modelRows: readonly Row<GpuContext>[] = [
  { name: "default model", estimate: 30, short: true, run: defaultModel },
  { name: "large model", estimate: 75, short: true, run: largeModel },
];

/** The median of each phase over a few samples, after one that compiles. */
async function* phaseLines(
  { clock, short }: GpuContext,
  { name, size, work, tokens }: {
    name: string;
    size: string;
    work: PhasedWork;
    /** Tokens that a run of the phase moves or draws; rates are left out for the others. */
    tokens: Readonly<Record<string, number>>;
  },
): AsyncGenerator<Line> {
  await work.sample();
  const samples = [];
  for (let i = 0; i < (short ? 3 : 5); i++) samples.push(await work.sample());
  for (const phase of Object.keys(samples[0])) {
    const wall = samples.map((sample) => sample[phase].wall);
    const seconds = median(wall);
    const count = tokens[phase];
    yield {
      name: `${name}: ${phase}`,
      size,
      seconds,
      spread: (Math.max(...wall) - Math.min(...wall)) / seconds,
      ...(count && { note: `${(count / seconds).toFixed(0)} tokens/s` }),
    };
  }
  const deviceSeconds = await clock?.time(() => work.sample());
  if (deviceSeconds) yield { name: `${name}: all passes of a sample`, size, deviceSeconds };
}

async function* defaultModel(context: GpuContext): AsyncGenerator<Line> {
  const { device, sizes: { small, smallStep, ppo } } = context;
  using step = trainingStep(device, small, smallStep);
  yield* await timeTogether(context, [{
    line: {
      name: "training step, default model",
      size: `B ${smallStep.B} T ${smallStep.T}`,
      flop: trainingFlop(small, smallStep),
    },
    work: step,
  }]);
  using update = await ppoUpdate(device, small, ppo);
  yield* phaseLines(context, {
    name: "PPO colors",
    size: `B ${ppo.B} T ${ppo.T}+2`,
    work: update,
    tokens: { "whole update": ppo.B * (ppo.T + 2) },
  });
  // 48 completions of the shipped model, also where all else is small: half a second on two cores.
  using groups = await colorsUpdate(device, { algorithm: "grpo", groupSize: 8 });
  const size = "B 48 T 19+2, groups of 8";
  yield* phaseLines(context, { name: "GRPO colors", size, work: groups, tokens: {} });
}

/** One model for all: to draw 124 million weights takes the host ten seconds. */
async function* largeModel(context: GpuContext): AsyncGenerator<Line> {
  const { device, short, sizes } = context;
  const from = performance.now();
  using model = Gpt2.create(device, sizes.model);
  yield {
    name: `${sizes.modelName}, weights drawn by the host`,
    seconds: (performance.now() - from) / 1e3,
  };
  for (const batch of short ? sizes.steps.slice(0, 1) : sizes.steps) {
    yield* await timeTogether(context, [{
      line: {
        name: `training step, ${sizes.modelName}`,
        size: `B ${batch.B} T ${batch.T}`,
        flop: trainingFlop(sizes.model, batch),
        note: "",
      },
      work: trainingStep(device, sizes.model, { ...batch, model }),
    }]);
  }
  const T = 32;
  for (const B of sizes.decodes) {
    const work = decoding(device, sizes.model, { B, T, model });
    const tokens = { prefill: B * T, "decode step": B };
    yield* phaseLines(context, { name: "decode", size: `B ${B} T ${T}+16`, work, tokens });
  }
}
