/** The twin of sampling. @module */
import { philox, STREAMS } from "../base/random.ts";
import type { FloatArray } from "./device.ts";
import { areFinite, NOT_FINITE } from "./fragments/finite.ts";
import type { SampleBuffers } from "./sample.ts";

type Words = Uint32Array<ArrayBuffer>;
interface Arrays extends Record<Exclude<keyof SampleBuffers, "logits" | "logprobs">, Words> {
  logits: FloatArray;
  logprobs: FloatArray;
}

/** The definition of `sample`. */
export function sampleTwin(
  { logits, control, position, finished, drawn, token, tokens, logprobs }: Arrays,
  { V, ld, S }: { V: number; ld: number; S: number },
): void {
  const [seedLow, seedHigh, stream, row0, eos, greedy] = control;
  const temperature = new Float32Array(control.buffer, control.byteOffset, 8)[6];
  for (let b = 0; b < token.length; b++) {
    if (finished[b] || position[b] + 1 >= S) continue;
    const row = b * ld;
    if (!areFinite(logits, row, row + V)) {
      finished[b] = NOT_FINITE;
      continue;
    }
    let top = 0, total = 0;
    for (let v = 1; v < V; v++) if (logits[row + v] > logits[row + top]) top = v;
    for (let v = 0; v < V; v++) {
      total += Math.exp((logits[row + v] - logits[row + top]) / temperature);
    }
    let choice = top;
    if (!greedy) {
      const place = { row: row0 + b, token: drawn[b], step: stream };
      const [word] = philox(STREAMS.sampler.counter(place), [seedLow, seedHigh]);
      const goal = (word >>> 8) * 2 ** -24 * total;
      let passed = 0;
      for (let v = 0; v < V && (v === 0 || passed <= goal); v++) {
        const e = Math.exp((logits[row + v] - logits[row + top]) / temperature);
        if (e > 0) choice = v;
        passed += e;
      }
    }
    const to = position[b] + 1;
    tokens[b * S + to] = token[b] = choice;
    logprobs[b * S + to] = (logits[row + choice] - logits[row + top]) / temperature -
      Math.log(total);
    position[b] = to;
    drawn[b]++;
    if (choice === eos) finished[b] = 1;
  }
}
