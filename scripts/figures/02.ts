/** Page 2: a product, and what the gradient of its sum is made of. @module */
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { matmul, type Orientation } from "../../kernels/matmul.ts";
import { upload } from "../../kernels/tensor.ts";
import { cells, type Figure, svg, text } from "./_svg.ts";

const SIDE = 40;
const X = [1, 2, 3, 4, 5, 6], W = [7, 8, 9, 10, 11, 12];

/** A product of the page's example. */
async function product(a: number[], b: number[], [M, N, K]: number[], orientation: Orientation) {
  using device = new CpuDevice();
  const out = device.alloc(M * N, "out");
  const [left, right] = [a, b].map((x) => upload(device, Float32Array.from(x), "x"));
  matmul(device, { a: left, b: right, out }, { M, N, K, orientation });
  return Array.from((await device.read(out))[0]);
}

/** Numbers in rows of `wide`; `marked` are filled. */
function matrix(
  [x, y]: [number, number],
  numbers: readonly number[],
  { name, wide, marked, tone }: {
    name: string;
    wide: number;
    marked: (row: number, column: number) => boolean;
    tone: number;
  },
): string {
  const rows = Array.from(
    { length: numbers.length / wide },
    (_, r) => numbers.slice(r * wide, (r + 1) * wide).map(String),
  );
  return text(x, y - 8, `${name} (${rows.length}, ${wide})`, { bold: true }) +
    cells({ x, y, width: SIDE, height: SIDE }, rows, (r, c) => ({
      tone: marked(r, c) ? tone : undefined,
      strength: 0.35,
    }));
}

async function draw(): Promise<string> {
  const y = await product(X, W, [2, 2, 3], "NN"), ones = [1, 1, 1, 1];
  const dx = await product(ones, W, [2, 3, 2], "NT");
  const first = (r: number, c: number) => r === 0 && c === 0;
  const sign = (x: number, y: number, words: string) =>
    text(x, y, words, { anchor: "middle", size: 16 });
  return svg(
    {
      title: "A product, and the gradient of the sum of its result",
      desc:
        `Row 0 of x times column 0 of W gives ${
          y[0]
        }. With dy all ones, dx[0] is row 0 of dy times ` +
        `row 0 of W: ${dx[0]}.`,
      width: 520,
      height: 330,
    },
    matrix([20, 50], X, { name: "x", wide: 3, tone: 1, marked: (r) => r === 0 }),
    sign(163, 95, "·"),
    matrix([185, 30], W, { name: "W", wide: 2, tone: 1, marked: (_, c) => c === 0 }),
    sign(290, 95, "="),
    matrix([315, 50], y, { name: "y = x W", wide: 2, tone: 1, marked: first }),
    matrix([20, 205], ones, { name: "dy", wide: 2, tone: 2, marked: (r) => r === 0 }),
    sign(123, 250, "·"),
    matrix([145, 185], W, { name: "W, read by rows", wide: 2, tone: 2, marked: (r) => r === 0 }),
    sign(250, 250, "="),
    matrix([275, 205], dx, { name: "dx = dy W^T", wide: 3, tone: 2, marked: first }),
  );
}

export const figures: readonly Figure[] = [{ file: "02-product.svg", draw }];
