/** The twins of the sampling filters. @module */
import type { FloatArray } from "./device.ts";
import { areFinite, NOT_FINITE } from "./fragments/finite.ts";

const NONE = 0xffffffff; // place of a row that stays as it is
const DROPPED = -(2 - 2 ** -23) * 2 ** 127; // the least f32: exp gives 0

type Words = Uint32Array<ArrayBuffer>;
type Arrays =
  & Record<"logits" | "filtered" | "norm" | "logprobs", FloatArray>
  & Record<"control" | "position" | "finished" | "tokens" | "place", Words>;

const floatsOf = (control: Words): Float32Array =>
  new Float32Array(control.buffer, control.byteOffset, 16);

/** The definition of `filter`: by sorting, where the WGSL searches. */
export function filterTwin(
  { logits, control, position, finished, tokens, filtered, norm, place }: Arrays,
  { V, ld, S }: { V: number; ld: number; S: number },
): void {
  const floats = floatsOf(control), temperature = floats[6];
  const topK = control[8], topP = floats[9], minP = floats[10], penalty = floats[11];
  for (let b = 0; b < place.length; b++) {
    const stays = finished[b] || position[b] + 1 >= S;
    place[b] = stays ? NONE : position[b] + 1;
    if (stays) continue;
    const row = b * ld;
    if (!areFinite(logits, row, row + V)) {
      finished[b] = NOT_FINITE;
      place[b] = NONE;
      continue;
    }
    let raw = logits[row], all = 0;
    for (let v = 1; v < V; v++) if (logits[row + v] > raw) raw = logits[row + v];
    for (let v = 0; v < V; v++) all += Math.exp((logits[row + v] - raw) / temperature);
    norm[b * 2] = raw;
    norm[b * 2 + 1] = Math.log(all);

    for (let v = 0; v < V; v++) filtered[row + v] = logits[row + v];
    for (let s = 0; penalty !== 1 && s <= position[b]; s++) {
      const v = tokens[b * S + s], z = logits[row + v];
      filtered[row + v] = z < 0 ? z * penalty : z / penalty;
    }
    const sorted = filtered.slice(row, row + V).sort(), top = sorted[V - 1];
    let least = topK > 0 && topK < V ? sorted[V - topK] : sorted[0];
    if (topP < 1) {
      let kept = 0, larger = 0, i = V - 1;
      for (let j = i; j >= 0 && sorted[j] >= least; j--) {
        kept += Math.exp((sorted[j] - top) / temperature);
      }
      let z = top;
      do {
        z = sorted[i];
        const group = i;
        while (i >= 0 && sorted[i] === z) i--;
        larger += (group - i) * Math.exp((z - top) / temperature);
      } while (i >= 0 && sorted[i] >= least && larger < topP * kept);
      least = z;
    }
    for (let v = 0; v < V; v++) {
      const z = filtered[row + v];
      const probable = z === top || Math.exp((z - top) / temperature) >= minP;
      if (z < least || !probable) filtered[row + v] = DROPPED;
    }
  }
}

/** The definition of `unfilteredLogprob`. */
export function unfilteredTwin(
  { logits, control, tokens, norm, place, logprobs }: Arrays,
  { ld, S }: { ld: number; S: number },
): void {
  const temperature = floatsOf(control)[6];
  for (let b = 0; b < place.length; b++) {
    const to = b * S + place[b];
    if (place[b] === NONE || control[12]) continue;
    logprobs[to] = (logits[b * ld + tokens[to]] - norm[b * 2]) / temperature - norm[b * 2 + 1];
  }
}
