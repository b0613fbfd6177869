// What matmul_tile.wgsl and few_rows.wgsl have in common, and the epilogues of tile_*.wgsl build on: the
// operands of a product, bound as vec4, and where a row of out lies.
override PARTIAL: bool; // N is no multiple of 4: what lies behind the last column of out is kept
override ACCUMULATE: bool; // add to what out holds; dims.accumulate, which the twin reads, says the same
struct Dims {
  M: u32, N: u32, K: u32, // rows and columns of out, length of the sum
  ldA: u32, ldB: u32, ldOut: u32, // elements from one row to the next
  atA: u32, atOut: u32, // first column used
  accumulate: u32, // 1 where ACCUMULATE
  scale: f32, // times the product; 1 but in `plain`
  part: u32, // k's that one plane of workgroups (z) adds up: K, or a multiple of 8 where there are several
  plane: u32, // elements from what one plane leaves to what the next one does
}
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> a: array<vec4f>; //        (M, K) or (K, M), rows of ldA
// 2: b (K, N) or (N, K), rows of ldB. It may hold f16: fragments/table.ts declares it in front, with bAt.
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>; // (M, N), rows of ldOut
@group(0) @binding(4) var<storage, read> bias: array<vec4f>; //     (N)
@group(0) @binding(5) var<storage, read> residual: array<vec4f>; // laid out as out
@group(0) @binding(6) var<storage, read_write> pre: array<vec4f>; // laid out as out

var<private> plane: u32; // of this workgroup
const STEP = vec4u(0u, 1u, 2u, 3u);

fn at(row: u32, column: u32) -> u32 { return (row * dims.ldOut + dims.atOut + column) / 4u; }
fn isOutside(row: u32, column: u32) -> bool { return row >= dims.M || column >= dims.N; }
/// `value` in columns < N, `old` beyond them.
fn within(column: u32, value: vec4f, old: vec4f) -> vec4f {
  return select(old, value, column + STEP < vec4u(dims.N));
}
