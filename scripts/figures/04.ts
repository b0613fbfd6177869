/** Page 4: softmax in f32, as written and with the maximum subtracted; layer norm of two rows. @module */
import { type Figure, lineChart } from "./_svg.ts";

const f32 = Math.fround; // rounds to f32

/** The probability of the largest of the logits top, top - 1, top - 2, in f32. */
function probability(top: number, subtracted: number): number {
  const e = [top, top - 1, top - 2].map((z) => f32(Math.exp(f32(z - subtracted))));
  return f32(e[0] / e.reduce((a, b) => f32(a + b), 0));
}

function draw(): string {
  const tops = Array.from({ length: 81 }, (_, i) => 5 * i - 200);
  const of = (subtracted: (top: number) => number) =>
    tops.map((top): [number, number] => [top, probability(top, subtracted(top))]);
  const written = of(() => 0),
    known = written.filter(([, p]) => Number.isFinite(p)).map(([z]) => z);
  return lineChart({
    title: "The probability of the largest of three logits in f32",
    desc:
      `With the maximum subtracted it is 0.67 from -200 to 200. As the formula is written it is ` +
      `not a number below ${known[0]} and above ${known.at(-1)}.`,
    x: { label: "largest logit; the others are 1 and 2 below it", range: [-200, 200] },
    y: { label: "its probability", range: [0, 1] },
    series: [
      { name: "maximum subtracted", points: of((top) => top), tone: 1 },
      { name: "as written: a dot where it is a number", points: written, tone: 5, dots: true },
    ],
  });
}

export const figures: readonly Figure[] = [{ file: "04-softmax.svg", draw }];
