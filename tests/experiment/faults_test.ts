/**
 * Numbers that are not numbers, put into a real network's training: what is not refused outright skips the
 * update, and then not one bit of weights, moments or step count changes.
 */
import assert from "node:assert/strict";
import type { Device } from "../../kernels/device.ts";
import { LanguagePolicy } from "../../experiment/policy.ts";
import type { Algorithm } from "../../rl/algorithm.ts";
import { findAlgorithm } from "../../rl/algorithms/registry.ts";
import type { Evaluation, EvaluationGradient, TokenBatch } from "../../rl/policy.ts";
import { Trainer } from "../../rl/trainer.ts";
import { trainTask } from "../../experiment/train.ts";
import { testOnDevices } from "../_devices.ts";
import { withFolder } from "../_folder.ts";
import { Recorder, writeSmallModel } from "./_model.ts";
import { randomModel } from "../model/_model.ts";

/** Where a number is put, and what becomes of it. */
interface Fault {
  at:
    | "score"
    | "rollout's logprob"
    | "update's logprob"
    | "loss"
    | "gradient"
    | "activation"
    | "inner activation";
  value: number;
  /** Default: skipped. A score or a logit that is no number is an error; the trainer stays where it was. */
  error?: RegExp;
}

const VALUES = [NaN, Infinity, 1e30];
const SCORE = /score must be finite in 32 bits/, LOGITS = /logits must be finite numbers/;
const FAULTS: Fault[] = [
  ...[NaN, Infinity, -Infinity].map((value): Fault => ({ at: "score", value, error: SCORE })),
  { at: "score", value: 1e30 },
  { at: "rollout's logprob", value: -Infinity },
  ...(["rollout's logprob", "update's logprob", "loss", "gradient"] as const)
    .flatMap((at) => VALUES.map((value): Fault => ({ at, value }))),
  ...[NaN, Infinity].map((value): Fault => ({ at: "activation", value, error: LOGITS })),
  { at: "activation", value: 1e30 },
  { at: "inner activation", value: 1e30 },
];

const REASON = /^(logprob of response \d+ is|the loss is|the gradient norm is) /;
const PROMPTS = [
  Int32Array.of(3, 1),
  Int32Array.of(7),
  Int32Array.of(2, 5, 4),
  Int32Array.of(9, 8),
];
// Added to activations: what is in it, they are.
const BIAS: Partial<Record<Fault["at"], string>> = {
  "activation": "ln_f.bias",
  "inner activation": "h.0.mlp.c_fc.bias",
};
const WEIGHT = "h.1.attn.c_attn.weight";

/** A policy that puts the fault of the moment where it belongs. */
class Faulty extends LanguagePolicy {
  fault: Fault | undefined;
  /** Passes since the fault was set: two over the rollout, then the update's. */
  passes = 0;
  override async evaluate(batch: TokenBatch): Promise<Evaluation> {
    const { at, value } = this.fault ?? {}, pass = this.passes++;
    const { device, weights } = this.model;
    const inside = pass === 3 && at && BIAS[at];
    const bias = weights.get(inside || "ln_f.bias");
    const [kept] = inside ? await device.read(bias) : [];
    if (inside) device.write(bias, [value!], 1);
    const done = super.evaluate(batch).finally(() => {
      if (inside) device.write(bias, kept);
    });
    const out = await done;
    const here = at === "rollout's logprob" && pass === 1 ||
      at === "update's logprob" && pass === 3;
    if (here) out.logprob[0] = value!;
    return out;
  }
  override backward(gradient: EvaluationGradient): void {
    super.backward(gradient);
    const { at, value } = this.fault ?? {}, { device, optimizer } = this.model;
    if (at === "gradient") device.write(optimizer!.gradients.get(WEIGHT), [value!], 5);
  }
}

/** The algorithm with a loss that comes to NaN, or is as large as the fault. */
function faulty(algorithm: Algorithm, policy: Faulty): Algorithm {
  return {
    ...algorithm,
    loss(piece, weight, context) {
      const { at, value } = policy.fault ?? {};
      const { sums, gradient } = algorithm.loss(piece, weight, context);
      if (at !== "loss") return { sums, gradient };
      const times = (of: Record<string, number>) =>
        Object.fromEntries(
          Object.entries(of).map(([name, x]) => [name, name === "loss/policy" ? value! : x]),
        );
      return {
        sums: { ...sums, sum: times(sums.sum), weighted: times(sums.weighted) },
        gradient: { ...gradient, dlogprob: gradient.dlogprob.map((g) => g * value!) },
      };
    },
  };
}

/** Every bit of weights and moments, and the number of steps. */
async function stateOf({ model: { device, weights, optimizer } }: LanguagePolicy) {
  const { m, v } = optimizer!.moments;
  const arenas = await device.read(...[weights, m, v].flatMap((buffers) => buffers.arenas));
  const bits = arenas.map((of) => new Uint32Array(of.buffer, of.byteOffset, of.length).slice());
  return { bits, steps: await optimizer!.steps() };
}

