/** Opening a large file, good or hostile, takes no more memory than twice its size and 64 MiB. @module */
import assert from "node:assert/strict";

const ALLOWANCE = 64 * 2 ** 20; // the parser's work on a header of at most 4 MB, and garbage
const MODULE = new URL("../../../model/files/safetensors.ts", import.meta.url).href;

/** Opens the file named by its argument and reads all of it, as another process; prints bytes. */
const PROGRAM = `
import { openSafetensors } from "${MODULE}";
const peak = () => 1024 * Number(/VmHWM:\\s*(\\d+)/.exec(Deno.readTextFileSync("/proc/self/status"))[1]);
const before = peak();
let how = "read";
try {
  using file = await openSafetensors(Deno.args[0]);
  for (const name of file.entries.keys()) await file.read(name);
} catch (error) {
  if ((error as Error).name !== "SafetensorsError") throw error;
  how = error.message;
}
console.log(JSON.stringify({ how, bytes: peak() - before }));
`;

const MB = 1e6;
const half = (n: number) => ({ dtype: "F16", shape: [n / 2], data_offsets: [0, n] });
/** Header, bytes of data behind it, and how reading ends. */
const cases: [string, () => string, number, RegExp][] = [
  ["200 MB of F16", () => JSON.stringify({ x: half(200 * MB) }), 200 * MB, /^read$/],
  [
    "a header of 300,000 tensors",
    () => `{${Array.from({ length: 300_000 }, (_, i) => `"${i}":{}`)}}`,
    0,
    /more than 65536 values/,
  ],
  ["a header of lists", () => `{"x":{"shape":[${"0,".repeat(1.9e6)}0]}}`, 0, /more than 65536/],
  ["a name of 4 MB", () => `{"${"é".repeat(1.9e6)}":1}`, 0, /as é{500}…/],
  ["a name of escapes", () => `{"${"\\n".repeat(1.9e6)}":1}`, 0, /Cannot read safetensors/],
  [
    "a million tensors",
    () => `{${Array.from({ length: 1e6 }, (_, i) => `"${i}":{}`)}}`,
    0,
    /may have 4000000 bytes/,
  ],
  [
    "a tensor that claims 2^50 bytes",
    () => JSON.stringify({ x: half(2 ** 50) }),
    MB,
    /end at data byte 1125899906842624: the file ends at 1000000/,
  ],
];

for (const [what, header, data, message] of cases) {
  Deno.test({
    name: `opening ${what} needs at most twice its size and 64 MiB`,
    ignore: Deno.build.os !== "linux", // the peak is Linux's own figure
    async fn() {
      const folder = await Deno.makeTempDir();
      try {
        const json = new TextEncoder().encode(header());
        const head = new Uint8Array(8 + json.length);
        new DataView(head.buffer).setBigUint64(0, BigInt(json.length), true);
        head.set(json, 8);
        await Deno.writeFile(`${folder}/x`, head);
        await Deno.truncate(`${folder}/x`, head.length + data); // zeros, without a place on the disk
        await Deno.writeTextFile(`${folder}/open.ts`, PROGRAM);
        const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
          args: ["run", "--no-prompt", "--no-check", "-A", `${folder}/open.ts`, `${folder}/x`],
        }).output();
        const text = new TextDecoder().decode(stdout);
        assert.ok(text.startsWith("{"), new TextDecoder().decode(stderr));
        const { how, bytes } = JSON.parse(text);
        assert.match(how, message);
        const size = head.length + data;
        assert.ok(bytes <= 2 * size + ALLOWANCE, `${size} bytes of file took ${bytes}`);
        if (Deno.env.has("PLAINRL_SHOW")) {
          console.log(`${what}: ${size} bytes of file, ${bytes} more`);
        }
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}
