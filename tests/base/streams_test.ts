/** Pins the draws of every stream: a run that is repeated or resumed must draw what it drew before. @module */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  drawWords,
  permutation,
  philox,
  type RandomStream,
  type RandomStreams,
  STREAMS,
  type Words,
  wordsOf,
} from "../../base/random.ts";
import { Random } from "../../experiment/pretraining/random.ts";
import { examplesFrom } from "../../experiment/rollout.ts";
import { upload } from "../../kernels/tensor.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { sample, sampleControl } from "../../kernels/sample.ts";
import { initialise } from "../../model/params.ts";
import { fillNormal, fillUniform } from "../../model/random.ts";
import { assertClose } from "../_close.ts";
import { testOnDevices } from "../_devices.ts";
import { randomModel, SMALL } from "../model/_model.ts";
import { TablePolicy } from "../rl/_table_policy.ts";

const SEED = 2 ** 33 + 7; // both words count

type Place<S extends keyof RandomStreams> = Parameters<RandomStreams[S]["counter"]>[0];

/** First words of every stream: places, and the word there. */
const FIRST: { readonly [S in keyof RandomStreams]: readonly (readonly [Place<S>, number])[] } = {
  weights: [
    [{ block: 0, parameter: 0 }, 1537823000],
    [{ block: 5, parameter: 1 }, 2094048610],
  ],
  adapter: [
    [{ block: 0, parameter: 0 }, 1759079640],
    [{ block: 5, parameter: 1 }, 17608869],
  ],
  sampler: [
    [{ row: 0, token: 0, step: 0 }, 150587375],
    [{ row: 1, token: 2, step: 3 }, 2786942485],
  ],
  promptOrder: [
    [{ index: 1, epoch: 0 }, 1109035621],
    [{ index: 11, epoch: 3 }, 3565388796],
  ],
  minibatchOrder: [
    [{ index: 1, step: 0, epoch: 0 }, 3712813061],
    [{ index: 11, step: 5, epoch: 1 }, 2521233302],
  ],
  tablePolicy: [
    [{ row: 0, token: 0, step: 3 }, 2346829691],
    [{ row: 1, token: 2, step: 3 }, 1313639256],
  ],
  valueHead: [
    [{ block: 0, parameter: 0 }, 2826395412],
    [{ block: 5, parameter: 0 }, 3969313613],
  ],
  heldout: [
    [{ index: 1 }, 2724832527],
    [{ index: 11 }, 56994522],
  ],
  problems: [
    [{ draw: 0, problem: 0, level: 1 }, 2283686369],
    [{ draw: 3, problem: 7, level: 4 }, 479456631],
  ],
  bootstrap: [
    [{ block: 0, resample: 0 }, 3801337498],
    [{ block: 5, resample: 1 }, 2918467414],
  ],
};

Deno.test("every stream draws the words that it always drew", () => {
  assert.deepEqual(Object.keys(FIRST), Object.keys(STREAMS), "a stream without a pin");
  for (const [name, places] of Object.entries(FIRST)) {
    for (const [place, word] of places) {
      const stream = STREAMS[name as keyof RandomStreams] as RandomStream<string>;
      assert.equal(
        drawWords(stream, SEED, place as Record<string, number>)[0],
        word,
        `the first word of ${name}`,
      );
    }
  }
});

testOnDevices("sample() draws from the sampler's stream", async (device) => {
  const [B, S, V, row0, step] = [3, 5, 1000, 2, 3];
  const words = (n: number, label: string) => upload(device, new Uint32Array(n), label);
  const control = sampleControl({ seed: SEED, stream: step, row0, temperature: 1 });
  const x = {
    logits: upload(device, new Float32Array(B * V), "logits"), // all equal: token = floor(u V)
    control: upload(device, control, "control"),
    position: words(B, "position"),
    finished: words(B, "finished"),
    drawn: words(B, "drawn"),
    token: words(B, "token"),
    tokens: words(B * S, "tokens"),
    logprobs: upload(device, new Float32Array(B * S), "logprobs"),
  };
  for (let t = 1; t < S; t++) sample(device, x, { B, V, ld: V, S });
  const [tokens] = await device.read(x.tokens);
  for (let b = 0; b < B; b++) {
    const want = Array.from({ length: S - 1 }, (_, token) => {
      const [word] = drawWords(STREAMS.sampler, SEED, { row: row0 + b, token, step });
      return Math.floor((word >>> 8) * 2 ** -24 * V);
    });
    assert.deepEqual([...tokens.slice(b * S + 1, (b + 1) * S)], want, `row ${b}`);
  }
});

