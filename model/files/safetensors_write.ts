/** Safetensors files that are written; `safetensors_header.ts` says what is in them. @module */
import type { FloatArray } from "../../kernels/device.ts";
import type { TensorSpec } from "../tensor_source.ts";
import { replaceFile } from "./disk.ts";
import { BYTES } from "./tensor_entries.ts";

/** What `writeSafetensors` writes. */
export interface SafetensorsContent {
  /** Names and shapes, in the order in which `data` gives the numbers. */
  tensors: readonly TensorSpec[];
  data: () => AsyncIterable<FloatArray>;
  /** Default F32. */
  dtype?: "F32" | "F16";
  metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes a file, all or nothing: a temporary file takes its place only when it is whole.
 * @throws {RangeError} for a number that is not finite, or too large for F16
 */
export async function writeSafetensors(path: string, content: SafetensorsContent): Promise<void> {
  const { tensors, data, dtype = "F32", metadata } = content;
  let at = 0;
  const header: [string, unknown][] = metadata ? [["__metadata__", metadata]] : [];
  for (const { name, shape } of tensors) {
    const end = at + shape.reduce((product, n) => product * n, BYTES[dtype]);
    header.push([name, { dtype, shape, data_offsets: [at, end] }]);
    at = end;
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const head = new Uint8Array(8 + Math.ceil(text.length / 8) * 8).fill(0x20); // padded with spaces
  new DataView(head.buffer).setBigUint64(0, BigInt(head.length - 8), true);
  head.set(text, 8);
  await replaceFile(
    path,
    async function* () {
      yield head;
      let i = 0;
      for await (const numbers of data()) yield toBytes(numbers, tensors[i++], dtype);
      if (i !== tensors.length) {
        throw new RangeError(
          `Cannot write ${path} as it needs ${tensors.length} tensors: got ${i}`,
        );
      }
    }(),
  );
}

function toBytes(
  numbers: FloatArray,
  { name, shape }: TensorSpec,
  dtype: "F32" | "F16",
): Uint8Array {
  const length = shape.reduce((product, n) => product * n, 1);
  if (numbers.length !== length) {
    throw new RangeError(
      `Cannot write ${name} as (${shape}) has ${length} elements: got ${numbers.length}`,
    );
  }
  const typed = dtype === "F16" ? new Float16Array(numbers) : new Float32Array(numbers);
  const bad = typed.findIndex((x: number) => !Number.isFinite(x));
  if (bad >= 0) {
    throw new RangeError(
      `Cannot write ${name} as its numbers must be finite in ${dtype}: element ${bad} is ${
        numbers[bad]
      }`,
    );
  }
  return new Uint8Array(typed.buffer);
}
