/** Page 0: the curves of the first run. @module */
import { readCurves } from "./_runs.ts";
import { type Figure, lines, svg } from "./_svg.ts";

async function draw(): Promise<string> {
  const run = await readCurves("healthy"), score = run.of("score/mean");
  const kl = run.of("kl/reference"), x = { label: "step" };
  return svg(
    {
      title: "The first run: score and distance from the start",
      desc: `Over 12 steps the mean score of drawn answers goes from ${score[0].toFixed(2)} to ${
        score.at(-1)!.toFixed(2)
      }, and the KL to the first model from ${kl[0]} to ${
        kl.at(-1)!.toFixed(1)
      } nats, where it stays.`,
      width: 720,
      height: 260,
    },
    lines({ x: 0, y: 0, width: 360, height: 260 }, {
      heading: "score/mean: what is wanted",
      x,
      y: { label: "reward", range: [0, 1] },
      series: [{ name: "score", points: run.points("score/mean") }],
    }),
    lines({ x: 360, y: 0, width: 360, height: 260 }, {
      heading: "kl/reference: what it costs",
      x,
      y: { label: "nats per answer", range: [0, 2] },
      series: [{ name: "kl", points: run.points("kl/reference"), tone: 2 }],
    }),
  );
}

export const figures: readonly Figure[] = [{ file: "00-first-run.svg", draw }];
