import assert from "node:assert/strict";
import { declared, packDims } from "../../../kernels/devices/declared.ts";
import { testOnDevices } from "../../_devices.ts";
import { floats, launchOf, SCALE } from "./_scale.ts";

const of = (code: string) => declared({ label: "a.b", code });

Deno.test("declared() reads fields and bindings off the text, and no comment", () => {
  const { fields, slots } = of(`
    struct Dims { N: u32, /* */ shift: i32, // not: f32
      scale: f32 }
    @group(0) @binding(7) var<storage, read> index: array<vec4<u32>>;
    // @group(0) @binding(8) var<storage, read> no: array<f32>;
    @group(0) @binding(3) var<storage, read_write> half : array< Half4 > ;`);
  assert.deepEqual(fields, [["N", "u32"], ["shift", "i32"], ["scale", "f32"]]);
  assert.deepEqual(Object.fromEntries(slots), {
    index: { binding: 7, writes: false, type: "array<vec4<u32>>", dtype: "u32" },
    half: { binding: 3, writes: true, type: "array< Half4 >", dtype: "f16" },
  });
});

Deno.test("declared() refuses a binding or a field of a type that it does not know", () => {
  const known = "f32, vec2f, vec4f, vec2<f32>, vec4<f32>, Pack, u32, vec2u, vec4u, vec2<u32>, " +
    "vec4<u32>, atomic<u32>, Half, Half4";
  for (const type of ["array<mat4x4f>", "array<i32>", "array<f32, 4>", "Table"]) {
    assert.throws(
      () => of(`struct Dims { N: u32 } @binding(1) var<storage, read> x: ${type};`),
      new TypeError(
        "Cannot launch a.b as the elements of x must be of a type that a tensor has, one of " +
          `${known}: its binding is ${type}`,
      ),
    );
  }
  assert.throws(
    () => of("struct Dims { N: u32, at: vec2<u32> }"),
    new TypeError(
      "Cannot launch a.b as the field at of its struct Dims must be one of u32, i32, f32: it is vec2<u32>",
    ),
  );
});

testOnDevices("a launch says so where its WGSL has a type that is not known", (device) => {
  const [x, out] = [floats(device, [1]), floats(device, [0])];
  const kernel = { ...SCALE, code: SCALE.code.replace("x: array<f32>", "x: array<mat2x2f>") };
  assert.throws(
    () => device.launch({ ...launchOf(x, out, 1), kernel }),
    /^TypeError: Cannot launch scale.main as the elements of x must be .*: its binding is array<mat2x2f>$/,
  );
});

Deno.test("packDims() puts each field at a multiple of 4 bytes, by its type", () => {
  const bytes = packDims(SCALE, { N: 2 ** 32 - 1, shift: -1, scale: 1, spare: 3, last: -0.5 });
  assert.equal(bytes.length, 32);
  const at = new DataView(bytes.buffer);
  assert.deepEqual([at.getUint32(0, true), at.getInt32(4, true)], [2 ** 32 - 1, -1]);
  assert.deepEqual(
    [at.getFloat32(8, true), at.getUint32(12, true), at.getFloat32(16, true)],
    [1, 3, -0.5],
  );
});