Deno.test("fresh weights and adapters are drawn from their streams", () => {
  for (const name of ["weights", "adapter"] as const) {
    const parameter = 1, stream = STREAMS[name], out = new Float32Array(6);
    fillUniform(out, { bound: 1, seed: SEED, parameter, stream });
    const want = [0, 1].flatMap((block) =>
      drawWords(STREAMS[name], SEED, { block, parameter })
        .map((word) => Math.fround(2 * ((word + 0.5) / 2 ** 32) - 1))
    );
    assert.deepEqual([...out], want.slice(0, 6), name);
  }
  const normal = new Float32Array(6);
  fillNormal(normal, { std: 1, seed: SEED, parameter: 1 });
  const want = [-0.411738, -0.495338, -0.182665, 0.15611, -1.398484, 0.953997];
  assertClose(normal, want, "normal", 1e-6);
});

Deno.test("a model and its adapter take their first numbers from streams of their own", async () => {
  using device = new CpuDevice();
  using model = randomModel(device, SMALL, { lora: { rank: 2 } });
  initialise(model.weights, SEED);
  model.adapter!.initialise(SEED);
  const both = [["weights", model.weights], ["adapter", model.adapter!.parameters]] as const;
  for (const [name, parameters] of both) {
    const at = parameters.layout.parameters.findIndex(({ init }) => !("value" in init));
    const { name: first, length, init } = parameters.layout.parameters[at];
    const want = new Float32Array(length), draws = { seed: SEED, parameter: at };
    const stream = STREAMS[name];
    if ("bound" in init) fillUniform(want, { bound: init.bound, ...draws, stream });
    else if ("std" in init) fillNormal(want, { std: init.std, ...draws, stream });
    assert.deepEqual((await device.read(parameters.get(first)))[0], want, `${name}: ${first}`);
  }
});

Deno.test("orders of prompts and of minibatches are those of always", () => {
  const twelve = (step: number, epoch: number) => permutation(12, { seed: SEED, step, epoch });
  assert.deepEqual(twelve(0, 0), [6, 8, 4, 3, 10, 1, 7, 2, 11, 5, 0, 9]);
  assert.deepEqual(twelve(0, 3), [8, 2, 5, 9, 6, 4, 10, 7, 0, 1, 3, 11]);
  assert.deepEqual(twelve(5, 1), [10, 0, 6, 9, 4, 8, 1, 5, 11, 3, 2, 7]);
  const prompts = [0, 1].map((epoch) =>
    permutation(12, { seed: SEED, step: 5, epoch }, STREAMS.promptOrder) // which knows no step
  );
  assert.deepEqual(prompts, [
    [5, 11, 9, 4, 3, 1, 0, 2, 10, 8, 6, 7],
    [9, 8, 0, 10, 11, 2, 4, 5, 7, 1, 3, 6],
  ]);
  const examples = Array.from({ length: 12 }, (_, i) => ({ id: String(i), prompt: "" }));
  const of = (step: number) => examplesFrom(examples, { from: step * 8, count: 8, seed: SEED });
  const ids = [...of(0), ...of(1), ...of(2)].map(({ id }) => Number(id));
  assert.deepEqual(ids, prompts.flat());
});

