import assert from "node:assert/strict";
import { trainingSpeed } from "../../../cli/tune/vector_child.ts";
import {
  startChild,
  timeVectors,
  vectorAdvice,
  vectorBits,
  type VectorWidth,
} from "../../../cli/tune/vectors.ts";
import { lacking, testOnWebGpu } from "../../_devices.ts";

const llvmpipe = (bits: number) => `llvmpipe (LLVM 15.0.6, ${bits} bits)`;

Deno.test("only llvmpipe says how wide its vectors are", () => {
  assert.equal(vectorBits(llvmpipe(256)), 256);
  assert.equal(vectorBits("llvmpipe (LLVM 19.1.7, 512 bits)"), 512);
  for (const name of ["NVIDIA H100", "llvmpipe", "SwiftShader (256 bits)"]) {
    assert.equal(vectorBits(name), undefined, name);
  }
});

Deno.test("each width is timed twice in turn, by processes with the variable set", async () => {
  const asked: [number, number | undefined][] = [], speeds = [10, 5, 12, 6];
  const start = (seconds: number, bits?: number) => {
    asked.push([seconds, bits]);
    return Promise.resolve({
      ...{ adapter: llvmpipe(bits ?? 256), tokensPerSecond: speeds[asked.length - 1] },
    });
  };
  assert.deepEqual(await timeVectors(llvmpipe(256), { seconds: 3, start }), [
    { bits: 256, tokensPerSecond: 12, isPresent: true },
    { bits: 512, tokensPerSecond: 6, isPresent: false },
  ]);
  assert.deepEqual(asked, [[3, undefined], [3, 512], [3, undefined], [3, 512]]);
  const widths = await timeVectors(llvmpipe(128), {
    seconds: 1,
    start: (_, bits = 128) => Promise.resolve({ adapter: llvmpipe(bits), tokensPerSecond: bits }),
  });
  assert.deepEqual(widths.map(({ bits }) => bits), [128, 256, 512]);
});

Deno.test("a driver that ignores the variable is no measurement", async () => {
  const start = () => Promise.resolve({ adapter: llvmpipe(256), tokensPerSecond: 1 });
  await assert.rejects(
    timeVectors(llvmpipe(256), { seconds: 1, start }),
    new Error(
      "Cannot time vectors of 512 bits as the driver takes 256: LP_NATIVE_VECTOR_WIDTH does nothing here",
    ),
  );
  const signal = AbortSignal.abort(new Error("stopped"));
  await assert.rejects(timeVectors(llvmpipe(256), { seconds: 1, start, signal }), /stopped/);
});

Deno.test("another width is advised where it is faster than noise", () => {
  const widths = (present: number, other: number): VectorWidth[] => [
    { bits: 256, tokensPerSecond: present, isPresent: true },
    { bits: 512, tokensPerSecond: other, isPresent: false },
  ];
  const leave = "Leave LP_NATIVE_VECTOR_WIDTH as it is: no other width is faster";
  assert.equal(vectorAdvice(widths(3188, 1207)), leave);
  assert.equal(vectorAdvice(widths(100, 104)), leave);
  assert.equal(
    vectorAdvice(widths(100, 130)),
    "Vectors of 512 bits are faster: export LP_NATIVE_VECTOR_WIDTH=512 before a run, and tune again, " +
      "as it is another adapter then; results stay the same",
  );
});

testOnWebGpu("a process trains with the width that it is told", async () => {
  const { adapter, tokensPerSecond } = await startChild(0.01, 128);
  assert.equal(vectorBits(adapter), 128, adapter);
  assert.ok(tokensPerSecond > 0);
}, await lacking("software"));

testOnWebGpu("training is timed by processor time", async () => {
  const sizes = { vocab_size: 1000, n_positions: 24, n_embd: 8, n_layer: 1, n_head: 2 };
  const { tokensPerSecond } = await trainingSpeed(0.01, sizes);
  assert.ok(tokensPerSecond > 10 && tokensPerSecond < 1e8, String(tokensPerSecond));
}, await lacking("software"));
