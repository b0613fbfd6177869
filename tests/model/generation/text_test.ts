/** Filters and stop strings in whole generations; penalties against transformers. @module */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Device } from "../../../kernels/device.ts";
import { loadGpt2 } from "../../../model/files/gpt2_folder.ts";
import { loadTokenizer } from "../../../model/files/tokenizer_file.ts";
import { generate } from "../../../model/generation/generate.ts";
import {
  generateText,
  StopScanner,
  type TextEnd,
  type TextOptions,
} from "../../../model/generation/text.ts";
import type { Gpt2 } from "../../../model/gpt2.ts";
import { responseRows } from "../../../model/rows.ts";
import type { Tokenizer } from "../../../model/tokenizer/tokenizer.ts";
import { assertClose } from "../../_close.ts";
import { testOnDevices } from "../../_devices.ts";
import { modelFolder } from "../../_fixtures.ts";
import { randomModel } from "../_model.ts";

const fixture = async <T>(name: string): Promise<T> =>
  JSON.parse(await Deno.readTextFile(`${modelFolder(name)}.json`));

testOnDevices("transformers' greedy tokens under a repetition penalty, ragged", async (device) => {
  const { greedy } = await fixture<{
    greedy: { model: string; repetitionPenalty: number; responses: number[][] }[];
  }>("sampling");
  for (const { model: name, repetitionPenalty, responses } of greedy) {
    const { greedy: { prompts, maxNewTokens, eos } } = await fixture<{
      greedy: { prompts: number[][]; maxNewTokens: number; eos: number };
    }>(`gpt2-${name}`);
    using model = await loadGpt2(device, modelFolder(`gpt2-${name}`), { frozen: true });
    const options = { maxNewTokens, greedy: true, eos };
    const plain = await generate(model, prompts, options);
    const got = await generate(model, prompts, { ...options, repetitionPenalty });
    assert.deepEqual(got.responses.map((ids) => [...ids]), responses);
    assert.notDeepEqual(plain.responses, got.responses);
    assert.deepEqual(got.finished, responses.map((ids) => ids.at(-1) === eos));
  }
});

const CONFIG = { vocab_size: 512, n_positions: 48, n_embd: 12, n_layer: 2, n_head: 3 };
const PROMPTS = ["red", "the colour of the sea at night", "2 + 2", "a"];

async function setUp(device: Device): Promise<{ model: Gpt2; tokenizer: Tokenizer }> {
  const tokenizer = await loadTokenizer(`${modelFolder("bpe_tokenizer")}.json`);
  const config = { ...CONFIG, eos_token_id: tokenizer.eosId };
  return { model: randomModel(device, config, { frozen: true }), tokenizer };
}

testOnDevices(
  "filters hold in every step, and logprobs stay those of evaluate()",
  async (device) => {
    const { model, tokenizer } = await setUp(device);
    using _ = model;
    const prompts = PROMPTS.map((prompt) => tokenizer.encode(prompt));
    const options = { maxNewTokens: 9, temperature: 1.5, seed: 4, eos: null, topK: 3 };
    const drawn = await generate(model, prompts, options);
    const rows = responseRows(drawn), V = CONFIG.vocab_size;
    const [logits, { logprob }] = [
      await model.logits(rows),
      await model.evaluate(rows, { temperature: 1.5 }),
    ];
    assertClose(drawn.logprobs.flatMap((row) => [...row]), logprob, "logprobs", 1e-4);
    const asDrawn = await generate(model, prompts, { ...options, filteredLogprobs: true });
    assert.deepEqual(asDrawn.responses, drawn.responses);
    const lps = asDrawn.logprobs.flatMap((row) => [...row]);
    rows.target.forEach((token, i) => {
      const row = [...logits.subarray(i * V, (i + 1) * V)], best = row.toSorted((a, b) => b - a);
      const of3 = best.slice(0, 3).map((z) => Math.exp((z - best[0]) / 1.5));
      const p = Math.exp((row[token] - best[0]) / 1.5) / of3.reduce((a, b) => a + b);
      assert.ok(row[token] >= best[2] - 1e-4, `token ${i} is not one of the three best`);
      assertClose([lps[i]], [Math.log(p)], "as drawn", 1e-3);
    });
    const parts = [0, 1, 2, 3].map((b) => prompts.slice(b, b + 1));
    for (const [b, part] of parts.entries()) { // whatever the batch
      const alone = await generate(model, part, { ...options, row0: b });
      assert.deepEqual(alone.responses[0], drawn.responses[b]);
    }
    const off = { topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 };
    const before = await generate(model, prompts, { ...options, topK: undefined });
    assert.deepEqual(await generate(model, prompts, { ...options, ...off }), before);
    assert.notDeepEqual(before.responses, drawn.responses);
  },
);

