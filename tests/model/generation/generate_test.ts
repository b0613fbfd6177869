/** Generation with a cache against full forward passes, and against transformers. @module */
import assert from "node:assert/strict";
import type { Device } from "../../../kernels/device.ts";
import { CpuDevice } from "../../../kernels/devices/cpu.ts";
import { loadGpt2 } from "../../../model/files/gpt2_folder.ts";
import {
  generate,
  type GenerateOptions,
  generateStream,
  type Generation,
  Generator,
} from "../../../model/generation/generate.ts";
import type { Gpt2 } from "../../../model/gpt2.ts";
import { responseRows } from "../../../model/rows.ts";
import { assertClose } from "../../_close.ts";
import { testOnDevices } from "../../_devices.ts";
import { modelFolder, readFixture } from "../../_fixtures.ts";
import { randomModel } from "../_model.ts";

const CONFIG = {
  vocab_size: 23,
  n_positions: 40,
  n_embd: 12,
  n_layer: 3,
  n_head: 3,
  eos_token_id: 4,
};
const frozen = (device: Device): Gpt2 => randomModel(device, CONFIG, { frozen: true });

/** Ragged: shorter and longer than a multiple of 8, and a single token. */
const PROMPTS = [[5, 2, 19, 7, 3], [22], [1, 9, 2, 2, 8, 14, 6, 0, 11, 20], [12, 12]].map((ids) =>
  Int32Array.from(ids)
);
const lists = ({ responses }: Pick<Generation, "responses">): number[][] =>
  responses.map((response) => [...response]);

/** Greedy decoding without a cache: a full forward pass for every token. */
async function slowly(model: Gpt2, prompts: Int32Array[], count: number): Promise<number[][]> {
  const sequences = prompts.map((prompt) => [...prompt]), V = model.dims.V;
  for (let step = 0; step < count; step++) {
    const logits = await model.logits(
      responseRows({ prompts: sequences, responses: sequences.map(() => [0]) }),
    );
    sequences.forEach((sequence, b) => {
      const row = logits.subarray(b * V, (b + 1) * V);
      sequence.push(row.indexOf(Math.max(...row)));
    });
  }
  return sequences.map((sequence, b) => sequence.slice(prompts[b].length));
}

for (const name of ["a", "b", "c"]) {
  testOnDevices(`generate() gives transformers' greedy tokens, model ${name}`, async (device) => {
    const { facts: { greedy } } = await readFixture<{
      greedy: {
        prompts: number[][];
        maxNewTokens: number;
        free: number[][];
        eos: number;
        stopped: number[][];
      };
    }>(`gpt2-${name}`);
    using model = await loadGpt2(device, modelFolder(`gpt2-${name}`), { frozen: true });
    const options = { maxNewTokens: greedy.maxNewTokens, greedy: true };
    const free = await generate(model, greedy.prompts, { ...options, eos: null });
    assert.deepEqual(lists(free), greedy.free);
    assert.deepEqual(free.finished, greedy.free.map(() => false));
    const stopped = await generate(model, greedy.prompts, { ...options, eos: greedy.eos });
    assert.deepEqual(lists(stopped), greedy.stopped);
    assert.deepEqual(
      stopped.finished,
      greedy.stopped.map((ids) => ids.at(-1) === greedy.eos),
    );
  });
}

testOnDevices("generate() gives what full forward passes give, token for token", async (device) => {
  using model = frozen(device);
  const options = { maxNewTokens: 21, greedy: true, eos: null };
  const got = await generate(model, PROMPTS, options);
  assert.deepEqual(lists(got), await slowly(model, PROMPTS, 21));
  assert.equal(got.prompts, PROMPTS);
  const again = await generate(model, PROMPTS.toReversed(), options); // memory holds old rows
  assert.deepEqual(lists(again).reverse(), lists(got));
});

testOnDevices("generate() tells the log-probabilities that evaluate() tells", async (device) => {
  using model = frozen(device);
  for (const greedy of [false, true]) {
    const options = { maxNewTokens: 12, temperature: 0.7, seed: 2, greedy };
    const { responses, logprobs } = await generate(model, PROMPTS, options);
    const rows = responseRows({ prompts: PROMPTS, responses });
    const { logprob } = await model.evaluate(rows, { temperature: 0.7 });
    assertClose(logprobs.flatMap((row) => [...row]), logprob, "logprobs", 1e-4);
  }
});

