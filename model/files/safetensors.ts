/**
 * Safetensors files that are read: checked as a whole header (`safetensors_header.ts`), then tensor by
 * tensor, in blocks.
 * @module
 */
import { excerpt } from "../../base/excerpt.ts";
import type { TensorSource, TensorSpec } from "../tensor_source.ts";
import { splitPath } from "./deno_folder.ts";
import { type FolderSource, MissingFileError, pathIn, type RangeFile } from "./folder_source.ts";
import { fail, type Header, MAX_HEADER, parseHeader } from "./safetensors_header.ts";
import {
  BYTES,
  expectTensors,
  type FileDtype,
  SafetensorsError,
  type TensorEntry,
} from "./tensor_entries.ts";

const BLOCK = 2 ** 20; // bytes read at a time: beside its numbers, a tensor needs no second copy

/** An open file. Numbers are read one tensor at a time. */
export class SafetensorsFile implements Header, TensorSource {
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly metadata: Readonly<Record<string, string>>;

  /** Use `openSafetensors`. */
  constructor(
    readonly path: string,
    readonly file: RangeFile,
    { entries, metadata }: Header,
    readonly dataStart: number,
  ) {
    this.entries = entries;
    this.metadata = metadata;
  }

  /**
   * Numbers of one tensor, as f32.
   * @throws {SafetensorsError} for another type, or a number that is not finite
   */
  async read(name: string): Promise<Float32Array<ArrayBuffer>> {
    const entry = this.entries.get(name);
    if (!entry) {
      throw new SafetensorsError(`Cannot read ${excerpt(name)} as ${this.path} has no such tensor`);
    }
    const convert = converters[entry.dtype];
    if (!convert) {
      throw new SafetensorsError(
        `Cannot read ${excerpt(name)} as numbers must be F32, F16 or BF16: it is ${entry.dtype}`,
      );
    }
    const size = BYTES[entry.dtype];
    const numbers = new Float32Array((entry.end - entry.begin) / size);
    const block = new ArrayBuffer(Math.min(entry.end - entry.begin, BLOCK));
    for (let at = 0; at < numbers.length; at += BLOCK / size) {
      const n = Math.min(BLOCK / size, numbers.length - at);
      const bytes = new Uint8Array(block, 0, n * size);
      if (await this.file.read(bytes, this.dataStart + entry.begin + at * size) < bytes.length) {
        throw new SafetensorsError(
          `Cannot read ${excerpt(name)} as ${this.path} became shorter meanwhile`,
        );
      }
      convert(block, numbers.subarray(at, at + n));
    }
    const bad = numbers.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0) {
      throw new SafetensorsError(
        `Cannot use ${
          excerpt(name)
        } of ${this.path} as its numbers must be finite: element ${bad} is ${numbers[bad]}`,
      );
    }
    return numbers;
  }

  /** See `expectTensors`. */
  expect(
    wanted: readonly TensorSpec[],
    alias?: (name: string) => string | undefined,
  ): Map<string, string> {
    return expectTensors(this, wanted, alias);
  }

  [Symbol.dispose](): void {
    this.file[Symbol.dispose]();
  }
}

/**
 * Opens the file at `path` of this machine; see `openTensors`.
 * @throws {MissingFileError} when it is not there
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const { folder, name } = splitPath(path);
  const file = await openTensors(folder, name);
  if (file) return file;
  throw new MissingFileError(`Cannot read ${path} as there is no such file`);
}

/**
 * Opens a file of `folder` and checks its whole header; no number is read yet. Undefined where there is no
 * such file.
 * @throws {SafetensorsError} naming the byte or key that is wrong
 */
export async function openTensors(
  folder: FolderSource,
  name: string,
): Promise<SafetensorsFile | undefined> {
  const path = pathIn(folder, name);
  const file = await folder.openRange(name);
  if (!file) return undefined;
  try {
    const start = new Uint8Array(8);
    const got = await file.read(start, 0);
    if (got < 8) fail(`it needs 8 bytes of header length: it has ${got}`);
    const length = new DataView(start.buffer).getBigUint64(0, true);
    if (length > MAX_HEADER) {
      fail(`its header may have ${MAX_HEADER} bytes: bytes 0 to 7 say ${length}`);
    }
    const dataStart = 8 + Number(length);
    if (dataStart > file.size) {
      fail(`its header ends at byte ${dataStart}: the file has ${file.size} bytes`);
    }
    const json = new Uint8Array(Number(length));
    await file.read(json, 8);
    return new SafetensorsFile(path, file, parseHeader(json, file.size - dataStart), dataStart);
  } catch (error) {
    file[Symbol.dispose]();
    if (error instanceof SafetensorsError) error.message += ` (${path})`;
    throw error;
  }
}

/** Fills `out` from the first elements of a block; by type. */
const converters: {
  readonly [dtype in FileDtype]?: (block: ArrayBuffer, out: Float32Array<ArrayBuffer>) => void;
} = {
  F32: (block, out) => out.set(new Float32Array(block, 0, out.length)),
  F16: (block, out) => out.set(new Float16Array(block, 0, out.length)),
  BF16: (block, out) => { // the upper half of an f32
    const halves = new Uint16Array(block, 0, out.length);
    const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
    for (let i = 0; i < halves.length; i++) bits[i] = halves[i] << 16;
  },
};
