import assert from "node:assert/strict";
import { attention, plainEnds } from "../../kernels/attention.ts";
import type { Device, Launch } from "../../kernels/device.ts";
import { CountingDevice } from "../../kernels/devices/counting.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { matmul, type MatmulDims } from "../../kernels/matmul.ts";
import { upload } from "../../kernels/tensor.ts";
import {
  builtIn,
  choicesOf,
  hasFours,
  hasShuffles,
  type Tuning,
  unrollsLoads,
  useTuning,
} from "../../kernels/tuning.ts";
import { type AttentionForm, lanesOfRow } from "../../kernels/attention_text.ts";
import { assertClose } from "../_close.ts";
import { testOnDevices } from "../_devices.ts";
import { noting } from "./_card.ts";
import { wavesOf } from "./_waves.ts";

const wave = wavesOf(0.7);
const EIGHT = new Set(["subgroups-4", "subgroups-8"]), FOURS = new Set(["subgroups-4"]);
const NONE = new Set<string>();

Deno.test("choices: what is built in, by the kind of adapter", () => {
  const of = (software: boolean, features: ReadonlySet<string>) => {
    const { products, ...rest } = builtIn({ software, features });
    return { narrow: products["NT narrow"]!.variant, wide: products["TN wide"]!.variant, ...rest };
  };
  const cut = { "rows short": 16, "rows long": 16, "weights short": 16, "weights long": 16 };
  assert.deepEqual(of(false, NONE), {
    ...{ narrow: "tile", wide: "workgroup", parts: cut, attention: "alone" },
    fewRows: { NN: "parts", NT: "along_k" },
  });
  const whole = { ...cut, "rows short": 1, "rows long": 64, "weights short": 1 };
  assert.deepEqual(of(true, EIGHT), {
    ...{ narrow: "shuffle", wide: "shuffle", parts: whole, attention: "shuffle" },
    fewRows: { NN: "shuffle", NT: "shuffle" },
  });
  assert.deepEqual(of(true, NONE), {
    ...{ narrow: "tile", wide: "tile", parts: whole, attention: "alone" },
    fewRows: { NN: "parts", NT: "along_k" },
  });
  assert.equal(of(false, FOURS).attention, "share");
  assert.equal(of(true, FOURS).attention, "alone");
});

Deno.test("choices: a tuning replaces what it has, and nothing else", () => {
  const adapter = { software: true, features: EIGHT };
  assert.deepEqual(choicesOf(adapter), builtIn(adapter));
  const tuning: Tuning = {
    products: { "NN wide": { variant: "tile" } },
    parts: { "rows short": 4 },
    fewRows: { NT: "along_k" },
    attention: "alone",
  };
  const { products, parts, fewRows, attention } = choicesOf({ ...adapter, tuning });
  assert.deepEqual([products["NN wide"], products["NT wide"]], [{ variant: "tile" }, {
    variant: "shuffle",
  }]);
  assert.deepEqual([parts["rows short"], parts["rows long"]], [4, 64]);
  assert.deepEqual([fewRows, attention], [{ NN: "shuffle", NT: "along_k" }, "alone"]);
});

/** Labels and grids of a product's launches. */
function launchesOf(device: Device, tuning: Tuning | undefined, dims: MatmulDims): string[] {
  const launches: Launch[] = [], { M, N, K } = dims;
  const counting = new CountingDevice({
    ...{ kind: "webgpu", name: "card", software: true, features: device.features, tuning },
    limits: { maxBinding: 2 ** 30, maxBuffer: 2 ** 30 },
  });
  const tensor = (length: number) => counting.alloc(length, "tensor");
  const x = { a: tensor(M * K), b: tensor(N * K), out: tensor(M * N), partial: tensor(64 * M * N) };
  matmul(noting(counting, launches), x, dims);
  return launches.map(({ kernel: { label, variant = "" }, groups = [] }) =>
    [label, variant.split(", ")[1] ?? "", groups.join(" ")].filter(Boolean).join(", ")
  );
}

