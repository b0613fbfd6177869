// Matrix product by register tiles: the same operands and epilogues as matmul.wgsl, bound as vec4.
// An invocation owns a tile of rows of 4 or 8 columns and keeps their sums in registers: for four k's at once
// `chained` is 64 multiply-adds on four rows of a and four of b, each of them one vec4. The launcher joins
// this text with four more: `multiply`, which tile_text.ts writes for one size of tile; how the rows of a
// arrive, matmul_load.wgsl (each invocation loads them) or matmul_shuffle.wgsl (8 or 16 lanes share a
// load); how b is stored; and `store`, the epilogue, in one of fragments/tile_*.wgsl. A Pack is a vec4f here.
// LANES invocations side by side own 4 or 8 columns each, WORKGROUP / LANES of them below each other.
// Strides and first columns are multiples of 4 (the launcher sees to it); M, N and K need not be.
// All sums are taken in the order of k, one product after another, whatever the size of the tile.
override WORKGROUP: u32; // threads per workgroup, set by the launcher; a multiple of 8
override TRANSPOSE_A: bool; // a is (K, M)
override TRANSPOSE_B: bool; // b is (N, K)
// What one product in a hundred needs is no branch of the others, which would compile for seconds:
override DOWN: bool; // workgroups go down the rows of out first, and not along its columns
override RAGGED: bool; // K is no multiple of 4: one more step, with guards, behind the loop
// AHEAD, touched, one: fragments/touch.wgsl
// PARTIAL, ACCUMULATE, dims and buffers, STEP, at, isOutside, within: fragments/product_operands.wgsl
// Places are counted in vec4s, those of k = 0 are worked out once, and a step of four k's adds a stride.
fn strideA() -> u32 { return select(1u, dims.ldA, TRANSPOSE_A); }
fn strideB() -> u32 { return select(dims.ldB, 1u, TRANSPOSE_B); }

/// Where four columns of out find their four vec4s of b: of four rows of b (K, N), or four of b (N, K).
fn placesOfB(column: u32) -> vec4u {
  let ld = dims.ldB / 4u;
  if (TRANSPOSE_B) { return min(column + STEP, vec4u(dims.N - 1u)) * ld; }
  return min(column, (dims.N - 1u) / 4u * 4u) / 4u + STEP * ld; // lanes past the last column help others
}
/// Four k's (columns) by four columns of out (rows).
fn fourOfB(at: vec4u) -> mat4x4f {
  let tile = mat4x4f(bAt(at.x), bAt(at.y), bAt(at.z), bAt(at.w));
  if (TRANSPOSE_B) { return transpose(tile); }
  return tile;
}

/// How many rows the k's of the step at `k` lie behind the last one.
fn behind(k: u32) -> vec4u { return max(k + STEP, vec4u(dims.K - 1u)) - (dims.K - 1u); }
/// `fourOfB` of the last, partly filled step: zero where k >= K. Not by 0 * x, as x may be no number.
fn lastOfB(at: vec4u, k: u32) -> mat4x4f {
  let tile = fourOfB(at - behind(k) * (dims.ldB / 4u)); // b is (K, N): an (N, K) has whole fours
  return mat4x4f(
    tile[0], // k < K, or there were no such step
    select(vec4f(), tile[1], k + 1u < dims.K),
    select(vec4f(), tile[2], k + 2u < dims.K),
    vec4f());
}
/// Four k's of one row of a with zeros where k >= K, since what lies behind a row is unknown.
fn insideA(four: vec4f, k: u32) -> vec4f { return select(vec4f(), four, k + STEP < vec4u(dims.K)); }

/// One row of out: each product is added by itself, so that drivers make one instruction of both.
fn chain(old: vec4f, right: mat4x4f, left: vec4f) -> vec4f {
  var sum = old;
  sum += right[0] * left.x;
  sum += right[1] * left.y;
  sum += right[2] * left.z;
  sum += right[3] * left.w;
  return sum;
}
/// Four rows of out (columns) by four of its columns, and four k's more.
fn chained(sum: mat4x4f, right: mat4x4f, rows: mat4x4f) -> mat4x4f {
  return mat4x4f(
    chain(sum[0], right, rows[0]), chain(sum[1], right, rows[1]),
    chain(sum[2], right, rows[2]), chain(sum[3], right, rows[3]));
}


fn storeFour(row: u32, column: u32, rows: mat4x4f) {
  store(row, column, rows[0]);
  store(row + 1u, column, rows[1]);
  store(row + 2u, column, rows[2]);
  store(row + 3u, column, rows[3]);
}
