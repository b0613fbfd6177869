/** What is said where tests of the WGSL cannot run; and that they fail where CI is set. @module */
import assert from "node:assert/strict";
import { NOT_RUN, notRunLines } from "../scripts/test/not_run.ts";
import { withFolder } from "./_folder.ts";

const ROOT = new URL("../", import.meta.url);

Deno.test("the last lines say how many tests of the WGSL did not run, why, and what mends it", () => {
  const cure = "install it";
  assert.deepEqual(notRunLines([], { isSome: false, cure }), []);
  const reasons = [...Array(11).fill("no adapter"), "no lanes"];
  assert.deepEqual(notRunLines(reasons, { isSome: false, cure }), [
    "",
    "12 TESTS OF THE WGSL DID NOT RUN:",
    "  11: no adapter",
    "   1: no lanes",
    "What ran shows that the TypeScript twins are right, and nothing of the kernels that a graphics",
    "card would run. To run them as well:",
    "  install it",
  ]);
  const some = notRunLines(reasons, { isSome: true, cure: undefined });
  assert.ok(some[1].startsWith("TESTS OF THE WGSL DID NOT RUN") && some[2] === "  no adapter");
  assert.ok(some.at(-1)!.endsWith("deno task doctor says more."));
});

/** Files of two tests, of which this machine can run one, under the command that `deno task test` is. */
async function runTests(
  env: Record<string, string>,
  files = ["two_test.ts"],
  code = `import { testOnDevices } from "${new URL("tests/_devices.ts", ROOT)}";
      testOnDevices("opens", (device) => { if (device.name === "") throw new Error(); });`,
): Promise<{ out: string; code: number }> {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const words = tasks.test.command.split(" ").slice(1); // without "deno"
  let text = "";
  let status = 0;
  await withFolder(async (folder) => {
    const paths = files.map((name) => `${folder}/${name}`);
    for (const path of paths) await Deno.writeTextFile(path, code);
    const { stdout, code: ended } = await new Deno.Command(Deno.execPath(), {
      args: [...words, "--no-check", "--config", "deno.json", ...paths],
      cwd: ROOT,
      // Vulkan alone, and no driver for it: what a machine without a graphics driver is to a program.
      env: {
        ...{ NO_COLOR: "1", CI: "", [NOT_RUN]: "" },
        ...{ DENO_WEBGPU_BACKEND: "vulkan", VK_DRIVER_FILES: "/none", VK_ICD_FILENAMES: "/none" },
        ...env,
      },
      stderr: "null",
    }).output();
    [text, status] = [new TextDecoder().decode(stdout), ended];
  });
  return { out: text, code: status };
}

Deno.test("without a driver the twins' half passes, and the other half is said not to have run", async () => {
  const { out, code } = await runTests({});
  assert.equal(code, 0, out);
  assert.match(out, /^cpu: opens \.\.\. ok/m);
  assert.match(out, /^webgpu: opens \.\.\. ignored/m);
  assert.match(out, /ok \| 1 passed \| 0 failed \| 1 ignored/);
  const last = out.slice(out.indexOf("1 TESTS OF THE WGSL DID NOT RUN"));
  assert.match(last, /^[^\n]+:\n {2}1: no WebGPU adapter answers\n/, out);
  if (Deno.build.os === "linux") assert.match(last, /\n {2}sudo apt-get install -y mesa-vulkan/);
});

Deno.test("what did not run in several processes is added up", async () => {
  const { out, code } = await runTests({}, ["a_test.ts", "b_test.ts"]);
  assert.equal(code, 0, out);
  assert.match(
    out,
    /^ok \| 2 passed \| 0 failed \| 2 ignored \(\d+m?s\)\n\n\n2 TESTS OF THE WGSL DID NOT/m,
  );
  assert.match(out, /\n {2}2: no WebGPU adapter answers\n/);
});

Deno.test("where CI is set a missing adapter fails the tests of the WGSL", async () => {
  const { out, code } = await runTests({ CI: "true" });
  assert.equal(code, 1, out);
  assert.match(out, /^webgpu: opens \.\.\. FAILED/m);
  assert.match(out, /FAILED \| 1 passed \| 1 failed \(/);
  assert.doesNotMatch(out, /DID NOT RUN/);
});

Deno.test("without a browser tests of pages do not run, and it is said; where CI is set they fail", async () => {
  const code = `import { testInBrowser } from "${new URL("tests/_browser.ts", ROOT)}";
    testInBrowser("opens", async ({ page }) => void await page.title());`;
  const elsewhere = await runTests({ CHROMIUM: "/none" }, ["page_test.ts"], code);
  assert.equal(elsewhere.code, 0, elsewhere.out);
  assert.match(elsewhere.out, /^browser: opens \.\.\. ignored/m);
  assert.match(elsewhere.out, /^1 TESTS OF PAGES DID NOT RUN: no Chromium is installed/m);
  assert.doesNotMatch(elsewhere.out, /TESTS OF THE WGSL/);
  const there = await runTests({ CHROMIUM: "/none", CI: "true" }, ["page_test.ts"], code);
  assert.notEqual(there.code, 0);
  assert.match(there.out, /need a Chromium: there is none at \/none\. Install it/);
});
