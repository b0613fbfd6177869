/** Page 7: which row answers for which token, and a run whose rows are one early. @module */
import { responseRows } from "../../model/rows.ts";
import { readCurves } from "./_runs.ts";
import { arrow, cells, type Figure, lines, svg, text } from "./_svg.ts";

const PROMPT = [7, 8, 9], RESPONSE = [5, 6], SIDE = 44, LEFT = 150;

function rows(): string {
  const { tokens, index, target } = responseRows({ prompts: [PROMPT], responses: [RESPONSE] });
  const at = { x: LEFT, y: 40, width: SIDE, height: SIDE };
  const wanted = Array.from(target), asked = Array.from(index);
  return svg(
    {
      title: "Which row answers for which token of a response",
      desc: `Prompt ${PROMPT.join(" ")}, response ${RESPONSE.join(" ")}: ` +
        asked.map((row, i) => `row ${row} answers for ${wanted[i]}`).join(", ") + ".",
      width: 480,
      height: 220,
    },
    ...Array.from(
      tokens,
      (_, i) =>
        text(LEFT + (i + 0.5) * SIDE, 30, `row ${i}`, { anchor: "middle", size: 11, soft: true }),
    ),
    text(LEFT - 12, 67, "token that goes in", { anchor: "end" }),
    cells(at, [Array.from(tokens, String)], (_, i) => ({ tone: i < PROMPT.length ? 0 : 1 })),
    text(LEFT - 12, 167, "token it answers for", { anchor: "end" }),
    cells(
      { ...at, y: 140 },
      [Array.from(tokens, (_, i) => String(wanted[asked.indexOf(i)] ?? ""))],
      (_, i) => ({ tone: asked.includes(i) ? 2 : undefined }),
    ),
    ...asked.map((row) => {
      const x = LEFT + (row + 0.5) * SIDE;
      return arrow([x, 40 + SIDE + 4], [x, 136], 2);
    }),
    text(LEFT + 4.3 * SIDE, 67, "grey: prompt", { soft: true, size: 11 }),
    text(LEFT + 4.3 * SIDE, 83, "blue: response", { soft: true, size: 11 }),
    text(LEFT, 208, "the last response token is no input: nothing comes after it", {
      soft: true,
      size: 11,
    }),
  );
}

async function early(): Promise<string> {
  const [right, wrong] = [await readCurves("healthy"), await readCurves("one-row-early")];
  const series = (metric: string) => [
    { name: "right", points: right.points(metric), tone: 1 },
    { name: "one row early", points: wrong.points(metric), tone: 5 },
  ];
  const gaps = (x: number[]) => Math.max(...x).toPrecision(1);
  const gap = "sampling/logp_difference_max", x = { label: "step" };
  return svg(
    {
      title: "A run whose log-probabilities come from one row early",
      desc:
        `Left: the score rises in both runs. Right: ${gap} is at most ${
          gaps(right.of(gap))
        } in the ` +
        `right run and ${Math.max(...wrong.of(gap)).toFixed(0)} nats in the other.`,
      width: 720,
      height: 280,
    },
    lines({ x: 0, y: 0, width: 360, height: 280 }, {
      heading: "score/mean: innocent",
      x,
      y: { label: "reward", range: [0, 1] },
      series: series("score/mean"),
    }),
    lines({ x: 360, y: 0, width: 360, height: 280 }, {
      heading: `${gap}: not`,
      x,
      y: { label: "nats", log: true, range: [1e-7, 100] },
      series: series(gap),
    }),
  );
}

export const figures: readonly Figure[] = [
  { file: "07-rows.svg", draw: rows },
  { file: "07-one-row-early.svg", draw: early },
];