Deno.test("choices: products follow them, by orientation, width and rows", () => {
  const device = new CpuDevice();
  const of = (tuning: Tuning | undefined, M: number, N: number, orientation: "NN" | "NT" = "NN") =>
    launchesOf(device, tuning, { M, N, K: 64, orientation });
  assert.deepEqual(of(undefined, 128, 512), ["matmul_tile.plain, 16 x 4, 16 1 1"]);
  const square = (side: number) => ({ rows: side, columns: side });
  const tuning: Tuning = {
    products: { "NN wide": { variant: "workgroup", few: square(64), many: square(128) } },
  };
  assert.deepEqual(of(tuning, 64, 512), ["matmul_workgroup.plain, 64 x 64, 8 1 1"]);
  assert.deepEqual(of(tuning, 511, 512), ["matmul_workgroup.plain, 64 x 64, 8 8 1"]);
  assert.deepEqual(of(tuning, 512, 512), ["matmul_workgroup.plain, 128 x 128, 4 4 1"]);
  assert.deepEqual(of(tuning, 128, 508), ["matmul_tile.plain, 16 x 4, 16 1 1"]); // narrow
  assert.deepEqual(of(tuning, 128, 512, "NT"), ["matmul_tile.plain, 16 x 4, 16 1 1"]);
  // A tile that the rows do not fill is chosen by size, as without tuning.
  const large: Tuning = { products: { "NN wide": { variant: "workgroup", few: square(128) } } };
  assert.deepEqual(of(large, 100, 512), ["matmul_workgroup.plain, 64 x 64, 8 2 1"]);
  assert.deepEqual(of(large, 128, 512), ["matmul_workgroup.plain, 128 x 128, 4 1 1"]);
});

Deno.test("choices: sums and few rows follow them", () => {
  const device = new CpuDevice(), long = { M: 8, N: 64, K: 4096, orientation: "NN" } as const;
  const partsOf = (tuning?: Tuning) => launchesOf(device, tuning, long)[0].replace(/.* /, "");
  assert.equal(partsOf(), "1");
  assert.equal(partsOf({ parts: { "rows short": 2 } }), "2");
  assert.equal(partsOf({ parts: { "rows short": 16 } }), "4"); // of 1024 k's at least
  assert.equal(partsOf({ parts: { "rows long": 2, "weights short": 2 } }), "1");
  const rows = { M: 1, N: 64, K: 64, orientation: "NT", role: "decode" } as const;
  const eight = Object.assign(new CpuDevice(), { features: EIGHT });
  assert.match(launchesOf(eight, undefined, rows)[0], /^few_rows_shuffle\./);
  assert.match(launchesOf(eight, { fewRows: { NT: "along_k" } }, rows)[0], /^few_rows_along_k\./);
});

testOnDevices("choices: attention follows them, and gives the same", async (device) => {
  const size = { B: 2, T: 5, H: 2, D: 64 }, N = size.B * size.T;
  const x = {
    qkv: upload(device, wave(N * 384), "qkv"),
    end: upload(device, plainEnds([5, 3], size), "end"),
    position: upload(device, Uint32Array.from({ length: N }, (_, n) => n % 5), "position"),
    out: device.alloc(N * 128, "out"),
    lse: device.alloc(2 * 2 * 5 * 2, "lse"),
  };
  const lanesBy = (form?: AttentionForm) => {
    const launches: Launch[] = [];
    device.tuning = form && { attention: form };
    attention(noting(device, launches), x, size);
    const [{ kernel, groups }] = launches;
    return [kernel.workgroup, kernel.constants!.ROWS, groups![0]];
  };
  const own = unrollsLoads(device) ? [32, 8, 1] : hasShuffles(device) ? [8, 8, 1] : [32, 32, 1];
  assert.deepEqual(lanesBy(), own);
  const [want] = await device.read(x.out);
  for (const [form, rows] of [["alone", 32], ["share", 8]] as const) {
    assert.deepEqual(lanesBy(form), [32, rows, 1]);
    if (form === "share" && device.kind === "webgpu" && !hasFours(device)) continue;
    assertClose((await device.read(x.out))[0], want, form, 1e-6);
  }
});

