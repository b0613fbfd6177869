/** What a GPT-Neo has that a GPT-2 has not: windows, and linear layers in another layout in files. @module */
import assert from "node:assert/strict";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { parseConfig } from "../../model/config.ts";
import { fileParts, linearModules, packPart, unpackPart } from "../../model/families/families.ts";
import { loadGpt2 } from "../../model/files/gpt2_folder.ts";
import { saveGpt2 } from "../../model/files/gpt2_save.ts";
import { openSafetensors } from "../../model/files/safetensors.ts";
import { writeSafetensors } from "../../model/files/safetensors_write.ts";
import { Gpt2 } from "../../model/gpt2.ts";
import { languageModelRows } from "../../model/rows.ts";
import { testOnDevices } from "../_devices.ts";
import { randomModel, SMALL, SMALL_NEO, wave } from "./_model.ts";

const neo = parseConfig(SMALL_NEO);

Deno.test("linearModules() fill every linear layer once, without gap or overlap, in every family", () => {
  for (const config of [parseConfig(SMALL), neo]) {
    const next = new Map<string, number>();
    for (const { linear: map, at, outFeatures: to } of linearModules(config)) {
      assert.equal(at, next.get(map) ?? 0, map);
      next.set(map, at + to);
    }
    const wide = { "attn.c_attn": 18, "attn.c_proj": 6, "mlp.c_fc": 10, "mlp.c_proj": 6 };
    assert.deepEqual(Object.fromEntries(next), wide);
  }
});

Deno.test("fileParts() gives GPT-Neo's names and shapes, and GPT-2's own", () => {
  const of = (config: typeof neo, name: string, shape: number[]) =>
    fileParts(config, { name, shape }).map((part) => [part.name, part.shape]);
  assert.deepEqual(of(neo, "h.1.attn.c_attn.weight", [6, 18]), [
    ["h.1.attn.attention.q_proj.weight", [6, 6]],
    ["h.1.attn.attention.k_proj.weight", [6, 6]],
    ["h.1.attn.attention.v_proj.weight", [6, 6]],
  ]);
  assert.deepEqual(of(neo, "h.0.attn.c_proj.bias", [6]), [["h.0.attn.attention.out_proj.bias", [
    6,
  ]]]);
  assert.deepEqual(of(neo, "h.0.mlp.c_fc.weight", [6, 10]), [["h.0.mlp.c_fc.weight", [10, 6]]]);
  assert.deepEqual(of(neo, "h.0.ln_1.weight", [6]), [["h.0.ln_1.weight", [6]]]);
  assert.deepEqual(of(neo, "wte.weight", [11, 6]), [["wte.weight", [11, 6]]]);
  const gpt2 = parseConfig(SMALL);
  assert.deepEqual(of(gpt2, "h.0.mlp.c_fc.weight", [6, 10]), [["h.0.mlp.c_fc.weight", [6, 10]]]);
});

Deno.test("packPart() transposes into its columns and no other, and unpackPart() undoes it", () => {
  for (
    const [from, to, at, wide] of [[1, 1, 0, 1], [3, 5, 2, 9], [32, 33, 1, 34], [70, 31, 40, 80]]
  ) {
    const module = { ...linearModules(neo)[0], inFeatures: from, outFeatures: to, at };
    const part = Float32Array.from(wave(from * to)), map = new Float32Array(from * wide).fill(9);
    packPart(part, { matrix: map, wide, module });
    const want = Float32Array.from({ length: from * wide }, (_, i) => {
      const [row, column] = [Math.floor(i / wide), i % wide - at];
      return column >= 0 && column < to ? part[column * from + row] : 9;
    });
    assert.deepEqual(map, want);
    assert.deepEqual(unpackPart(map, { wide, module }), part);
  }
});

testOnDevices("a token matters as far as the windows of the layers reach", async (device) => {
  // Two local layers of window 3: what token 0 changes reaches positions 0 to 4.
  const local = { ...SMALL_NEO, attention_types: [[["local"], 2]] };
  const tokens = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  const logprobs = async (config: object, first: number) => {
    using model = randomModel(device, config);
    return (await model.evaluate(languageModelRows([[first, ...tokens.slice(1)]]))).logprob;
  };
  const differ = async (config: object) => {
    const [a, b] = [await logprobs(config, 1), await logprobs(config, 10)];
    return [...a].map((x, t) => x !== b[t]);
  };
  assert.deepEqual(await differ(local), [true, true, true, true, true, false, false, false]);
  assert.ok((await differ(SMALL_NEO)).every((x) => x), "a global layer reaches everything");
});

Deno.test("a GPT-Neo that was made here is saved under transformers' names and loaded again", async () => {
  const folder = await Deno.makeTempDir();
  try {
    using device = new CpuDevice();
    using model = randomModel(device, SMALL_NEO);
    await saveGpt2(model, folder);
    {
      using file = await openSafetensors(`${folder}/model.safetensors`);
      const names = [...file.entries.keys()].filter((name) => name.includes(".h.1."));
      assert.deepEqual(
        names.map((name) => name.replace("transformer.h.1.", "")).toSorted(),
        [
          "attn.attention.k_proj.weight",
          "attn.attention.out_proj.bias",
          "attn.attention.out_proj.weight",
          "attn.attention.q_proj.weight",
          "attn.attention.v_proj.weight",
          "ln_1.bias",
          "ln_1.weight",
          "ln_2.bias",
          "ln_2.weight",
          "mlp.c_fc.bias",
          "mlp.c_fc.weight",
          "mlp.c_proj.bias",
          "mlp.c_proj.weight",
        ],
      );
    }
    using again = await loadGpt2(device, folder, { valueHead: true });
    const rows = languageModelRows([[1, 2, 3, 4, 5, 6, 7]]);
    assert.deepEqual(await again.evaluate(rows), await model.evaluate(rows));
    const copy = await again.frozenCopy();
    assert.deepEqual(await copy.evaluate(rows), await model.evaluate(rows));
    copy[Symbol.dispose]();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("load() names the tensor of a GPT-Neo that is missing, or has another shape", async () => {
  const folder = await Deno.makeTempDir();
  try {
    using device = new CpuDevice();
    using model = Gpt2.create(device, SMALL_NEO, { frozen: true });
    await saveGpt2(model, folder);
    const path = `${folder}/model.safetensors`;
    const specs = await (async () => {
      using file = await openSafetensors(path);
      return [...file.entries.values()].map(({ name, shape }) => ({ name, shape: [...shape] }));
    })();
    const write = (tensors: typeof specs) =>
      writeSafetensors(path, {
        tensors,
        async *data() {
          for (const { shape } of tensors) {
            yield await Promise.resolve(new Float32Array(shape.reduce((a, b) => a * b, 1)));
          }
        },
      });
    await write(specs.filter(({ name }) => !name.endsWith("h.1.attn.attention.k_proj.weight")));
    await assert.rejects(() => loadGpt2(device, folder), {
      name: "SafetensorsError",
      message: /those of the config: h.1.attn.attention.k_proj.weight \(6,6\) is missing$/,
    });
    await write(specs.map(({ name, shape }) => ({
      name,
      shape: name.endsWith("h.0.mlp.c_fc.weight") ? shape.toReversed() : shape,
    })));
    await assert.rejects(
      () => loadGpt2(device, folder),
      /transformer.h.0.mlp.c_fc.weight is \(6,10\), not \(10,6\)$/,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
