/** Folders as transformers and PEFT save them, against what they compute: `tests/fixtures/saved.py`. @module */
import assert from "node:assert/strict";
import { CpuDevice } from "../../../kernels/devices/cpu.ts";
import { loadGpt2 } from "../../../model/files/gpt2_folder.ts";
import { openSafetensors } from "../../../model/files/safetensors.ts";
import { Generator } from "../../../model/generation/generate.ts";
import facts from "../../fixtures/saved.json" with { type: "json" };
import { assertClose } from "../../_close.ts";
import { modelFolder, rows } from "../../_fixtures.ts";

const { tokens, completions, refused } = facts;
const T = tokens[0].length;
const folderOf = (name: string): string => modelFolder(`saved/${name}`);

for (const [name, completion] of Object.entries(completions)) {
  Deno.test(`transformers' logits and greedy completion of the saved folder ${name}`, async () => {
    using device = new CpuDevice();
    using file = await openSafetensors(modelFolder("saved.safetensors"));
    const wanted = await file.read(name);
    const lengths = tokens.map(() => T);
    const { target, ...all } = rows({ tokens, lengths }, true);
    for (const merge of name.startsWith("lora-") ? [false, true] : [false]) {
      using model = await loadGpt2(device, folderOf(name), { frozen: true, merge });
      const logits = await model.logits({ ...all, target: target.fill(0) });
      assertClose(logits, wanted, "logits", 1e-5);
      if (completion === null) continue; // too close to call
      using generator = new Generator(model);
      const options = { maxNewTokens: completion.length, greedy: true, eos: null };
      const { responses: [drawn] } = await generator.generate([tokens[0].slice(0, 3)], options);
      assert.deepEqual([...drawn], completion);
    }
  });
}

Deno.test("folders that compute something else are refused, with the reason", async () => {
  using device = new CpuDevice();
  for (const [name, words] of Object.entries(refused)) {
    await assert.rejects(loadGpt2(device, folderOf(name), { frozen: true }), (error: Error) => {
      assert.match(error.message, /^Cannot (?:use|load|read)/, name);
      const said = error.message.replaceAll(folderOf(name), ""); // the path has such words too
      assert.ok(said.includes(words), `${name}: ${said}`);
      assert.ok(error.message.length < 1000, name);
      return true;
    });
    assert.equal(device.memory.live, 0, name);
  }
});

Deno.test("every folder that was saved is tested", async () => {
  const all = await Array.fromAsync(Deno.readDir(modelFolder("saved")), ({ name }) => name);
  assert.deepEqual(all.sort(), [...Object.keys(completions), ...Object.keys(refused)].sort());
  assert.ok(Object.values(completions).filter((one) => one !== null).length > 30);
});
