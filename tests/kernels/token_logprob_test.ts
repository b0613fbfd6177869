import assert from "node:assert/strict";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import type { Device } from "../../kernels/device.ts";
import type { LogitsDims } from "../../kernels/logits_rows.ts";
import { upload } from "../../kernels/tensor.ts";
import {
  tokenLogprob,
  tokenLogprobBackward,
  tokenLogprobTwin,
} from "../../kernels/token_logprob.ts";
import { assertClose } from "../_close.ts";
import { testOnDevices } from "../_devices.ts";
import { OTHER_KINDS, posingAs } from "./_op.ts";
import { wavesOf } from "./_waves.ts";

const wave = wavesOf(0.37);
const tokens = (N: number, V: number) => Uint32Array.from({ length: N }, (_, n) => (7 * n) % V);

/** Outputs start as waves one element too long: the last element must survive. */
async function run(device: Device, dims: LogitsDims, scale: number) {
  const { N, V, ld } = dims;
  const canary = () => upload(device, wave(N + 1, 1), "canary");
  const x = {
    logits: upload(device, wave(N * ld + 1, scale), "logits"),
    token: upload(device, tokens(N, V), "token"),
    logprob: canary(),
    entropy: canary(),
    lse: upload(device, wave(2 * N + 1, 1), "canary"),
    dlogprob: upload(device, wave(N, 1, 2), "dlogprob"),
    dentropy: upload(device, wave(N, 1, 3), "dentropy"),
  };
  tokenLogprob(device, x, dims);
  tokenLogprobBackward(device, x, dims);
  const names = ["logprob", "entropy", "lse", "logits"] as const;
  const read = await device.read(...names.map((name) => x[name]));
  return Object.fromEntries(names.map((name, i) => {
    const last = read[i].length - 1;
    const want = wave(last + 1, name === "logits" ? scale : 1)[last];
    assert.equal(read[i][last], want, `wrote past the last element of ${name}`);
    return [name, read[i].subarray(0, last)];
  }));
}