testOnDevices("generate() draws the same for a prompt whatever batch it is in", async (device) => {
  using model = frozen(device);
  const options = { maxNewTokens: 9, seed: 7, stream: 3, eos: null };
  const whole = lists(await generate(model, PROMPTS, options));
  const first = lists(await generate(model, PROMPTS.slice(0, 1), options));
  const rest = lists(await generate(model, PROMPTS.slice(1), { ...options, row0: 1 }));
  assert.deepEqual([...first, ...rest], whole);
  for (const other of [{ seed: 8 }, { stream: 4 }, { row0: 1 }, { temperature: 3 }]) {
    const changed = lists(await generate(model, PROMPTS, { ...options, ...other }));
    assert.notDeepEqual(changed, whole, JSON.stringify(other));
  }
});

// One row of 1, and of 3 and 17: each number of rows that a kernel of few rows has on some device.
testOnDevices("a decode step gives a row the same bits in every batch", async (device) => {
  const sizes = { ...CONFIG, n_embd: 128, n_head: 4, n_layer: 1, vocab_size: 50 };
  using model = randomModel(device, sizes, { frozen: true });
  const prompts = Array.from({ length: 17 }, (_, i) => Int32Array.of(i, 2 * i, 49 - i));
  const options = { maxNewTokens: 4, seed: 5, eos: null };
  const whole = await generate(model, prompts, options);
  for (const [first, end] of [[0, 1], [3, 6], [16, 17]]) {
    const part = await generate(model, prompts.slice(first, end), { ...options, row0: first });
    assert.deepEqual(part.responses, whole.responses.slice(first, end));
    assert.deepEqual(part.logprobs, whole.logprobs.slice(first, end)); // to the bit
  }
});

testOnDevices("generate() splits a batch that one binding cannot hold", async (device) => {
  using model = frozen(device);
  using roomy = new CpuDevice();
  using same = frozen(roomy);
  const options = { maxNewTokens: 6, seed: 7, eos: null };
  const got = await generate(model, PROMPTS, options);
  assert.deepEqual(lists(got), lists(await generate(same, PROMPTS, options)));
}, { maxBinding: 8192 });

testOnDevices("generate() ends a row at EOS while the others go on", async (device) => {
  using model = frozen(device);
  const options = { maxNewTokens: 18, seed: 3 };
  const free = await generate(model, PROMPTS, { ...options, eos: null });
  const some = (id: number) => {
    const count = lists(free).filter((ids) => ids.includes(id)).length;
    return count > 0 && count < PROMPTS.length;
  };
  const eos = lists(free).flat().find(some)!;
  const got = await generate(model, PROMPTS, { ...options, eos });
  const want = lists(free).map((ids) =>
    ids.includes(eos) ? ids.slice(0, ids.indexOf(eos) + 1) : ids
  );
  assert.deepEqual(lists(got), want);
  assert.deepEqual(got.finished, lists(free).map((ids) => ids.includes(eos)));
  assert.ok(got.finished.includes(true) && got.finished.includes(false));
  got.logprobs.forEach((row, b) =>
    assertClose(row, free.logprobs[b].slice(0, row.length), "logprobs", 1e-6)
  );
  assert.deepEqual(await generate(model, PROMPTS, { ...options, eos: null }), free); // none is left ended
  const byConfig = await generate(model, PROMPTS, options);
  assert.deepEqual(byConfig, await generate(model, PROMPTS, { ...options, eos: 4 }));
});