/** Texts and ends of all rows, put together from the reports. */
async function texts(
  parts: { model: Gpt2; tokenizer: Tokenizer },
  options: TextOptions,
): Promise<{ text: string; end?: TextEnd }[]> {
  const rows = PROMPTS.map((): { text: string; end?: TextEnd } => ({ text: "" }));
  for await (const tokenUpdates of generateText(parts, PROMPTS, options)) {
    for (const { row, text, end } of tokenUpdates) {
      assert.equal(rows[row].end, undefined, "a report of a row that had ended");
      rows[row].text += text;
      if (end) rows[row].end = end;
    }
  }
  return rows;
}

testOnDevices(
  "stop strings cut each row where they come, in blocks of any size",
  async (device) => {
    const parts = await setUp(device);
    using _ = parts.model;
    const { model, tokenizer } = parts, options = { maxNewTokens: 18, seed: 6, temperature: 1.2 };
    const prompts = PROMPTS.map((prompt) => tokenizer.encode(prompt));
    const { responses } = await generate(model, prompts, { ...options, eos: tokenizer.eosId });
    const whole = await texts(parts, options);
    assert.deepEqual(
      whole.map(({ text }) => text),
      responses.map((ids) => tokenizer.decode(ids)),
    );
    const pieces = [...responses[1].subarray(4, 6)].map((id) => tokenizer.decode([id]));
    const across = pieces[0].slice(-1) + pieces[1].slice(0, 1), letter = whole[2].text[7];
    assert.equal(pieces.join("").includes(across) && across.length, 2); // of two tokens
    for (const stop of [[across], [letter], [across, letter, "never in it"]]) {
      const want = whole.map(({ text, end }) => {
        const at = Math.min(...stop.map((s) => text.indexOf(s)).filter((i) => i >= 0));
        return at < Infinity ? { text: text.slice(0, at), end: "stop" } : { text, end };
      });
      for (const every of [1, 4, 16]) {
        assert.deepEqual(await texts(parts, { ...options, stop, every }), want);
      }
      assert.ok(want.some(({ end }) => end === "stop"));
    }
    assert.ok(whole.every(({ end }) => end === "length" || end === "eos"));
    await generate(model, prompts, options); // an early stop gives the model free
  },
);

Deno.test("StopScanner cuts at the first stop string to be complete, however text arrives", () => {
  const letters = (max: number) =>
    fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: max });
  fc.assert(
    fc.property(
      letters(12),
      fc.array(letters(4).filter((text) => text !== ""), { maxLength: 3 }),
      fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 5 }),
      (text, stops, cuts) => {
        let want = text, found = false;
        for (let end = 1; end <= text.length && !found; end++) {
          const ends = stops.filter((stop) => text.slice(0, end).endsWith(stop));
          if (ends.length === 0) continue;
          want = text.slice(0, end - Math.max(...ends.map((stop) => stop.length)));
          found = true;
        }
        const scanner = new StopScanner(stops);
        const at = [0, ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b)];
        let got = "";
        at.forEach((from, i) => got += scanner.push(text.slice(from, at[i + 1])));
        assert.equal(scanner.found, found);
        assert.equal(got + scanner.end(), want);
      },
    ),
    { seed: 1, numRuns: 3000 },
  );
});

Deno.test("StopScanner shows at once what cannot begin a stop string, and refuses none", () => {
  const scanner = new StopScanner(["END.", "\n\n"]);
  assert.deepEqual(["x", "yE", "N", "T", "\n", "a\n", "\nb", "c"].map((p) => scanner.push(p)), [
    "x",
    "y",
    "",
    "ENT",
    "",
    "\na",
    "",
    "",
  ]);
  assert.ok(scanner.found);
  for (const stop of ["", "\ud83d"]) {
    assert.throws(
      () => new StopScanner(["fine", stop]),
      new RangeError(
        `Cannot stop at a text as it must have whole characters: it is ${JSON.stringify(stop)}`,
      ),
    );
  }
});
