/** Folders that may come from anywhere: what is no file of theirs is not read, and reading ends. @module */
import assert from "node:assert/strict";
import { CpuDevice } from "../../../kernels/devices/cpu.ts";
import { type DenoFile, denoFolder, readIfThere } from "../../../model/files/deno_folder.ts";
import { loadSentenceEmbedder } from "../../../model/files/encoder_folder.ts";
import { hasFile, readJson } from "../../../model/files/folder_source.ts";
import { loadGpt2 } from "../../../model/files/gpt2_folder.ts";
import { saveGpt2 } from "../../../model/files/gpt2_save.ts";
import { copyTokenizer } from "../../../model/files/tokenizer_copy.ts";
import { loadTokenizer } from "../../../model/files/tokenizer_file.ts";
import { findModel } from "../../../model/hub/find_model.ts";
import { describeModel } from "../../../model/hub/load.ts";
import { modelFolder } from "../../_fixtures.ts";
import { inTemporary } from "../../_folder.ts";
import { randomModel, SMALL } from "../_model.ts";

const isPosix = Deno.build.os !== "windows";
const TEXTS = [
  ...["config.json", "generation_config.json", "adapter_config.json", "tokenizer.json"],
  ...["tokenizer_config.json", "special_tokens_map.json", "vocab.json", "merges.txt"],
  ...[
    "added_tokens.json",
    "chat_template.jinja",
    "sentence_bert_config.json",
    "1_Pooling/config.json",
  ],
];
const WEIGHTS = [
  ...["model.safetensors", "model.safetensors.index.json", "adapter_model.safetensors"],
  "value_head.safetensors",
];

/** Makes the pipe, link or folder that stands where a file should. */
const stands: [string, (path: string) => Promise<unknown>, RegExp][] = [
  ["a folder", (path) => Deno.mkdir(path), /must be a regular file: it is a folder$/],
  [
    "a pipe",
    (path) => new Deno.Command("mkfifo", { args: [path] }).output(),
    /must be a regular file: it is a device, pipe or socket$/,
  ],
  ["a link to a device", (path) => Deno.symlink("/dev/zero", path), /a link that leads out of its/],
  ["a link to a file of the machine", (path) => Deno.symlink("/etc/hostname", path), /leads out/],
];
for (const [what, make, message] of stands) {
  if (!isPosix) continue;
  inTemporary(
    `${what} in place of any file of a model is refused, and not waited for`,
    async (folder) => {
      await Deno.mkdir(`${folder}/1_Pooling`);
      const source = denoFolder(folder);
      for (const name of [...TEXTS, ...WEIGHTS]) {
        const path = `${folder}/${name}`;
        await make(path);
        await assert.rejects(source.readText(name), message, name);
        await assert.rejects(source.openRange(name), message, name);
        await assert.rejects(readIfThere(path), message, name);
        await Deno.remove(path);
        assert.equal(await source.readText(name), undefined);
      }
    },
  );
}

if (isPosix) {
  inTemporary(
    "models, adapters, tokenizers and encoders say it, each of its files",
    async (place) => {
      using device = new CpuDevice();
      const folders = [
        ["gpt2-a", ["config.json", "model.safetensors"], (path: string) => loadGpt2(device, path)],
        [
          "family-neo",
          ["model.safetensors.index.json", "model-00002-of-00003.safetensors"],
          (path: string) => loadGpt2(device, path),
        ],
        [
          "lora-a",
          ["adapter_config.json", "adapter_model.safetensors"],
          (path: string) => loadGpt2(device, path, { base: modelFolder("gpt2-a") }),
        ],
        [
          "bert-a",
          ["config.json", "model.safetensors", "tokenizer.json"],
          (path: string) => loadSentenceEmbedder(device, path),
        ],
        ["gpt2-b", ["model.safetensors"], (path: string) => findModel(path)],
        ["gpt2-b", ["config.json"], (path: string) => describeModel(path)],
      ] as const;
      for (const [from, names, load] of folders) {
        for (const bad of names) {
          const folder = `${place}/${from}`;
          await Deno.mkdir(folder);
          for await (const { name } of Deno.readDir(modelFolder(from))) {
            if (name !== bad) {
              await Deno.copyFile(`${modelFolder(from)}/${name}`, `${folder}/${name}`);
            }
          }
          await new Deno.Command("mkfifo", { args: [`${folder}/${bad}`] }).output();
          await assert.rejects(
            () => load(folder) as Promise<unknown>,
            /must be a regular file/,
            bad,
          );
          await Deno.remove(folder, { recursive: true });
        }
      }
      assert.equal(device.memory.live, 0);
    },
  );

  inTemporary("nothing that a link leads to gets into what is saved", async (place) => {
    const from = `${place}/model`, to = `${place}/copy`;
    await Deno.mkdir(from);
    await Deno.mkdir(to);
    await Deno.writeTextFile(`${place}/secret`, '{"a": "secret"}');
    await Deno.symlink(`${place}/secret`, `${from}/tokenizer.json`);
    await assert.rejects(copyTokenizer(to, from, null), /leads out of its folder/);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(to)), []);
    await Deno.remove(`${from}/tokenizer.json`);
    await Deno.copyFile(modelFolder("bpe_tokenizer.json"), `${from}/tokenizer.json`);
    await Deno.symlink(`${place}/secret`, `${from}/special_tokens_map.json`);
    await assert.rejects(
      copyTokenizer(to, from, null),
      /leads out of its folder/,
      "nor left out in silence",
    );
  });

  inTemporary(
    "links inside a folder, to a folder, and of a hub's cache are followed",
    async (place) => {
      using device = new CpuDevice();
      using model = randomModel(device, SMALL, { frozen: true });
      await saveGpt2(model, `${place}/model`);
      await Deno.rename(`${place}/model/model.safetensors`, `${place}/model/weights`);
      await Deno.symlink("weights", `${place}/model/model.safetensors`);
      await Deno.symlink(`${place}/model`, `${place}/link`);
      const home = `${place}/models--someone--small`, hash = "a".repeat(64);
      await Deno.mkdir(`${home}/snapshots/${"b".repeat(40)}`, { recursive: true });
      await Deno.mkdir(`${home}/blobs`);
      await Deno.copyFile(`${place}/model/weights`, `${home}/blobs/${hash}`);
      const snapshot = `${home}/snapshots/${"b".repeat(40)}`;
      await Deno.symlink(`../../blobs/${hash}`, `${snapshot}/model.safetensors`);
      await Deno.copyFile(`${place}/model/config.json`, `${snapshot}/config.json`);
      for (const folder of ["model", "link", snapshot.slice(place.length + 1)]) {
        using loaded = await loadGpt2(device, `${place}/${folder}`, { frozen: true });
        assert.equal(loaded.dims.V, SMALL.vocab_size);
      }
      await Deno.symlink("nowhere", `${place}/model/tokenizer.json`);
      assert.equal(await hasFile(denoFolder(`${place}/model`), "tokenizer.json"), false);
      await Deno.rename(`${home}/blobs/${hash}`, `${home}/blobs/other`);
      await Deno.remove(`${snapshot}/model.safetensors`);
      await Deno.symlink("../../blobs/other", `${snapshot}/model.safetensors`);
      await assert.rejects(loadGpt2(device, snapshot), /leads out of its folder/);
    },
  );
}