Deno.test("the policy of tests and the text of the default model draw what they always drew", async () => {
  const options = { maxNewTokens: 6, temperature: 1, seed: 7, stream: 3 };
  const prompts = [Int32Array.of(1), Int32Array.of(2)];
  const { responses } = await new TablePolicy(97).generate(prompts, options);
  assert.deepEqual(responses.map((ids) => [...ids]), [
    [54, 46, 58, 51, 57, 72],
    [11, 65, 22, 53, 96, 81],
  ]);
  const [word] = drawWords(STREAMS.tablePolicy, 7, { row: 1, token: 0, step: 3 });
  assert.equal(responses[1][0], Math.floor(word / 2 ** 32 * 97));
  const text = new Random(7);
  const words = Array.from({ length: 4 }, () => text.next() * 2 ** 32);
  assert.deepEqual(words, [50271532, 266108690, 4195786334, 3002305430]);
});

Deno.test("no two streams, places or seeds share a counter and a key", () => {
  const streams = Object.values(STREAMS) as RandomStream<string>[];
  assert.deepEqual(streams.map(({ id }) => id), streams.map((_, at) => at));
  const parts = [...new Set(streams.flatMap(({ place }) => place))];
  const word = fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 2 ** 32 - 1 }));
  const anyPlace = fc.record(Object.fromEntries(parts.map((part) => [part, word])));
  const seed = fc.oneof(
    fc.nat({ max: 3 }),
    fc.constantFrom(2 ** 32, 2 ** 32 + 1, 2 ** 52 + 1),
    fc.integer({ min: 0, max: 2 ** 53 - 1 }),
  );
  // What a draw depends on, and what it must depend on.
  const wordsAt = (stream: RandomStream<string>, at: Record<string, number>, seed: number) =>
    `${[...stream.counter(at), ...wordsOf(seed)]}`;
  const nameOf = (stream: RandomStream<string>, at: Record<string, number>, seed: number) =>
    `${stream.use} ${stream.place.map((part) => at[part])} ${seed}`;
  for (const one of streams) {
    for (const other of streams) {
      fc.assert(fc.property(anyPlace, anyPlace, seed, seed, (at, elsewhere, seed, another) => {
        for (const [place, key] of [[at, seed], [at, another], [elsewhere, seed]] as const) {
          assert.equal(
            wordsAt(one, at, seed) === wordsAt(other, place, key),
            nameOf(one, at, seed) === nameOf(other, place, key),
          );
        }
      }));
    }
  }
});

Deno.test("every draw takes the whole seed", () => {
  const one = (seed: number) =>
    Object.values(STREAMS as Record<string, RandomStream<string>>).map((stream) =>
      drawWords(stream, seed, Object.fromEntries(stream.place.map((part) => [part, 1])))[0]
    );
  const all = [7, 8, 7 + 2 ** 32, 7 + 2 ** 52].flatMap(one);
  assert.equal(new Set(all).size, all.length);
  assert.notDeepEqual(
    permutation(64, { seed: 7, step: 0, epoch: 0 }),
    permutation(64, { seed: 7 + 2 ** 32, step: 0, epoch: 0 }),
  );
});

Deno.test("philox() is the definition in whole numbers, and takes the low 32 bits of each word", () => {
  const any = fc.bigInt({ min: 0n, max: 2n ** 32n - 1n });
  const M = 2n ** 32n;
  fc.assert(fc.property(fc.tuple(any, any, any, any), fc.tuple(any, any), (counter, key) => {
    let [a, b, c, d] = counter, [k, l] = key;
    for (let round = 0; round < 10; round++) {
      const x = 0xd2511f53n * a, z = 0xcd9e8d57n * c;
      [a, b, c, d] = [z / M ^ b ^ k, z % M, x / M ^ d ^ l, x % M];
      [k, l] = [(k + 0x9e3779b9n) % M, (l + 0xbb67ae85n) % M];
    }
    const numbers = counter.map(Number) as Words, two = key.map(Number) as [number, number];
    assert.deepEqual(philox(numbers, two), [a, b, c, d].map(Number));
    const over = numbers.map((word) => word + 2 ** 32) as Words;
    assert.deepEqual(philox(over, two), [a, b, c, d].map(Number));
  }));
  assert.deepEqual(wordsOf(2 ** 53 - 1), [0xffffffff, 2 ** 21 - 1]);
});
