/**
 * This project beside jax-js and TensorFlow.js, each on a WebGPU device of its own in one process, in
 * turn: `deno task bench:peers [--only TEXT] [--samples N]`. The packages come from npm on first use.
 * @module
 */
import { parseArgs } from "node:util";
import { countOf, openDevice } from "../_options.ts";
import { jaxPeer } from "./jax.ts";
import { ourPeer } from "./ours.ts";
import type { Peer } from "./peer.ts";
import { compareProduct, productName, PRODUCTS, productTable } from "./products.ts";
import { compareSteps } from "./steps.ts";
import { tensorflowPeer } from "./tensorflow.ts";

/** What may follow `deno task bench:peers --`. */
export interface PeerOptions {
  /** Only rows whose name contains it. */
  readonly only: string;
  readonly samples: number;
}

/** Reads the arguments. @throws {TypeError|RangeError} for others, or samples that are no whole number */
export function peerOptions(args: readonly string[]): PeerOptions {
  const { values: { only, samples } } = parseArgs({
    args: args.filter((arg) => arg !== "--"),
    options: {
      only: { type: "string", default: "" },
      samples: { type: "string", default: "5" },
    },
  });
  return { only, samples: countOf("samples", samples) };
}

/** All of `opens` that can be opened; for each other one a line says why not. */
export async function openPeers(
  opens: readonly (() => Promise<Peer>)[],
  say: (text: string) => void,
): Promise<Peer[]> {
  const peers: Peer[] = [];
  for (const open of opens) {
    try {
      peers.push(await open());
    } catch (error) {
      say(`not here: ${error instanceof Error ? error.message : error}`);
    }
  }
  return peers;
}

/** Products by all peers, and the table. */
async function compareProducts(peers: readonly Peer[], { only, samples }: PeerOptions) {
  const lines = [];
  for (const product of PRODUCTS.filter((one) => productName(one).includes(only))) {
    const line = await compareProduct(peers, product, { samples });
    lines.push(line);
    for (const [name, time] of Object.entries(line.times)) {
      if (typeof time === "string") console.log(`${productName(product)}, ${name}: ${time}`);
    }
  }
  if (lines.length === 0) return;
  console.log(`\nGFLOP/s, median of ${samples} samples in turn, the wait for an empty queue off\n`);
  console.log(productTable(peers.map(({ name }) => name), lines));
}

if (import.meta.main) {
  const options = peerOptions(Deno.args);
  using device = await openDevice("webgpu");
  console.log(device.name);
  const opens = [() => Promise.resolve(ourPeer(device)), jaxPeer, tensorflowPeer];
  await compareProducts(await openPeers(opens, console.log), options);
  await compareSteps(device, options, console.log);
  Deno.exit(0); // the peers keep devices open
}
