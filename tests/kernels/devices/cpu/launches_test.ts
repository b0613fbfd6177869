import assert from "node:assert/strict";
import type { Kernel, Launch } from "../../../../kernels/device.ts";
import { CpuDevice } from "../../../../kernels/devices/cpu.ts";
import { partsOf, runPart, sharedLaunch } from "../../../../kernels/devices/cpu/launches.ts";
import { cut } from "../../../../kernels/devices/cpu/split.ts";
import { twinNames } from "../../../../kernels/devices/cpu/twins.ts";
import { productTwin } from "../../../../kernels/matmul_twin.ts";
import { buffersOf, CASES, trained } from "./_cases.ts";

/** A device on one thread that computes what threads would share, part by part, the last part first. */
class PartsDevice extends CpuDevice {
  readonly cut = new Map<string, number>();

  constructor(readonly count: number, precision: "f32" | "f64") {
    super({ workers: 1, precision });
  }

  override launch(launch: Launch): void {
    const { kernel } = launch;
    super.launch({ ...launch, kernel: { ...kernel, twin: this.#inParts(kernel) } });
  }

  #inParts(kernel: Kernel): Kernel["twin"] {
    return (arrays, dims) => {
      const shared = sharedLaunch(kernel, { arrays, dims }, { count: this.count, least: 0 });
      if (!shared) return kernel.twin(arrays, dims);
      this.cut.set(shared.twin, Math.max(this.cut.get(shared.twin) ?? 0, partsOf(shared)));
      for (let left = 1; left <= partsOf(shared); left++) runPart(shared, left);
    };
  }
}

const seen = new Map<string, number>();

for (const precision of ["f32", "f64"] as const) {
  for (const count of [2, 3, 16]) {
    Deno.test(`${precision}: every kernel gives the same bytes in parts for ${count} threads`, async () => {
      using whole = new CpuDevice({ workers: 1, precision });
      using parts = new PartsDevice(count, precision);
      for (const kernel of CASES) {
        const want = await buffersOf(whole, kernel, 2);
        assert.deepEqual(await buffersOf(parts, kernel, 2), want, `${kernel.name} ${kernel.size}`);
      }
      for (const [name, most] of parts.cut) seen.set(name, Math.max(seen.get(name) ?? 0, most));
    });

    Deno.test(`${precision}: so does training with AdamW in parts for ${count} threads`, async () => {
      using whole = new CpuDevice({ workers: 1, precision });
      using parts = new PartsDevice(count, precision);
      assert.deepEqual(await trained(parts, 3), await trained(whole, 3));
    });
  }
}

/** Products that no model asks for. */
const UNUSED = [
  ...["NN dgelu", "NT biased", "NT residual_add", "NT gelu"],
  ...["TN biased", "TN residual_add", "TN gelu", "TN dgelu"],
].map((product) => `product ${product}`).concat(
  ["biased", "gelu", "dgelu"].map((epilogue) => `parts of a product ${epilogue}`),
);

Deno.test("each twin that is listed was cut", () => {
  const missed = twinNames().filter((name) => !(seen.get(name)! > 1));
  assert.deepEqual(missed, UNUSED);
});

Deno.test("parts cover each line once, start at whole units and are worth their work", () => {
  const twin = productTwin("NN", "plain"), arrays = {};
  const launch = (M: number, count: number, least: number) =>
    sharedLaunch({ twin }, { arrays, dims: { M, N: 4, K: 25 } }, { count, least });
  assert.equal(launch(100, 1, 0), undefined); // one thread
  assert.equal(launch(100, 2, 1e4), undefined); // work for one part
  assert.equal(launch(4, 2, 0), undefined); // one unit
  assert.equal(
    sharedLaunch({ twin() {} }, { arrays, dims: {} }, { count: 2, least: 0 }),
    undefined,
  );
  for (const M of [30, 100, 5000]) {
    for (const [count, least] of [[2, 0], [3, 1000], [64, 1]]) {
      const { bounds } = launch(M, count, least)!, parts = bounds.length - 1;
      assert.deepEqual([bounds[0], bounds.at(-1)], [0, M]);
      assert.ok(parts > 1 && parts < 1024 && parts <= 8 * count, `${M} ${count}: ${parts}`);
      const sizes = Array.from({ length: parts - 1 }, (_, i) => bounds[i + 1] - bounds[i]);
      assert.deepEqual(sizes.toSorted((x, y) => y - x), sizes); // the last one ends as it must
      assert.ok(sizes.every((size) => size > 0 && size % 4 === 0 && 100 * size >= least));
    }
  }
});

Deno.test("a split that says nothing of an array is refused", () => {
  const x = new Float32Array(6);
  assert.deepEqual(cut({ x }, { x: 2 }, [1, 2]), { x: x.subarray(2, 4) });
  assert.throws(
    () => cut({ x, spare: x }, { x: 2 }, [1, 2]),
    new TypeError(
      "Cannot split a launch as each of its arrays has a stride, 0 where all is read: spare has none",
    ),
  );
});
