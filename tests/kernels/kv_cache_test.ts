import assert from "node:assert/strict";
import { attention } from "../../kernels/attention.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import type { Device } from "../../kernels/device.ts";
import { upload } from "../../kernels/tensor.ts";
import { attendKv, storeKv } from "../../kernels/kv_cache.ts";
import { assertClose } from "../_close.ts";
import { testOnDevices } from "../_devices.ts";
import { plainRows } from "./_attention.ts";
import { OTHER_KINDS, posingAs } from "./_op.ts";
import { wavesOf } from "./_waves.ts";

const wave = wavesOf(0.37);

/** Each row its own source. */
const rows = (device: Device, B: number) =>
  upload(device, Uint32Array.from({ length: B }, (_, b) => b), "source");

/** Prefills T positions and attends from a ragged position; outputs are one element too long. */
async function run(
  device: Device,
  { B, T, H, D, S, ...rest }: {
    B: number;
    T: number;
    H: number;
    D: number;
    S: number;
    window?: number;
    scale?: number;
  },
  scale = 1,
  empty?: number, // what slots hold before; numbers where it is left out
) {
  const C = H * D, canary = (n: number) => upload(device, wave(n + 1, 1), "canary");
  const x = { k: canary(B * S * C), v: canary(B * S * C), out: canary(B * C) };
  device.write(x.out, new Float32Array(B * C).fill(NaN)); // what stood there must not matter
  if (empty !== undefined) {
    for (const cache of [x.k, x.v]) device.write(cache, new Float32Array(B * S * C).fill(empty));
  }
  const times = Uint32Array.from({ length: B * T }, (_, n) => n % T);
  const position = upload(device, times, "position"), source = rows(device, B);
  const qkv = upload(device, wave(B * T * 3 * C, scale), "qkv");
  storeKv(device, { ...x, qkv, position, source }, { B, T, H, D, S });
  const last = Uint32Array.from({ length: B }, (_, b) => (T - 1 + 5 * b) % T);
  attendKv(device, {
    ...x,
    qkv: upload(device, wave(B * 3 * C, scale, 2), "qkv"),
    position: upload(device, last, "last"),
  }, { B, S, H, D, ...rest });
  const [k, v, out] = await device.read(x.k, x.v, x.out);
  for (const array of [k, v, out]) {
    assert.equal(array.at(-1), wave(array.length, 1).at(-1), "wrote past the last element");
  }
  return { k, v, out };
}

// 65 and 130 slots: past two and four tiles; the last case has more positions than slots.
for (
  const [B, T, H, D, S] of [
    [1, 1, 1, 1, 1],
    [3, 5, 2, 3, 8],
    [2, 65, 2, 65, 65],
    [2, 130, 1, 128, 140],
    [2, 9, 2, 4, 6],
  ]
) {
  const dims = { B, T, H, D, S };
  testOnDevices(
    `storeKv() and attendKv() match their twins at ${JSON.stringify(dims)}`,
    async (device) => {
      using exact = new CpuDevice({ precision: "f64" });
      const [got, want] = [await run(device, dims), await run(exact, dims)];
      assertClose(got.k, want.k, "k", 0);
      assertClose(got.v, want.v, "v", 0);
      assertClose(got.out, want.out, "out", 1e-5);
    },
  );
}

const [barriers, hardware] = OTHER_KINDS;

/** `device` as one that is no software adapter, whose workgroups have more lanes. */
const wide = (device: Device): Device => posingAs(device, hardware);

// Heads of 1, 2 and 8 Packs in parts, of 17 in strips, and of 5 single ones; less than a tile, and more.
testOnDevices("attendKv() gives the same bits by shuffles and by shared memory", async (device) => {
  for (
    const [D, T, window] of [[4, 3, 9], [4, 21, 13], [8, 50, 99], [32, 19, 5], [68, 11, 9], [
      5,
      13,
      7,
    ]]
  ) {
    const dims = { B: 2, T, H: 2, D, S: T + 1, window };
    const [got, want] = [await run(device, dims), await run(posingAs(device, barriers), dims)];
    assert.ok(got.out.every((x, i) => x === want.out[i]), JSON.stringify(dims));
  }
});

