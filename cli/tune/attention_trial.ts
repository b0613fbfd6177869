/** Attention by each form that the adapter can run. @module */
import { attention, attentionBackward, plainEnds } from "../../kernels/attention.ts";
import type { Device } from "../../kernels/device.ts";
import type { Scope } from "../../kernels/scope.ts";
import { formOf, formsOf } from "../../kernels/attention_form.ts";
import { filled } from "./product_trials.ts";
import type { Candidate, Trial } from "./trials.ts";

/** Sequences, tokens of each, heads and their size. */
export type AttentionSize = Readonly<Record<"B" | "T" | "H" | "D", number>>;

/** Forward and backward, as training has them. */
export function attentionTrial(device: Device, size: AttentionSize): Trial {
  const { B, T, H, D } = size, { features, software } = device;
  const own = formOf({ features, software }, { D });
  const candidates = formsOf(device).map((form): Candidate => ({
    name: form,
    tuning: { attention: form },
    isBuiltIn: form === own,
  }));
  return {
    ...{ name: "attention", size: `B ${B} T ${T} H ${H} D ${D}`, candidates },
    flop: B * H * T * (T + 1) / 2 * 18 * D, // of each pair: 4 forward, 14 backward
    prepare: (scope) => launches(scope, size),
  };
}

function launches(scope: Scope, size: AttentionSize): () => void {
  const { B, T, H, D } = size, { device } = scope, N = B * T, C = H * D;
  const words = (data: Uint32Array<ArrayBuffer>, label: string) => {
    const tensor = scope.alloc(N, label, "u32");
    device.write(tensor, data);
    return tensor;
  };
  const x = {
    ...{ qkv: filled(scope, N * 3 * C, "tune qkv"), out: scope.alloc(N * C, "tune attended") },
    end: words(plainEnds(new Uint32Array(B).fill(T), size), "tune ends"),
    position: words(Uint32Array.from({ length: N }, (_, n) => n % T), "tune positions"),
    lse: scope.alloc(B * H * T * 2, "tune lse"),
  };
  const d = {
    ...{ dout: filled(scope, N * C, "tune dout"), delta: scope.alloc(B * H * T, "tune delta") },
    dqkv: scope.alloc(N * 3 * C, "tune dqkv"),
  };
  return () => {
    attention(device, x, size);
    attentionBackward(device, { ...x, ...d }, size);
  };
}
