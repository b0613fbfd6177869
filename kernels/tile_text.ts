/**
 * The lines of matmul_tile.wgsl that are repeated for each row and column of a tile. In lines and not in
 * loops over arrays: an index that is no constant would send the sums through memory.
 * @module
 */

/** What one invocation owns; of the tile that a workgroup shares, what the workgroup owns. */
export interface TileShape {
  /** A multiple of 8, or of 16 where so many lanes shuffle; of a shared tile 64 or 128. */
  readonly rows: number;
  /** 4, or 8 as two fours with those of the neighbours between; of a shared tile as many as rows. */
  readonly columns: number;
}

/**
 * WGSL of `multiply`, the entry point of the tile, with LANES invocations side by side. `lanes` rows of a
 * arrive together, of which a tile has a multiple.
 */
export function tileText({ rows, columns }: TileShape, lanes: 8 | 16 = 8): string {
  const every = (n: number, from = rows) => Array.from({ length: from / n }, (_, i) => n * i);
  const fours = every(4), parts = columns === 4 ? [0] : [0, 4 * lanes]; // first columns, in fours
  const sums = fours.flatMap((r) => parts.map((c) => `sum${r}_${c}`));
  const step = (right: (c: number) => string, left: (r: number) => string): string[] => [
    ...parts.map((c) => `let right${c} = ${right(c)};`),
    ...every(lanes).flatMap((r) => [
      `let rows${r} = ${left(r)};`,
      ...parts.flatMap((c) =>
        every(4, lanes).map((i) =>
          `sum${r + i}_${c} = chained(sum${r + i}_${c}, right${c}, fourOfRows(rows${r}, ${i}u));`
        )
      ),
    ]),
  ];
  const whole = step(
    (c) => `fourOfB(b${c} + i * strideB())`,
    (r) => `rowsOfA(a${r}, i * strideA(), thread)`,
  );
  return [
    `// A tile of ${rows} rows and ${columns} columns by ${lanes} lanes, written by tile_text.ts.`,
    `const LANES = ${lanes}u; // side by side`,
    "@compute @workgroup_size(WORKGROUP)",
    "fn multiply(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {",
    "  let tile = select(group.xy, group.yx, DOWN);",
    `  let row = (tile.y * (WORKGROUP / LANES) + thread / LANES) * ${rows}u;`,
    `  let column = tile.x * ${columns}u * LANES + thread % LANES * 4u;`,
    "  plane = group.z; // for `store`: what a private variable says is not uniform to every compiler",
    "  let end = min(dims.K, (group.z + 1u) * dims.part);",
    ...parts.map((c) => `  let b${c} = placesOfB(column + ${c}u);`),
    ...every(lanes).map((r) => `  let a${r} = placesOfA(row + ${r}u, thread);`),
    ...sums.map((name) => `  var ${name} = mat4x4f();`),
    "  var ahead = 0.0;",
    "  var i = group.z * dims.part / 4u;",
    "  // Tiles below the first find a strip of b in the cache: 2048 rows of 64 columns are 512 KiB.",
    "  if (AHEAD && (tile.y == 0u || dims.part > 2048u)) {",
    "    for (; i < end / 4u; i++) {",
    "      // two steps; behind the part they are the next one's, or the last row",
    `      let first = tile.x * ${columns}u * LANES;`,
    ...parts.map((c) => `      ahead = touched(ahead, first + ${c}u, 4u * i + 8u, thread);`),
    ...whole.map((line) => `      ${line}`),
    "    }",
    "  }",
    "  for (; i < end / 4u; i++) {",
    ...whole.map((line) => `    ${line}`),
    "  }",
    "  if (RAGGED && end == dims.K) {",
    "    let i = dims.K / 4u;",
    ...step(
      (c) => `lastOfB(b${c} + i * strideB(), 4u * i)`,
      (r) => `lastOfA(a${r}, i * strideA(), thread, 4u * i)`,
    ).map((line) => `    ${line}`),
    "  }",
    `  if (AHEAD) { ${sums[0]}[0] *= one(ahead); } // else no compiler would keep the touches`,
    ...storeLines(sums, parts.length),
    "}",
    "",
  ].join("\n");
}

/**
 * Stores four rows of four columns after the others. The epilogue stands there once and not behind every
 * sum: llvmpipe compiles the loop over k by what stands behind it, by up to a quarter worse where that reads.
 */
const storeLines = (names: readonly string[], parts: number): string[] => [
  `  for (var s = 0u; s < ${names.length}u; s++) {`,
  "    var four = mat4x4f();",
  "    switch s {",
  ...names.map((name, s) => `      case ${s}u: { four = ${name}; }`),
  "      default: {}",
  "    }",
  `    let below = s / ${parts}u * 4u;`,
  `    storeFour(row + below, column + s % ${parts}u * 4u * LANES, four);`,
  "  }",
];
