import assert from "node:assert/strict";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import type { HostArray } from "../../kernels/device.ts";
import { upload } from "../../kernels/tensor.ts";
import { filter, filterControl, filters, type SampleFilter } from "../../kernels/filter.ts";
import { sample, sampleControl } from "../../kernels/sample.ts";
import { assertClose } from "../_close.ts";
import { devices, testOnDevices } from "../_devices.ts";
import { NAMES, run, type Setting, wave } from "./_filter.ts";

const keptOf = (filtered: HostArray): number[] =>
  Array.from(filtered).flatMap((z, v) => z > -1e29 ? [v] : []);

testOnDevices(
  "filter() keeps what transformers keeps, and what is left sums to 1",
  async (device) => {
    const file = new URL("../fixtures/sampling.json", import.meta.url);
    const { logits, history, cases } = JSON.parse(await Deno.readTextFile(file)) as {
      logits: number[][];
      history: number[][];
      cases: { setting: Setting; rows: ({ kept: number[]; logprobs: number[] } | null)[] }[];
    };
    const V = logits[0].length, flat = Float32Array.from(logits.flat());
    for (const { setting, rows } of cases) {
      const { filtered } = await run(device, flat, { V, history, setting });
      rows.forEach((row, b) => {
        if (!row) return; // among equals transformers keeps those that its sort puts last
        const got = filtered.subarray(b * V, (b + 1) * V), kept = keptOf(got);
        assert.deepEqual(kept, row.kept, `row ${b} of ${JSON.stringify(setting)}`);
        const x = kept.map((v) => got[v] / (setting.temperature ?? 1)), top = Math.max(...x);
        const lse = top + Math.log(x.reduce((sum, z) => sum + Math.exp(z - top), 0));
        assertClose(
          x.map((z) => z - lse),
          row.logprobs,
          `row ${b} ${JSON.stringify(setting)}`,
          1e-5,
        );
      });
    }
  },
);

/** Probabilities after the filters, worked out token by token without sorting. */
function exact(logits: Float32Array, setting: Setting): number[] {
  const { temperature = 1, topK = 0, topP = 1, minP = 0 } = setting;
  const share = (p: number[]) => p.map((x) => x / p.reduce((a, b) => a + b));
  let p = share(Array.from(logits, (z) => Math.exp(z / temperature)));
  const larger = (x: number) => p.filter((y) => y > x);
  if (topK) p = share(p.map((x) => larger(x).length < topK ? x : 0));
  const best = Math.max(...p);
  if (topP < 1) p = share(p.map((x) => larger(x).reduce((a, b) => a + b, 0) < topP ? x : 0));
  return share(p.map((x) => x >= minP * best * Math.max(...p) / best ? x : 0));
}

// The 0.999 quantile of chi-square by degrees of freedom.
const QUANTILE = [0, 10.83, 13.82, 16.27, 18.47, 20.52, 22.46, 24.32, 26.12, 27.88, 29.59, 31.26];

for (
  const [setting, tokens] of [
    [{ temperature: 1.5 }, 12],
    [{ topK: 4 }, 4],
    [{ topK: 6, temperature: 1.7 }, 6],
    [{ topP: 0.8 }, 5],
    [{ topP: 0.9, temperature: 1.4 }, 8],
    [{ minP: 0.15 }, 6],
    [{ topK: 7, topP: 0.9 }, 5],
    [{ topK: 9, minP: 0.2, temperature: 1.3 }, 7],
    [{ topK: 8, topP: 0.95, minP: 0.1, temperature: 1.2 }, 7],
  ] as [Setting, number][]
) {
  testOnDevices(
    `draws follow the distribution of ${JSON.stringify(setting)}: chi-square of 100,000`,
    async (device) => {
      const [B, V, steps] = [2000, 12, 50];
      const row = Float32Array.from([
        1.9,
        0.3,
        -1.2,
        2.2,
        0.9,
        -0.4,
        1.4,
        -2.5,
        0.6,
        1.7,
        -0.9,
        2.6,
      ]);
      const logits = Float32Array.from({ length: B * V }, (_, i) => row[i % V]);
      const drawn = await run(device, logits, { V, steps, once: true, setting });
      const p = exact(row, setting), count = new Array(V).fill(0);
      drawn.tokens.forEach((token: number, i: number) => count[token] += i % (steps + 1) ? 1 : 0);
      assert.equal(p.filter((x) => x > 0).length, tokens);
      assert.equal(count.reduce((a, b) => a + b), 100_000);
      const chi = p.reduce((sum, x, v) => {
        if (x === 0) assert.equal(count[v], 0, `drew token ${v}, whose probability is 0`);
        return x === 0 ? sum : sum + (count[v] - x * 1e5) ** 2 / (x * 1e5);
      }, 0);
      assert.ok(
        chi < QUANTILE[tokens - 1],
        `chi-square ${chi} at ${tokens - 1} degrees of freedom`,
      );
      const lp = (p: number[], v: number) => Math.log(p[v]);
      const whole = exact(row, { temperature: setting.temperature });
      for (const filteredLogprobs of [false, true]) {
        const given = { V, steps: 5, setting: { ...setting, filteredLogprobs } };
        const few = await run(device, logits.subarray(0, 20 * V), given);
        few.tokens.forEach((token: number, i: number) => {
          if (i % 6 === 0) return; // the prompt's
          assert.equal(token, drawn.tokens[Math.floor(i / 6) * (steps + 1) + i % 6]);
          const want = lp(filteredLogprobs ? p : whole, token);
          assertClose([few.logprobs[i]], [want], `filtered ${filteredLogprobs}`, 1e-5);
        });
      }
    },
  );
}

