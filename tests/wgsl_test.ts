import assert from "node:assert/strict";
import { headCode } from "../kernels/fragments/attention_head.ts";
import { WebGpuDevice } from "../kernels/devices/webgpu.ts";
import { attendText } from "../kernels/attend_kv_text.ts";
import { multiplyText } from "../kernels/few_rows_text.ts";
import { tileText } from "../kernels/tile_text.ts";
import { hasFours } from "../kernels/tuning.ts";
import { FEW_ROWS, type KernelText, kernelTexts } from "../scripts/_kernel_texts.ts";
import { listed, printed } from "../scripts/wgsl.ts";
import { testOnWebGpu } from "./_devices.ts";

const texts = kernelTexts();

Deno.test("every WGSL file is, whole and unchanged, part of a text that runs", async () => {
  let files = 0;
  for (const folder of ["kernels", "kernels/fragments"]) {
    for await (const { name } of Deno.readDir(folder)) {
      if (!name.endsWith(".wgsl")) continue;
      files++;
      const file = await Deno.readTextFile(`${folder}/${name}`);
      assert.ok(texts.some(({ code }) => code.includes(file)), `${name} is in no text`);
    }
  }
  assert.ok(files > 30, `${files} files`);
});

Deno.test("a text is nothing but WGSL files and the few lines that a launcher writes", async () => {
  const files: string[] = [];
  for (const folder of ["kernels", "kernels/fragments"]) {
    for await (const { name } of Deno.readDir(folder)) {
      if (name.endsWith(".wgsl")) files.push(await Deno.readTextFile(`${folder}/${name}`));
    }
  }
  files.sort((a, b) => b.length - a.length);
  const repeated = [
    ...FEW_ROWS.flatMap(([sharing, orientation]) =>
      [1, 4, 8, 16].flatMap((ROWS) =>
        [1, 2, 3, 4, 6, 12].map((STRIPS) =>
          multiplyText(sharing, { ROWS, STRIPS }, orientation === "NT")
        )
      )
    ),
    ...[2, 5].flatMap((packs) => [
      attendText({ packs, lanes: 8, shuffles: true }),
      ...[8, 64].map((lanes) => attendText({ packs, lanes, shuffles: false })),
    ]),
  ];
  const written =
    /^(@group\(0\) @binding\(\d\) var<storage, read> \w+: array<(Pack|Half4?)>;|fn \w+At\(i: u32\) -> Pack \{ return .* \}|const (D4|PACKS|SIDE) = \d+u;|fn counterOf\(.*\) -> vec4u \{ return vec4u\(.*\); \})$/;
  for (const { label, code } of texts) {
    const constant = (name: string) =>
      Number(code.match(new RegExp(`^const ${name} = (\\d+)u;$`, "m"))?.[1]);
    const D4 = constant("D4"), share = constant("SHARE");
    let left = code.replace(
      /\/\/ A tile of (\d+) rows and (\d) columns by (8|16) lanes, [^]*?\n}\n/,
      unlessOther,
    );
    if (D4 && share) left = left.replace(headCode(D4, share as 1 | 2 | 4), "");
    for (const file of [...files, ...repeated]) left = left.replace(file, "");
    for (const line of left.split("\n")) {
      assert.ok(line === "" || written.test(line), `${label} has the line ${line}`);
    }
  }
});

/** Nothing in place of the lines that `tileText` writes; all else stays. */
function unlessOther(text: string, rows: string, columns: string, lanes: string): string {
  const shape = { rows: Number(rows), columns: Number(columns) };
  return text === tileText(shape, Number(lanes) as 8 | 16) ? "" : text;
}

Deno.test("no text for lanes that shuffle has an fma, which llvmpipe compiles to slow code", () => {
  const shuffling = texts.filter(({ code }) => code.includes("subgroupShuffle("));
  assert.ok(shuffling.length > 40, String(shuffling.length));
  for (const { label, code } of shuffling) assert.doesNotMatch(code, /\bfma\(/, label);
});

testOnWebGpu(
  "every text that is printed compiles, under the entry point that is named",
  async () => {
    using device = await WebGpuDevice.open();
    const { device: gpu } = device;
    const compiles = async ({ label, entryPoint, code }: KernelText) => {
      if (code.includes("subgroupShuffle") && !hasFours(device)) return;
      const { messages } = await gpu.createShaderModule({ label, code }).getCompilationInfo();
      assert.deepEqual(messages.map(({ message }) => message), [], label);
      assert.match(code, new RegExp(`@compute[^{]*fn ${entryPoint}\\(`), label);
    };
    for (const text of texts) await compiles(text);
  },
);

Deno.test("deno task wgsl lists kernels, prints texts, and names the nearest of a wrong name", () => {
  const list = listed(texts);
  assert.ok(list.some((line) => /^add\.forward +2 texts$/.test(line)), list.join("\n"));
  assert.ok(list.some((line) => /^matmul_tile\.gelu +2 texts$/.test(line)));
  const [text] = printed(texts, "global_norm.finish");
  assert.match(text, /^\/\/ ==== global_norm\.finish: fn finish\n/);
  assert.match(text, /\n\/\/ {6}Pack of 4, tree; CHUNK = 4096, WORKGROUP = 64\n/);
  assert.match(text, /alias Pack = vec4f;[^]*fn finish\(/);
  assert.equal(printed(texts, "rows").length, 2); // of both widths
  const forms = printed(texts, "attention"); // no file of that name, but some that begin so
  for (
    const head of ["attention_d32.forward", "attention_d64.forward", "attention_naive.forward"]
  ) {
    assert.ok(forms.some((text) => text.startsWith(`// ==== ${head}: `)), head);
  }
  for (const form of ["alone", "share", "shuffle"]) {
    assert.ok(forms.some((text) => text.includes(`\n//      ${form}; SCALE = 0, ROWS = `)), form);
  }
  assert.throws(() => printed(texts, "layernrom"), /did you mean "layernorm"\?$/);
  assert.throws(() => printed(texts, "layernorm.forwar"), /did you mean "layernorm\.forward"\?$/);
});
