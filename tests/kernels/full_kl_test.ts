import assert from "node:assert/strict";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import type { Device } from "../../kernels/device.ts";
import { fullKl, fullKlBackward, fullKlTwin } from "../../kernels/full_kl.ts";
import type { LogitsDims } from "../../kernels/logits_rows.ts";
import { upload } from "../../kernels/tensor.ts";
import { tokenLogprob, tokenLogprobTwin } from "../../kernels/token_logprob.ts";
import { assertClose } from "../_close.ts";
import { testOnDevices } from "../_devices.ts";
import { OTHER_KINDS, posingAs } from "./_op.ts";
import { wavesOf } from "./_waves.ts";

type Logits = Record<"logits" | "reference", Float32Array<ArrayBuffer>>;

const wave = wavesOf(0.37);
const waves = ({ N, ld }: LogitsDims, scale: number): Logits => ({
  logits: wave(N * ld, scale),
  reference: wave(N * ld, scale, 2),
});

/** Outputs start as waves one element too long: the last element must survive. */
async function run(device: Device, dims: LogitsDims, { logits, reference }: Logits) {
  const { N } = dims;
  const canary = (length: number) => upload(device, wave(length + 1, 1), "canary");
  const lseOf = (of: Float32Array<ArrayBuffer>) => {
    const x = {
      logits: upload(device, of, "logits"),
      token: upload(device, new Uint32Array(N), "token"),
      ...{ logprob: canary(N), entropy: canary(N), lse: canary(2 * N) },
    };
    tokenLogprob(device, x, dims);
    return x.lse;
  };
  const x = {
    logits: upload(device, logits, "logits"),
    reference: upload(device, Float32Array.of(...reference, 7), "reference"),
    ...{ lse: lseOf(logits), referenceLse: lseOf(reference) },
    ...{ kl: canary(N), mean: canary(N), dkl: upload(device, wave(N, 1, 3), "dkl") },
  };
  fullKl(device, x, dims);
  const [kl, mean] = await device.read(x.kl, x.mean);
  fullKlBackward(device, x, dims);
  const [dlogits, after, ...still] = await device.read(x.reference, x.logits, x.kl, x.mean);
  assert.deepEqual([...after], [...logits], "the policy's logits were changed");
  assert.deepEqual(still.map((of) => [...of]), [[...kl], [...mean]], "backward changed its input");
  assert.deepEqual([kl[N], mean[N], dlogits.at(-1)], [wave(N + 1, 1)[N], wave(N + 1, 1)[N], 7]);
  return { kl: kl.subarray(0, N), mean: mean.subarray(0, N), dlogits: dlogits.subarray(0, -1) };
}

testOnDevices("fullKl() is the same by shuffles and by shared memory", async (device) => {
  const dims = { N: 3, V: 41, ld: 44, temperature: 0.7 }, logits = waves(dims, 3);
  const got = await run(device, dims, logits);
  for (const kind of OTHER_KINDS) {
    const other = await run(posingAs(device, kind), dims, logits);
    if (kind.software) assert.deepEqual(other, got); // the same tree of 8 lanes
    assertClose(other.kl, got.kl, "kl", 1e-5);
  }
});

for (
  const [N, V, ld, temperature] of [
    [1, 1, 1, 1],
    [3, 5, 8, 0.7],
    [65, 257, 260, 1],
    [2, 1000, 1000, 2.5],
    [32769, 2, 2, 1], // one row more than a line of the grid
  ]
) {
  const dims = { N, V, ld, temperature };
  testOnDevices(`fullKl() matches its twin in f64 at ${JSON.stringify(dims)}`, async (device) => {
    using exact = new CpuDevice({ precision: "f64" });
    const x = waves(dims, 3), got = await run(device, dims, x), want = await run(exact, dims, x);
    for (const name of ["kl", "mean", "dlogits"] as const) {
      assertClose(got[name], want[name], name, 1e-5);
    }
    assert.ok(got.kl.every((kl) => kl >= 0));
    for (let n = 0; n < N; n++) {
      assert.ok(got.dlogits.subarray(n * ld + V, (n + 1) * ld).every((d) => d === 0), "padding");
    }
  });
}

testOnDevices("fullKl() keeps logits of scale 200 finite", async (device) => {
  using exact = new CpuDevice({ precision: "f64" });
  const dims = { N: 9, V: 300, ld: 300, temperature: 1 }; // exp(200) overflows f32
  const x = waves(dims, 200), got = await run(device, dims, x), want = await run(exact, dims, x);
  assert.ok(want.kl.some((kl) => kl > 50), `${want.kl}`);
  for (const name of ["kl", "mean", "dlogits"] as const) {
    assertClose(got[name], want[name], name, 1e-3);
  }
});

/** sum p (log p - log q), in doubles and as the formula stands. */
function exactly(logits: ArrayLike<number>, reference: ArrayLike<number>, temperature: number) {
  const logSoftmax = (of: ArrayLike<number>) => {
    const top = Math.max(...Array.from(of)), x = Array.from(of, (z) => (z - top) / temperature);
    const rest = Math.log(x.reduce((sum, y) => sum + Math.exp(y), 0));
    return x.map((y) => y - rest);
  };
  const p = logSoftmax(logits), q = logSoftmax(reference);
  return p.reduce((sum, l, v) => sum + Math.exp(l) * (l - q[v]), 0);
}

