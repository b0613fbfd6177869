import assert from "node:assert/strict";

const at = (path: string): string => new URL(`../../../../${path}`, import.meta.url).href;
const BEGIN = `
  import { CpuDevice } from "${at("kernels/devices/cpu.ts")}";
  import { matmul } from "${at("kernels/matmul.ts")}";
  const device = new CpuDevice({ workers: 2, leastShared: 0 });
  const [a, b, out] = [40000, 800, 80000].map((n) => device.alloc(n, "x"));
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const product = () => matmul(device, { a, b, out }, { M: 2000, N: 40, K: 20, orientation: "NN" });
  const share = async () => {
    const before = device.helped;
    while (device.helped <= before) {
      product();
      await wait(5);
    }
    console.log("shared");
  };
`;

/** Runs a script with a device; its process must end by itself. */
async function endOf(
  rest: string,
  permissions: string[] = ["--allow-read"],
): Promise<{ code: number; out: string; err: string }> {
  const file = await Deno.makeTempFile({ suffix: ".js" });
  try {
    await Deno.writeTextFile(file, BEGIN + rest);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--no-prompt", ...permissions, file],
      signal: AbortSignal.timeout(120_000),
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, out: text(stdout), err: text(stderr) };
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("a process ends at once when the device is disposed of, or something throws", async () => {
  for (
    const [rest, want] of [
      ["device[Symbol.dispose]();", 0],
      ["throw new Error('stop');", 1],
      ["Deno.exit(3);", 3],
      ["setTimeout(() => Deno.kill(Deno.pid, 'SIGINT'), 10);", 130],
    ] as const
  ) {
    const { code, out, err } = await endOf(
      `await share();
      const from = performance.now();
      globalThis.addEventListener("unload", () => console.log(performance.now() - from < 4000));
      ${rest}`,
      ["--allow-read", "--allow-run"],
    );
    assert.equal(code, want, err);
    assert.ok(out.startsWith("shared\n"));
    assert.ok(!out.includes("false"), out);
  }
});

Deno.test("a process that forgets the device ends as well, and one that comes back to it is helped", async () => {
  const ends = await Promise.all([
    endOf("await share();"),
    endOf("await share(); await wait(6000); await share(); device[Symbol.dispose]();"),
  ]);
  assert.deepEqual(ends.map(({ code, out }) => ({ code, out })), [
    { code: 0, out: "shared\n" },
    { code: 0, out: "shared\nshared\n" },
  ]);
});

Deno.test("where a worker cannot be had this thread does it all", async () => {
  const { code, out, err } = await endOf(
    `for (let i = 0; i < 100; i++) {
      product();
      await wait(5);
    }
    console.log(device.helped);
    device[Symbol.dispose]();`,
    [],
  );
  assert.deepEqual({ code, out }, { code: 0, out: "0\n" }, err);
});
