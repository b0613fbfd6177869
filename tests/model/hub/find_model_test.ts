import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { findModel, modelFolder, sameModel } from "../../../model/hub/find_model.ts";
import { describeModel, loadTokenizer } from "../../../model/hub/load.ts";
import { isShipped, SHIPPED } from "../../../model/hub/shipped.ts";
import { FakeHub, ID } from "./_hub.ts";

Deno.test("a model of the hub is taken from the cache, or downloaded where that is permitted", async () => {
  const cache = await Deno.makeTempDir();
  try {
    await using hub = new FakeHub();
    // A host that the tests may not reach.
    const barred = { cache, offline: false, endpoint: "https://hub.test", token: "" };
    await assert.rejects(
      modelFolder(ID, barred),
      /no folder .*\/someone\/small-gpt2 .*, and the hub's cache does not have it as .*: deno task fetch someone\/small-gpt2$/,
    );
    const open = { ...barred, endpoint: hub.endpoint };
    await assert.rejects(modelFolder(ID, { ...open, offline: true }), /deno task fetch/);
    assert.equal(hub.seen.length, 0);
    const folder = await modelFolder(ID, open);
    const asked = hub.seen.length;
    assert.ok(asked > 0);
    assert.equal(await modelFolder(ID, open), folder);
    assert.equal(await modelFolder(ID, barred), folder);
    assert.equal(hub.seen.length, asked); // what is there is not asked for
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});

Deno.test("gpt2 without an owner is found under the name that it has today", async () => {
  const cache = await Deno.makeTempDir();
  try {
    await using hub = new FakeHub();
    const options = { cache, offline: false, endpoint: hub.endpoint, token: "" };
    const offline = modelFolder("gpt2", { ...options, offline: true });
    await assert.rejects(
      offline,
      /cache does not have it as .*models--openai-community--gpt2\. .*: deno task fetch gpt2$/,
    );
    const folder = await modelFolder("gpt2", options);
    assert.match(folder, /models--openai-community--gpt2\/snapshots/);
    assert.equal(await modelFolder("openai-community/gpt2", options), folder);
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});

Deno.test("what ships with the project is found by its name, wherever the program runs", async () => {
  for (const [name, url] of Object.entries(SHIPPED)) {
    const { folder, source } = await findModel(name);
    assert.equal(folder, fileURLToPath(url).replace(/\/$/, ""));
    assert.deepEqual([source.kind, source.kind === "folder" && source.path], ["folder", name]);
    const { config } = await describeModel(folder);
    const tokenizer = await loadTokenizer(folder, { modelVocab: config.vocab_size });
    for (const word of ["red", " small", "magenta"]) assert.equal(tokenizer.encode(word).length, 1);
  }
  assert.deepEqual(Object.keys(SHIPPED), ["tiny", "small"]);
  assert.ok(!isShipped("toString"));
  await assert.rejects(modelFolder("./tin"), /must be "tiny", "small", a folder with/);
});

Deno.test("a folder wins over a model of the hub; other names are refused", async () => {
  assert.equal(await modelFolder("assets/tiny", { cache: "/nowhere" }), "assets/tiny");
  await assert.rejects(modelFolder("deno.json"), /it is a file$/);
  const here = Deno.cwd();
  await assert.rejects(modelFolder("./none/such"), {
    message:
      /: there is no folder .*\/none\/such \(deno task starts at deno.json, and paths with it\)$/,
  });
  await assert.rejects(
    modelFolder("./none/such"),
    (e: Error) => e.message.includes(`${here}/none`),
  );
  await assert.rejects(modelFolder("/none/such"), /there is no folder \/none\/such$/);
  const long = `./${"x".repeat(1e6)}`;
  await assert.rejects(modelFolder(long), (error: Error) => error.message.length < 1500);
});

const A = "a".repeat(40), B = "b".repeat(40);

/** Makes a cache whose `main` is `commit`; the model there has these weights. */
async function writeCache(cache: string, commit: string, weights: string): Promise<string> {
  const home = `${cache}/models--someone--small-gpt2`;
  await Deno.mkdir(`${home}/refs`, { recursive: true });
  await Deno.mkdir(`${home}/snapshots/${commit}`, { recursive: true });
  await Deno.writeTextFile(`${home}/refs/main`, commit);
  for (const name of ["config.json", "tokenizer.json", "model.safetensors"]) {
    await Deno.writeTextFile(`${home}/snapshots/${commit}/${name}`, weights);
  }
  return `${home}/snapshots/${commit}`;
}

Deno.test("what a model of the hub was is found by its commit, wherever the branch is now", async () => {
  const cache = await Deno.makeTempDir();
  const options = { cache, offline: true };
  try {
    const old = await writeCache(cache, A, "old");
    const { folder, source, line } = await findModel(ID, options);
    assert.equal(folder, old);
    assert.deepEqual(source, { kind: "hub", id: ID, revision: "main", commit: A });
    assert.equal(line, `${ID}@main (commit ${A}) from the hub's cache, in ${old}`);
    const moved = await writeCache(cache, B, "new");
    assert.equal(await modelFolder(ID, options), moved);
    const again = await sameModel(source, options);
    assert.deepEqual([again.folder, again.source], [old, source]);
    await Deno.remove(old, { recursive: true });
    await assert.rejects(
      sameModel(source, options),
      new RegExp(`the hub's cache does not have it as .*: deno task fetch ${ID}@${A}$`),
    );
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});

Deno.test("an adapter's base is part of what a run started from, in a folder and of the hub", async () => {
  const place = await Deno.makeTempDir(), [adapter, base] = [`${place}/adapter`, `${place}/base`];
  const cache = Deno.env.get("HF_HUB_CACHE");
  const rebase = (base_model_name_or_path: string) =>
    Deno.writeTextFile(
      `${adapter}/adapter_config.json`,
      JSON.stringify({
        peft_type: "LORA",
        r: 1,
        lora_alpha: 1,
        target_modules: ["c_fc"],
        base_model_name_or_path,
      }),
    );
  try {
    Deno.env.set("HF_HUB_CACHE", place);
    await Deno.mkdir(adapter);
    await Deno.mkdir(base);
    await Deno.writeTextFile(`${adapter}/adapter_model.safetensors`, "A and B");
    for (const name of ["config.json", "model.safetensors"]) {
      await Deno.writeTextFile(`${base}/${name}`, "abc");
    }
    await rebase("../base");
    const { source } = await findModel(adapter);
    assert.equal(source.base?.kind, "folder");
    assert.deepEqual(Object.keys(source.base.sha256), ["config.json", "model.safetensors"]);
    assert.equal((await sameModel(source)).folder, adapter);
    await Deno.writeTextFile(`${base}/model.safetensors`, "abd");
    const changed = /the run began with other files: its base's model\.safetensors changed since/;
    await assert.rejects(sameModel(source), changed);
    const { base: _base, ...old } = source; // as a run without the field has it
    assert.equal((await sameModel(old)).folder, adapter);

    await rebase(ID);
    await writeCache(place, A, "old");
    const hub = await findModel(adapter);
    assert.deepEqual(hub.source.base, { kind: "hub", id: ID, revision: A, commit: A });
    assert.equal((await sameModel(hub.source)).folder, adapter);
    await writeCache(place, B, "new");
    await assert.rejects(
      sameModel(hub.source),
      new RegExp(`began with other files: its base's ${ID}@${A} changed since`),
    );
  } finally {
    if (cache === undefined) Deno.env.delete("HF_HUB_CACHE");
    else Deno.env.set("HF_HUB_CACHE", cache);
    await Deno.remove(place, { recursive: true });
  }
});

Deno.test("what a folder was is told by the hash of each file that makes the model", async () => {
  const folder = await Deno.makeTempDir();
  const write = (name: string, text: string) => Deno.writeTextFile(`${folder}/${name}`, text);
  try {
    for (const name of ["config.json", "model.safetensors", "merges.txt", "README.md"]) {
      await write(name, "abc");
    }
    const { source, line } = await findModel(folder);
    const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // FIPS 180-2
    const sha256 = { "config.json": abc, "merges.txt": abc, "model.safetensors": abc };
    assert.deepEqual(source, { kind: "folder", path: folder, sha256 });
    assert.equal(line, undefined);
    await write("README.md", "other");
    await write("optimizer.safetensors", "a checkpoint's");
    assert.equal((await sameModel(source)).folder, folder);
    await write("tokenizer.json", "{}");
    await write("model.safetensors", "abd"); // of the same size
    await assert.rejects(
      sameModel(source),
      /the run began with other files: model\.safetensors, tokenizer\.json changed since\. Put them/,
    );
    await write("model.safetensors", "abc");
    await Deno.remove(`${folder}/tokenizer.json`);
    await write("generation_config.json", "{}");
    assert.equal((await sameModel(source)).folder, folder); // of a run that did not record it
    const { source: later } = await findModel(folder);
    await write("generation_config.json", '{"eos_token_id": 5}');
    await assert.rejects(sameModel(later), /other files: generation_config\.json changed since/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
