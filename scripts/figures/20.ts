/** Page 20: what the best of several looks at one policy that does not change comes to. @module */
import { type Figure, lineChart } from "./_svg.ts";

/**
 * Expected highest share of right answers over `looks` independent looks at `prompts` prompts, each answered
 * rightly with chance p in (0, 1): the mean of a maximum is the sum of the chances to exceed each count.
 */
export function bestOf(looks: number, prompts: number, p = 0.5): number {
  let exactly = (1 - p) ** prompts, atMost = 0, sum = 0;
  for (let count = 0; count < prompts; count++) {
    atMost += exactly;
    sum += 1 - atMost ** looks;
    exactly *= (prompts - count) / (count + 1) * p / (1 - p);
  }
  return sum / prompts;
}

export const figures: readonly Figure[] = [{
  file: "20-best-of.svg",
  draw: () =>
    lineChart({
      title: "The best of several looks at a policy that learns nothing",
      desc:
        "Expected highest share of right answers over the number of looks, where each answer is right with " +
        "chance 0.5: " +
        [18, 72, 500].map((n) => `${bestOf(20, n).toFixed(2)} after 20 looks at ${n} prompts`)
          .join(", ") +
        "; 0.5 for one look.",
      heading: "Best share of right answers; the true one is 0.5",
      x: { label: "looks", range: [1, 40] },
      y: { label: "best share", range: [0.4, 0.8] },
      series: [18, 72, 500].map((prompts) => ({
        name: `${prompts} prompts`,
        points: Array.from({ length: 40 }, (_, i) => [i + 1, bestOf(i + 1, prompts)]),
      })),
    }),
}];
