import assert from "node:assert/strict";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import type { Device } from "../../kernels/device.ts";
import { Scope } from "../../kernels/scope.ts";
import { view } from "../../kernels/tensor.ts";
import { globalNorm, globalNormScratch } from "../../kernels/global_norm.ts";
import { assertClose } from "../_close.ts";
import { testOnDevices } from "../_devices.ts";
import { OTHER_KINDS, posingAs, wave } from "./_op.ts";

/** Norm and factor of the given gradients; asserts the canary after both, and past the scratch. */
async function normOf(
  device: Device,
  arrays: Float32Array<ArrayBuffer>[],
  maxNorm: number,
): Promise<[number, number]> {
  using scope = new Scope(device);
  const grads = arrays.map((array, i) => {
    const tensor = scope.alloc(array.length + 5, `grad ${i}`);
    device.write(tensor, array);
    device.write(tensor, [777, 777, 777, 777, 777], array.length); // must not count
    return view(tensor, 0, array.length);
  });
  const G = globalNormScratch(grads);
  const [scratch, norm] = [scope.alloc(G + 1, "scratch"), scope.alloc(3, "norm")];
  device.write(scratch, new Float32Array(G + 1).fill(777));
  device.write(norm, [5, 5, 12345]);
  globalNorm(device, { grads, scratch, norm }, { maxNorm });
  const [n, s] = await device.read(norm, scratch);
  assert.equal(n[2], 12345, "wrote past norm");
  assert.equal(s[G], 777, "wrote past scratch");
  return [n[0], n[1]];
}

const plain = (arrays: Float32Array[]) =>
  Math.sqrt(arrays.reduce((sum, array) => array.reduce((s, x) => s + x * x, sum), 0));

for (const sizes of [[1], [3, 4, 70], [4096, 4097, 12_300, 5]]) {
  testOnDevices(`globalNorm() of tensors of ${sizes} elements is their norm`, async (device) => {
    const arrays = sizes.map((n, i) => wave(n, 200, i + 1));
    const length = plain(arrays);
    const [norm, factor] = await normOf(device, arrays, 1.5);
    assertClose([norm / length, factor * length], [1, 1.5], "norm, factor", 2e-6);
    using exact = new CpuDevice({ precision: "f64" });
    assertClose(await normOf(exact, arrays, 1.5), [length, 1.5 / length], "f64", 1e-9);
  });
}

testOnDevices("globalNorm() is the same by shuffles and by shared memory", async (device) => {
  const arrays = [4096, 4097, 12_300, 5].map((n, i) => wave(n, 200, i + 1));
  const got = await normOf(device, arrays, 1.5);
  for (const kind of OTHER_KINDS) {
    const other = await normOf(posingAs(device, kind), arrays, 1.5);
    if (kind.software) assert.deepEqual(other, got); // 8 lanes either way
    assertClose(other, got, "norm, factor", 2e-6);
  }
});

testOnDevices(
  "globalNorm() reads tensors larger than one binding in ranges",
  async (device) => {
    const arrays = [wave(40_001), wave(16384, 1, 2), wave(70, 1, 3)]; // 3 ranges, 1, 1
    const [norm] = await normOf(device, arrays, 0);
    assertClose([norm / plain(arrays)], [1], "norm", 2e-6);
  },
  { maxBinding: 16384 * 4 },
);

testOnDevices("globalNorm() leaves small gradients alone and clips large ones", async (device) => {
  const grads = [Float32Array.of(3), Float32Array.of(0, 4)]; // norm 5
  assert.deepEqual(await normOf(device, grads, 5), [5, 1]);
  assert.deepEqual(await normOf(device, grads, 0), [5, 1]);
  assert.deepEqual(await normOf(device, grads, 2.5), [5, 0.5]);
  assert.deepEqual(await normOf(device, [new Float32Array(3)], 1), [0, 1]);
});

for (const bad of [NaN, Infinity, -Infinity, 1e30]) { // 1e30 squared overflows f32
  testOnDevices(`globalNorm() gives the factor 0 for a gradient of ${bad}`, async (device) => {
    for (const maxNorm of [0, 1]) {
      const [, factor] = await normOf(device, [wave(5), Float32Array.of(1, bad)], maxNorm);
      assert.equal(factor, 0);
    }
  });
}

Deno.test("globalNorm() rejects a negative maxNorm", () => {
  using device = new CpuDevice();
  const x = device.alloc(2, "x");
  assert.throws(
    () => globalNorm(device, { grads: [x], scratch: x, norm: x }, { maxNorm: -1 }),
    new RangeError(
      "Cannot clip gradients as maxNorm is finite and not negative: it is -1; 0 turns clipping off",
    ),
  );
});

testOnDevices("globalNorm() rejects a scratch that is too small", (device) => {
  const grad = device.alloc(5000, "grad"), seven = device.alloc(1, "one");
  assert.throws(
    () => globalNorm(device, { grads: [grad], scratch: seven, norm: grad }, { maxNorm: 1 }),
    new RangeError('Cannot launch global_norm.squares as partial needs 2 elements: "one" has 1'),
  );
});

testOnDevices(
  "the norm of a part is clipped apart, and skips where the whole is not finite",
  async (device) => {
    using scope = new Scope(device);
    const [a, b] = ["a", "b"].map((name) => scope.alloc(2, name));
    const [norm, part, scratch] = ["norm", "part", "scratch"].map((name) => scope.alloc(2, name));
    device.write(a, [3, 4]);
    for (const [other, want] of [[12, 0.5], [NaN, 0], [Infinity, 0]]) {
      device.write(b, [other, 0]);
      globalNorm(device, { grads: [a, b], scratch, norm }, { maxNorm: 0 });
      globalNorm(device, { grads: [a], scratch, norm: part, whole: norm }, { maxNorm: 2.5 });
      const [whole, of] = await device.read(norm, part);
      if (want > 0) assert.equal(whole[0], 13);
      assert.deepEqual([...of], [5, want], `${other}`);
    }
  },
);
