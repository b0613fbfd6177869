/** Which tokens end a text, by the files of a folder; what is generated and saved keeps to it. @module */
import assert from "node:assert/strict";
import { CpuDevice } from "../../../kernels/devices/cpu.ts";
import { endsOf, statedEnds, withoutEnd } from "../../../model/ends.ts";
import { loadGpt2, readConfig } from "../../../model/files/gpt2_folder.ts";
import { saveGpt2 } from "../../../model/files/gpt2_save.ts";
import { loadTokenizer, TOKENIZER_FILES } from "../../../model/files/tokenizer_file.ts";
import { generate } from "../../../model/generation/generate.ts";
import { generateText } from "../../../model/generation/text.ts";
import { testOnDevices } from "../../_devices.ts";
import { withFolder } from "../../_folder.ts";
import { folderOf, folders } from "../../_tokenizer_folders.ts";
import { randomModel } from "../_model.ts";

for (const [name, { files, eos, ends, vocab_size }] of Object.entries(folders)) {
  if (vocab_size === undefined) continue;
  Deno.test(`what ends the texts of the folder ${name} is what Python stops at`, async () => {
    const config = await readConfig(folderOf(name, files));
    const known = endsOf(ends).filter((id) => id < vocab_size);
    // Where config and generation config name none that the model has, the tokenizer is asked.
    const last = eos !== null && eos < vocab_size ? [eos] : [];
    assert.deepEqual(endsOf(config.eos_token_id), known.length > 0 ? known : last);
  });
}

Deno.test("a generation_config.json that names no token, or one without a row, is refused", async () => {
  const { files } = folders["gpt2-saved-fast"];
  const read = (eos_token_id: unknown) =>
    readConfig(folderOf("f", { ...files, "generation_config.json": { eos_token_id } }));
  for (const [value, shown] of [["2", '"2"'], [-1, "-1"], [[], "[]"], [[1, 2.5], "[1,2.5]"]]) {
    await assert.rejects(() => read(value), {
      name: "TypeError",
      message:
        "Cannot use f/generation_config.json as eos_token_id must be a token's id, or a list of " +
        `them: it is ${shown}`,
    });
  }
  await assert.rejects(() => read([3, 9999]), {
    name: "RangeError",
    message:
      /^Cannot use f\/generation_config.json as eos_token_id must be below vocab_size \d+: it is 9999$/,
  });
  assert.deepEqual((await read([4, 4])).eos_token_id, 4);
});

Deno.test("a response loses the end that it has, whichever of them that is", () => {
  const response = Int32Array.of(5, 2, 3);
  assert.deepEqual(withoutEnd(response, [7, 3]), Int32Array.of(5, 2));
  assert.deepEqual(withoutEnd(response, 3), Int32Array.of(5, 2));
  assert.equal(withoutEnd(response, [2, 5]), response);
  assert.equal(withoutEnd(response, null), response);
  assert.equal(withoutEnd(new Int32Array(0), [2]).length, 0);
  assert.deepEqual([[], [4], [4, 5]].map(statedEnds), [null, 4, [4, 5]]);
});

const SHAPE = { vocab_size: 24, n_positions: 48, n_embd: 12, n_layer: 1, n_head: 3 };
const PROMPTS = [[1, 2], [3], [4, 5, 6], [7]].map((ids) => Int32Array.from(ids));

testOnDevices(
  "a completion ends at the first of several ends, the end included",
  async (device) => {
    using model = randomModel(device, { ...SHAPE, eos_token_id: [21, 20] }, { frozen: true });
    const options = { maxNewTokens: 33, temperature: 1.5, seed: 1 };
    const free = await generate(model, PROMPTS, { ...options, eos: null });
    assert.ok(free.responses.every(({ length }) => length === 33));
    for (const ends of [[21, 20], [20, 21], [20, 21, 22, 23]]) {
      const got = await generate(model, PROMPTS, { ...options, eos: ends });
      free.responses.forEach((ids, b) => {
        const at = ids.findIndex((id) => ends.includes(id));
        const length = at < 0 ? ids.length : at + 1;
        assert.deepEqual(got.responses[b], ids.slice(0, length));
        assert.deepEqual(got.logprobs[b], free.logprobs[b].slice(0, length));
        assert.equal(got.finished[b], at >= 0);
      });
      assert.ok(got.responses.some((ids) => ids.at(-1) === ends[0]));
      assert.ok(got.responses.some((ids) => ends.slice(1).includes(ids.at(-1)!)));
    }
    const stated = await generate(model, PROMPTS, options);
    assert.deepEqual(stated, await generate(model, PROMPTS, { ...options, eos: [21, 20] }));
  },
);