async function gradientsAreZero(
  { model: { device, optimizer } }: LanguagePolicy,
): Promise<boolean> {
  const arenas = await device.read(...optimizer!.gradients.arenas);
  return arenas.every((of) => of.every((g) => g === 0));
}

function open(device: Device, name: string) {
  const value = name === "ppo";
  const config = { vocab_size: 11, n_positions: 9, n_embd: 6, n_layer: 2, n_head: 2, n_inner: 10 };
  const model = randomModel(device, config, { valueHead: value });
  const reference = randomModel(device, config, { valueHead: false });
  const policy = new Faulty({ model, reference }, null);
  const settings = {
    ...{ maxNewTokens: 3, learningRate: 1e-2, epochs: 1, klCoefficient: 0.1, totalSteps: 1000 },
    ...(name === "grpo" ? { groupSize: 4, microbatchRows: 8 } : { microbatchRows: 2 }),
  };
  const trainer = new Trainer(policy, settings, faulty(findAlgorithm(name), policy));
  return { model, reference, policy, trainer };
}

for (const name of ["ppo", "grpo"]) {
  testOnDevices(
    `${name}: of twenty faults none changes a weight or a moment, and each is told`,
    async (device) => {
      const { model, reference, policy, trainer } = open(device, name);
      using _model = model;
      using _reference = reference;
      assert.equal(FAULTS.filter(({ at }) => at !== "inner activation").length, 20);
      const step = (fault?: Fault) => {
        policy.fault = fault;
        policy.passes = 0;
        return trainer.step(
          { count: PROMPTS.length, take: () => PROMPTS },
          ({ responses }) =>
            Promise.resolve(
              responses.map((ids, b) =>
                fault?.at === "score" && b === 1 ? fault.value : ids[0] + 0.1 * b
              ),
            ),
        );
      };
      await step();
      // WebGPU adds its own arithmetic to these alone.
      const ofDevice = /gradient|activation/;
      const faults = device.kind === "cpu" ? FAULTS : FAULTS.filter(({ at }) => ofDevice.test(at));
      for (const fault of faults) {
        const what = `${fault.value} as the ${fault.at}`;
        const before = await stateOf(policy), was = trainer.state();
        assert.ok(
          before.steps > 0 && before.bits.every((of) => of.some((bit) => bit !== 0)),
        );
        // Scores are compared within a group, and a layer norm comes after every inner activation:
        // whatever is finite there becomes a number of the usual size.
        const bounded = fault.at === "inner activation" ||
          name === "grpo" && fault.at === "score" && !fault.error;
        if (fault.error) {
          await assert.rejects(step(fault), fault.error, what);
          assert.deepEqual(trainer.state(), was, what);
        } else {
          const { metrics, fault: reason } = await step(fault);
          assert.equal(metrics["optimizer/skipped_updates"], bounded ? 0 : 1, what);
          assert.equal(trainer.state().faults, bounded ? 0 : 1, what);
          assert.equal(trainer.state().step, was.step + 1, what);
          if (bounded) assert.equal(reason, undefined, what);
          else assert.match(reason!, REASON, what);
        }
        const after = await stateOf(policy);
        if (bounded) {
          assert.equal(after.steps, before.steps + 1, what);
          const numbers = after.bits.flatMap((of) => [...new Float32Array(of.buffer)]);
          assert.ok(numbers.every(Number.isFinite), what);
        } else assert.deepEqual(after, before, what);
        assert.ok(await gradientsAreZero(policy), what);
        const { metrics } = await step(); // and the next one is as any other
        assert.equal(metrics["optimizer/skipped_updates"], 0, `after ${what}`);
        assert.ok(Number.isFinite(metrics["loss/total"]), `after ${what}`);
        assert.equal((await stateOf(policy)).steps, after.steps + 1, `after ${what}`);
      }
    },
  );
}

Deno.test("people are told of a skipped update, by its step and reason", () =>
  withFolder(async (folder) => {
    await writeSmallModel(`${folder}/model`);
    let done = 0;
    const reward = {
      name: "silent",
      score: ({ completions }: { completions: readonly unknown[] }) =>
        Promise.resolve(completions.map((_, b) => done === 0 ? null : b)),
    };
    const run = new Recorder(folder, (step) => done = step);
    const settings = { batchSize: 6, epochs: 1 };
    await trainTask(
      { task: "colors", model: `${folder}/model`, steps: 2, device: "cpu", reward, settings },
      run,
    );
    const said = run.said.filter((text) => text.includes("skipped"));
    assert.deepEqual(said, ["note: the update of step 1 is skipped: no response had a score"]);
    assert.deepEqual(run.rows.map((row) => row["optimizer/skipped_updates"]), [1, 0]);
  }));
