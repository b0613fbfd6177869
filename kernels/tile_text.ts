/**
 * The lines of matmul_tile.wgsl that are repeated for each row and column of a tile. In lines and not in
 * loops over arrays: an index that is no constant would send the sums through memory.
 * @module
 */

/** What one invocation owns; of the tile that a workgroup shares, what the workgroup owns. */
export interface TileShape {
  /** A multiple of 8; of a shared tile 64 or 128. */
  readonly rows: number;
  /** 4, or 8 as two fours that are 32 apart; of a shared tile as many as rows. */
  readonly columns: number;
}

/** WGSL of `multiply`, the entry point of the tile. */
export function tileText({ rows, columns }: TileShape): string {
  const eights = Array.from({ length: rows / 8 }, (_, i) => 8 * i);
  const fours = Array.from({ length: rows / 4 }, (_, i) => 4 * i);
  const parts = columns === 4 ? [0] : [0, 32];
  const sums = fours.flatMap((r) => parts.map((c) => ({ name: `sum${r}_${c}`, r, c })));
  const step = (right: (c: number) => string, left: (r: number) => string): string[] => [
    ...parts.map((c) => `let right${c} = ${right(c)};`),
    ...eights.flatMap((r) => [
      `let rows${r} = ${left(r)};`,
      ...parts.flatMap((c) => [
        `sum${r}_${c} = chained(sum${r}_${c}, right${c}, rows${r}.upper);`,
        `sum${r + 4}_${c} = chained(sum${r + 4}_${c}, right${c}, rows${r}.lower);`,
      ]),
    ]),
  ];
  return [
    `// A tile of ${rows} rows and ${columns} columns, written by tile_text.ts.`,
    "@compute @workgroup_size(WORKGROUP)",
    "fn multiply(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {",
    "  let tile = select(group.xy, group.yx, DOWN);",
    `  let row = (tile.y * (WORKGROUP / 8u) + thread / 8u) * ${rows}u;`,
    `  let column = tile.x * ${8 * columns}u + thread % 8u * 4u;`,
    "  plane = group.z;",
    "  let end = min(dims.K, (plane + 1u) * dims.part);",
    ...parts.map((c) => `  let b${c} = placesOfB(column + ${c}u);`),
    ...eights.map((r) => `  let a${r} = placesOfA(row + ${r}u, thread);`),
    ...sums.map(({ name }) => `  var ${name} = mat4x4f();`),
    "  var ahead = 0.0;",
    "  for (var i = plane * dims.part / 4u; i < end / 4u; i++) {",
    "    if (AHEAD) { // two steps; behind the part they are the next one's, or the last row",
    `      let first = tile.x * ${8 * columns}u;`,
    ...parts.map((c) => `      ahead = touched(ahead, first + ${c}u, 4u * i + 8u, thread);`),
    "    }",
    ...step(
      (c) => `fourOfB(b${c} + i * strideB())`,
      (r) => `rowsOfA(a${r}, i * strideA(), thread)`,
    ).map((line) => `    ${line}`),
    "  }",
    "  if (RAGGED && end == dims.K) {",
    "    let i = dims.K / 4u;",
    ...step(
      (c) => `lastOfB(b${c} + i * strideB(), 4u * i)`,
      (r) => `lastOfA(a${r}, i * strideA(), thread, 4u * i)`,
    ).map((line) => `    ${line}`),
    "  }",
    `  if (AHEAD) { ${sums[0].name}[0] *= one(ahead); }`,
    ...sums.map(({ name, r, c }) => `  storeFour(row + ${r}u, column + ${c}u, ${name});`),
    "}",
    "",
  ].join("\n");
}
