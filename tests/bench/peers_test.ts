/** Comparisons with other programs, here with this project on both sides: no network, no package. @module */
import assert from "node:assert/strict";
import { memoryLines } from "../../bench/attention_memory.ts";
import { hostTime } from "../../bench/host_time.ts";
import { openPeers, peerOptions } from "../../bench/peers/main.ts";
import { ourPeer } from "../../bench/peers/ours.ts";
import { loadPackage, PACKAGES } from "../../bench/peers/packages.ts";
import type { OpenProduct, Peer, Product } from "../../bench/peers/peer.ts";
import { compareProduct, PRODUCTS, productTable } from "../../bench/peers/products.ts";
import { compareStep, weightsOf } from "../../bench/peers/steps.ts";
import { checkEqual, compare, type Side } from "../../bench/torch/compare.ts";
import { comparisonTable, torchOptions } from "../../bench/torch/main.ts";
import { ourSide } from "../../bench/torch/ours.ts";
import { PythonSide } from "../../bench/torch/python_side.ts";
import { allWorks, decoding, provide, training } from "../../bench/torch/works.ts";
import { colorsTable, dropoutOf, stepMilliseconds, stepSeconds } from "../../bench/trl/main.ts";
import { CountingDevice } from "../../kernels/devices/counting.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { Gpt2 } from "../../model/gpt2.ts";
import { testOnDevices } from "../_devices.ts";
import { withFolder } from "../_folder.ts";

const SIZES = { vocab_size: 13, n_positions: 12, n_embd: 8, n_layer: 2, n_head: 2 };
const PRODUCT: Product = { orientation: "NT", M: 3, K: 5, N: 6 };

/** The definition of a product, as a peer. */
const byHand: Peer = {
  name: "by hand",
  open({ orientation, M, K, N }, a, b) {
    const out = Float32Array.from({ length: M * N }, (_, i) => {
      const [m, n] = [Math.floor(i / N), i % N];
      let sum = 0;
      for (let k = 0; k < K; k++) {
        const left = orientation === "TN" ? a[k * M + m] : a[m * K + k];
        sum += left * (orientation === "NT" ? b[n * K + k] : b[k * N + n]);
      }
      return sum;
    });
    return Promise.resolve({
      run: () => Promise.resolve(),
      read: () => Promise.resolve(out),
      [Symbol.dispose]() {},
    });
  },
  wait: () => Promise.resolve(),
  [Symbol.dispose]() {},
};

testOnDevices("products: ours in every orientation, a wrong peer is not timed", async (device) => {
  using ours = ourPeer(device);
  const wrong: Peer = {
    ...byHand,
    name: "wrong",
    async open(...args): Promise<OpenProduct> {
      const opened = await byHand.open(...args);
      return { ...opened, read: () => Promise.resolve(new Float32Array(18)) };
    },
  };
  for (const orientation of ["NN", "NT", "TN"] as const) {
    const product = { ...PRODUCT, orientation };
    const line = await compareProduct([ours, byHand, wrong], product, { samples: 1 });
    assert.ok(Number(line.times.PlainRL) > 0 && Number(line.times["by hand"]) > 0);
    assert.equal(line.times.wrong, "differs from the first by 1");
    const table = productTable(["PlainRL", "by hand", "wrong"], [line]);
    assert.match(table, new RegExp(`\\| ${orientation} 3, 5, 6 +\\|.*\\| {2,}\\| +[\\d.e-]+ \\|$`));
  }
});

Deno.test("a peer that cannot be had is a line, and the others run", async () => {
  const said: string[] = [];
  using device = new CpuDevice();
  const absent = () => Promise.reject(new Error("Cannot load it"));
  const peers = await openPeers([() => Promise.resolve(ourPeer(device)), absent], (text) => {
    said.push(text);
  });
  assert.deepEqual(peers.map(({ name }) => name), ["PlainRL"]);
  assert.deepEqual(said, ["not here: Cannot load it"]);
});

Deno.test("peers are loaded by name and version, and nothing else asks for them", async () => {
  for (const [name, version] of Object.values(PACKAGES)) {
    assert.match(version, /^\d+\.\d+\.\d+$/, name);
  }
  const lock = await Deno.readTextFile("deno.lock");
  assert.doesNotMatch(lock, /jax-js|tensorflow/);
  assert.equal(typeof loadPackage, "function");
  assert.ok(new Set(PRODUCTS.map((product) => JSON.stringify(product))).size === PRODUCTS.length);
});

Deno.test("a step is timed only where losses agree", async () => {
  const loss = (value: number) => () => Promise.resolve(value);
  const { difference } = await compareStep(loss(2), loss(2.0001), { samples: 1 });
  assert.ok(difference > 4e-5 && difference < 6e-5);
  await assert.rejects(
    compareStep(loss(2), loss(2.001), { samples: 1 }),
    /^Error: Cannot compare a step as losses must agree within 0\.0001: 2 here, 2\.001 there$/,
  );
  using device = new CpuDevice();
  using model = Gpt2.create(device, SIZES);
  const { "wte.weight": { shape, data } } = await weightsOf(model);
  assert.deepEqual([shape, data.length], [[13, 8], 104]);
});

