/**
 * What a model's device memory is for. A plan is a model made on a `CountingDevice`, by the code that
 * makes a real one:
 *
 * ```ts
 * const counting = new CountingDevice(device);
 * using model = Gpt2.empty(counting, config, { valueHead: true });
 * model.reserve({ B: 4, T: 64, R: 128 });
 * console.log(memoryByKind(counting).activations);
 * ```
 * @module
 */
import type { CountingDevice } from "../kernels/devices/counting.ts";

/** What memory is for; "other" is token ids, results of a few numbers a row, and what is kept for reuse. */
export const MEMORY_KINDS = [
  "weights",
  "gradients",
  "moments",
  "activations",
  "logits",
  "cache",
  "other",
] as const;

/** One of `MEMORY_KINDS`. */
export type MemoryKind = typeof MEMORY_KINDS[number];

/** Bytes by kind. */
export type MemoryByKind = Readonly<Record<MemoryKind, number>>;

/** By the labels that model and session give; a test finds a label that fits none of them, or two. */
const LABELS: readonly (readonly [MemoryKind, RegExp])[] = [
  ["weights", /^(weight|adapter) arena /],
  ["weights", /^(embeddings|encoder|transformer|pre_classifier|classifier)\./],
  ["gradients", /^gradient arena /],
  ["moments", /^[mv] arena /],
  ["activations", /^(x|layer|prefill|decode) /],
  ["activations", /^encoder [a-z ]+$/],
  ["activations", /^(dx|dwide|dnarrow|delta|partial sums|adapter d?hidden)$/],
  ["activations", /^head d?(gathered|hidden)$|^head partial sums$/],
  ["activations", /^generate (gathered|hidden)$/],
  ["logits", /^head logits$|^generate (filtered )?logits$/],
  ["cache", /^generate (keys|values) \d+$/],
  ["other", /^(token|position|length|index|target|order|start|distinct|count)$/],
  ["other", /^head (mean|rstd|lse|d?(logprob|entropy|value))$/],
  ["other", /^(loss|norm partials|adamw hyper|gradient norm)$/],
  ["other", /^generate (control|prompt|prompt positions|prompt lengths|last rows|position)$/],
  ["other", /^generate (finished|drawn|token|tokens|logprobs|mean|rstd|norm of logits|places)$/],
  ["other", /^$/],
];

/**
 * The kind of a tensor with this label.
 * @throws {TypeError} for a label that no model of this folder gives
 */
export function memoryKind(label: string): MemoryKind {
  const kinds = LABELS.filter(([, pattern]) => pattern.test(label)).map(([kind]) => kind);
  if (kinds.length === 1) return kinds[0];
  throw new TypeError(
    `Cannot tell what "${label}" is for as one row of the table in model/memory.ts must fit: ` +
      `${kinds.length} do`,
  );
}

/** Bytes by kind at the moment of `device.memory.peak`, which they add up to. */
export function memoryByKind(device: CountingDevice): MemoryByKind {
  const sums = Object.fromEntries(MEMORY_KINDS.map((kind) => [kind, 0])) as Record<
    MemoryKind,
    number
  >;
  for (const [label, bytes] of device.peakByLabel) sums[memoryKind(label)] += bytes;
  return sums;
}

/** Bytes of all kinds together. */
export const sumOfKinds = (bytes: MemoryByKind): number =>
  MEMORY_KINDS.reduce((sum, kind) => sum + bytes[kind], 0);
