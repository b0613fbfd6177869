/** GPT-2 against Hugging Face transformers, by `tests/fixtures/gpt2_transformers.py`. @module */
import assert from "node:assert/strict";
import type { Device } from "../../../kernels/device.ts";
import { loadGpt2 } from "../../../model/files/gpt2_folder.ts";
import { Generator } from "../../../model/generation/generate.ts";
import type { Gpt2, Gpt2Options } from "../../../model/gpt2.ts";
import { assertClose } from "../../_close.ts";
import { testOnDevices } from "../../_devices.ts";
import {
  assertAdamwLosses,
  assertGradients,
  type Facts,
  modelFolder,
  readFixture,
  rows,
} from "../../_fixtures.ts";

const load = (device: Device, name: string, options?: Gpt2Options): Promise<Gpt2> =>
  loadGpt2(device, modelFolder(`gpt2-${name}`), options);

for (const name of ["a", "b", "c"]) {
  testOnDevices(`transformers' logits of a ragged batch, model ${name}`, async (device) => {
    const { facts, tensors } = await readFixture<Facts>(`gpt2-${name}`);
    using model = await load(device, name, { frozen: true });
    const { target, ...all } = rows(facts, true);
    const logits = await model.logits({ ...all, target: target.fill(0) });
    assertClose(logits, tensors.get("logits")!, "logits", 1e-4);
  });

  testOnDevices(`transformers' loss and gradients, model ${name}`, async (device) => {
    const { facts, tensors } = await readFixture<Facts>(`gpt2-${name}`);
    using model = await load(device, name);
    model.languageModel(rows(facts));
    assertClose([await model.readLoss()], [facts.loss], "loss", 1e-5);
    await assertGradients(model, tensors);
  });

  // The same numbers must come by the ways that save memory: layers computed again in backward, logits
  // in chunks of 64 rows, and a batch in two parts.
  testOnDevices(
    `transformers' loss and gradients in less memory, model ${name}`,
    async (device) => {
      const { facts, tensors } = await readFixture<Facts>(`gpt2-${name}`);
      using model = await load(device, name, { recompute: true, chunkBytes: 1 });
      const count = rows(facts).index.length;
      for (const [from, to] of [[0, 2], [2, facts.lengths.length]]) {
        const part = {
          tokens: facts.tokens.slice(from, to),
          lengths: facts.lengths.slice(from, to),
        };
        model.languageModel(rows(part), { count });
      }
      assertClose([await model.readLoss()], [facts.loss], "loss", 1e-5);
      await assertGradients(model, tensors);
    },
  );

  testOnDevices(
    `PyTorch's losses over ten AdamW steps, model ${name}`,
    (device) => assertAdamwLosses(device, `gpt2-${name}`),
  );

  // transformers completed the prompts one by one; here they share a batch.
  testOnDevices(`transformers' greedy completions, model ${name}`, async (device) => {
    const { facts: { greedy } } = await readFixture<Facts>(`gpt2-${name}`);
    const { prompts, maxNewTokens, eos } = greedy;
    using model = await load(device, name, { frozen: true });
    using generator = new Generator(model);
    const free = await generator.generate(prompts, { maxNewTokens, greedy: true, eos: null });
    assert.deepEqual(free.responses.map((tokens) => [...tokens]), greedy.free);
    const stopped = await generator.generate(prompts, { maxNewTokens, greedy: true });
    assert.equal(model.config.eos_token_id, eos);
    assert.deepEqual(stopped.responses.map((tokens) => [...tokens]), greedy.stopped);
    assert.deepEqual(stopped.finished, greedy.stopped.map((tokens) => tokens.at(-1) === eos));
  });
}
