/** The WGSL texts as a browser's compiler takes them: it is another one than Deno's, and asks for more. @module */
import assert from "node:assert/strict";
import { enabled } from "../../kernels/devices/webgpu/pipelines.ts";
import { withFolder } from "../_folder.ts";
import { testInBrowser } from "../_browser.ts";
import { kernelTexts } from "../../scripts/_kernel_texts.ts";

testInBrowser(
  "every text of every kernel compiles, with subgroups enabled",
  async ({ page, open }) => {
    await withFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/page.html`, "<!doctype html><title>kernels</title>");
      await open(`${folder}/page.html`); // a file counts as a secure context, as WebGPU asks for
      const texts = kernelTexts().map(({ label, code }) => ({
        label,
        code: enabled(code, "enable subgroups;\n"),
      }));
      const faults = await page.evaluate(compileAll, texts);
      assert.deepEqual(faults, []);
    });
  },
);

/** Runs in the page. */
async function compileAll(texts: { label: string; code: string }[]) {
  const adapter = (await navigator.gpu.requestAdapter())!;
  const device = await adapter.requestDevice({
    requiredFeatures: ["subgroups" as GPUFeatureName],
  });
  const faults: string[] = [];
  for (const { label, code } of texts) {
    const module = device.createShaderModule({ label, code });
    for (const { type, message } of (await module.getCompilationInfo()).messages) {
      faults.push(`${label}: ${type} ${message}`);
    }
  }
  return faults;
}