Deno.test("choices: how many lanes share a row, of how many rows a workgroup", () => {
  const of = (form: AttentionForm, D: number) => lanesOfRow(form, D);
  const lanes = [8, 16, 32, 48, 64, 80, 96, 128].map((D) => of("share", D));
  assert.deepEqual(lanes, [1, 1, 2, 1, 4, 1, 2, 4]);
  assert.deepEqual([of("alone", 64), of("shuffle", 64)], [1, 1]);
  const launched = (features: string[], [T, D]: number[], tuning?: Tuning) => {
    using device = new CountingDevice({
      ...{ kind: "webgpu", name: "any", software: features.length > 1, tuning },
      ...{ features: new Set(features), limits: { maxBinding: 2 ** 30, maxBuffer: 2 ** 30 } },
    });
    const launches: Launch[] = [], u32 = (n: number) => device.alloc(n, "words", "u32");
    const f32 = (n: number) => device.alloc(n, "floats");
    const x = { qkv: f32(3 * T * D), end: u32(T), position: u32(T), out: f32(T * D) };
    attention(noting(device, launches), { ...x, lse: f32(2 * T) }, { B: 1, T, H: 1, D });
    const [{ kernel, groups }] = launches;
    return `${kernel.variant} ${kernel.workgroup} ${kernel.constants!.ROWS} ${groups![0]}`;
  };
  const card = ["subgroups-4"], llvmpipe = [...EIGHT], newer = [...EIGHT, "unrolled-loads"];
  assert.equal(launched(card, [127, 64]), "share 32 8 16");
  assert.equal(launched(card, [128, 64]), "share 64 16 8"); // longer texts take larger workgroups
  assert.equal(launched(card, [24, 32]), "share 32 16 2");
  assert.equal(launched(card, [24, 80]), "alone 32 32 1"); // which no lanes can share
  assert.equal(launched(llvmpipe, [24, 64]), "shuffle 8 8 3");
  assert.equal(launched(newer, [24, 32]), "shuffle 8 8 3");
  assert.equal(launched(newer, [24, 64]), "share 32 8 3"); // the other compiles for 16 s
  assert.equal(launched(newer, [24, 64], { attention: "shuffle" }), "shuffle 8 8 3");
});

Deno.test("choices: those of another adapter, or that it cannot have, are refused", () => {
  using device = new CpuDevice();
  const { name } = device;
  assert.throws(
    () => useTuning(device, { adapter: "a card", choices: {} }),
    new Error(
      `Cannot run by what was tuned as it holds for "a card" alone: this is "${name}"; ` +
        "run deno task tune here, or leave the tuning out",
    ),
  );
  const impossible: Tuning[] = [
    { products: { "TN narrow": { variant: "shuffle" } } },
    { fewRows: { NN: "shuffle" } },
    { attention: "shuffle" },
  ];
  const refused = (choices: Tuning, lanes: string) =>
    assert.throws(
      () => useTuning(device, { adapter: name, choices }),
      new RegExp(`^Error: .* as ".*" must have subgroups of ${lanes} lanes, as it had then`),
    );
  for (const choices of impossible) refused(choices, "8 or 16");
  refused({ attention: "share" }, "4 or more");
  assert.equal(device.tuning, undefined);
  const choices: Tuning = { parts: { "rows long": 2 } };
  useTuning(device, { adapter: name, choices });
  assert.deepEqual(device.tuning, choices);
  const { tuning } = device;
  assert.equal(new CountingDevice(device).tuning, tuning, "a plan counts what will run");
  useTuning(device, { adapter: name, choices: { ...choices, attentionShuffles: false } });
  assert.deepEqual(
    device.tuning,
    { ...choices, attention: "alone" },
    "as earlier versions wrote it",
  );
});