testOnDevices("attendKv() lets nothing in of slots that are not written yet", async (device) => {
  for (const D of [4, 8, 64, 68]) {
    const dims = { B: 2, T: 9, H: 2, D, S: 20 };
    for (const one of [device, posingAs(device, barriers), wide(device)]) {
      const want = await run(one, dims), got = await run(one, dims, 1, NaN);
      assert.deepEqual(got.out, want.out, `D ${D}`);
    }
  }
});

// Heads of 1, 2, 16 and 17 Packs of four, and of 5 single ones: parts of the slots, and none.
testOnDevices("attendKv() with many lanes matches its twin", async (device) => {
  using exact = new CpuDevice({ precision: "f64" });
  for (const [D, T] of [[4, 3], [8, 150], [64, 65], [68, 70], [5, 130]]) {
    const dims = { B: 2, T, H: 2, D, S: T + 1 };
    const [got, want] = [await run(wide(device), dims), await run(exact, dims)];
    assertClose(got.out, want.out, `out at ${JSON.stringify(dims)}`, 1e-5);
  }
});

for (const lanes of ["few", "many"]) {
  testOnDevices(
    `attendKv() with ${lanes} lanes gives a row the same bits in every batch`,
    async (d) => {
      const device = lanes === "few" ? d : wide(d), sizes = { T: 90, H: 2, D: 16, S: 90 };
      const whole = (await run(device, { B: 5, ...sizes })).out;
      const part = (await run(device, { B: 1, ...sizes })).out;
      assert.deepEqual(part.subarray(0, 32), whole.subarray(0, 32));
    },
  );
}

// Of one slot, within a tile, past one and past two tiles, of all slots, of more than all.
testOnDevices("attendKv() with a window and a scale matches its twin", async (device) => {
  using exact = new CpuDevice({ precision: "f64" });
  for (
    const [B, T, H, D, S, window] of [
      [3, 5, 2, 3, 8, 1],
      [2, 65, 2, 8, 65, 7],
      [2, 65, 2, 8, 65, 33],
      [2, 130, 1, 8, 140, 70],
      [2, 20, 2, 8, 20, 20],
      [2, 20, 2, 8, 20, 50],
      [2, 9, 2, 8, 6, 4],
    ]
  ) {
    const dims = { B, T, H, D, S, window, scale: 1 };
    const [got, want] = [await run(device, dims), await run(exact, dims)];
    assertClose(got.out, want.out, `out at ${JSON.stringify(dims)}`, 1e-4);
  }
});

testOnDevices("storeKv() skips positions past the capacity", async (device) => {
  const [B, T, H, D, S] = [2, 2, 2, 2, 3], C = H * D;
  const [k, v] = ["k", "v"].map((name) => upload(device, new Float32Array(B * S * C), name));
  const qkv = upload(device, new Float32Array(B * T * 3 * C).fill(1), "qkv");
  const position = upload(device, new Uint32Array([0, 3, 1, 2]), "position"); // 3 is past the last
  storeKv(device, { qkv, position, k, v, source: rows(device, B) }, { B, T, H, D, S });
  for (const array of await device.read(k, v)) {
    const slots = Array.from({ length: B * H * S }, (_, slot) => array[slot * D]);
    assert.deepEqual(slots, [1, 0, 0, 1, 0, 0, 0, 1, 1, 0, 1, 1]);
  }
});

