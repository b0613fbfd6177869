/** Sampling on the device: its control and the launcher. @module */
import { STREAMS, wordsOf } from "../base/random.ts";
import type { Device, Tensor } from "./device.ts";
import finite from "./fragments/finite.wgsl" with { type: "text" };
import { drawingFrom } from "./fragments/philox.ts";
import sampling from "./sample.wgsl" with { type: "text" };
import { sampleTwin } from "./sample_cpu.ts";

const code = `${finite}\n${drawingFrom(STREAMS.sampler)}\n${sampling}`;

/** How `sample` draws; all of it lies in a buffer, so that recorded programs need not change. */
export interface SampleControl {
  /** Key of the random numbers, an integer from 0 to 2^53 - 1. */
  seed: number;
  /** Distinguishes draws under one seed, 0 to 2^32 - 1. */
  stream: number;
  /** Index of the batch's first row among all prompts: the random numbers belong to that index. */
  row0?: number;
  /** Divides the logits; > 0. Also of the log-probability when greedy. */
  temperature: number;
  /** Take the most probable token, the lowest id among equals. */
  greedy?: boolean;
  /** Token that finishes a row; absent or null: none does. */
  eos?: number | null;
}

const NO_TOKEN = 0xffffffff;

/**
 * The 8 words that `sample` reads as `control`.
 * @throws {RangeError} when a value is out of its range
 */
export function sampleControl(
  { seed, stream, row0 = 0, temperature, greedy = false, eos }: SampleControl,
): Uint32Array<ArrayBuffer> {
  const words = { stream, row0, eos: eos ?? NO_TOKEN };
  for (const [name, value] of Object.entries(words)) {
    if (!Number.isInteger(value) || value < 0 || value > NO_TOKEN) {
      throw new RangeError(
        `Cannot sample as ${name} must be an integer below 2^32: it is ${value}`,
      );
    }
  }
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(
      `Cannot sample as the seed must be an integer from 0 to 2^53 - 1: it is ${seed}`,
    );
  }
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    throw new RangeError(
      `Cannot sample as the temperature must be positive: it is ${temperature}; ` +
        "for the most probable token set greedy",
    );
  }
  const control = new Uint32Array(8);
  control.set([...wordsOf(seed), stream, row0, words.eos, greedy ? 1 : 0]);
  new Float32Array(control.buffer)[6] = temperature;
  return control;
}

/** Buffers, named as in the WGSL file. */
export interface SampleBuffers {
  /** (B, ld) */
  logits: Tensor;
  /** u32 (8), from `sampleControl`. */
  control: Tensor;
  /** u32 (B): where each row's last token is; moves on by one. */
  position: Tensor;
  /**
   * u32 (B): not 0 for rows that stay as they are; becomes 1 when EOS is drawn, and `NOT_FINITE` where a
   * logit is infinite or not a number.
   */
  finished: Tensor;
  /** u32 (B): how many tokens were drawn; the token number of the random counter. */
  drawn: Tensor;
  /** u32 (B): the token drawn, input of the next step. */
  token: Tensor;
  /** u32 (B, S): receives the token at the new position. */
  tokens: Tensor;
  /** (B, S): receives its log-probability there, nats. */
  logprobs: Tensor;
}

/**
 * Enqueues drawing one token a row from logits (B, ld) and moving the rows on. Rows that are
 * finished, or whose S places are full, stay as they are, and so do those with a logit that is not finite.
 * @throws {RangeError} when a buffer is too small
 */
export function sample(
  device: Device,
  x: SampleBuffers,
  { B, V, ld, S }: { B: number; V: number; ld: number; S: number },
): void {
  device.launch({
    kernel: { label: "sample.draw", entryPoint: "draw", code, twin: sampleTwin },
    dims: { V, ld, S },
    groups: [B],
    bind: {
      logits: [x.logits, B * ld],
      control: [x.control, 8],
      position: [x.position, B],
      finished: [x.finished, B],
      drawn: [x.drawn, B],
      token: [x.token, B],
      tokens: [x.tokens, B * S],
      logprobs: [x.logprobs, B * S],
    },
  });
}
