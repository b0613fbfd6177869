/** Page 15: mean and spread of three estimates of KL, as a policy leaves its reference. @module */
import { klEstimate } from "../../rl/kl.ts";
import { type Figure, lines, type Series, svg, text } from "./_svg.ts";

const TOKENS = 50, ESTIMATORS = ["k1", "k2", "k3"] as const;

function softmax(logits: readonly number[]): number[] {
  const powers = logits.map(Math.exp), sum = powers.reduce((a, b) => a + b);
  return powers.map((x) => x / sum);
}

/** The KL of two distributions over 50 tokens, and each estimate's mean and deviation over it. */
export function estimatesAt(distance: number) {
  const logits = Array.from({ length: TOKENS }, (_, i) => 2 * Math.sin(3 * i));
  const p = softmax(logits);
  const q = softmax(logits.map((z, i) => z + distance * Math.cos(7 * i + 1)));
  const d = p.map((x, i) => Math.log(x / q[i]));
  const expected = (x: readonly number[]) => p.reduce((sum, of, i) => sum + of * x[i], 0);
  const kl = expected(d);
  const of = Object.fromEntries(ESTIMATORS.map((estimator) => {
    const each = d.map((x) => klEstimate(x, estimator)), mean = expected(each);
    const deviation = Math.sqrt(expected(each.map((x) => (x - mean) ** 2)));
    return [estimator, { mean: mean / kl, deviation: deviation / kl }];
  }));
  return { kl, of };
}

function estimators(): string {
  const at = Array.from({ length: 25 }, (_, i) => estimatesAt(0.03 * 10 ** (i / 12)));
  const x = { label: "KL, nats", log: true, range: [1e-4, 2] as const };
  const series = (which: "mean" | "deviation"): Series[] =>
    ESTIMATORS.map((name) => ({ name, points: at.map(({ kl, of }) => [kl, of[name][which]]) }));
  const half = { y: 0, width: 330, height: 300 };
  return svg(
    {
      title: "Mean and spread of k1, k2 and k3",
      desc:
        "Left: k1 and k3 average to the KL at every distance, k2 to more than it from about a tenth of a nat on. Right: " +
        "the standard deviation of one value over the KL is about 0.7 for k3 everywhere, and grows to 100 for k1 " +
        "as the KL gets small.",
      width: 660,
      height: 320,
    },
    lines({ x: 0, ...half }, {
      heading: "Mean / KL",
      x,
      y: { label: "times KL", range: [0, 2.5] },
      series: series("mean"),
    }),
    lines({ x: 330, ...half }, {
      heading: "Standard deviation / KL",
      x,
      y: { label: "times KL", log: true, range: [0.1, 200] },
      series: series("deviation"),
    }),
    text(12, 314, `Two softmaxes over ${TOKENS} tokens, one moved away from the other.`, {
      size: 11,
      soft: true,
    }),
  );
}

export const figures: readonly Figure[] = [{ file: "15-estimators.svg", draw: estimators }];