testOnDevices("storeKv() copies a sequence to every row that has it", async (device) => {
  const [B, U, T, H, D, S] = [5, 3, 4, 2, 3, 7], C = H * D, source = [2, 0, 2, 1, 0];
  const data = wave(U * T * 3 * C, 1), before = wave(B * S * C + 1, 2);
  const [k, v] = ["k", "v"].map((name) => upload(device, before, name));
  const position = Uint32Array.from({ length: U * T }, (_, n) => (n % T + Math.floor(n / T)) % S);
  storeKv(device, {
    ...{ k, v, qkv: upload(device, data, "qkv") },
    position: upload(device, position, "position"),
    source: upload(device, Uint32Array.from(source), "source"),
  }, { B, U, T, H, D, S });
  const want = [before.slice(), before.slice()];
  source.forEach((u, b) => {
    for (let t = 0; t < T; t++) {
      for (let h = 0; h < H; h++) {
        const to = ((b * H + h) * S + position[u * T + t]) * D;
        want.forEach((array, part) => {
          const at = (u * T + t) * 3 * C + (part + 1) * C + h * D;
          array.set(data.subarray(at, at + D), to);
        });
      }
    }
  });
  assert.deepEqual(await device.read(k, v), want);
});

testOnDevices("attendKv() keeps scores of several hundred finite", async (device) => {
  using exact = new CpuDevice({ precision: "f64" });
  const dims = { B: 2, T: 70, H: 2, D: 8, S: 70 };
  const [got, want] = [await run(device, dims, 14), await run(exact, dims, 14)];
  assertClose(got.out, want.out, "out", 5e-3);
});

for (const rest of [{}, { window: 4, scale: 1 }]) {
  testOnDevices(
    `attendKv() gives what attention() gives for the last row ${JSON.stringify(rest)}`,
    (device) => compareWithAttention(device, rest),
  );
}

async function compareWithAttention(device: Device, rest: { window?: number; scale?: number }) {
  const [B, T, H, D] = [3, 11, 2, 8], C = H * D, length = new Uint32Array([11, 4, 1]);
  const data = wave(B * T * 3 * C, 1), lasts = new Float32Array(B * 3 * C);
  length.forEach((end, b) => {
    const row = (b * T + end - 1) * 3 * C;
    lasts.set(data.subarray(row, row + 3 * C), b * 3 * C);
  });
  const qkv = upload(device, data, "qkv"), whole = device.alloc(B * T * C, "whole");
  const cache = { k: device.alloc(B * T * C, "k"), v: device.alloc(B * T * C, "v") };
  attention(device, {
    qkv,
    ...plainRows(device, length, T),
    out: whole,
    lse: device.alloc(B * H * T * 2, "lse"),
  }, { B, T, H, D, ...rest });
  const times = Uint32Array.from({ length: B * T }, (_, n) => n % T);
  const position = upload(device, times, "position");
  storeKv(device, { ...cache, qkv, position, source: rows(device, B) }, { B, T, H, D, S: T });
  const out = device.alloc(B * C, "out");
  attendKv(device, {
    ...cache,
    qkv: upload(device, lasts, "lasts"),
    position: upload(device, length.map((end) => end - 1), "last"),
    out,
  }, { B, S: T, H, D, ...rest });
  const [got, all] = await device.read(out, whole);
  const want = [...length].flatMap((end, b) => {
    const row = (b * T + end - 1) * C;
    return [...all.subarray(row, row + C)];
  });
  assertClose(got, want, "out", 1e-6);
}

testOnDevices(
  "attendKv() rejects a cache that is too small and a window that is no count",
  (device) => {
    const seven = upload(device, wave(7, 1), "seven");
    const position = upload(device, new Uint32Array(1), "position");
    const x = { k: seven, v: seven, qkv: seven, out: seven, position };
    assert.throws(
      () => attendKv(device, x, { B: 1, S: 4, H: 1, D: 2 }),
      new RangeError('Cannot launch attend_kv.attend as k needs 8 elements: "seven" has 7'),
    );
    assert.throws(
      () => attendKv(device, x, { B: 1, S: 1, H: 1, D: 1, window: 0.5 }),
      new RangeError("Cannot attend as each row attends itself at least: window is 0.5"),
    );
  },
);