testOnDevices("text ends at the model's end, not at the tokenizer's", async (device) => {
  const { files } = folders["end-renamed-in-generation-config"];
  const tokenizer = await loadTokenizer(folderOf("f", files));
  const own = endsOf((await readConfig(folderOf("f", files))).eos_token_id);
  assert.equal(tokenizer.tokenOf(own[0]), "<|im_end|>");
  assert.notEqual(tokenizer.eosId, own[0]);
  const config = { ...SHAPE, vocab_size: own[0] + 1 };
  using free = randomModel(device, { ...config, eos_token_id: null }, { frozen: true });
  const options = { maxNewTokens: 12, seed: 1 };
  const prompt = tokenizer.encode("red");
  const { responses: [ids] } = await generate(free, [prompt], options);
  const end = ids[5]; // any token that it draws will do
  using model = randomModel(device, { ...config, eos_token_id: [own[0], end] }, { frozen: true });
  let [text, why] = ["", ""];
  for await (const updates of generateText({ model, tokenizer }, ["red"], options)) {
    for (const update of updates) [text, why] = [text + update.text, update.end ?? why];
  }
  assert.equal(why, "eos");
  assert.equal(text, tokenizer.decode(ids.subarray(0, ids.indexOf(end))));
});

Deno.test("a saved folder names one end in all its files, and has all of its tokenizer's", async () => {
  using device = new CpuDevice();
  const { files } = folders["end-renamed-in-generation-config"];
  const more = {
    "chat_template.jinja": "{{ x }}",
    "special_tokens_map.json": { eos_token: "<|endoftext|>" },
  };
  const source = folderOf("f", { ...files, ...more });
  const tokenizer = await loadTokenizer(source);
  const [end, other] = ["<|im_end|>", "<|endoftext|>"].map((token) => tokenizer.idOf(token)!);
  const config = { ...SHAPE, vocab_size: tokenizer.vocabSize };
  await withFolder(async (folder) => {
    const json = async (name: string) => JSON.parse(await Deno.readTextFile(`${folder}/${name}`));
    const save = async (eos_token_id: number | number[] | null) => {
      using model = randomModel(device, { ...config, eos_token_id }, { frozen: true });
      await saveGpt2(model, folder, { tokenizer: source });
      const names = ["config.json", "generation_config.json", "tokenizer_config.json"];
      return (await Promise.all([...names, "special_tokens_map.json"].map(json)))
        .map(({ eos_token, eos_token_id = eos_token }) => eos_token_id);
    };
    assert.deepEqual(await save(end), [end, end, "<|im_end|>", "<|im_end|>"]);
    using read = await loadGpt2(device, folder, { frozen: true });
    assert.equal(read.config.eos_token_id, end);
    assert.equal((await loadTokenizer(folder)).eosId, end);
    assert.deepEqual(await save([other, end]), [
      [other, end],
      [other, end],
      "<|endoftext|>",
      "<|endoftext|>",
    ]);
    assert.deepEqual(await save(5), [5, 5, null, undefined]); // a token of the text is no mark
    const found = (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name))
      .filter((name) => (TOKENIZER_FILES as readonly string[]).includes(name)).sort();
    const own = Object.keys({ ...files, ...more })
      .filter((name) => (TOKENIZER_FILES as readonly string[]).includes(name)).sort();
    assert.deepEqual(found, own);
    assert.equal(await Deno.readTextFile(`${folder}/chat_template.jinja`), "{{ x }}");
  });
});
