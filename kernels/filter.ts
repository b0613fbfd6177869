/** Top-k, top-p, min-p and repetition penalty, before `sample` draws. @module */
import type { Device, Tensor } from "./device.ts";
import filtering from "./filter.wgsl" with { type: "text" };
import { filterTwin, unfilteredTwin } from "./filter_cpu.ts";
import finite from "./fragments/finite.wgsl" with { type: "text" };

const code = `${finite}\n${filtering}`;

/** Which tokens may be drawn, in the order in which the filters apply. Absent: all of them. */
export interface SampleFilter {
  /**
   * Divides the logits of tokens that stand in the prompt or the response, or multiplies them where
   * they are negative; > 0, usually 1 to 1.5. Default 1: off.
   */
  repetitionPenalty?: number;
  /** Keeps the `topK` most probable tokens, and those as probable as the last of them. Default 0: all. */
  topK?: number;
  /**
   * Keeps the most probable tokens until they hold this share of what `topK` left; 0 to 1. Tokens as
   * probable as the last of them stay too. Default 1: all.
   */
  topP?: number;
  /** Keeps tokens at least this share as probable as the best one; 0 to 1. Default 0: all. */
  minP?: number;
  /**
   * Records the log-probability of what was drawn from, instead of that under temperature alone.
   * Default false.
   */
  filteredLogprobs?: boolean;
}

/** Whether any token's probability changes. */
export function filters(
  { repetitionPenalty = 1, topK = 0, topP = 1, minP = 0 }: SampleFilter,
): boolean {
  return repetitionPenalty !== 1 || topK !== 0 || topP !== 1 || minP !== 0;
}

/**
 * The 8 words that `filter` reads as `control`, behind the 8 of `sampleControl`.
 * @throws {RangeError} when a value is out of its range
 */
export function filterControl(filter: SampleFilter): Uint32Array<ArrayBuffer> {
  const { repetitionPenalty = 1, topK = 0, topP = 1, minP = 0 } = filter;
  const refuse = (rule: string, value: number): never => {
    throw new RangeError(`Cannot sample as ${rule}: it is ${value}`);
  };
  if (!(Number.isInteger(topK) && topK >= 0 && topK < 2 ** 32)) {
    refuse("topK must be an integer of tokens, or 0 for all", topK);
  }
  for (const [name, value] of Object.entries({ topP, minP })) {
    if (!(value >= 0 && value <= 1)) refuse(`${name} must be from 0 to 1`, value);
  }
  if (!(repetitionPenalty > 0 && Number.isFinite(repetitionPenalty))) {
    refuse("repetitionPenalty must be positive, and 1 to have none", repetitionPenalty);
  }
  const words = new Uint32Array(8), floats = new Float32Array(words.buffer);
  words[0] = topK;
  floats.set([topP, minP, repetitionPenalty], 1);
  words[4] = filter.filteredLogprobs ? 1 : 0;
  return words;
}

/** Buffers, named as in the WGSL file; those that `sample` has too are the same tensors. */
export interface FilterBuffers {
  /** (B, ld), as the model gives them. */
  logits: Tensor;
  /** u32 (16): `sampleControl`, then `filterControl`. */
  control: Tensor;
  /** u32 (B) */
  position: Tensor;
  /** u32 (B): becomes `NOT_FINITE`, as in `sample`. */
  finished: Tensor;
  /** u32 (B, S): the prompt and what was drawn, up to `position`. */
  tokens: Tensor;
  /** (B, S) */
  logprobs: Tensor;
  /** (B, ld): the logits that `sample` draws from. */
  filtered: Tensor;
  /** (B, 2): largest logit, and log sum exp of what the logits over temperature are above it. */
  norm: Tensor;
  /** u32 (B): where the next token goes; 2^32 - 1 for rows that stay as they are. */
  place: Tensor;
}

/**
 * Enqueues the filters of `control` on logits (B, ld); `sample` then draws from `filtered`. With a
 * repetition penalty, `tokens` must hold the prompts. Rows that `sample` leaves as they are, are left.
 * @throws {RangeError} when a buffer is too small
 */
export function filter(
  device: Device,
  x: Omit<FilterBuffers, "logprobs">,
  { B, V, ld, S }: { B: number; V: number; ld: number; S: number },
): void {
  device.launch({
    kernel: { label: "filter.filter_row", entryPoint: "filter_row", code, twin: filterTwin },
    dims: { B, V, ld, S },
    groups: [B],
    bind: {
      logits: [x.logits, B * ld],
      control: [x.control, 16],
      position: [x.position, B],
      finished: [x.finished, B],
      tokens: [x.tokens, B * S],
      filtered: [x.filtered, B * ld],
      norm: [x.norm, B * 2],
      place: [x.place, B],
    },
  });
}

/**
 * Enqueues, after `filter` and `sample`, that the log-probability of each token drawn becomes that of
 * the whole distribution under temperature; nothing where `filteredLogprobs` is set.
 * @throws {RangeError} when a buffer is too small
 */
export function unfilteredLogprob(
  device: Device,
  x: Omit<FilterBuffers, "filtered" | "position" | "finished">,
  { B, V, ld, S }: { B: number; V: number; ld: number; S: number },
): void {
  device.launch({
    kernel: { label: "filter.unfiltered", entryPoint: "unfiltered", code, twin: unfilteredTwin },
    dims: { B, V, ld, S },
    threads: B,
    bind: {
      logits: [x.logits, B * ld],
      control: [x.control, 16],
      tokens: [x.tokens, B * S],
      norm: [x.norm, B * 2],
      place: [x.place, B],
      logprobs: [x.logprobs, B * S],
    },
  });
}
