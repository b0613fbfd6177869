/** The tensors that a file lists, and how they are matched with those that a model needs. @module */
import { excerpt, firstOf } from "../../base/excerpt.ts";
import type { TensorSource, TensorSpec } from "../tensor_source.ts";

/** Bytes of an element, by type. */
export const BYTES: Readonly<Record<FileDtype, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

/** Element types that a file may hold; only F32, F16 and BF16 can be read as numbers. */
export type FileDtype =
  | "F64"
  | "F32"
  | "F16"
  | "BF16"
  | "I64"
  | "I32"
  | "I16"
  | "I8"
  | "U8"
  | "BOOL";

/** Raised for every file that breaks the format; the message names the byte or the key. */
export class SafetensorsError extends Error {
  override name = "SafetensorsError";
}

/** One tensor of a file. */
export interface TensorEntry extends TensorSpec {
  readonly dtype: FileDtype;
  /** Bytes [begin, end) of the data part. */
  readonly begin: number;
  readonly end: number;
}

/**
 * Checks that `source` holds exactly `wanted`, and returns the name that each has in it. `alias` turns
 * a file's name into a wanted one, or undefined for a tensor to pass over.
 * @throws {SafetensorsError} listing what is missing, extra or of another shape
 */
export function expectTensors(
  { path, entries }: Pick<TensorSource, "path" | "entries">,
  wanted: readonly TensorSpec[],
  alias: (name: string) => string | undefined = (name) => name,
): Map<string, string> {
  const shapes = new Map(wanted.map(({ name, shape }) => [name, shape]));
  const places = new Map<string, string>();
  const faults: string[] = [];
  for (const [name, { shape }] of entries) {
    const known = alias(name);
    if (known === undefined) continue;
    const want = shapes.get(known), called = excerpt(name, 120);
    if (!want) faults.push(`${called} is not known`);
    else if (places.has(known)) {
      faults.push(`${called} is there twice, also as ${excerpt(places.get(known)!, 120)}`);
    } else if (shape.join() !== want.join()) {
      faults.push(`${called} is (${excerpt(shape.join(), 80)}), not (${want})`);
    }
    places.set(known, name);
  }
  for (const { name, shape } of wanted) {
    if (!places.has(name)) faults.push(`${name} (${shape}) is missing`);
  }
  if (faults.length > 0) {
    throw new SafetensorsError(
      `Cannot use ${path} as its tensors must be those of the config: ` +
        firstOf(faults, { most: 20 }),
    );
  }
  return places;
}
