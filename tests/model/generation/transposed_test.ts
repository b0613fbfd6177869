/** Decoding by transposed copies of the weights: the same bits, and never old ones. @module */
import assert from "node:assert/strict";
import type { Device } from "../../../kernels/device.ts";
import { CountingDevice } from "../../../kernels/devices/counting.ts";
import { prefersTransposed } from "../../../kernels/few_rows.ts";
import {
  type GenerateOptions,
  type Generation,
  Generator,
  reserveGeneration,
} from "../../../model/generation/generate.ts";
import { worthTransposing } from "../../../model/generation/transposed.ts";
import { Gpt2 } from "../../../model/gpt2.ts";
import { testOnDevices } from "../../_devices.ts";
import { posingAs } from "../../kernels/_op.ts";
import { randomModel } from "../_model.ts";

const CONFIG = {
  ...{ vocab_size: 23, n_positions: 40, n_embd: 12, n_layer: 3, n_head: 3 },
  eos_token_id: 4,
};
const PROMPTS = [[5, 2, 19, 7, 3], [22], [1, 9, 2, 2, 8, 14], [12, 12], [3]].map((ids) =>
  Int32Array.from(ids)
);

/** What was done on a device. */
interface Seen {
  /** Programs that ran. */
  readonly runs: string[];
  /** Products by (N, K) and by (K, N) in every program of decoding that was recorded. */
  readonly decodes: Record<"NT" | "NN", number>[];
}

/** `device` where it can prefer copies, the twins made to. */
function watched(device: Device): (Seen & { device: Device }) | undefined {
  if (device.kind === "cpu") device.tuning = { fewRows: { NN: "shuffle", NT: "shuffle" } };
  if (!prefersTransposed(device)) return undefined;
  const runs: string[] = [], decodes: Seen["decodes"] = [];
  let counts: Seen["decodes"][0] | undefined;
  const methods = (target: Device): Partial<Device> => ({
    launch(launch) {
      const orientation = launch.kernel.variant?.match(/^N[NT]/)?.[0] as "NN" | "NT" | undefined;
      if (orientation && counts) counts[orientation]++;
      target.launch(launch);
    },
    record(label, build) {
      if (label === "decode") decodes.push(counts = { NN: 0, NT: 0 });
      const program = target.record(label, build);
      counts = undefined;
      return { ...program, run: () => (runs.push(label), program.run()) };
    },
  });
  const watching = new Proxy(posingAs(device, {}), {
    get: (target, key) => Reflect.get(methods(target), key) ?? Reflect.get(target, key),
  });
  return { device: watching, runs, decodes };
}

/** Registers a test on every device that takes such copies. */
const testOnCopying = (
  name: string,
  body: (device: Device, seen: Seen) => Promise<void> | void,
): void =>
  testOnDevices(name, async (device) => {
    const watch = watched(device);
    if (watch) await body(watch.device, watch);
  });

const draw = (generator: Generator, options: Partial<GenerateOptions> = {}): Promise<Generation> =>
  generator.generate(PROMPTS, { maxNewTokens: 20, seed: 3, eos: null, ...options });

const copies = (runs: string[]): number =>
  runs.filter((label) => label === "transpose weights").length;

testOnCopying("decoding by transposed weights draws the same bits", async (device, { runs }) => {
  using model = randomModel(device, CONFIG, { frozen: true });
  using generator = new Generator(model);
  const got = await draw(generator);
  assert.equal(copies(runs), 1);
  // Below the number of tokens that copies are worth, part after part of the same draws.
  const short = await draw(generator, { maxNewTokens: 7 });
  assert.equal(copies(runs), 1);
  short.responses.forEach((tokens, b) => {
    assert.deepEqual(tokens, got.responses[b].subarray(0, 7));
    assert.deepEqual(short.logprobs[b], got.logprobs[b].subarray(0, 7));
  });
});

