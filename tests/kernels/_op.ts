/** What every op test does: run on a device, compare with the twin in f64, differentiate the twin. @module */
import assert from "node:assert/strict";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import type { Device, HostArray, Tensor } from "../../kernels/device.ts";
import { Scope } from "../../kernels/scope.ts";
import { relativeError } from "../_close.ts";
import { wavesOf } from "./_waves.ts";

/** One run of an op: the data of every buffer by name, and the launches. */
export interface Case<Name extends string = string> {
  data: Record<Name, HostArray>;
  run(device: Device, buffers: Record<Name, Tensor>): void;
}

/** `device` as one of another kind says of itself: what is chosen by that differs, what runs it does not. */
export const posingAs = (
  device: Device,
  traits: Partial<Pick<Device, "software" | "features">>,
): Device =>
  new Proxy(device, {
    get(target, key) {
      if (key in traits) return traits[key as keyof typeof traits];
      const value = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });

/** No shuffles; as graphics hardware, or as a software adapter without them. */
export const OTHER_KINDS = [true, false].map((software) => ({
  software,
  features: new Set<string>(),
}));

/** What lies past the end of a buffer: a number that no op maps to itself. */
const canaryOf = (values: HostArray): number => values instanceof Uint32Array ? 12345 : -0.5;

export const wave = wavesOf(1);

/** Runs the case; gives every buffer back, each with the canary element that lay past its end. */
export async function outcome<Name extends string>(
  device: Device,
  { data, run }: Case<Name>,
): Promise<Record<Name, HostArray>> {
  using scope = new Scope(device);
  const names = Object.keys(data) as Name[];
  const buffers = {} as Record<Name, Tensor>;
  for (const name of names) {
    const values = data[name];
    const tensor = scope.alloc(
      values.length + 1,
      name,
      values instanceof Uint32Array ? "u32" : "f32",
    );
    device.write(tensor, values);
    device.write(tensor, [canaryOf(values)], values.length);
    buffers[name] = tensor;
  }
  run(device, buffers);
  const read = await device.read(...names.map((name) => buffers[name]));
  return Object.fromEntries(names.map((name, i) => [name, read[i]])) as Record<Name, HostArray>;
}

/**
 * Asserts that the device gives what the twin gives in f64, buffer by buffer (relative error at most
 * `rtol`), that buffers not named in `outputs` are unchanged, and that nothing is written past an end.
 */
export async function checkTwin<Name extends string>(
  device: Device,
  op: Case<Name>,
  outputs: NoInfer<Name>[],
  { rtol = 1e-5, scratch = [] as NoInfer<Name>[] } = {},
): Promise<void> {
  using exact = new CpuDevice({ precision: "f64" });
  const [got, want] = [await outcome(device, op), await outcome(exact, op)];
  for (const name of Object.keys(op.data) as Name[]) {
    const n = op.data[name].length, canary = canaryOf(op.data[name]);
    assert.equal(got[name][n], canary, `${name}: wrote past the end`);
    assert.equal(want[name][n], canary, `${name}: the twin wrote past the end`);
    const [g, w] = [got[name].subarray(0, n), want[name].subarray(0, n)];
    if (outputs.includes(name)) {
      const error = relativeError(g, w);
      assert.ok(error <= rtol, `${name}: relative error ${error} (rtol ${rtol})`);
    } else if (!scratch.includes(name)) {
      assert.deepEqual([...g], [...op.data[name]], `${name}: an input was changed`);
    }
  }
}

/**
 * Asserts that `gradients` (input name to gradient name) that `backward` leaves match central
 * differences of sum(out * dout) under `forward`, all in f64. What the gradient buffer held before is
 * taken off: pass `added: false` for ops that overwrite.
 */
export async function checkGradient<Name extends string>(
  { data, forward, backward, out, dout, gradients, added = true, rtol = 1e-7 }: {
    data: Record<Name, HostArray>;
    forward: Case<Name>["run"];
    backward: Case<Name>["run"];
    out: NoInfer<Name>;
    dout: NoInfer<Name>;
    gradients: Partial<Record<NoInfer<Name>, NoInfer<Name>>>;
    added?: boolean;
    rtol?: number;
  },
): Promise<void> {
  using device = new CpuDevice({ precision: "f64" });
  const loss = async (at: Record<Name, HostArray>) => {
    const y = (await outcome(device, { data: at, run: forward }))[out];
    let sum = 0;
    for (let i = 0; i < data[dout].length; i++) sum += data[dout][i] * y[i];
    return sum;
  };
  const got = await outcome(device, {
    data,
    run(device, buffers) {
      forward(device, buffers);
      backward(device, buffers);
    },
  });
  const h = 1e-5;
  for (const [name, gradient] of Object.entries(gradients) as [Name, Name][]) {
    const want: number[] = [];
    for (let i = 0; i < data[name].length; i++) {
      const at = (value: number) => ({
        ...data,
        [name]: Float64Array.from(data[name]).with(i, value),
      });
      const x = data[name][i];
      want.push((await loss(at(x + h)) - await loss(at(x - h))) / (2 * h));
    }
    const before = data[gradient];
    const g = Array.from(want, (_, i) => got[gradient][i] - (added ? before[i] : 0));
    const error = relativeError(g, want);
    assert.ok(error <= rtol, `${gradient}: relative error ${error} (rtol ${rtol})`);
  }
}