testOnDevices("fullKl() is sum p (log p - log q), at any distance and level", async (device) => {
  const [N, V] = [5, 131];
  for (const temperature of [1, 0.7]) {
    for (const [level, distance, rtol] of [[0, 4, 1e-6], [-100, 0.3, 3e-6], [300, 2 ** -9, 2e-5]]) {
      const logits = wave(N * V, 3).map((z) => Math.fround(level + z));
      const reference = logits.map((z, i) => Math.fround(z + distance * Math.cos(i)));
      const dims = { N, V, ld: V, temperature };
      const { kl } = await run(device, dims, { logits, reference });
      const part = (of: Float32Array, n: number) => of.subarray(n * V, (n + 1) * V);
      for (let n = 0; n < N; n++) {
        const want = exactly(part(logits, n), part(reference, n), temperature);
        assertClose([kl[n] / want], [1], `${level} ${distance} of ${want}`, rtol);
      }
    }
  }
});

testOnDevices("fullKl() of equal logits is exactly 0, and so is its gradient", async (device) => {
  for (const scale of [3, 200]) {
    const dims = { N: 65, V: 257, ld: 260, temperature: 0.7 }, logits = wave(65 * 260, scale);
    const { kl, dlogits } = await run(device, dims, { logits, reference: logits.slice() });
    assert.ok(kl.every((x) => x === 0) && dlogits.every((x) => x === 0), `${kl}`);
  }
});

testOnDevices("fullKlBackward() sums to zero over a row near the reference", async (device) => {
  const dims = { N: 65, V: 300, ld: 300, temperature: 1 };
  const logits = wave(65 * 300, 2).map((z) => Math.fround(300 + z));
  const reference = logits.map((z, i) => Math.fround(z + 2 ** -9 * Math.cos(i)));
  const { dlogits } = await run(device, dims, { logits, reference });
  const sums = new Array<number>(65).fill(0), sizes = sums.slice();
  dlogits.forEach((d, i) => {
    sums[Math.floor(i / 300)] += d;
    sizes[Math.floor(i / 300)] += Math.abs(d);
  });
  assertClose(sums.map((sum, n) => sum / sizes[n]), sums.map(() => 0), "share", 3e-5);
});

Deno.test("fullKlBackward() matches central differences of the twin in f64", async () => {
  using device = new CpuDevice({ precision: "f64" });
  const dims = { N: 3, V: 5, ld: 6, temperature: 0.7 }, { N, ld } = dims, h = 1e-5;
  const x = waves(dims, 2), dkl = wave(N, 1, 3);
  const { dlogits } = await run(device, dims, x);
  const zeros = (of: number) => new Float64Array(of * N);
  const lseOf = (logits: Float64Array<ArrayBuffer>) => {
    const [logprob, entropy, dlogprob, dentropy] = [1, 1, 1, 1].map(zeros), lse = zeros(2);
    const token = new Uint32Array(N);
    tokenLogprobTwin({ logits, token, logprob, entropy, lse, dlogprob, dentropy }, dims);
    return lse;
  };
  const reference = Float64Array.from(x.reference), logits = Float64Array.from(x.logits);
  const loss = (logits: Float64Array<ArrayBuffer>) => {
    const kl = zeros(1), reference_lse = lseOf(reference), lse = lseOf(logits);
    const all = { logits, reference, lse, reference_lse, kl, mean: zeros(1), dkl: zeros(1) };
    fullKlTwin(all, dims);
    return kl.reduce((sum, of, n) => sum + of * dkl[n], 0);
  };
  const want = logits.map((z, i) =>
    (loss(logits.with(i, z + h)) - loss(logits.with(i, z - h))) / (2 * h)
  );
  assert.ok(want.some((d) => Math.abs(d) > 0.1));
  assert.ok(want.filter((_, i) => i % ld === 5).every((d) => d === 0));
  assertClose(dlogits, want, "dlogits", 1e-9);
});

for (const bad of [NaN, Infinity, -Infinity]) {
  testOnDevices(`fullKl() knows nothing of a row with a logit of ${bad}`, async (device) => {
    const dims = { N: 5, V: 131, ld: 136, temperature: 0.7 }, { ld, V } = dims;
    const { logits, reference } = waves(dims, 3);
    logits[0] =
      logits[ld + 77] =
      reference[2 * ld + 130] =
      reference[3 * ld + 64] =
        bad;
    for (const row of [logits, reference]) row.fill(bad, 4 * ld + V); // padding does not count
    const x = {
      logits: upload(device, logits, "logits"),
      reference: upload(device, reference, "reference"),
      lse: upload(device, wave(10, 1), "lse"),
      referenceLse: upload(device, wave(10, 1), "lse"),
      ...{ kl: device.alloc(5, "kl"), mean: device.alloc(5, "mean") },
    };
    fullKl(device, x, dims);
    const [kl] = await device.read(x.kl);
    assert.deepEqual([...kl].map(Number.isNaN), [true, true, true, true, false]);
    assert.ok(Number.isFinite(kl[4]));
  });
}

testOnDevices("fullKl() rejects a bad temperature and a reference that is too small", (device) => {
  const [b, six] = [upload(device, wave(8, 1), "eight"), upload(device, wave(6, 1), "six")];
  const x = { logits: b, reference: six, lse: b, referenceLse: b, kl: b, mean: b };
  assert.throws(
    () => fullKl(device, x, { N: 2, V: 3, ld: 3, temperature: -1 }),
    new RangeError(
      "Cannot run full_kl as the temperature must be positive: it is -1; " +
        "for the most probable token sample greedily",
    ),
  );
  assert.throws(
    () => fullKl(device, x, { N: 2, V: 4, ld: 4, temperature: 1 }),
    new RangeError('Cannot launch full_kl.forward as reference needs 8 elements: "six" has 6'),
  );
});
