// Matrix product by register tiles: the same operands and epilogues as matmul.wgsl, bound as vec4.
// An invocation owns 16 rows of 4 neighbouring columns, held as four 4 x 4 matrices whose columns are
// rows of out: for four k's at once, rows += (four rows of b) * (four rows of a) is 64 multiply-adds on
// five vec4 loads. The launcher joins this text with three choices: how the rows of a arrive, in
// matmul_load.wgsl (each invocation loads them) or matmul_shuffle.wgsl (8 lanes share one load); how b
// is stored; and `store`, the epilogue, in one of fragments/tile_*.wgsl. A Pack is a vec4f here.
// Eight invocations side by side own 32 columns, WORKGROUP / 8 of them below each other.
// Strides and first columns are multiples of 4 (the launcher sees to it); M, N and K need not be.
override WORKGROUP: u32; // threads per workgroup, set by the launcher; a multiple of 8
override TRANSPOSE_A: bool; // a is (K, M)
override TRANSPOSE_B: bool; // b is (N, K)
struct Dims {
  M: u32, N: u32, K: u32, // rows and columns of out, length of the sum
  ldA: u32, ldB: u32, ldOut: u32, // elements from one row to the next
  atA: u32, atOut: u32, // first column used
  accumulate: u32, // 1: add to what out holds
  scale: f32, // times the product; 1 but in `plain`
}
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> a: array<vec4f>; //        (M, K) or (K, M), rows of ldA
// 2: b (K, N) or (N, K), rows of ldB. It may hold f16: fragments/table.ts declares it in front, with bAt.
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>; // (M, N), rows of ldOut
@group(0) @binding(4) var<storage, read> bias: array<vec4f>; //     (N)
@group(0) @binding(5) var<storage, read> residual: array<vec4f>; // laid out as out
@group(0) @binding(6) var<storage, read_write> pre: array<vec4f>; // laid out as out

const STEP = vec4u(0u, 1u, 2u, 3u);

/// Eight rows of a for four k's: columns are rows of out, rows are k's.
struct Rows { upper: mat4x4f, lower: mat4x4f }

/// Four k's (columns) by four columns of out (rows); zero where k >= K.
fn loadB(k: u32, column: u32) -> mat4x4f {
  let ld = dims.ldB / 4u;
  var tile: mat4x4f;
  if (TRANSPOSE_B) {
    let at = min(column + STEP, vec4u(dims.N - 1u)) * ld + k / 4u;
    tile = transpose(mat4x4f(bAt(at.x), bAt(at.y), bAt(at.z), bAt(at.w)));
  } else {
    let at = min(k + STEP, vec4u(dims.K - 1u)) * ld + column / 4u;
    tile = mat4x4f(bAt(at.x), bAt(at.y), bAt(at.z), bAt(at.w));
  }
  if (k + 4u > dims.K) { // the last, partly filled four: not by 0 * x, as x may be no number
    tile[0] = select(vec4f(), tile[0], k < dims.K);
    tile[1] = select(vec4f(), tile[1], k + 1u < dims.K);
    tile[2] = select(vec4f(), tile[2], k + 2u < dims.K);
    tile[3] = select(vec4f(), tile[3], k + 3u < dims.K);
  }
  return tile;
}

/// `tile` with zeros where k >= K, since what lies behind a row of a is unknown.
fn clipA(tile: mat4x4f, k: u32) -> mat4x4f {
  if (k + 4u <= dims.K) { return tile; }
  let inside = k + STEP < vec4u(dims.K);
  return mat4x4f(
    select(vec4f(), tile[0], inside), select(vec4f(), tile[1], inside),
    select(vec4f(), tile[2], inside), select(vec4f(), tile[3], inside));
}

/// Sixteen rows of four columns. In a struct and not in an array: an index that is no constant would
/// send the sums through memory.
struct Tile { row: u32, column: u32, rows0: mat4x4f, rows4: mat4x4f, rows8: mat4x4f, rows12: mat4x4f }

fn product(group: vec3u, thread: u32) -> Tile {
  var sum: Tile;
  sum.row = (group.y * (WORKGROUP / 8u) + thread / 8u) * 16u;
  sum.column = (group.x * 8u + thread % 8u) * 4u;
  let column = min(sum.column, (dims.N - 1u) / 4u * 4u); // lanes past the last column help their neighbours
  for (var k = 0u; k < dims.K; k += 4u) {
    let right = loadB(k, column);
    let first = rowsOfA(k, sum.row, thread);
    let second = rowsOfA(k, sum.row + 8u, thread);
    sum.rows0 += right * first.upper;
    sum.rows4 += right * first.lower;
    sum.rows8 += right * second.upper;
    sum.rows12 += right * second.lower;
  }
  return sum;
}

fn at(row: u32, column: u32) -> u32 { return (row * dims.ldOut + dims.atOut + column) / 4u; }
fn isOutside(row: u32, column: u32) -> bool { return row >= dims.M || column >= dims.N; }

/// `value` in columns < N, `old` beyond them.
fn within(column: u32, value: vec4f, old: vec4f) -> vec4f {
  return select(old, value, column + STEP < vec4u(dims.N));
}

fn storeFour(row: u32, column: u32, rows: mat4x4f) {
  store(row, column, rows[0]);
  store(row + 1u, column, rows[1]);
  store(row + 2u, column, rows[2]);
  store(row + 3u, column, rows[3]);
}

@compute @workgroup_size(WORKGROUP)
fn multiply(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let sum = product(group, thread);
  storeFour(sum.row, sum.column, sum.rows0);
  storeFour(sum.row + 4u, sum.column, sum.rows4);
  storeFour(sum.row + 8u, sum.column, sum.rows8);
  storeFour(sum.row + 12u, sum.column, sum.rows12);
}
