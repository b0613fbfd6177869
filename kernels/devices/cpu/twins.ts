/**
 * The twins that take time, and how their launches are cut. A twin that is missing here runs on one
 * thread: a function cannot be sent to another one, which finds it by its name in this list.
 * @module
 */
import { adamwTwin } from "../../adamw.ts";
import { attendAllTwin } from "../../attend_all.ts";
import {
  attentionBackwardKeyTwin,
  attentionBackwardQueryTwin,
  attentionTwin,
} from "../../attention_cpu.ts";
import type { Kernel } from "../../device.ts";
import { fullKlBackwardTwin, fullKlTwin } from "../../full_kl.ts";
import { geluErfTwin } from "../../gelu_erf.ts";
import { attendKvTwin } from "../../kv_cache.ts";
import { layernormInputTwin, layernormParametersTwin, layernormTwin } from "../../layernorm_cpu.ts";
import { tokenLogprobBackwardTwin, tokenLogprobTwin } from "../../token_logprob.ts";
import { splitDrawing } from "./drawing.ts";
import { splitProducts } from "./products.ts";
import { byRows, type SplitTwin } from "./split.ts";

/** What an exponential takes, in multiply-adds. */
const EXP = 16;

/** (B, T, H, D) attention: batch rows do not see one another. `products` of D numbers for each pair. */
const attention = (products: number) =>
  byRows("B", ({ T, H, D }) => ({
    ...{ qkv: T * 3 * H * D, out: T * H * D, lse: H * T * 2 },
    ...{ end: T, position: T, length: 1 },
    ...{ dout: T * H * D, delta: H * T, dqkv: T * 3 * H * D },
  }), {
    work: ({ B, T, H, D }) => B * H * T * T / 2 * (products * D + EXP),
  });

const norm = byRows("N", ({ C, R }) => ({
  ...{ x: C, out: C, mean: 1, rstd: 1, dout: C, dx: C, weight: 0, bias: 0 },
  ...{ pweight: C / R, pbias: C / R }, // a row for R rows, which the twin must have together
}), { unit: ({ R }) => Math.max(R, 1), work: ({ N, C }) => 5 * N * C });

const logits = byRows("N", ({ ld }) => ({
  ...{ logits: ld, token: 1, entropy: 1, lse: 2, logprob: 1, dlogprob: 1, dentropy: 1 },
  ...{ reference: ld, reference_lse: 2, kl: 1, mean: 1, dkl: 1 },
}), { work: ({ N, V }) => N * V * 2 * EXP });

/** As many elements of each of these arrays, and `work` for each; others are read whole. */
const elements = (work: number, names: readonly string[], whole: readonly string[] = []) =>
  byRows("N", () => ({
    ...Object.fromEntries(names.map((name) => [name, 1])),
    ...Object.fromEntries(whole.map((name) => [name, 0])),
  }), { work: ({ N }) => work * N });

const rows: readonly SplitTwin[] = [
  { name: "attention forward", twin: attentionTwin, split: attention(2) },
  { name: "attention backward query", twin: attentionBackwardQueryTwin, split: attention(3) },
  { name: "attention backward key", twin: attentionBackwardKeyTwin, split: attention(4) },
  {
    name: "attention in both directions",
    twin: attendAllTwin,
    split: attention(4), // twice the pairs
  },
  {
    name: "attention to the cache",
    twin: attendKvTwin,
    split: byRows("B", ({ H, D, S }) => ({
      ...{ qkv: 3 * H * D, position: 1, k: S * H * D, v: S * H * D, out: H * D },
    }), { work: ({ B, H, D, S }) => B * H * S * (2 * D + EXP) }),
  },
  { name: "layer norm", twin: layernormTwin, split: norm },
  { name: "layer norm by input", twin: layernormInputTwin, split: norm },
  { name: "layer norm by parameters", twin: layernormParametersTwin, split: norm },
  { name: "log-probability", twin: tokenLogprobTwin, split: logits },
  { name: "log-probability backward", twin: tokenLogprobBackwardTwin, split: logits },
  { name: "full KL", twin: fullKlTwin, split: logits },
  { name: "full KL backward", twin: fullKlBackwardTwin, split: logits },
  { name: "exact GELU", twin: geluErfTwin, split: elements(50, ["x", "out"]) },
  {
    name: "AdamW",
    twin: adamwTwin,
    split: elements(10, ["weight", "grad", "m", "v"], ["hyper", "norm", "correction"]),
  },
];

const all = [...splitProducts(), ...rows, ...splitDrawing];
const byTwin = new Map(all.map((one) => [one.twin, one]));
const byName = new Map(all.map((one) => [one.name, one]));

/** What is known of a twin, if anything is. */
export const twinOf = (twin: Kernel["twin"]): SplitTwin | undefined => byTwin.get(twin);

/** The twin of a name that `twinOf` gave, on this thread or another one. */
export function twinNamed(name: string): SplitTwin {
  const found = byName.get(name);
  if (!found) throw new TypeError(`Cannot compute "${name}" on another thread: it is not listed`);
  return found;
}

/** The names of all. */
export const twinNames = (): string[] => [...byName.keys()];
