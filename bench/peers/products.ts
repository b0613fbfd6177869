/** One product by every peer: equal results first, then samples in turn. @module */
import { relativeError } from "../../tests/_close.ts";
import { noise } from "../_case.ts";
import { median } from "../_measure.ts";
import { formatTable } from "../_table.ts";
import type { OpenProduct, Peer, Product } from "./peer.ts";

const ORIENTATIONS = ["NN", "NT", "TN"] as const;

/**
 * Shapes of GPT-2 124M in every orientation: a square, the MLP in and out, half of the vocabulary; and
 * the whole vocabulary as its weights lie, 154 MB: more than a binding of many adapters, and a peer
 * that does not split it then gives something else.
 */
export const PRODUCTS: readonly Product[] = [
  ...[[768, 768, 768], [256, 768, 3072], [256, 3072, 768], [256, 768, 25136]].flatMap(([M, K, N]) =>
    ORIENTATIONS.map((orientation) => ({ orientation, M, K, N }))
  ),
  { orientation: "NT", M: 256, K: 768, N: 50257 },
];

/** "NN 768, 768, 768". */
export const productName = ({ orientation, M, K, N }: Product): string =>
  `${orientation} ${M}, ${K}, ${N}`;

/** One product by all peers. */
export interface ProductLine {
  readonly product: Product;
  /** Median seconds by the peer's name; a text where the peer could not. */
  readonly times: Readonly<Record<string, number | string>>;
}

/** Results may differ by the order of f32 sums: norm of the difference over the norm. */
const TOLERANCE = 1e-4;
/** Seconds that a sample should take, without the wait. */
const SAMPLE = 0.06;
/** A sample shorter than this measures the jitter of the wait. */
const SHORTEST = 1e-6;

/** Times `product` by each peer; the first one gives the result that the others must have. */
export async function compareProduct(
  peers: readonly Peer[],
  product: Product,
  { samples = 5 }: { samples?: number } = {},
): Promise<ProductLine> {
  const { M, K, N } = product;
  const [a, b] = [noise(M * K), noise(K * N, 0.1)];
  const times: Record<string, number | string> = {};
  const runners: Runner[] = [];
  let want: ArrayLike<number> | undefined;
  for (const peer of peers) {
    let open: OpenProduct | undefined;
    try {
      open = await peer.open(product, a, b);
      const got = await open.read();
      const error = relativeError(Float32Array.from(got), Float32Array.from(want ??= got));
      if (!(error <= TOLERANCE)) throw new Error(`differs from the first by ${error}`);
      runners.push(await prepare(peer, open));
    } catch (error) {
      open?.[Symbol.dispose]();
      times[peer.name] = error instanceof Error ? error.message : String(error);
    }
  }
  for (let i = 0; i < samples; i++) {
    for (const runner of i % 2 ? runners.toReversed() : runners) await sample(runner);
  }
  for (const { peer, open, seconds } of runners) {
    times[peer.name] = median(seconds);
    open[Symbol.dispose]();
  }
  return { product, times };
}

/** A product that is warm, how many make a sample, and the samples. */
interface Runner {
  readonly peer: Peer;
  readonly open: OpenProduct;
  readonly runs: number;
  /** Seconds of waiting for an empty queue, the shortest of five. */
  readonly wait: number;
  readonly seconds: number[];
}

async function prepare(peer: Peer, open: OpenProduct): Promise<Runner> {
  const waits: number[] = [];
  for (let i = 0; i < 5; i++) waits.push(await timed(() => peer.wait()));
  const wait = Math.min(...waits);
  const once = Math.max(SHORTEST, await timed(() => open.run(1)) - wait);
  const runs = Math.min(64, Math.max(1, Math.round(SAMPLE / once)));
  return { peer, open, runs, wait, seconds: [] };
}

async function sample({ open, runs, wait, seconds }: Runner): Promise<void> {
  seconds.push(Math.max(SHORTEST, await timed(() => open.run(runs)) - wait) / runs);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1e3;
}

/** GFLOP/s of every peer, and how many times the best other one the first is. */
export function productTable(names: readonly string[], lines: readonly ProductLine[]): string {
  const rows = lines.map(({ product, times }) => {
    const { M, K, N } = product;
    const rates = names.map((name) => {
      const time = times[name];
      return typeof time === "number" ? 2 * M * N * K / time / 1e9 : NaN;
    });
    const others = rates.slice(1).filter((rate) => rate > 0);
    const ratio = others.length ? rates[0] / Math.max(...others) : NaN;
    return [productName(product), ...rates, ratio];
  });
  return formatTable(["product (M, K, N)", ...names, "times the best peer"], rows);
}
