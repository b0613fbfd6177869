/** This project's side of a comparison: the same work, on a device. @module */
import type { Device } from "../../kernels/device.ts";
import { loadGpt2 } from "../../model/files/gpt2_folder.ts";
import { generate } from "../../model/generation/generate.ts";
import type { Gpt2 } from "../../model/gpt2.ts";
import { languageModelRows } from "../../model/rows.ts";
import { type Clock, clock, emptyQueue } from "../_measure.ts";
import type { Result, Side, Work } from "./compare.ts";

/** Runs work on `device`, which stays the caller's. */
export function ourSide(device: Device): Side {
  return {
    name: `PlainRL on ${device.name}`,
    async open(work) {
      const model = await loadGpt2(device, work.folder, { frozen: work.open === "decoding" });
      const { wait } = await emptyQueue(device);
      return {
        run: (count) =>
          work.open === "training"
            ? train(model, work, { count, wait })
            : decode(model, work, { count }),
        [Symbol.dispose]() {
          model[Symbol.dispose]();
          device.trim();
        },
      };
    },
  };
}

/**
 * Steps that are enqueued together and waited for once; what waiting for an empty queue costs is taken
 * off, as a run of training does not wait after each.
 */
async function train(
  model: Gpt2,
  { batch, learningRate }: Extract<Work, { open: "training" }>,
  { count, wait }: { count: number; wait: Clock },
): Promise<Result> {
  const rows = languageModelRows(batch);
  const from = clock();
  for (let i = 0; i < count; i++) {
    model.languageModel(rows);
    model.step(learningRate);
  }
  const loss = await model.readLoss();
  const to = clock();
  const step = [to.wall - from.wall - wait.wall, to.cpu - from.cpu - wait.cpu]
    .map((seconds) => seconds / count) as [number, number];
  return { seconds: { step }, losses: count === 1 ? [loss] : [] };
}

/** One token for prefill; what each further one adds is a decode step. Waits and reads included. */
async function decode(
  model: Gpt2,
  { prompts, tokens }: Extract<Work, { open: "decoding" }>,
  { count }: { count: number },
): Promise<Result> {
  const prefill: [number, number] = [0, 0], decode: [number, number] = [0, 0];
  let responses: Int32Array[] = [];
  const draw = async (maxNewTokens: number) => {
    const from = clock();
    const drawn = await generate(model, prompts, { maxNewTokens, greedy: true, eos: null });
    const to = clock();
    responses = drawn.responses;
    return [to.wall - from.wall, to.cpu - from.cpu];
  };
  for (let i = 0; i < count; i++) {
    const first = await draw(1), all = await draw(1 + tokens);
    for (const which of [0, 1]) {
      prefill[which] += first[which] / count;
      decode[which] += (all[which] - first[which]) / tokens / count;
    }
  }
  const seconds = { prefill, "decode step": decode };
  return { seconds, responses: responses.map((row) => Array.from(row)) };
}
