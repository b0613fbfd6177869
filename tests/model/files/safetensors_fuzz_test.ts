/**
 * Mutated safetensors files: each must give the right numbers or a typed error that says where.
 * `deno task test:fuzz` makes a million of them; the suite a few thousand.
 * @module
 */
import assert from "node:assert/strict";
import { openSafetensors } from "../../../model/files/safetensors.ts";
import { SafetensorsError } from "../../../model/files/tensor_entries.ts";
import { goodFile, mutated, Random, secondReader, type SecondTensor } from "./_mutate.ts";

const COUNT = Number(Deno.env.get("PLAINRL_FUZZ") ?? 3000);
const SEED = Number(Deno.env.get("PLAINRL_FUZZ_SEED") ?? 1);

const LANES = 16;

/** Whether an error tells a byte or character, or a string that the header holds. */
function saysWhere(message: string, file: Uint8Array): boolean {
  if (/bytes? (\d|of)|character \d/.test(message)) return true;
  const text = new TextDecoder().decode(file.subarray(8));
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].some(([, key]) => {
    try {
      return message.includes(JSON.parse(`"${key}"`));
    } catch {
      return false;
    }
  });
}

/** Opens and reads all of a file; compares with the second reader. Returns how it ended. */
async function outcome(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<"good" | "refused"> {
  try {
    using file = await openSafetensors(path);
    const second = secondReader(bytes);
    if (!second) throw new Error("it was read, but a second reader finds it broken");
    assert.deepEqual([...file.entries.keys()].sort(), [...second.keys()].sort());
    let refused: SafetensorsError | undefined;
    for (const [name, { dtype, shape }] of file.entries) {
      const want: SecondTensor = second.get(name)!;
      assert.equal(dtype, want.dtype);
      assert.deepEqual(shape, want.shape);
      const bad = want.numbers.findIndex((x) => !Number.isFinite(x));
      try {
        const got = await file.read(name);
        assert.ok(["F32", "F16", "BF16"].includes(dtype) && bad < 0, `${name} must be refused`);
        assert.deepEqual([...got], want.numbers);
      } catch (error) {
        if (!(error instanceof SafetensorsError)) throw error;
        refused = error;
        assert.ok(error.message.includes(name));
        if (/must be finite/.test(error.message)) {
          assert.ok(error.message.includes(`element ${bad} is ${want.numbers[bad]}`));
        } else assert.match(dtype, /^([IU]|BOOL|F64)/);
      }
    }
    return refused ? "refused" : "good";
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error;
    assert.ok(saysWhere(error.message, bytes), `says nowhere what is wrong: ${error.message}`);
    return "refused";
  }
}

Deno.test(`${COUNT} mutated safetensors files are read rightly or refused with the place`, async () => {
  const folder = await Deno.makeTempDir();
  const counts = { good: 0, refused: 0 };
  const began = performance.now(), memory = Deno.memoryUsage().rss;
  let slowest = 0, most = 0;
  try {
    const lane = async (first: number): Promise<void> => { // LANES files at a time hide the waits
      const path = `${folder}/${first}`;
      for (let n = first; n < COUNT; n += LANES) {
        const bytes = mutated(new Random(SEED * 1e7 + n));
        Deno.writeFileSync(path, bytes);
        const from = performance.now();
        try {
          counts[await outcome(path, bytes)]++;
        } catch (error) {
          throw new Error(`file ${n} of seed ${SEED}: ${(error as Error).message}`, {
            cause: error,
          });
        }
        slowest = Math.max(slowest, performance.now() - from);
        if (n % 1000 === 0) most = Math.max(most, Deno.memoryUsage().rss - memory);
      }
    };
    await Promise.all(Array.from({ length: LANES }, (_, first) => lane(first)));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  const seconds = (performance.now() - began) / 1000;
  if (COUNT > 1e5) {
    console.log(
      `${counts.good} good, ${counts.refused} refused, ${seconds.toFixed(0)} s, slowest file ` +
        `${slowest.toFixed(0)} ms, resident memory grew by ${
          (most / 2 ** 20).toFixed(0)
        } MiB at most`,
    );
  }
  assert.ok(counts.good > COUNT / 100 && counts.refused > COUNT / 2, JSON.stringify(counts));
  assert.ok(slowest < 5000, `one file of at most a few hundred bytes took ${slowest} ms`);
  assert.ok(most < 2 ** 28, `memory grew by ${most} bytes`);
});

Deno.test("files without a fault are all read", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (let n = 0; n < 300; n++) {
      const { header, data } = goodFile(new Random(n));
      const json = new TextEncoder().encode(header);
      const bytes = new Uint8Array([...new Uint8Array(8), ...json, ...data]);
      new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
      await Deno.writeFile(`${folder}/x`, bytes);
      using file = await openSafetensors(`${folder}/x`);
      for (const [name, { dtype }] of file.entries) {
        if (dtype === "F32" || dtype.endsWith("F16")) await file.read(name);
      }
      assert.deepEqual([...file.entries.keys()].sort(), [...secondReader(bytes)!.keys()].sort());
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