inTemporary("a file that is read as a whole may be as long as such files are", async (folder) => {
  const source = denoFolder(folder);
  for (const [name, most] of [["config.json", 2 ** 24], ["tokenizer.json", 2 ** 27]] as const) {
    const path = `${folder}/${name}`;
    await Deno.writeTextFile(path, "{}");
    assert.equal(await source.readText(name), "{}");
    await Deno.truncate(path, most + 1);
    await assert.rejects(source.readText(name), (error: Error) => {
      assert.match(error.message, new RegExp(`${name} as it may have ${most} bytes`));
      return true;
    });
  }
  await Deno.writeTextFile(`${folder}/config.json`, "\ufeff{}");
  assert.equal(await source.readText("config.json"), "\ufeff{}", "what is there, to a byte");
});

inTemporary(
  "a file that grows between its size and its reading is read as it now is",
  async (folder) => {
    const path = `${folder}/metrics.csv`, row = "1,2,3\n";
    await Deno.writeTextFile(path, row);
    using file = await denoFolder(folder).openRange("metrics.csv") as DenoFile;
    assert.equal(file.size, row.length);
    await Deno.writeTextFile(path, row.repeat(1000), { append: true });
    assert.equal(await file.text(path, 1e6), row.repeat(1001));
    await assert.rejects(file.text(path, 6005), /may have 6005 bytes: it has 6006 or more/);
    assert.equal((await file.text(path, 6006)).length, 6006);
  },
);

inTemporary("JSON that nests deep, and JSON of other kinds, is one sentence", async (folder) => {
  using device = new CpuDevice();
  const path = `${folder}/config.json`;
  const write = (text: string) => Deno.writeTextFile(path, text);
  await write("[".repeat(100_000));
  await assert.rejects(loadGpt2(device, folder), {
    name: "TypeError",
    message: /config.json as it must be JSON: more than 64 levels at character 64$/,
  });
  await write(`{"a": ${"[".repeat(100_000)}${"]".repeat(100_000)}}`);
  for (const load of [loadGpt2, loadSentenceEmbedder]) {
    await assert.rejects(load(device, folder) as Promise<unknown>, /more than 64 levels/);
  }
  const value = { a: `${"[".repeat(100)}\\"[`, b: [[{ c: [] }]] }; // brackets in a text are none
  await write(JSON.stringify(value));
  assert.deepEqual(await readJson(denoFolder(folder), "config.json"), value);
  for (const name of ["sentence_bert_config.json", "1_Pooling/config.json"]) {
    await Deno.mkdir(`${folder}/1_Pooling`, { recursive: true });
    for (const text of ["null", "[1]", "3"]) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
      await assert.rejects(loadSentenceEmbedder(device, folder), /must be a JSON object: it is/);
    }
    await Deno.remove(`${folder}/${name}`);
  }
  await Deno.writeTextFile(`${folder}/adapter_config.json`, "null");
  await assert.rejects(
    loadGpt2(device, folder),
    /adapter_config.json as only plain LoRA .* it is not an/,
  );
  await Deno.writeTextFile(`${folder}/adapter_config.json`, `{"peft_type": "${"y".repeat(5e6)}"}`);
  await assert.rejects(loadGpt2(device, folder), (error: Error) => error.message.length < 1500);
});

inTemporary(
  "a tokenizer.json of null is one that is not whole, not one that is not there",
  async (folder) => {
    await Deno.writeTextFile(`${folder}/tokenizer.json`, "null");
    await assert.rejects(
      loadTokenizer(folder),
      /tokenizer\.json as a tokenizer\.json has other parts/,
    );
  },
);
