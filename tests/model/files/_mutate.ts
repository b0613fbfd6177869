/** Safetensors files that are good, changes that break them, and a second reader to compare with. @module */

/** Random numbers of a seed: mulberry32. */
export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  /** A whole number of [0, n). */
  below(n: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor(((t ^ (t >>> 14)) >>> 0) / 2 ** 32 * n);
  }
  of<T>(list: ArrayLike<T>): T {
    return list[this.below(list.length)];
  }
}

const SIZE: Record<string, number> = {
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

/** A file of a header and data; the length is the header's own unless given. */
function fileOf(header: string, data: Uint8Array, length?: bigint): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(header);
  const out = new Uint8Array(8 + json.length + data.length);
  new DataView(out.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  out.set(json, 8);
  out.set(data, 8 + json.length);
  return out;
}

type Tensors = Record<string, { dtype: string; shape: number[]; data_offsets: number[] }>;

/** A good file: some tensors of random types and shapes, finite numbers, sometimes metadata. */
export function goodFile(random: Random): { header: string; data: Uint8Array<ArrayBuffer> } {
  const tensors: Tensors = {};
  let at = 0;
  const names = ["wte.weight", "h.0.ln_1.bias", "é🙂", "__proto__", "a", "constructor"];
  for (let i = 1 + random.below(5); i > 0; i--) {
    const dtype = random.of(["F32", "F32", "F16", "BF16", "I64", "U8", "F64"]);
    const shape = Array.from({ length: random.below(3) }, () => random.below(5));
    const end = at + shape.reduce((a, b) => a * b, SIZE[dtype]);
    const field = { value: { dtype, shape, data_offsets: [at, end] }, enumerable: true };
    const name = random.of(names);
    if (Object.hasOwn(tensors, name)) continue;
    Object.defineProperty(tensors, name, { ...field, configurable: true });
    at = end;
  }
  const data = Uint8Array.from({ length: at }, () => random.below(0x7b)); // no exponent of all ones
  const text = JSON.stringify(tensors);
  const more = random.below(2) ? "" : `"__metadata__":{"format":"pt"}${text === "{}" ? "" : ","}`;
  return { header: `{${more}${text.slice(1)}${" ".repeat(random.below(9))}`, data };
}

const WORDS = [
  ...'{}[],: "\\',
  ...["0", "1", "-1", "4", "2.5", "1e400", "9007199254740991", "9007199254740993", "4294967296"],
  ...["null", "true", "NaN", '"F32"', '"F16"', '"I64"', '"dtype"', '"shape"', '"data_offsets"'],
  ...['"__metadata__"', '"__proto__"', '"\\ud800"', "[0,4]", "[[]]", '"a":{},', "\ufeff", "\0"],
];

/** A file with one to four faults; some of them may leave it good. */
export function mutated(random: Random): Uint8Array<ArrayBuffer> {
  let { header, data } = goodFile(random);
  let length: bigint | undefined;
  let file: Uint8Array<ArrayBuffer> | undefined;
  for (let i = 1 + random.below(4); i > 0; i--) {
    const at = random.below(header.length);
    switch (random.below(9)) {
      case 0: // a number becomes another
        header = header.replace(/\d+/g, (n) => random.below(6) ? n : random.of(WORDS.slice(9, 18)));
        break;
      case 1: // a word is put in, over as many characters
        header = header.slice(0, at) + random.of(WORDS) + header.slice(at + random.below(9));
        break;
      case 2: { // a piece is repeated or lost
        const end = at + random.below(40);
        header = header.slice(0, random.below(2) ? end : at) +
          header.slice(random.below(2) ? at : end);
        break;
      }
      case 3: // another type
        header = header.replace(/"[FBIU]+\d+"/, `"${random.of(Object.keys(SIZE))}"`);
        break;
      case 4: // a digit moves
        header = header.replace(
          /\d(?=[\],])/g,
          (n) => random.below(4) ? n : String(random.below(10)),
        );
        break;
      case 5: // the length is not the header's
        length = random.of([
          BigInt(Math.max(0, header.length + random.below(19) - 9)),
          BigInt(random.below(2 ** 31)),
          2n ** BigInt(random.below(64)),
        ]);
        break;
      case 6: // data are cut or grow
        data = random.below(2)
          ? data.slice(0, random.below(data.length + 1))
          : Uint8Array.from([...data, random.below(256)]);
        break;
      case 7: // numbers that need not be finite
        if (data.length > 0) data[random.below(data.length)] = random.of([0x7f, 0xff, 0x7c, 0x80]);
        break;
      default: { // bytes anywhere
        file = fileOf(header, data, length);
        for (let n = 1 + random.below(3); n > 0; n--) {
          file[random.below(3) ? random.below(file.length) : random.below(8)] = random.below(256);
        }
        if (random.below(4) === 0) file = file.slice(0, random.below(file.length + 1));
        return file;
      }
    }
  }
  return fileOf(header, data, length);
}

/** What a file holds, read in another way than `model/files/safetensors.ts` reads it; undefined if nothing. */
export function secondReader(file: Uint8Array<ArrayBuffer>): Map<string, SecondTensor> | undefined {
  if (file.length < 8) return undefined;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const start = 8 + Number(view.getBigUint64(0, true));
  if (start > file.length) return undefined;
  let json: Tensors;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(file.subarray(8, start)));
  } catch {
    return undefined;
  }
  const found = new Map<string, SecondTensor>();
  const owner = new Uint8Array(file.length - start);
  for (const [name, tensor] of Object.entries(json)) {
    if (name === "__metadata__") continue;
    const [begin, end] = tensor.data_offsets ?? [];
    if (!(end <= owner.length && begin >= 0 && begin <= end)) return undefined;
    if (tensor.shape.reduce((a, b) => a * b, SIZE[tensor.dtype]) !== end - begin) return undefined;
    for (let at = begin; at < end; at++) if (owner[at]++) return undefined; // two tensors in one place
    found.set(name, {
      dtype: tensor.dtype,
      shape: tensor.shape,
      numbers: Array.from(
        { length: (end - begin) / SIZE[tensor.dtype] },
        (_, i) => numberAt(view, start + begin + i * SIZE[tensor.dtype], tensor.dtype),
      ),
    });
  }
  return owner.includes(0) ? undefined : found;
}

/** A tensor as the second reader sees it; `numbers` are NaN for types that cannot be read. */
export interface SecondTensor {
  dtype: string;
  shape: number[];
  numbers: number[];
}

function numberAt(view: DataView, at: number, dtype: string): number {
  if (dtype === "F32") return view.getFloat32(at, true);
  if (dtype !== "F16" && dtype !== "BF16") return NaN;
  const half = view.getUint16(at, true),
    [exponentBits, bias] = dtype === "F16" ? [5, 15] : [8, 127];
  const fractionBits = 15 - exponentBits;
  const sign = half >> 15 ? -1 : 1;
  const exponent = (half >> fractionBits) & (2 ** exponentBits - 1);
  const fraction = (half & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  if (exponent === 2 ** exponentBits - 1) return fraction ? NaN : sign * Infinity;
  return exponent === 0
    ? sign * fraction * 2 ** (1 - bias)
    : sign * (1 + fraction) * 2 ** (exponent - bias);
}
