/** Matrix products by each kernel, long sums in more or fewer parts, and the products of decoding. @module */
import type { Device, Tensor } from "../../kernels/device.ts";
import type { Sharing } from "../../kernels/few_rows_text.ts";
import { matmul, type MatmulDims, type TileShape } from "../../kernels/matmul.ts";
import { partOf, type ProductSize, tileShapeOf } from "../../kernels/matmul_choice.ts";
import { partialScratch } from "../../kernels/matmul_parts.ts";
import type { Scope } from "../../kernels/scope.ts";
import {
  builtIn,
  hasShuffles,
  productClass,
  type ProductTuning,
  rowsClass,
  shuffleLanes,
  sumClass,
  unrollsLoads,
} from "../../kernels/tuning.ts";
import type { Candidate, Trial } from "./trials.ts";

type Variant = ProductTuning["variant"];

const SHAPES: Readonly<Record<Variant, readonly TileShape[]>> = {
  tile: [{ rows: 8, columns: 4 }, { rows: 16, columns: 4 }],
  shuffle: [[16, 4], [16, 8], [32, 4], [32, 8], [64, 4], [64, 8]].map(([rows, columns]) => ({
    rows,
    columns,
  })),
  workgroup: [{ rows: 64, columns: 64 }, { rows: 128, columns: 128 }],
};

/** A product by every kernel, with each of its tiles. */
export function productTrial(device: Device, size: ProductSize): Trial {
  const of = productClass(size), own = builtIn(device).products[of]!.variant;
  const candidates = (Object.keys(SHAPES) as Variant[])
    .filter((variant) => variant !== "shuffle" || hasShuffles(device))
    .flatMap((variant) => {
      const lanes = shuffleLanes(device), unrolled = unrollsLoads(device);
      const usual = textOf(tileShapeOf(variant, size, { lanes, unrolled }));
      return SHAPES[variant].map((shape): Candidate => ({
        name: variant,
        shape: textOf(shape),
        tuning: { products: { [of]: { variant, [rowsClass(size)]: shape } } },
        isBuiltIn: variant === own && textOf(shape) === usual,
      }));
    });
  return trialOf(`product ${of}`, size, candidates);
}

const textOf = ({ rows, columns }: TileShape): string => `${rows} x ${columns}`;

/** A product whose sums are cut into more or fewer parts, as far as their rule has them cut. */
export function sumTrial(device: Device, size: ProductSize): Trial {
  const of = sumClass(size), { K } = size, { features, software } = device;
  const partBy = (most: number) =>
    partOf({ features, software, tuning: { parts: { [of]: most } } }, size);
  const own = partOf({ features, software }, size);
  const most = [1, 2, 4, 8, 16, 32, 64].filter((most, i, all) =>
    i === 0 || partBy(most) !== partBy(all[i - 1])
  );
  const candidates = most.map((most): Candidate => ({
    name: partBy(most) < K ? `${Math.ceil(K / partBy(most))} parts` : "whole",
    tuning: { parts: { [of]: most } },
    isBuiltIn: partBy(most) === own,
  }));
  const scratch = Math.max(...most.map((most) => partialScratch(device, size, partBy(most))));
  return trialOf(`sums of ${of}`, size, candidates, scratch);
}

/** A product of decoding by each way to share its work. */
export function fewRowsTrial(
  device: Device,
  size: ProductSize & { orientation: "NN" | "NT" },
): Trial {
  const { orientation } = size, own = builtIn(device).fewRows[orientation];
  const ways: Sharing[] = [
    ...(hasShuffles(device) ? ["shuffle" as const] : []),
    orientation === "NN" ? "parts" : "along_k",
  ];
  const candidates = ways.map((way): Candidate => ({
    ...{ name: way, tuning: { fewRows: { [orientation]: way } }, isBuiltIn: way === own },
  }));
  return trialOf(`few rows ${orientation}`, { ...size, role: "decode" }, candidates);
}

function trialOf(
  name: string,
  size: ProductSize & Pick<MatmulDims, "role">,
  candidates: readonly Candidate[],
  scratch = 0,
): Trial {
  const { M, N, K } = size;
  return {
    ...{ name, size: `M ${M} N ${N} K ${K}`, flop: 2 * M * N * K, candidates },
    prepare(scope) {
      const x = {
        ...{ a: filled(scope, M * K, "tune a"), b: filled(scope, N * K, "tune b") },
        out: scope.alloc(M * N, "tune out"),
        ...(scratch > 0 && { partial: scope.alloc(scratch, "tune parts") }),
      };
      return () => matmul(scope.device, x, size);
    },
  };
}

/** Numbers of both signs, as zeros may take other paths. */
export function filled(scope: Scope, length: number, label: string): Tensor {
  const tensor = scope.alloc(length, label), data = new Float32Array(length);
  for (let i = 0; i < length; i++) data[i] = i * 7919 % 1021 / 510 - 1;
  scope.device.write(tensor, data);
  return tensor;
}
