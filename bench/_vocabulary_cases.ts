/** Kernels over the vocabulary and at the target positions, as the benches run them. @module */
import { align } from "../kernels/tensor.ts";
import { fullKl, fullKlBackward } from "../kernels/full_kl.ts";
import { addRows } from "../kernels/add_rows.ts";
import { gatherRows } from "../kernels/rows.ts";
import { tokenLogprob, tokenLogprobBackward } from "../kernels/token_logprob.ts";
import { valueHead, valueHeadBackward, valueHeadScratch } from "../kernels/value_head.ts";
import { flatGroups, groupsIn } from "../tests/_row_groups.ts";
import { filled, ids, type KernelCase, noise, zeros } from "./_case.ts";
import type { Shape } from "./_shapes.ts";

/** Log-probabilities, KL, value head, and rows taken out and put back. */
export function vocabularyCases(shape: Shape): KernelCase[] {
  return [...logprobCases(shape), ...klCases(shape), ...targetCases(shape)];
}

function klCases({ V, R }: Shape): KernelCase[] {
  const ld = align(V), size = `N ${R} V ${V}`;
  const both = () => ({
    logits: noise(R * ld, 3),
    reference: noise(R * ld, 2),
    lse: filled(2 * R, 9),
    referenceLse: filled(2 * R, 9),
    mean: filled(R, 1),
  });
  return [{
    name: "full_kl",
    size,
    flop: 0,
    bytes: 4 * 2 * R * V,
    data: () => ({ ...both(), kl: zeros(R) }),
    outputs: ["kl", "mean"],
    launch: (device, x) => fullKl(device, x, { N: R, V, ld, temperature: 1 }),
  }, {
    name: "full_kl backward",
    size,
    flop: 0,
    bytes: 4 * 3 * R * V,
    data: () => ({ ...both(), dkl: noise(R) }),
    outputs: ["reference"],
    launch: (device, x) => fullKlBackward(device, x, { N: R, V, ld, temperature: 1 }),
  }];
}

function logprobCases({ V, R }: Shape): KernelCase[] {
  const ld = align(V), size = `N ${R} V ${V}`;
  const logits = () => ({
    logits: noise(R * ld, 3),
    token: ids(R, V),
    logprob: zeros(R),
    entropy: filled(R, 5),
    lse: filled(2 * R, 9),
  });
  return [{
    name: "token_logprob",
    size,
    flop: 0,
    bytes: 4 * R * V,
    data: logits,
    outputs: ["logprob", "entropy", "lse"],
    launch: (device, x) => tokenLogprob(device, x, { N: R, V, ld, temperature: 1 }),
  }, {
    name: "token_logprob backward",
    size,
    flop: 0,
    bytes: 4 * 2 * R * V,
    data: () => ({ ...logits(), dlogprob: noise(R), dentropy: noise(R, 0.1) }),
    outputs: ["logits"],
    launch: (device, x) => tokenLogprobBackward(device, x, { N: R, V, ld, temperature: 1 }),
  }];
}

function targetCases({ B, T, C, R }: Shape): KernelCase[] {
  const N = B * T;
  const rows = () => Uint32Array.from({ length: R }, (_, r) => Math.floor(r * N / R));
  return [{
    name: "value_head",
    size: `N ${R} C ${C}`,
    flop: 0,
    bytes: 4 * R * C,
    data: () => ({ x: noise(R * C), weight: noise(C), bias: noise(1), value: zeros(R) }),
    outputs: ["value"],
    launch: (device, x) => valueHead(device, x, { N: R, C }),
  }, {
    name: "value_head backward",
    size: `N ${R} C ${C}`,
    flop: 0,
    bytes: 4 * 3 * R * C,
    data: () => ({
      x: noise(R * C),
      weight: noise(C),
      dvalue: noise(R),
      dx: zeros(R * C),
      dweight: zeros(C),
      dbias: zeros(1),
      scratch: zeros(valueHeadScratch({ N: R, C })),
    }),
    outputs: ["dx", "dweight", "dbias"],
    launch: (device, x) => valueHeadBackward(device, x, { N: R, C }),
  }, {
    name: "gather_rows",
    size: `N ${R} of ${N} C ${C}`,
    flop: 0,
    bytes: 4 * 2 * R * C,
    data: () => ({ x: noise(N * C), index: rows(), out: zeros(R * C) }),
    outputs: ["out"],
    launch: (device, x) => gatherRows(device, x, { N: R, R: N, C }),
  }, {
    name: "add_rows",
    size: `N ${R} of ${N} C ${C}`,
    flop: 0,
    bytes: 4 * 3 * R * C,
    data: () => ({ dout: noise(R * C), ...flatGroups("asked", rows()), table: zeros(N * C) }),
    outputs: ["table"],
    launch: (device, x) =>
      addRows(device, { ...x, groups: groupsIn("asked", x) }, { N: R, C, V: N }),
  }];
}
