/**
 * Texts that begin alike go through a model once as far as they do: the completions of one prompt, and
 * the instruction that all prompts of a batch begin with.
 *
 * A causal row depends on what stands before it alone, so equal beginnings have equal rows, and the sum
 * of their gradients is the gradient of the one row in their place. G completions of R tokens after a
 * prompt of P are then P + G R rows in place of G (P + R), and no row is padding.
 *
 *   the texts  1 2 3 4      the tree  1 2 3 4     row        0 1 2 3 4 5 6
 *              1 2 3 5                    5       token      1 2 3 4 5 6 7
 *              1 2 6                    6         position   0 1 2 3 3 2 0
 *              7                      7           end        6 6 5 4 5 6 7
 *
 * Attention does the rest: row t sees row j where j <= t < end[j] (kernels/attention.wgsl).
 * @module
 */
import type { ResponseRows } from "./rows.ts";

/** Rows of a tree are rounded up by at most an eighth, so that trees of like size share a recorded pass. */
export function roundRows(rows: number): number {
  const unit = Math.max(16, 2 ** Math.floor(Math.log2(rows) - 3));
  return Math.ceil(rows / unit) * unit;
}

/**
 * The same questions about the same texts, each a sequence in `rows`, as one sequence: the tree of them
 * all, depth first. A row may be asked for several tokens, and a question that is asked of several texts
 * at once is asked once (`source`).
 */
export function sharePrefixes(rows: ResponseRows): ResponseRows {
  const tree = layOut(rows), { index, target } = rows;
  const asked = new Map<number, number>(); // row and target in one number -> which question
  const source = Uint32Array.from(index, (at, r) => {
    const question = tree.rowOf[at] * 2 ** 32 + target[r];
    if (!asked.has(question)) asked.set(question, asked.size);
    return asked.get(question)!;
  });
  const T = roundRows(tree.length), questions = [...asked.keys()];
  const padded = (of: Uint32Array): Uint32Array<ArrayBuffer> => {
    const out = new Uint32Array(T);
    out.set(of.subarray(0, tree.length));
    return out;
  };
  return {
    ...rows,
    ...{ B: 1, T, isTree: true, lengths: Uint32Array.of(tree.length) },
    ...{ tokens: padded(tree.tokens), position: padded(tree.position), end: padded(tree.end) },
    index: Uint32Array.from(questions, (question) => Math.floor(question / 2 ** 32)),
    target: Uint32Array.from(questions, (question) => question % 2 ** 32),
    source,
  };
}

/** Numbers of `length` rows, in arrays that have room for more. */
interface Tree extends Record<"tokens" | "position" | "end", Uint32Array> {
  length: number;
  /** (B, T) for each token of the texts its row. */
  rowOf: Uint32Array;
}

/** In alphabetical order each text shares with the one before it all that it shares with any before. */
function layOut({ B, T, tokens, lengths }: ResponseRows): Tree {
  const room = () => new Uint32Array(B * T);
  const tree = { tokens: room(), position: room(), end: room(), rowOf: room(), length: 0 };
  const texts = Array.from({ length: B }, (_, b) => tokens.subarray(b * T, b * T + lengths[b]));
  const order = Array.from(texts.keys()).sort((a, b) => compare(texts[a], texts[b]));
  const path: number[] = []; // rows of the text before, from its first token on
  const close = (depth: number): void =>
    path.splice(depth).forEach((row) => tree.end[row] = tree.length);
  let before = new Uint32Array(0);
  for (const b of order) {
    const text = texts[b], same = common(before, text);
    close(same);
    for (let t = same; t < text.length; t++) {
      const row = tree.length++;
      tree.tokens[row] = text[t];
      tree.position[row] = t;
      path.push(row);
    }
    tree.rowOf.set(path, b * T);
    before = text;
  }
  close(0);
  return tree;
}

/** Tokens that both begin with. */
function common(a: Uint32Array, b: Uint32Array): number {
  let t = 0;
  while (t < a.length && t < b.length && a[t] === b[t]) t++;
  return t;
}

/** Below 0 where `a` comes first: by the first token that differs, else the shorter one. */
function compare(a: Uint32Array, b: Uint32Array): number {
  const t = common(a, b);
  return t < a.length && t < b.length ? a[t] - b[t] : a.length - b.length;
}