// 64: one token a lane; 65: two for the first; 5,000: many.
for (const V of [1, 2, 64, 65, 5000]) {
  Deno.test(`filter() and draws give what their twins give at V=${V}`, async () => {
    using webgpu = await devices.webgpu();
    using cpu = new CpuDevice();
    using double = new CpuDevice({ precision: "f64" });
    const B = 23, history = Array.from({ length: B }, (_, b) => [b % V, (b * 7) % V, b % V]);
    for (
      const setting of [
        { temperature: 0.7 },
        { topK: 20, temperature: 2 },
        { topP: 0.7 },
        { minP: 0.4 },
        { repetitionPenalty: 1.5, greedy: true },
        { topK: 40, topP: 0.9, minP: 0.05, repetitionPenalty: 1.1, temperature: 1.3 },
      ] as Setting[]
    ) {
      const given = { V, steps: 3, seed: 11, history, setting };
      const logits = wave(B * V, 3), want = await run(double, logits, given);
      for (const device of [cpu, webgpu]) {
        const got = await run(device, logits, given), what = JSON.stringify(setting);
        for (const name of ["place", "position", "tokens"] as const) {
          assert.deepEqual(got[name], want[name], `${device.kind} ${name} ${what}`);
        }
        assert.deepEqual(keptOf(got.filtered), keptOf(want.filtered), what);
        const kept = (of: HostArray) => Array.from(of).filter((z) => z > -1e29);
        assertClose(kept(got.filtered), kept(want.filtered), "filtered", 1e-6);
        assertClose(got.norm, want.norm, "norm", 1e-5);
        assertClose(got.logprobs, want.logprobs, "logprobs", 1e-5);
      }
    }
  });
}

testOnDevices("filters that keep all draw what sample() draws alone", async (device) => {
  const B = 40, V = 130, S = 2, logits = wave(B * V, 4);
  const alone = {
    logits: upload(device, logits, "logits"),
    control: upload(device, sampleControl({ seed: 1, stream: 0, temperature: 1 }), "control"),
    ...Object.fromEntries(
      ["position", "finished", "drawn", "token", "tokens"].map((name) => [
        name,
        upload(device, new Uint32Array(B * S), name),
      ]),
    ),
    logprobs: device.alloc(B * S, "logprobs"),
  } as Parameters<typeof sample>[1];
  sample(device, alone, { B, V, ld: V, S });
  const [tokens, logprobs] = await device.read(alone.tokens, alone.logprobs);
  const got = await run(device, logits, { V, setting: { minP: 0 } });
  assert.deepEqual(got.tokens, tokens);
  const odd = (of: HostArray) => of.filter((_: number, i: number) => i % 2 === 1);
  assertClose(odd(got.logprobs), odd(logprobs), "logprobs", 1e-6);
});