testOnDevices("tokenLogprob() is the same by shuffles and by shared memory", async (device) => {
  for (const [V, ld] of [[1, 1], [41, 44], [43, 43]]) {
    const dims = { N: 3, V, ld, temperature: 0.7 }, got = await run(device, dims, 3);
    for (const kind of OTHER_KINDS) {
      const other = await run(posingAs(device, kind), dims, 3);
      if (kind.software) assert.deepEqual(other, got); // the same tree of 8 lanes
      for (const name in got) assertClose(other[name], got[name], name, 1e-5);
    }
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
  testOnDevices(
    `tokenLogprob() matches its twin in f64 at ${JSON.stringify(dims)}`,
    async (device) => {
      using exact = new CpuDevice({ precision: "f64" });
      const [got, want] = [await run(device, dims, 3), await run(exact, dims, 3)];
      for (const name in want) assertClose(got[name], want[name], name, 1e-5);
    },
  );
}

testOnDevices("tokenLogprob() keeps logits of scale 200 finite", async (device) => {
  using exact = new CpuDevice({ precision: "f64" });
  const dims = { N: 9, V: 300, ld: 300, temperature: 1 }; // exp(200) overflows f32
  const [got, want] = [await run(device, dims, 200), await run(exact, dims, 200)];
  for (const name in want) assertClose(got[name], want[name], name, 3e-4);
});

testOnDevices(
  "tokenLogprob() gives the entropy of a uniform row and of a certain one",
  async (device) => {
    const V = 200, logits = new Float32Array(2 * V).fill(150);
    logits[V + 3] = 350;
    const x = {
      logits: upload(device, logits, "logits"),
      token: upload(device, new Uint32Array([7, 3]), "token"),
      logprob: device.alloc(2, "logprob"),
      entropy: device.alloc(2, "entropy"),
      lse: device.alloc(4, "lse"),
    };
    tokenLogprob(device, x, { N: 2, V, ld: V, temperature: 1 });
    const [logprob, entropy] = await device.read(x.logprob, x.entropy);
    assertClose(entropy, [Math.log(V), 0], "entropy", 1e-5);
    assertClose(logprob, [-Math.log(V), 0], "logprob", 1e-5);
  },
);

testOnDevices(
  "tokenLogprobBackward() gives exactly zero where both gradients are zero",
  async (device) => {
    const [N, V] = [2, 70];
    const x = {
      logits: upload(device, wave(N * V, 200), "logits"),
      token: upload(device, tokens(N, V), "token"),
      logprob: device.alloc(N, "logprob"),
      entropy: device.alloc(N, "entropy"),
      lse: device.alloc(2 * N, "lse"),
      dlogprob: upload(device, new Float32Array([0, 1]), "dlogprob"),
      dentropy: upload(device, new Float32Array([0, 0]), "dentropy"),
    };
    tokenLogprob(device, x, { N, V, ld: V, temperature: 1 });
    tokenLogprobBackward(device, x, { N, V, ld: V, temperature: 1 });
    const [dlogits] = await device.read(x.logits);
    assert.ok(dlogits.subarray(0, V).every((d) => d === 0));
    assert.ok(dlogits.subarray(V).some((d) => d !== 0));
  },
);

Deno.test("tokenLogprobBackward() matches central differences of the twin in f64", async () => {
  using device = new CpuDevice({ precision: "f64" });
  const dims = { N: 3, V: 5, ld: 6, temperature: 0.7 }, { N, V, ld } = dims, h = 1e-5;
  const { logits: got } = await run(device, dims, 2);
  const [token, dlogprob, dentropy] = [tokens(N, V), wave(N, 1, 2), wave(N, 1, 3)];
  const loss = (logits: Float64Array<ArrayBuffer>) => {
    const [logprob, entropy, lse] = [1, 1, 2].map((of) => new Float64Array(of * N));
    tokenLogprobTwin({ logits, token, logprob, entropy, lse, dlogprob, dentropy }, dims);
    let sum = 0;
    for (let n = 0; n < N; n++) sum += logprob[n] * dlogprob[n] + entropy[n] * dentropy[n];
    return sum;
  };
  const logits = Float64Array.from(wave(N * ld, 2));
  const want = logits.map((x, i) =>
    (loss(logits.with(i, x + h)) - loss(logits.with(i, x - h))) / (2 * h)
  );
  assertClose(got, want, "dlogits", 1e-9);
});

testOnDevices(
  "tokenLogprob() rejects a bad temperature and a logits buffer that is too small",
  (device) => {
    const b = upload(device, wave(7, 1), "seven");
    const x = { logits: b, token: b, logprob: b, entropy: b, lse: b };
    assert.throws(
      () => tokenLogprob(device, x, { N: 2, V: 3, ld: 3, temperature: 0 }),
      new RangeError(
        "Cannot run token_logprob as the temperature must be positive: it is 0; " +
          "for the most probable token sample greedily",
      ),
    );
    assert.throws(
      () => tokenLogprob(device, x, { N: 2, V: 4, ld: 4, temperature: 1 }),
      new RangeError(
        'Cannot launch token_logprob.forward as logits needs 8 elements: "seven" has 7',
      ),
    );
  },
);

/** Log-probability of `token` and entropy of one row, in doubles. */
function exactly(row: Float32Array, token: number, temperature: number) {
  const top = Math.max(...row), x = Array.from(row, (z) => (z - top) / temperature);
  const logSum = Math.log(x.reduce((sum, y) => sum + Math.exp(y), 0));
  const entropy = -x.reduce((sum, y) => sum + Math.exp(y - logSum) * (y - logSum), 0);
  return { logprob: x[token] - logSum, entropy };
}

// Levels that f32 subtracts from exactly, so that what is left of a digit is lost by the kernel alone.
for (
  const [level, spread, temperature] of [
    [-100, 3, 0.7],
    [-100, 0.04, 0.01],
    [300, 3, 0.7],
    [300, 0.04, 0.01],
    [-7200, 3, 1],
    [-2e30, 0, 1],
  ]
) {
  testOnDevices(
    `tokenLogprob() loses no digit at logits of ${level}, spread ${spread}, T ${temperature}`,
    async (device) => {
      const [N, V] = [7, 131], token = tokens(N, V);
      const logits = wave(N * V, spread).map((z) => level + z);
      const x = {
        logits: upload(device, logits, "logits"),
        token: upload(device, token, "token"),
        ...{ logprob: device.alloc(N, "logprob"), entropy: device.alloc(N, "entropy") },
        lse: device.alloc(2 * N, "lse"),
      };
      tokenLogprob(device, x, { N, V, ld: V, temperature });
      const want = Array.from(
        token,
        (y, n) => exactly(logits.subarray(n * V, (n + 1) * V), y, temperature),
      );
      const [logprob, entropy] = await device.read(x.logprob, x.entropy);
      assertClose(logprob, want.map((row) => row.logprob), "logprob", 2e-6);
      assertClose(entropy, want.map((row) => row.entropy), "entropy", 2e-6);
    },
  );
}

for (const bad of [NaN, Infinity, -Infinity]) {
  testOnDevices(`tokenLogprob() knows nothing of a row with a logit of ${bad}`, async (device) => {
    const [N, V, ld] = [4, 131, 136], logits = wave(N * ld, 3);
    logits[0] = logits[ld + 77] = logits[2 * ld + 130] = bad;
    logits.fill(bad, 3 * ld + V); // padding does not count
    const x = {
      logits: upload(device, logits, "logits"),
      token: upload(device, new Uint32Array(N).fill(5), "token"),
      ...{ logprob: device.alloc(N, "logprob"), entropy: device.alloc(N, "entropy") },
      lse: device.alloc(2 * N, "lse"),
    };
    tokenLogprob(device, x, { N, V, ld, temperature: 0.7 });
    for (const of of await device.read(x.logprob, x.entropy)) {
      assert.deepEqual([...of].map(Number.isNaN), [true, true, true, false]);
      assert.ok(Number.isFinite(of[3]));
    }
  });
}

testOnDevices("tokenLogprobBackward() sums to zero over a row at logits of 300", async (device) => {
  const [N, V] = [65, 300], zeros = new Float32Array(N);
  for (const temperature of [1, 0.7]) {
    const x = {
      logits: upload(device, wave(N * V, 2).map((z) => 300 + z), "logits"),
      token: upload(device, tokens(N, V), "token"),
      ...{ logprob: device.alloc(N, "logprob"), entropy: device.alloc(N, "entropy") },
      lse: device.alloc(2 * N, "lse"),
      dlogprob: upload(device, zeros.map(() => 1), "dlogprob"),
      dentropy: upload(device, zeros, "dentropy"),
    };
    const dims = { N, V, ld: V, temperature };
    tokenLogprob(device, x, dims);
    tokenLogprobBackward(device, x, dims);
    const [dlogits] = await device.read(x.logits);
    const sums = new Array<number>(N).fill(0);
    for (let i = 0; i < N * V; i++) sums[Math.floor(i / V)] += dlogits[i];
    assertClose(sums, zeros, `row sums at T ${temperature}`, 7e-7);
  }
});