testOnDevices(
  "generateStream() reports in blocks what generate() gives at once",
  async (device) => {
    using model = frozen(device);
    const options = { maxNewTokens: 11, seed: 5 };
    const whole = await generate(model, PROMPTS, options);
    const got = PROMPTS.map((): { tokens: number[]; logprobs: number[]; finished: boolean } => ({
      tokens: [],
      logprobs: [],
      finished: false,
    }));
    for await (const tokenUpdates of generateStream(model, PROMPTS, { ...options, every: 3 })) {
      for (const { row, tokens, logprobs, finished } of tokenUpdates) {
        assert.ok(tokens.length >= 1 && tokens.length <= 3);
        got[row].tokens.push(...tokens);
        got[row].logprobs.push(...logprobs);
        got[row].finished = finished;
      }
    }
    assert.deepEqual(got.map(({ tokens }) => tokens), lists(whole));
    assert.deepEqual(got.map(({ finished }) => finished), whole.finished);
    assert.deepEqual(got.map(({ logprobs }) => Float32Array.from(logprobs)), whole.logprobs);
    for await (const _ of generateStream(model, PROMPTS, options)) break; // gives the model free
    assert.deepEqual(await generate(model, PROMPTS, options), whole);
  },
);

Deno.test("generate() follows the weights, which its recorded programs only refer to", async () => {
  using device = new CpuDevice();
  using model = frozen(device);
  const options = { maxNewTokens: 8, greedy: true, eos: null };
  const before = lists(await generate(model, PROMPTS, options));
  device.write(model.weights.get("wpe.weight"), new Float32Array(40 * 12).fill(0.3));
  const after = lists(await generate(model, PROMPTS, options));
  assert.notDeepEqual(after, before);
  assert.deepEqual(after, await slowly(model, PROMPTS, 8));
});

Deno.test("generate() refuses what cannot fit, before anything runs", async () => {
  using device = new CpuDevice();
  using model = frozen(device);
  const { live } = device.memory;
  const refuse = async (
    prompts: ArrayLike<number>[],
    options: Partial<GenerateOptions>,
    message: string,
  ) => {
    await assert.rejects(
      () => generate(model, prompts, { maxNewTokens: 4, ...options }),
      new RangeError(message),
    );
  };
  const long = new Int32Array(30);
  await refuse(
    [[1], long],
    { maxNewTokens: 11 },
    "Cannot generate 11 tokens as the model has 40 positions: prompt 1 takes 30 of them; " +
      "shorten it, or set maxNewTokens to at most 10",
  );
  await refuse(
    [new Int32Array(40)],
    {},
    "Cannot generate 4 tokens as the model has 40 positions: prompt 0 takes 40 of them; shorten it",
  );
  await refuse(
    [[1], []],
    {},
    "Cannot generate as a first token needs one before it: prompt 1 is empty; " +
      "start it with the EOS token",
  );
  await refuse(
    [[1, 23]],
    {},
    "Cannot generate as the model has 23 tokens: token 1 of prompt 0 is 23",
  );
  await refuse([], {}, "Cannot generate as there are no prompts");
  await refuse(
    [[1]],
    { maxNewTokens: 0 },
    "Cannot generate as maxNewTokens must be a positive integer: it is 0",
  );
  await refuse(
    [[1]],
    { temperature: -1 },
    "Cannot sample as the temperature must be positive: it is -1; " +
      "for the most probable token set greedy",
  );
  assert.equal(device.memory.live, live);
  const exact = await generate(model, [long], { maxNewTokens: 10, eos: null });
  assert.equal(exact.responses[0].length, 10);
});

testOnDevices("generate() refuses to run twice at once", async (device) => {
  using model = frozen(device);
  const first = generate(model, PROMPTS, { maxNewTokens: 4 });
  await assert.rejects(
    () => generate(model, PROMPTS, { maxNewTokens: 4 }),
    new Error(
      "Cannot generate as this model is generating already: await that call, or end its stream",
    ),
  );
  await first;
});

testOnDevices("Generator keeps few shapes, and gives all memory back", async (device) => {
  const start = device.memory.live;
  {
    using model = frozen(device);
    const weights = device.memory.live;
    {
      using generator = new Generator(model, { shapes: 2 });
      const sizes: number[] = [];
      for (let round = 0; round < 3; round++) {
        for (const count of [1, 2, 4]) { // three shapes: one is always recorded anew
          await generator.generate(PROMPTS.slice(0, count), { maxNewTokens: 3 });
        }
        sizes.push(device.memory.live);
      }
      assert.deepEqual(sizes, [sizes[0], sizes[0], sizes[0]]);
    }
    assert.equal(device.memory.live, weights);
    await generate(model, PROMPTS, { maxNewTokens: 3 });
    assert.ok(device.memory.live > weights);
  }
  assert.equal(device.memory.live, start);
});