testOnDevices("tokens of equal logits stay or go together, 0 and -0 too", async (device) => {
  const logits = Float32Array.from([3, 1, 1, -0, 0, 0, -1, 1]), V = 8;
  const kept = async (setting: Setting) =>
    keptOf((await run(device, logits, { V, setting })).filtered);
  assert.deepEqual(await kept({ topK: 2 }), [0, 1, 2, 7]);
  assert.deepEqual(await kept({ topK: 5 }), [0, 1, 2, 3, 4, 5, 7]);
  assert.deepEqual(await kept({ topP: 0.65 }), [0, 1, 2, 7]); // the first alone holds 0.636
  assert.deepEqual(await kept({ topP: 0.92 }), [0, 1, 2, 3, 4, 5, 7]); // the first four 0.894
  assert.deepEqual(await kept({ topP: 0 }), [0]);
  const flat = new Float32Array(8).fill(-7.3);
  for (const setting of [{ topK: 1 }, { topP: 0 }, { minP: 1, temperature: 0.3 }]) {
    assert.deepEqual(keptOf((await run(device, flat, { V, setting })).filtered).length, 8);
  }
});

testOnDevices("top-p stops where the share is held exactly", async (device) => {
  const logits = Float32Array.from([3, 1, 0, 2]), temperature = 1e20; // each has exactly a quarter
  for (
    const [topP, want] of [
      [0.25, [0]],
      [0.5, [0, 3]],
      [0.75, [0, 1, 3]],
      [0.76, [0, 1, 2, 3]],
    ] as [number, number[]][]
  ) {
    const { filtered } = await run(device, logits, { V: 4, setting: { topP, temperature } });
    assert.deepEqual(keptOf(filtered), want, `top-p ${topP}`);
  }
});

testOnDevices("logits one rounding step apart are told apart", async (device) => {
  for (const from of [1, -3]) { // 2^-22 is one step of 2 to 4, two of 1 to 2
    const logits = Float32Array.from([0, 3, 1, 2], (i) => from + i * 2 ** -22);
    for (const [topK, want] of [[1, [1]], [2, [1, 3]], [3, [1, 2, 3]]] as [number, number[]][]) {
      const { filtered } = await run(device, logits, { V: 4, setting: { topK } });
      assert.deepEqual(keptOf(filtered), want);
    }
  }
});

testOnDevices(
  "filter() holds at logits of 200 and at tokens without any probability",
  async (device) => {
    const logits = wave(4 * 90, 200), V = 90;
    logits.fill(-1e9, 270); // all of row 3 but two
    logits[300] = logits[320] = 4;
    for (
      const setting of [{ topK: 3 }, { topP: 0.5, temperature: 40 }, { minP: 0.5 }] as Setting[]
    ) {
      const { filtered, tokens, logprobs } = await run(device, logits, { V, setting });
      for (let b = 0; b < 4; b++) {
        const row = logits.subarray(b * V, (b + 1) * V), p = exact(row, setting);
        const got = keptOf(filtered.subarray(b * V, (b + 1) * V));
        const want = p.flatMap((x, v) => x > 0 ? [v] : []);
        if (b < 3) assert.deepEqual(got, want);
        const drawn = tokens[b * 2 + 1], t = setting.temperature ?? 1;
        assert.ok(want.includes(drawn));
        const top = Math.max(...row), sum = row.reduce((s, z) => s + Math.exp((z - top) / t), 0);
        assertClose([logprobs[b * 2 + 1]], [(row[drawn] - top) / t - Math.log(sum)], "lp", 1e-4);
      }
    }
  },
);

testOnDevices(
  "filter() loses no digit at any level of the logits and any temperature",
  async (device) => {
    const [B, V] = [9, 90], setting = { topK: 40, topP: 0.9, minP: 0.02 };
    for (const [spread, temperature] of [[3, 0.7], [0.0625, 0.01], [3, 1]]) {
      const logits = wave(B * V, spread).map((z) => Math.round(z * 2048) / 2048); // exact at 7200
      for (const level of [0, -100, 300, -7200]) {
        const moved = logits.map((z) => level + z), what = `at ${level}, T ${temperature}`;
        for (const filteredLogprobs of [false, true]) {
          const given = { V, setting: { ...setting, temperature, filteredLogprobs } };
          const { filtered, tokens, logprobs } = await run(device, moved, given);
          for (let b = 0; b < B; b++) {
            const row = logits.subarray(b * V, (b + 1) * V), kept = exact(row, given.setting);
            const got = keptOf(filtered.subarray(b * V, (b + 1) * V));
            assert.deepEqual(got, kept.flatMap((p, v) => p > 0 ? [v] : []), what);
            const p = filteredLogprobs ? kept : exact(row, { temperature });
            assertClose([logprobs[b * 2 + 1]], [Math.log(p[tokens[b * 2 + 1]])], what, 2e-6);
          }
        }
      }
    }
  },
);