testOnDevices("PyTorch's works, by twins on the other side: equal, then timed", async (device) => {
  using twins = new CpuDevice();
  const sides = { ours: ourSide(device), theirs: ourSide(twins) };
  await withFolder(async (folder) => {
    const weights = { folder: `${folder}/tiny`, sizes: SIZES };
    await provide(weights);
    const works = [
      training("a step", weights, [2, 4]),
      decoding("tiny", weights, { B: 2, T: 3, tokens: 2 }),
    ];
    const lines = [];
    for (const work of works) lines.push(...await compare(work, sides, { samples: 1 }));
    assert.deepEqual(lines.map(({ work }) => work), [
      "a step, 2 x 4",
      "prefill, tiny, 2 x 3",
      "decode step, tiny, 2 x 3",
    ]);
    assert.match(lines[0].equal, /^loss, /);
    assert.equal(lines[1].equal, "tokens");
    assert.match(comparisonTable(lines), /\| prefill, tiny, 2 x 3 +\|/);
  });
});

Deno.test("work that differs is refused", () => {
  const seconds = { step: [1, 1] as const };
  assert.throws(
    () => checkEqual("it", { seconds, losses: [3] }, { seconds, losses: [3.1] }),
    /^Error: Cannot compare it as both losses must agree within 0\.0001: here 3, there 3\.1$/,
  );
  assert.throws(() => checkEqual("it", { seconds, losses: [NaN] }, { seconds, losses: [NaN] }));
  assert.throws(
    () => checkEqual("it", { seconds, responses: [[1]] }, { seconds, responses: [[2]] }),
    /same greedy tokens: here \[\[1\]\], there \[\[2\]\]$/,
  );
});

Deno.test("the other side is a program that answers lines; where there is none, the cure is said", async () => {
  await assert.rejects(
    PythonSide.start("/no/python", "x.py"),
    /there is no program \/no\/python\. Fix: /,
  );
  await withFolder(async (folder) => {
    const program = `${folder}/side.sh`; // called as: program -W ignore script
    const lines = (...answers: unknown[]) =>
      `#!/bin/sh\necho '${JSON.stringify(answers[0])}'\n` +
      answers.slice(1).map((answer) => `read line; echo '${JSON.stringify(answer)}'\n`).join("");
    const write = async (text: string) => {
      await Deno.writeTextFile(program, text);
      await Deno.chmod(program, 0o755);
    };
    const work = { ...allWorks("f")[0].work, name: "w" };
    await write(
      lines({ name: "sh" }, {}, { seconds: { step: [2, 3] }, losses: [1] }, { error: "no" }),
    );
    await using side: Side & AsyncDisposable = await PythonSide.start(program, "x");
    assert.equal(side.name, "sh");
    using session = await side.open(work);
    assert.deepEqual(await session.run(1), { seconds: { step: [2, 3] }, losses: [1] });
    await assert.rejects(session.run(1), /^Error: Cannot run the other side: no$/);
    await write(lines({ error: "python has no torch" }));
    await assert.rejects(PythonSide.start(program, "x"), /as python has no torch\. Fix: --python/);
  });
});

Deno.test("arguments of the comparisons", () => {
  const standard = { python: "python3", only: "", samples: 5, folder: "runs/bench-torch" };
  assert.deepEqual(torchOptions(["--"]), standard);
  assert.deepEqual(torchOptions(["--only", "x", "--samples=2"]), {
    ...standard,
    only: "x",
    samples: 2,
  });
  assert.throws(
    () => torchOptions(["--samples", "many"]),
    /^RangeError: Cannot bench as --samples/,
  );
  assert.deepEqual(peerOptions(["--only", "NT"]), { only: "NT", samples: 5 });
  assert.throws(() => peerOptions(["--samples", "0"]), /^RangeError: Cannot bench as --samples/);
});

Deno.test("a run's steps are read from its timings, and the first does not count", () => {
  const seconds = stepSeconds("step,seconds,step_seconds,generate\n1,9,9,1\n2,10,1,0\n3,13,3,0\n");
  assert.deepEqual(seconds, [9, 1, 3]);
  const run = { name: "x", seconds, before: 0.25, after: 1 };
  assert.equal(stepMilliseconds([run, run]), 2000);
  assert.match(colorsTable([[run], [run]]), /\| x +\| +2000 \| +13 \| +0\.250 \| +1 \|/);
});

Deno.test("memory of a step grows linearly in T, as the twins' device holds it", () => {
  using like = new CpuDevice();
  const counted = memoryLines(() => new CountingDevice(like), [64, 128, 256, 512], {
    ...SIZES,
    n_positions: 512,
  });
  const [, ...grown] = counted.map(({ perToken }) => perToken);
  for (const perToken of grown) assert.ok(Math.abs(perToken / grown[0] - 1) < 0.01, `${grown}`);
  const real = memoryLines(() => new CpuDevice(), [4, 8], SIZES);
  assert.deepEqual(memoryLines(() => new CountingDevice(like), [4, 8], SIZES), real);
});

testOnDevices("the host's time is a part of a step's", async (device) => {
  const { host, wall, cpu } = await hostTime(device, SIZES, { B: 2, T: 5, steps: 2 });
  assert.ok(host >= 0 && wall > 0 && cpu >= 0);
});

Deno.test("bench:trl takes a dropout from 0 to below 1", () => {
  assert.deepEqual(["0", "0.1", "0.99"].map(dropoutOf), [0, 0.1, 0.99]);
  for (const text of ["1", "-0.1", "", "a tenth", "NaN"]) {
    assert.throws(() => dropoutOf(text), /^RangeError: .* 0 to below 1: it is ".*"$/);
  }
});
