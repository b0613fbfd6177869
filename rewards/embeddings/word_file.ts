/**
 * The file that word vectors are kept in, one byte a number. Its bytes are described in
 * `assets/words/README.md`; `scripts/word_vectors.py` writes it.
 * @module
 */
import crc32 from "npm:crc-32@1.2.2";

/** W words of D dimensions; word i's vector is `scale[i] * values[i * D … i * D + D - 1]`. */
export interface WordTable {
  /** (W) strictly ascending, each of a-z only. */
  words: string[];
  dimensions: number;
  /** (W) finite, >= 0. */
  scale: Float32Array;
  /** (W, D) */
  values: Int8Array;
}

const MAGIC = "PRLWORDS";
const VERSION = 1;
const HEADER = 28; // bytes before the words; the checksum covers all after them

/**
 * Reads the file's bytes; `name` is what errors call the file.
 * @throws SyntaxError where the bytes are not such a file, whole and unchanged.
 */
export function parseWordFile(bytes: Uint8Array, name: string): WordTable {
  const refuse = (rule: string, now: string | number) =>
    new SyntaxError(
      `Cannot read word vectors from ${name} as ${rule}: ${now}; ` +
        "take the file from a fresh clone, or write it with scripts/word_vectors.py",
    );
  const text = new TextDecoder("latin1"); // decodes any byte; that words are a-z is checked below
  const magic = text.decode(bytes.subarray(0, MAGIC.length));
  if (magic !== MAGIC) throw refuse(`it must start with "${MAGIC}"`, JSON.stringify(magic));
  if (bytes.length < HEADER) throw refuse(`its header has ${HEADER} bytes`, bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [version, W, D, S, checksum] = [8, 12, 16, 20, 24].map((at) => view.getUint32(at, true));
  if (version !== VERSION) throw refuse(`its version must be ${VERSION}`, version);
  if (W === 0 || D === 0) throw refuse("it needs words and dimensions", `${W} and ${D}`);
  const length = HEADER + S + 4 * W + W * D; // before any allocation: the header may lie
  if (bytes.length !== length) throw refuse(`its header asks for ${length} bytes`, bytes.length);
  const found = crc32.buf(bytes.subarray(HEADER)) >>> 0;
  if (found !== checksum) throw refuse(`its CRC-32 must be ${checksum}, else it changed`, found);

  const words = text.decode(bytes.subarray(HEADER, HEADER + S)).split("\n");
  if (words.length !== W) throw refuse(`it must list ${W} words`, words.length);
  for (let i = 0; i < W; i++) {
    if (!/^[a-z]+$/.test(words[i])) {
      throw refuse("words are of a-z", `word ${i} is ${JSON.stringify(words[i])}`);
    }
    if (i > 0 && words[i] <= words[i - 1]) {
      throw refuse("words are sorted", `"${words[i]}" follows "${words[i - 1]}"`);
    }
  }
  const scale = words.map((_, i) => view.getFloat32(HEADER + S + 4 * i, true));
  const bad = scale.findIndex((x) => !(x >= 0 && x < Infinity));
  if (bad >= 0) throw refuse("scales are finite", `"${words[bad]}" has ${scale[bad]}`);
  return {
    words,
    dimensions: D,
    scale: Float32Array.from(scale),
    values: new Int8Array(bytes.slice(HEADER + S + 4 * W).buffer),
  };
}