testOnDevices("the penalty is applied once, whatever the sign of a logit", async (device) => {
  const logits = Float32Array.from([2, -2, 1, 0, 4, 5]), history = [[1, 0, 1, 1, 3]];
  const { filtered } = await run(device, logits, {
    V: 6,
    history,
    setting: { repetitionPenalty: 2, greedy: true },
  });
  assertClose(filtered, [1, -4, 1, 0, 4, 5], "filtered", 1e-7);
  const drawn = await run(device, logits, {
    V: 6,
    steps: 4,
    history,
    setting: { repetitionPenalty: 3, greedy: true },
  });
  assert.deepEqual([...drawn.tokens.subarray(5)], [5, 4, 5, 5]); // at 5/3 from the second time on
});

testOnDevices("rows that are finished or full keep all that they have", async (device) => {
  const V = 5, setting = { topK: 2 };
  const { tokens, logprobs, place, position } = await run(device, wave(3 * V, 2), {
    V,
    setting,
    finished: [0, 1, 0],
  });
  assert.deepEqual([...position], [1, 0, 1]);
  assert.deepEqual([...place], [1, 0xffffffff, 1]);
  assert.equal(tokens[3], 0);
  assert.deepEqual([...logprobs.subarray(2, 4)], [0.125, 0.125]);
  assert.ok(logprobs[1] < 0 && logprobs[5] < 0);
});

for (const bad of [NaN, Infinity, -Infinity]) {
  testOnDevices(
    `nothing is filtered or drawn from a row with a logit of ${bad}`,
    async (device) => {
      const [B, V] = [4, 90], logits = wave(B * V, 3);
      logits[0] = logits[V + 41] = logits[2 * V + 89] = bad;
      for (const setting of [{ topK: 3 }, { topP: 0.5 }, { repetitionPenalty: 2 }, { minP: 0.5 }]) {
        for (const greedy of [false, true]) {
          const given = { V, setting: { ...setting, greedy }, steps: 2 };
          const { position, place, tokens, logprobs } = await run(device, logits, given);
          assert.deepEqual([...position], [0, 0, 0, 2]);
          assert.deepEqual([...place].map((to) => to === 0xffffffff), [true, true, true, false]);
          assert.deepEqual([...tokens.subarray(0, 9)], Array(9).fill(0));
          assert.deepEqual([...logprobs.subarray(0, 9)], Array(9).fill(0.125));
        }
      }
    },
  );
}

Deno.test("filterControl() rejects values out of range, filters() says what is off", () => {
  for (
    const [setting, message] of [
      [{ topK: -1 }, "topK must be an integer of tokens, or 0 for all: it is -1"],
      [{ topK: 1.5 }, "topK must be an integer of tokens, or 0 for all: it is 1.5"],
      [{ topP: 1.1 }, "topP must be from 0 to 1: it is 1.1"],
      [{ minP: NaN }, "minP must be from 0 to 1: it is NaN"],
      [{ repetitionPenalty: 0 }, "repetitionPenalty must be positive, and 1 to have none: it is 0"],
    ] as [SampleFilter, string][]
  ) {
    assert.throws(() => filterControl(setting), new RangeError(`Cannot sample as ${message}`));
  }
  assert.ok(!filters({ topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 }) && !filters({}));
  for (const setting of [{ topK: 1 }, { topP: 0.9 }, { minP: 0.1 }, { repetitionPenalty: 2 }]) {
    assert.ok(filters(setting));
  }
});

testOnDevices("filter() rejects a control without the filters", (device) => {
  const x = Object.fromEntries(NAMES.map((name) => [name, device.alloc(64, name)]));
  const control = device.alloc(8, "eight", "u32"), logits = device.alloc(64, "logits");
  const finished = device.alloc(64, "finished");
  assert.throws(
    () =>
      filter(
        device,
        { ...x, finished, logits, control } as Parameters<typeof filter>[1],
        { B: 2, V: 3, ld: 3, S: 4 },
      ),
    new RangeError('Cannot launch filter.filter_row as control needs 16 elements: "eight" has 8'),
  );
});
