// Matrix product of few rows, as a decode step has them: the operands and epilogues of matmul_tile.wgsl
// for a (M, K) as it lies. Such a product is bound by reading b, so every weight is read once for all
// ROWS rows of a workgroup, and several loads are under way before the first is used.
//   out[m, n] = act(sum_k a[m, k] b[k, n] + bias[n]) + residual[m, n]      b (K, N), or (N, K) transposed
// few_rows.ts writes `multiply` behind this text, as its lines are repeated for each row, and joins
// `store`, the epilogue, from fragments/tile_*.wgsl. A lane owns four neighbouring columns of each row;
// eight lanes side by side own 32. Each sum runs over k in an order that M has no part in.
// K, strides and first columns are multiples of 4, and so is N where b is (K, N).
override WORKGROUP: u32; // threads per workgroup, set by the launcher; a multiple of 8
override PARTIAL: bool; // N is no multiple of 4: what lies behind the last column of out is kept
override ACCUMULATE: bool; // add to what out holds; dims.accumulate, which the twin reads, says the same
struct Dims {
  M: u32, N: u32, K: u32, // rows and columns of out, length of the sum
  ldA: u32, ldB: u32, ldOut: u32, // elements from one row to the next
  atA: u32, atOut: u32, // first column used
  accumulate: u32, // 1 where ACCUMULATE
  scale: f32, // times the product; 1 but in `plain`
}
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> a: array<vec4f>; //        (M, K), rows of ldA
// 2: b (K, N) or (N, K), rows of ldB. It may hold f16: fragments/table.ts declares it in front, with bAt.
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>; // (M, N), rows of ldOut
@group(0) @binding(4) var<storage, read> bias: array<vec4f>; //     (N)
@group(0) @binding(5) var<storage, read> residual: array<vec4f>; // laid out as out
@group(0) @binding(6) var<storage, read_write> pre: array<vec4f>; // laid out as out

const STEP = vec4u(0u, 1u, 2u, 3u);

/// Four k's of one row of a; rows past the last and k's past the end give a neighbour's, which nobody uses.
fn aAt(row: u32, k: u32) -> vec4f {
  return a[(min(row, dims.M - 1u) * dims.ldA + dims.atA + min(k, dims.K - 4u)) / 4u];
}

/// Four k's (columns) by four columns of out (rows), from b (N, K).
fn transposedB(k: u32, column: u32) -> mat4x4f {
  let i = (min(column + STEP, vec4u(dims.N - 1u)) * dims.ldB + k) / 4u;
  return transpose(mat4x4f(bAt(i.x), bAt(i.y), bAt(i.z), bAt(i.w)));
}

fn isOutside(row: u32, column: u32) -> bool { return row >= dims.M || column >= dims.N; }
fn at(row: u32, column: u32) -> u32 { return (row * dims.ldOut + dims.atOut + column) / 4u; }
/// `value` in columns < N, `old` beyond them.
fn within(column: u32, value: vec4f, old: vec4f) -> vec4f {
  return select(old, value, column + STEP < vec4u(dims.N));
}
