/** How likely texts are, beside transformers' own logits and losses. */
import assert from "node:assert/strict";
import { loadGpt2 } from "../../model/files/gpt2_folder.ts";
import { Gpt2 } from "../../model/gpt2.ts";
import { reserveScoring, scoreTexts, type ScoringSizes } from "../../model/text_scorer.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";
import type { Device } from "../../kernels/device.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { assertClose } from "../_close.ts";
import { testOnDevices } from "../_devices.ts";
import { type Facts, modelFolder, readFixture } from "../_fixtures.ts";

/** A text is its ids: what a tokenizer makes of one is not in question here. */
const ids = {
  encode: (text: string) => Int32Array.from(text === "" ? [] : text.split(" ").map(Number)),
} as unknown as Tokenizer;

const { facts, tensors } = await readFixture<Facts>("gpt2-a");
const texts = facts.tokens.map((row, b) => row.slice(0, facts.lengths[b]));
const logits = tensors.get("logits")!; // (real tokens of all texts, V)
const firstRow = texts.map((_, b) =>
  texts.slice(0, b).reduce((sum, { length }) => sum + length, 0)
);
const V = logits.length / texts.flat().length;

/** -log p of tokens [from, to) of text b by transformers' logits. */
function nll(b: number, from: number, to = texts[b].length): number {
  let sum = 0;
  for (let t = from; t < to; t++) {
    const row = logits.subarray((firstRow[b] + t - 1) * V, (firstRow[b] + t) * V);
    const most = row.reduce((x, y) => Math.max(x, y));
    sum += most + Math.log(row.reduce((total, x) => total + Math.exp(x - most), 0)) -
      row[texts[b][t]];
  }
  return sum;
}

const load = (device: Device) => loadGpt2(device, modelFolder("gpt2-a"), { frozen: true });

testOnDevices(
  "scoreTexts() of texts alone is transformers' loss, from the second token on",
  async (device) => {
    using model = await load(device);
    const completions = texts.map((text) => text.join(" "));
    const scores = await scoreTexts(model, ids, { prompts: texts.map(() => ""), completions });
    assert.deepEqual(scores.map(({ tokens }) => tokens), facts.lengths.map((length) => length - 1));
    const sum = scores.reduce((total, score) => total + score.sum, 0);
    const tokens = scores.reduce((total, score) => total + score.tokens, 0);
    assertClose([sum / tokens], [facts.loss], "loss", 1e-5);
    assertClose(scores.map(({ sum }) => sum), texts.map((_, b) => nll(b, 1)), "each", 1e-4);
  },
);

testOnDevices(
  "scoreTexts() counts the completion's tokens alone, in batches of any size",
  async (device) => {
    using model = await load(device);
    const cuts = texts.flatMap((text, b) =>
      [1, 2, text.length - 1].filter((at) => at > 0 && at < text.length).map((at) => ({ b, at }))
    );
    const prompts = [...cuts.map(({ b, at }) => texts[b].slice(0, at).join(" ")), "3", ""];
    const completions = [...cuts.map(({ b, at }) => texts[b].slice(at).join(" ")), "", "5"];
    const want = [...cuts.map(({ b, at }) => nll(b, at)), 0, 0];
    const tokens = [...cuts.map(({ b, at }) => texts[b].length - at), 0, 0];
    const sizes: (ScoringSizes | undefined)[] = [
      undefined,
      { B: 1, treeRows: 1, R: 1 },
      { B: 3, treeRows: 4096, R: 4096 },
      { B: 9, treeRows: 20, R: 4096 },
      { B: 9, treeRows: 4096, R: 12 },
    ];
    const all: number[][] = [];
    for (const size of sizes) {
      for (const apart of [false, true]) {
        const scores = await scoreTexts(model, ids, { prompts, completions }, {
          sizes: size,
          apart,
        });
        assertClose(scores.map(({ sum }) => sum), want, `${JSON.stringify(size)}, ${apart}`, 1e-4);
        assert.deepEqual(scores.map((score) => score.tokens), tokens);
        assert.ok(scores.every(({ cut }) => !cut));
        all.push(scores.map(({ sum }) => sum));
      }
    }
    for (const sums of all) assert.deepEqual(sums, all[0]); // no batch changes a bit
  },
);

testOnDevices(
  "scoreTexts() keeps what fits: the completion, then the end of its prompt",
  async (device) => {
    const config = { vocab_size: 11, n_positions: 6, n_embd: 8, n_layer: 1, n_head: 2 };
    using model = Gpt2.create(device, { ...config, initializer_range: 0.5 }, {
      seed: 4,
      frozen: true,
    });
    const of = async (prompt: string, text: string) =>
      (await scoreTexts(model, ids, { prompts: [prompt], completions: [text] }))[0];
    const whole = await of("1 2 3 4", "5 6 7"); // six inputs: the last token is none
    assert.deepEqual([whole.tokens, whole.cut], [3, false]);
    const cut = await of("9 9 1 2 3 4", "5 6 7");
    assert.deepEqual(cut, { ...whole, cut: true });
    const long = await of("1 2 3 4", "5 6 7 8 9 10");
    assert.deepEqual(long, { ...await of("4", "5 6 7 8 9 10"), cut: true });
    assert.equal(long.tokens, 6);
    const longer = await of("4", "5 6 7 8 9 10 1 2 3");
    assert.deepEqual(longer, { ...await of("4", "5 6 7 8 9 10"), cut: true });
    const alone = await of("", "1 2 3 4 5 6 7 8 9");
    assert.deepEqual([alone.tokens, alone.cut], [6, true]);
  },
);

Deno.test("scoreTexts() leaves an adapter out where that is asked for", async () => {
  using device = new CpuDevice();
  using base = await load(device);
  using model = await loadGpt2(device, modelFolder("gpt2-a"), { lora: { rank: 2 }, seed: 1 });
  const B = model.adapter!.parameters;
  for (const { name, length } of B.layout.parameters) {
    device.write(B.get(name), Float32Array.from({ length }, (_, i) => Math.sin(i)));
  }
  const asked = { prompts: ["1 2"], completions: ["3 4 5"] };
  const [plain] = await scoreTexts(base, ids, asked);
  const [off] = await scoreTexts(model, ids, asked, { adapter: false });
  const [on] = await scoreTexts(model, ids, asked);
  assert.equal(off.sum, plain.sum);
  assert.ok(Math.abs(on.sum - plain.sum) > 0.1);
});

testOnDevices(
  "reserveScoring() takes what texts within its sizes take, and no more",
  async (device) => {
    const prompts = texts.flatMap((text) => Array<string>(5).fill(text.slice(0, 3).join(" ")));
    const completions = prompts.map((_, i) => `${i} 5 7 ${i} 9 ${i}`);
    for (const sizes of [{ B: 99, treeRows: 30, R: 999 }, { B: 99, treeRows: 999, R: 30 }]) {
      using model = await load(device);
      reserveScoring(model, sizes);
      const { live } = device.memory;
      await scoreTexts(model, ids, { prompts, completions }, { sizes });
      await scoreTexts(model, ids, { prompts: ["1"], completions: ["2"] }, { sizes });
      assert.equal(device.memory.live, live);
    }
  },
);
