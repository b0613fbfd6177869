import assert from "node:assert/strict";
import { testOnWebGpu } from "../../_devices.ts";
import { openDevice } from "../../../kernels/devices/open.ts";

const OPEN = new URL("../../../kernels/devices/open.ts", import.meta.url).href;

/** Opens `choice` in a process of its own that finds no graphics driver; gives what it prints. */
async function openWithoutDriver(choice: string): Promise<string> {
  const code = `import { openDevice } from "${OPEN}";
    await openDevice("${choice}").then(
      (device) => console.log(device.kind, device.name),
      (error) => console.log(error.message),
    );`;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, code);
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--no-prompt", "--allow-read", file],
      // Vulkan alone: a machine with EGL would answer through OpenGL.
      env: {
        DENO_WEBGPU_BACKEND: "vulkan",
        VK_ICD_FILENAMES: "/nowhere",
        VK_DRIVER_FILES: "/nowhere",
      },
      stderr: "null",
    }).output();
    return new TextDecoder().decode(stdout).trim();
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("openDevice() takes the twins by itself where no driver is installed", async () => {
  assert.equal(await openWithoutDriver("auto"), "cpu TypeScript twins (f32)");
});

Deno.test("openDevice() says what to install where WebGPU was asked for and no driver is", async () => {
  assert.match(
    await openWithoutDriver("webgpu"),
    /^Cannot open a WebGPU adapter: none answered; install a Vulkan driver .*apt-get install/,
  );
});

testOnWebGpu(
  "openDevice() takes an adapter where there is one, and the twins when asked",
  async () => {
    using best = await openDevice();
    assert.equal(best.kind, "webgpu");
    using cpu = await openDevice("cpu");
    assert.deepEqual([cpu.kind, cpu.software], ["cpu", true]);
  },
);
