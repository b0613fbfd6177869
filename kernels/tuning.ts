/**
 * What was measured to be fastest on one adapter. The choices that this project makes by the kind of adapter
 * (`builtIn`) are tables of the same form; what a device's own `tuning` lacks comes from there.
 * @module
 */
import type { AttentionForm } from "./attention_text.ts";
import type { Device } from "./device.ts";
import type { Sharing } from "./few_rows_text.ts";
import type { MatmulVariant } from "./matmul_kernels.ts";
import type { Orientation } from "./matmul_twin.ts";
import type { TileShape } from "./tile_text.ts";

/** Products alike in what suits them: "wide" ones have 512 columns, and sums of 64, at least. */
export type ProductClass = `${Orientation} ${"narrow" | "wide"}`;

/** Sums alike: of rows (NN, NT) or of weights' gradients (TN); "long" is of 8192 at least. */
export type SumClass = `${"rows" | "weights"} ${"short" | "long"}`;

/** The kernel of a class of products. */
export interface ProductTuning {
  readonly variant: Exclude<MatmulVariant, "plain">;
  /** Tile of products with less than 512 rows, where they fill it. Absent: by size. No bit depends on it. */
  readonly few?: TileShape;
  /** Of those with more. */
  readonly many?: TileShape;
}

/** Choices. Those of products, sums, few rows and attention change bits, by rounding. */
export interface Tuning {
  readonly products?: Readonly<Partial<Record<ProductClass, ProductTuning>>>;
  /** Most parts that a sum is cut into, 1 to 64. */
  readonly parts?: Readonly<Partial<Record<SumClass, number>>>;
  /** How the lanes of few_rows.ts share their work. */
  readonly fewRows?: Readonly<Partial<Record<"NN" | "NT", Sharing>>>;
  /** How lanes of attention come by rows. */
  readonly attention?: AttentionForm;
}

/** Choices as files of earlier versions have them, where a boolean said whether attention shuffles. */
export type WrittenTuning = Tuning & { readonly attentionShuffles?: boolean };

/** The same choices by today's names. */
export function renamed({ attentionShuffles: shuffles, ...rest }: WrittenTuning): Tuning {
  return shuffles === undefined ? rest : { ...rest, attention: shuffles ? "shuffle" : "alone" };
}

/** Choices for one adapter, by its name. */
export interface AdapterTuning {
  readonly adapter: string;
  readonly choices: WrittenTuning;
}

/** What a choice may ask of a device. */
export type Adapter = Pick<Device, "features" | "software" | "tuning">;

export const productClass = (
  { orientation, N, K }: { orientation: Orientation; N: number; K: number },
): ProductClass => `${orientation} ${N >= 512 && K >= 64 ? "wide" : "narrow"}`;

/** Which of the two tiles. */
export const rowsClass = ({ M }: { M: number }): "few" | "many" => M < 512 ? "few" : "many";

export const sumClass = (
  { orientation, K }: { orientation: Orientation; K: number },
): SumClass => `${orientation === "TN" ? "weights" : "rows"} ${K >= 8192 ? "long" : "short"}`;

/** Whether lanes of a workgroup of 8 hand each other numbers by shuffles: it is a subgroup, or half of one. */
export const hasShuffles = ({ features }: Pick<Device, "features">): boolean =>
  features.has("subgroups-8");

/** Whether four lanes of a workgroup side by side are always in one subgroup. */
export const hasFours = ({ features }: Pick<Device, "features">): boolean =>
  features.has("subgroups-4");

/** Lanes that shuffle: 16 where llvmpipe computes with vectors of 512 bits, but for that of newer Mesa. */
export const shuffleLanes = ({ features }: Pick<Device, "features">): 8 | 16 =>
  features.has("subgroups-16") ? 16 : 8;

/**
 * Whether an adapter writes out loads for every lane: a loop over k then fits a processor's first cache of
 * instructions, 32 KiB, with half as many sums.
 */
export const unrollsLoads = ({ features }: Pick<Device, "features">): boolean =>
  features.has("unrolled-loads");

/** The choices by the kind of adapter. */
export function builtIn(adapter: Pick<Device, "features" | "software">): Required<Tuning> {
  const shuffles = hasShuffles(adapter), { software } = adapter;
  const narrow = { variant: shuffles ? "shuffle" : "tile" } as const;
  // Of narrow products workgroups of 64 columns are too few, or steps too few to hide the first.
  const wide = shuffles || software ? narrow : { variant: "workgroup" } as const;
  const few = software ? 1 : 16;
  // A processor computes parts one after another; short ones, as what they read stays in its second cache.
  const many = software ? 64 : 16;
  return {
    products: {
      ...{ "NN narrow": narrow, "NT narrow": narrow, "TN narrow": narrow },
      ...{ "NN wide": wide, "NT wide": wide, "TN wide": wide },
    },
    parts: { "rows short": few, "rows long": many, "weights short": few, "weights long": 16 },
    fewRows: { NN: shuffles ? "shuffle" : "parts", NT: shuffles ? "shuffle" : "along_k" },
    attention: shuffles ? "shuffle" : hasFours(adapter) && !software ? "share" : "alone",
  };
}

/** `tuning` with what it lacks from `builtIn`. */
export function choicesOf(adapter: Adapter): Required<Tuning> {
  const own = builtIn(adapter),
    { products, parts, fewRows, attention } = adapter.tuning ?? {};
  return {
    products: { ...own.products, ...products },
    parts: { ...own.parts, ...parts },
    fewRows: { ...own.fewRows, ...fewRows },
    attention: attention ?? own.attention,
  };
}

/**
 * Has what is launched and recorded from here on follow `tuning`.
 * @throws {Error} when it is another adapter's, or asks for subgroups that this one lacks
 */
export function useTuning(device: Device, { adapter, choices: written }: AdapterTuning): void {
  const choices = renamed(written), { products = {}, fewRows = {}, attention } = choices;
  if (adapter !== device.name) {
    throw new Error(
      `Cannot run by what was tuned as it holds for "${adapter}" alone: this is "${device.name}"; ` +
        "run deno task tune here, or leave the tuning out",
    );
  }
  const asked = [
    ...Object.values(products).map(({ variant }) => variant),
    ...Object.values(fewRows),
    attention,
  ];
  const lacks = asked.includes("shuffle") && !hasShuffles(device)
    ? "8 or 16"
    : attention === "share" && !hasFours(device)
    ? "4 or more"
    : undefined;
  if (lacks) {
    throw new Error(
      `Cannot run by what was tuned as "${adapter}" must have subgroups of ${lacks} lanes, as it had then: ` +
        "run deno task tune again",
    );
  }
  device.tuning = choices;
}
