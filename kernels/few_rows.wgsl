// Matrix product of few rows, as a decode step has them: the operands and epilogues of matmul_tile.wgsl
// for a (M, K) as it lies. Such a product is bound by reading b, so every weight is read once for all
// ROWS rows of a workgroup, and several loads are under way before the first is used.
//   out[m, n] = act(sum_k a[m, k] b[k, n] + bias[n]) + residual[m, n]      b (K, N), or (N, K) transposed
// few_rows_text.ts writes `multiply` behind this text, as its lines are repeated for each row, and joins
// `store`, the epilogue, from fragments/tile_*.wgsl. A lane owns four neighbouring columns of each row;
// eight lanes side by side own 32. Each sum runs over k in an order that M has no part in.
// K, strides and first columns are multiples of 4, and so is N where b is (K, N).
override WORKGROUP: u32; // threads per workgroup, set by the launcher; a multiple of 8
const LANES = 8u; // side by side
// PARTIAL, ACCUMULATE, dims and buffers, STEP, at, isOutside, within: fragments/product_operands.wgsl

/// Four k's of one row of a; rows past the last and k's past the end give a neighbour's, which nobody uses.
fn aAt(row: u32, k: u32) -> vec4f {
  return a[(min(row, dims.M - 1u) * dims.ldA + dims.atA + min(k, dims.K - 4u)) / 4u];
}

/// Four k's (columns) by four columns of out (rows), from b (N, K).
fn transposedB(k: u32, column: u32) -> mat4x4f {
  let i = (min(column + STEP, vec4u(dims.N - 1u)) * dims.ldB + k) / 4u;
  return transpose(mat4x4f(bAt(i.x), bAt(i.y), bAt(i.z), bAt(i.w)));
}
