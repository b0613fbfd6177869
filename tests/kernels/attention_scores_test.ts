/** Attention where every score is far from zero, against plain doubles: all kernels that attend. @module */
import assert from "node:assert/strict";
import { attention, attentionBackward } from "../../kernels/attention.ts";
import { attendAll } from "../../kernels/attend_all.ts";
import type { Device } from "../../kernels/device.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { WebGpuDevice } from "../../kernels/devices/webgpu.ts";
import { upload } from "../../kernels/tensor.ts";
import { attendKv } from "../../kernels/kv_cache.ts";
import { assertClose, assertRelative, relativeError } from "../_close.ts";
import { testOnDevices, testOnKinds } from "../_devices.ts";
import { kernelsOf, plainRows } from "./_attention.ts";
import { wavesOf } from "./_waves.ts";

const [T, D] = [37, 4];

/**
 * One head whose scores are `level` and a few multiples of 0.9375 below it, all exact in f32: q has one
 * number, and the scale of D = 4 is a half.
 */
function rowsAt(level: number): { qkv: Float32Array<ArrayBuffer>; score: number[] } {
  const qkv = new Float32Array(T * 3 * D), q = 120, score: number[] = [];
  for (let t = 0; t < T; t++) {
    const k = level / 60 - (7 * t % 5) / 64;
    qkv[t * 3 * D] = q;
    qkv[t * 3 * D + D] = k;
    for (let d = 0; d < D; d++) qkv[t * 3 * D + 2 * D + d] = Math.sin(3 * t + d);
    score.push(60 * k);
  }
  return { qkv, score };
}

/** softmax(score) v over the first `rows` rows. */
function attended(qkv: Float32Array, score: readonly number[], rows: number): number[] {
  const top = Math.max(...score.slice(0, rows)), p = score.map((s) => Math.exp(s - top));
  const sum = p.slice(0, rows).reduce((a, b) => a + b);
  return Array.from({ length: D }, (_, d) => {
    let out = 0;
    for (let j = 0; j < rows; j++) out += p[j] / sum * qkv[(3 * j + 2) * D + d];
    return out;
  });
}

for (const level of [-7200, 7200, -120]) {
  testOnDevices(
    `attention of any kind holds where all scores are near ${level}`,
    async (device) => {
      const { qkv: rows, score } = rowsAt(level);
      const qkv = upload(device, rows, "qkv"), seen = plainRows(device, [T], T);
      const out = device.alloc(T * D, "out"), lse = device.alloc(T * 2, "lse");
      const causal = Array.from({ length: T }, (_, t) => attended(rows, score, t + 1)).flat();
      for (const kernel of kernelsOf(device)) {
        attention(device, { qkv, ...seen, out, lse }, { B: 1, T, H: 1, D, ...kernel });
        assertClose((await device.read(out))[0], causal, JSON.stringify(kernel), 1e-6);
      }
      const length = upload(device, Uint32Array.of(T), "length");
      attendAll(device, { qkv, length, out }, { B: 1, T, H: 1, D });
      const all = Array.from({ length: T }, () => attended(rows, score, T)).flat();
      assertClose((await device.read(out))[0], all, "attendAll", 1e-6);
      const part = (at: number) =>
        upload(
          device,
          Float32Array.from(
            { length: T * D },
            (_, i) => rows[Math.floor(i / D) * 3 * D + at * D + i % D],
          ),
          "part",
        );
      const last = upload(device, rows.slice((T - 1) * 3 * D), "last");
      const position = upload(device, Uint32Array.of(T - 1), "position");
      const cache = { qkv: last, position, k: part(1), v: part(2), out: device.alloc(D, "out") };
      attendKv(device, cache, { B: 1, S: T, H: 1, D });
      assertClose((await device.read(cache.out))[0], causal.slice(-D), "attendKv", 1e-6);
    },
  );
}