testOnCopying(
  "weights are copied before decoding where they were written to",
  async (device, { runs }) => {
    using model = randomModel(device, CONFIG, { frozen: true });
    using generator = new Generator(model);
    const before = await draw(generator), again = await draw(generator);
    assert.deepEqual(again, before);
    assert.equal(copies(runs), 1, "of weights that stayed");
    for (const name of ["h.0.attn.c_attn", "h.1.attn.c_proj", "h.2.mlp.c_fc", "h.2.mlp.c_proj"]) {
      const weight = model.weights.get(`${name}.weight`), [old] = await device.read(weight);
      const runsSoFar = copies(runs), last = await draw(generator);
      device.write(weight, (old as Float32Array<ArrayBuffer>).map((w) => -2 * w));
      const got = await draw(generator);
      assert.equal(copies(runs), runsSoFar + 1);
      assert.notDeepEqual(got.logprobs, last.logprobs, name);
      const short = await draw(generator, { maxNewTokens: 7 }); // without copies
      short.logprobs.forEach((row, b) => assert.deepEqual(row, got.logprobs[b].subarray(0, 7)));
    }
  },
);

testOnCopying(
  "decoding reads copies from as many tokens on as are worth it",
  async (device, seen) => {
    using model = randomModel(device, CONFIG, { frozen: true });
    using generator = new Generator(model);
    for (const maxNewTokens of [7, 8]) await draw(generator, { maxNewTokens }); // in 16 slots each
    assert.deepEqual(seen.decodes, [{ NN: 12, NT: 1 }, { NN: 0, NT: 13 }]); // four a layer, and the head
  },
);

testOnCopying(
  "a stream sees weights that are written to while it runs",
  async (device, { runs }) => {
    using model = randomModel(device, CONFIG, { frozen: true });
    using generator = new Generator(model);
    const options = { maxNewTokens: 12, eos: null, every: 4 };
    let counts = 0;
    for await (const _ of generator.stream(PROMPTS, options)) {
      if (++counts === 2) device.zero(model.weights.get("h.0.mlp.c_fc.weight"));
    }
    assert.equal(copies(runs), 2);
  },
);

testOnCopying("copies are made where they are worth it", (device) => {
  using model = randomModel(device, CONFIG, { frozen: true });
  const { weights: { layout } } = model;
  assert.deepEqual([1, 7, 8, 99].map((n) => worthTransposing(device, layout, n)), [
    ...[false, false, true, true],
  ]);
  const { kind, name, software, limits, features, tuning } = device;
  const like = { kind, name, software, features, tuning };
  const worthOn = (change: Partial<ConstructorParameters<typeof CountingDevice>[0]>): boolean => {
    using other = new CountingDevice({ ...like, limits, ...change });
    return worthTransposing(other, layout, 99);
  };
  assert.ok(worthOn({}));
  assert.ok(!worthOn({ tuning: { fewRows: { NN: "parts", NT: "shuffle" } } }));
  assert.ok(!worthOn({ tuning: { fewRows: { NN: "shuffle", NT: "along_k" } } }));
  assert.ok(!worthOn({ limits: { ...limits, maxBinding: 1024 } }), "a weight of several bindings");
  using odd = randomModel(device, { ...CONFIG, n_embd: 6, n_head: 3 }, { frozen: true });
  assert.ok(!worthTransposing(device, odd.weights.layout, 99), "no whole fours");
  using half = randomModel(device, CONFIG, { frozen: true, matrixDtype: "f16" });
  assert.ok(!worthTransposing(device, half.weights.layout, 99), "f16");
});

Deno.test("reserveGeneration() plans for the copies", () => {
  const limits = { maxBinding: 2 ** 27, maxBuffer: 2 ** 28 };
  const features = new Set(["subgroups-8"]);
  const bytes = (maxNewTokens: number): number => {
    using device = new CountingDevice({
      ...{ kind: "webgpu", name: "counts", software: true, limits, features } as const,
    });
    using model = Gpt2.create(device, CONFIG, { frozen: true });
    const before = device.peakByKind.get("weights")!;
    reserveGeneration(model, { prompts: 4, promptTokens: 8, maxNewTokens });
    return device.peakByKind.get("weights")! - before;
  };
  assert.equal(bytes(7), 0);
  assert.ok(bytes(8) >= 3 * 4 * 12 * 12 * 12, "12 C^2 numbers a layer");
});
