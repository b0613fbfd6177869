/** The WGSL of one head of one row: D numbers that stay in registers. @module */

/**
 * Declares `Head`, the vectors with names of which a row has D4 = D / 4, and what attention.wgsl does with
 * it: each function is one of its loops over D, written out. A private array that is read at an index is
 * kept in memory by several compilers, and a loop costs a counter and a bound; fields of a struct cost
 * neither. Where `share` lanes have a row together each has every share-th vector, so that side by side
 * they read what lies side by side, and inner products are the sum `of_row`.
 *
 * `scored`, `added` and `kept` are those of attention_one.wgsl or attention_shuffle.wgsl.
 */
export function headCode(D4: number, share: 1 | 2 | 4): string {
  const each = (write: (i: number) => string): string[] =>
    Array.from({ length: D4 / share }, (_, i) => write(i));
  const at = (i: number): string => `at + ${i * share}u`;
  const whole = (x: string): string => share === 1 ? x : `of_row(${x})`;
  const line = (head: string, body: string): string => `fn ${head} { ${body} }`;
  const make = (write: (i: number) => string): string => `return Head(${each(write).join(", ")});`;
  const reading = ["qkv", "dout", "out"].map((from) =>
    line(`${from}_head(at: u32) -> Head`, make((i) => `${from}[${at(i)}]`))
  );
  const storing = ["out", "dqkv"].map((to) =>
    line(`store_${to}(at: u32, x: Head)`, each((i) => `${to}[${at(i)}] = x.v${i};`).join(" "))
  );
  const meeting = ["qkv", "dout"].flatMap((from) => [
    line(
      `scores_${from}(a: Head, at: u32) -> Many`,
      `var s = Many(); ${
        each((i) => `s = scored(s, a.v${i}, ${from}[${at(i)}]);`).join(" ")
      } return ${whole("s")};`,
    ),
    line(
      `add_${from}(sum: Head, p: Many, at: u32) -> Head`,
      make((i) => `added(sum.v${i}, p, ${from}[${at(i)}])`),
    ),
  ]);
  return [
    `const D4 = ${D4}u;`,
    `const SHARE = ${share}u;`,
    `struct Head { ${each((i) => `v${i}: vec4f`).join(", ")} }`,
    ...reading,
    ...storing,
    ...meeting,
    line(
      "keep_qkv(sum: Head, x: Soft, at: u32) -> Head",
      make((i) => `kept(sum.v${i}, x, qkv[${at(i)}])`),
    ),
    line("scaled(x: Head, by: f32) -> Head", make((i) => `x.v${i} * by`)),
    line("divided(x: Head, by: f32) -> Head", make((i) => `x.v${i} / by`)),
    line(
      "dot_head(a: Head, b: Head) -> f32",
      `return ${whole(each((i) => `dot(a.v${i}, b.v${i})`).join(" + "))};`,
    ),
  ].join("\n") + "\n";
}