/** dqkv in doubles, from the formulas at the head of attention.wgsl; one head. */
function gradient(qkv: Float32Array, dout: Float32Array, score: readonly number[]): number[] {
  const d = new Array(T * 3 * D).fill(0), at = (row: number, part: number) => (3 * row + part) * D;
  for (let t = 0; t < T; t++) {
    const top = Math.max(...score.slice(0, t + 1)), e = score.map((s) => Math.exp(s - top));
    const sum = e.slice(0, t + 1).reduce((a, b) => a + b);
    const dp = score.map((_, j) => {
      let dot = 0;
      for (let i = 0; i < D; i++) dot += dout[t * D + i] * qkv[at(j, 2) + i];
      return dot;
    });
    let delta = 0;
    for (let j = 0; j <= t; j++) delta += e[j] / sum * dp[j];
    for (let j = 0; j <= t; j++) {
      const p = e[j] / sum, ds = p * (dp[j] - delta) / 2; // 1 / sqrt(D) is a half
      for (let i = 0; i < D; i++) {
        d[at(t, 0) + i] += ds * qkv[at(j, 1) + i];
        d[at(j, 1) + i] += ds * qkv[at(t, 0) + i];
        d[at(j, 2) + i] += p * dout[t * D + i];
      }
    }
  }
  return d;
}

for (const level of [-120, 7200, 15000]) {
  testOnDevices(
    `attentionBackward() is as exact where scores are near ${level}`,
    async (device) => {
      const { qkv: rows, score } = rowsAt(level);
      const given = Float32Array.from({ length: T * D }, (_, i) => Math.cos(5 * i));
      const x = {
        qkv: upload(device, rows, "qkv"),
        ...plainRows(device, [T], T),
        dout: upload(device, given, "dout"),
        ...{ out: device.alloc(T * D, "out"), lse: device.alloc(T * 2, "lse") },
        ...{ delta: device.alloc(T, "delta"), dqkv: device.alloc(T * 3 * D, "dqkv") },
      };
      const want = gradient(rows, given, score);
      for (const kernel of kernelsOf(device)) {
        attention(device, x, { B: 1, T, H: 1, D, ...kernel });
        attentionBackward(device, x, { B: 1, T, H: 1, D, ...kernel });
        const [got] = await device.read(x.dqkv);
        const values = (of: ArrayLike<number>) =>
          Array.from(of).filter((_, i) => i % (3 * D) >= 2 * D);
        assertClose(values(got), values(want), `dv, ${JSON.stringify(kernel)}`, 2e-6);
        assertRelative(got, want, `dqkv, ${JSON.stringify(kernel)}`, 2e-6);
      }
    },
  );
}

testOnKinds(
  "attention's twin is nearer to doubles than the WGSL at scores of 10,000",
  async (kind) => {
    const dims = { B: 1, T: 23, H: 2, D: 8 }, { B, H, D } = dims, rows = dims.T, C = H * D;
    const numbers = wavesOf(0.37);
    const gradientOn = async (device: Device): Promise<ArrayLike<number>> => {
      const x = {
        qkv: upload(device, numbers(rows * 3 * C, 60), "qkv"), // scores that f32 does not hold exactly
        ...plainRows(device, [rows], rows),
        dout: upload(device, numbers(rows * C, 1), "dout"),
        ...{ out: device.alloc(rows * C, "out"), lse: device.alloc(B * H * rows * 2, "lse") },
        ...{ delta: device.alloc(B * H * rows, "delta"), dqkv: device.alloc(rows * 3 * C, "dqkv") },
      };
      attention(device, x, dims);
      attentionBackward(device, x, dims);
      const [lse, dqkv] = await device.read(x.lse, x.dqkv);
      assert.ok(Math.max(...lse) > 5000);
      return dqkv;
    };
    using exact = new CpuDevice({ precision: "f64" });
    using cpu = new CpuDevice();
    const [want, twin] = [await gradientOn(exact), await gradientOn(cpu)];
    if (kind === "webgpu") {
      using webgpu = await WebGpuDevice.open();
      const [near, far] = [twin, await gradientOn(webgpu)].map((of) => relativeError(of, want));
      assert.ok(near <= far, `twin ${near}, WGSL ${far}`);
      return;
    }
    // Of dq and dk the rounding of `out` is the larger part; dv is nothing but probabilities.
    const values = (of: ArrayLike<number>) => Array.from(of).filter((_, i) => i % (3 * C) >= 2 * C);
    assertRelative(values(twin), values(want), "dv", 1e-6);
  },
);
