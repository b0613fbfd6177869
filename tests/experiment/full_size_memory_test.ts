/**
 * GPT-2, random weights: the plan beside what the device then held. With `PLAINRL_PLAN` set the sizes
 * are the true ones, and what the process grew by is printed too (on a software adapter device memory
 * is process memory): `deno task test:plan`.
 * @module
 */
import { loadModel } from "../../model/hub/load.ts";
import assert from "node:assert/strict";
import type { Device } from "../../kernels/device.ts";
import { testOnWebGpu } from "../_devices.ts";
import { WebGpuDevice } from "../../kernels/devices/webgpu.ts";
import { parseConfig } from "../../model/config.ts";
import { Gpt2 } from "../../model/gpt2.ts";
import { MEMORY_KINDS } from "../../kernels/memory.ts";
import type { MemoryByKind } from "../../model/memory.ts";
import { layoutParameters } from "../../model/layout.ts";
import { fillNormal } from "../../model/random.ts";
import { writeSafetensors } from "../../model/files/safetensors_write.ts";
import { ppo } from "../../rl/algorithms/ppo.ts";
import { Trainer } from "../../rl/trainer.ts";
import { planModel, planRun } from "../../experiment/memory_plan.ts";
import { RUN_OPTIONS } from "../../experiment/settings.ts";
import { modelOptions } from "../../experiment/models.ts";
import { LanguagePolicy } from "../../experiment/policy.ts";

const isTrue = Deno.env.get("PLAINRL_PLAN") !== undefined;
const V = isTrue ? 50257 : 1009;
const shape = { vocab_size: V, n_positions: 1024, eos_token_id: V - 1 };
const sizes = isTrue ? "true sizes" : "narrow";
const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);

/** Watches the resident memory of this process. */
class Resident implements Disposable {
  readonly before = Deno.memoryUsage().rss;
  #most = this.before;
  #timer = setInterval(() => this.grown, 50);

  /** Most bytes that it was more than at first, so far. */
  get grown(): number {
    this.#most = Math.max(this.#most, Deno.memoryUsage().rss);
    return this.#most - this.before;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function show(title: string, parts: Readonly<Record<string, MemoryByKind>>): void {
  if (!isTrue) return;
  console.log(title);
  for (const [name, part] of Object.entries(parts)) {
    const kinds = MEMORY_KINDS.map((kind) => `${kind} ${mib(part[kind])}`);
    console.log(`  ${name}, MiB: ${kinds.join(", ")}`);
  }
}

/** Holds the peak to the plan within 5 %, and prints both. */
function compare(device: Device, planned: number, { before, grown }: Resident): void {
  const { peak } = device.memory;
  assert.ok(Math.abs(peak / planned - 1) < 0.05, `${peak} of ${planned}`);
  if (!isTrue) return;
  const now = Deno.memoryUsage().rss - before;
  console.log(
    `  planned ${mib(planned)} MiB, held at most ${mib(peak)} MiB, ratio ${
      (peak / planned).toFixed(4)
    }; the process grew by ${mib(grown)} MiB at most, by ${mib(now)} MiB in the end`,
  );
}

testOnWebGpu(
  `gpt2 (${sizes}): one PPO update of 4 x 64 tokens holds what was planned, within 5 %`,
  async () => {
    using device = await WebGpuDevice.open();
    const config = parseConfig({ ...shape, n_embd: isTrue ? 768 : 96, n_layer: 12, n_head: 12 });
    const sampling = { maxNewTokens: 32, microbatchRows: 0 };
    const settings = { ...RUN_OPTIONS.resolve({ batchSize: 4 }), ...sampling };
    const needs = ppo.needs(ppo.options.resolve());
    const plan = planRun(device, { config, promptTokens: 32, settings, needs });
    show(`gpt2 on ${device.name}`, plan.parts);
    using resident = new Resident();
    const options = modelOptions(settings, needs);
    using model = Gpt2.create(device, config, { ...options.policy, seed: 1 });
    using reference = Gpt2.create(device, config, { ...options.reference, seed: 1 });
    const policy = new LanguagePolicy({ model, reference }, null);
    const { microbatchRows, maxNewTokens } = settings;
    const trainer = new Trainer(policy, {
      ...{ totalSteps: 1, epochs: 1, microbatchRows, maxNewTokens },
    });
    const prompts = Array.from(
      { length: 4 },
      (_, b) => Int32Array.from({ length: 32 }, (_, t) => (7919 * (32 * b + t)) % V),
    );
    const { metrics } = await trainer.step(
      prompts,
      ({ responses }) => Promise.resolve(responses.map((_, b) => b)),
    );
    compare(device, plan.total, resident);
    assert.equal(metrics["tokens/responses_len_mean"], 32);
    assert.equal(metrics["policy/ratio"], 1); // one epoch, whose pass is the rollout's
  },
);

testOnWebGpu(
  `gpt2-large (${sizes}): a folder loads, and holds what was planned, within 5 %`,
  async () => {
    using device = await WebGpuDevice.open();
    const config = parseConfig({ ...shape, n_embd: isTrue ? 1280 : 80, n_layer: 36, n_head: 20 });
    const folder = await Deno.makeTempDir();
    try {
      const { parameters } = layoutParameters(config, device.limits);
      await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(config));
      await writeSafetensors(`${folder}/model.safetensors`, {
        tensors: parameters.map(({ name, shape }) => ({ name, shape })),
        data: async function* () {
          const block = new Float32Array(2 ** 20);
          fillNormal(block, { std: 0.02, seed: 2, parameter: 0 });
          for (const { length } of parameters) {
            const data = new Float32Array(length);
            for (let at = 0; at < length; at += block.length) {
              data.set(block.subarray(0, length - at), at);
            }
            await Promise.resolve();
            yield data;
          }
        },
      });
      const options = { frozen: true };
      const plan = planModel(device, {
        config,
        options,
        batch: { prompts: 4, promptTokens: 8, maxNewTokens: 4 },
      });
      show(`gpt2-large on ${device.name}`, plan.parts);
      using resident = new Resident();
      using model = await loadModel(device, folder, options);
      const policy = new LanguagePolicy({ model, reference: model }, null);
      const prompts = Array.from({ length: 4 }, () => new Int32Array(8).fill(11));
      const sampling = { maxNewTokens: 4, temperature: 1, seed: 1, stream: 0 };
      const { responses } = await policy.generate(prompts, sampling);
      assert.deepEqual(responses.map(({ length }) => length), [4, 4, 4, 4]);
      compare(device, plan.total, resident);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
