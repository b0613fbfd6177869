// Matrix product by register tiles: the same operands and epilogues as matmul.wgsl, bound as vec4.
// An invocation owns 16 rows of 4 neighbouring columns, held as four 4 x 4 matrices whose columns are
// rows of out: for four k's at once, rows += (four rows of b) * (four rows of a) is 64 multiply-adds on
// five vec4 loads. How the rows of a arrive is the launcher's choice: this text is joined with
// matmul_load.wgsl (each invocation loads them) or matmul_shuffle.wgsl (8 lanes share one load).
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
@group(0) @binding(2) var<storage, read> b: array<vec4f>; //        (K, N) or (N, K), rows of ldB
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
    tile = transpose(mat4x4f(b[at.x], b[at.y], b[at.z], b[at.w]));
  } else {
    let at = min(k + STEP, vec4u(dims.K - 1u)) * ld + column / 4u;
    tile = mat4x4f(b[at.x], b[at.y], b[at.z], b[at.w]);
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

/// As in matmul.wgsl.
fn inner(x: vec4f) -> vec4f {
  return clamp(0.7978845608 * (x + 0.044715 * x * x * x), vec4f(-15.0), vec4f(15.0));
}
fn geluOf(x: vec4f) -> vec4f { return 0.5 * x * (1.0 + tanh(inner(x))); }
fn geluSlope(x: vec4f) -> vec4f {
  let t = tanh(inner(x));
  return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * 0.7978845608 * (1.0 + 0.134145 * x * x);
}

fn storePlain(row: u32, column: u32, product: vec4f) {
  if (isOutside(row, column)) { return; }
  let i = at(row, column);
  let old = out[i];
  let value = dims.scale * product;
  out[i] = within(column, select(value, old + value, dims.accumulate == 1u), old);
}
fn storeBiased(row: u32, column: u32, value: vec4f) {
  if (isOutside(row, column)) { return; }
  let i = at(row, column);
  out[i] = within(column, value + bias[column / 4u], out[i]);
}
fn storeResidual(row: u32, column: u32, value: vec4f) {
  if (isOutside(row, column)) { return; }
  let i = at(row, column);
  out[i] = within(column, value + bias[column / 4u] + residual[i], out[i]);
}
fn storeGelu(row: u32, column: u32, value: vec4f) {
  if (isOutside(row, column)) { return; }
  let i = at(row, column);
  let x = value + bias[column / 4u];
  pre[i] = within(column, x, pre[i]);
  out[i] = within(column, geluOf(x), out[i]);
}
fn storeDgelu(row: u32, column: u32, value: vec4f) {
  if (isOutside(row, column)) { return; }
  let i = at(row, column);
  let old = out[i];
  let sum = select(value, old + value, dims.accumulate == 1u);
  out[i] = within(column, sum * geluSlope(pre[i]), old);
}

fn storePlain4(row: u32, column: u32, rows: mat4x4f) {
  storePlain(row, column, rows[0]);
  storePlain(row + 1u, column, rows[1]);
  storePlain(row + 2u, column, rows[2]);
  storePlain(row + 3u, column, rows[3]);
}
@compute @workgroup_size(WORKGROUP)
fn plain(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let sum = product(group, thread);
  storePlain4(sum.row, sum.column, sum.rows0);
  storePlain4(sum.row + 4u, sum.column, sum.rows4);
  storePlain4(sum.row + 8u, sum.column, sum.rows8);
  storePlain4(sum.row + 12u, sum.column, sum.rows12);
}

fn storeBiased4(row: u32, column: u32, rows: mat4x4f) {
  storeBiased(row, column, rows[0]);
  storeBiased(row + 1u, column, rows[1]);
  storeBiased(row + 2u, column, rows[2]);
  storeBiased(row + 3u, column, rows[3]);
}
@compute @workgroup_size(WORKGROUP)
fn biased(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let sum = product(group, thread);
  storeBiased4(sum.row, sum.column, sum.rows0);
  storeBiased4(sum.row + 4u, sum.column, sum.rows4);
  storeBiased4(sum.row + 8u, sum.column, sum.rows8);
  storeBiased4(sum.row + 12u, sum.column, sum.rows12);
}

fn storeResidual4(row: u32, column: u32, rows: mat4x4f) {
  storeResidual(row, column, rows[0]);
  storeResidual(row + 1u, column, rows[1]);
  storeResidual(row + 2u, column, rows[2]);
  storeResidual(row + 3u, column, rows[3]);
}
@compute @workgroup_size(WORKGROUP)
fn residual_add(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let sum = product(group, thread);
  storeResidual4(sum.row, sum.column, sum.rows0);
  storeResidual4(sum.row + 4u, sum.column, sum.rows4);
  storeResidual4(sum.row + 8u, sum.column, sum.rows8);
  storeResidual4(sum.row + 12u, sum.column, sum.rows12);
}

fn storeGelu4(row: u32, column: u32, rows: mat4x4f) {
  storeGelu(row, column, rows[0]);
  storeGelu(row + 1u, column, rows[1]);
  storeGelu(row + 2u, column, rows[2]);
  storeGelu(row + 3u, column, rows[3]);
}
@compute @workgroup_size(WORKGROUP)
fn gelu(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let sum = product(group, thread);
  storeGelu4(sum.row, sum.column, sum.rows0);
  storeGelu4(sum.row + 4u, sum.column, sum.rows4);
  storeGelu4(sum.row + 8u, sum.column, sum.rows8);
  storeGelu4(sum.row + 12u, sum.column, sum.rows12);
}

fn storeDgelu4(row: u32, column: u32, rows: mat4x4f) {
  storeDgelu(row, column, rows[0]);
  storeDgelu(row + 1u, column, rows[1]);
  storeDgelu(row + 2u, column, rows[2]);
  storeDgelu(row + 3u, column, rows[3]);
}
@compute @workgroup_size(WORKGROUP)
fn dgelu(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let sum = product(group, thread);
  storeDgelu4(sum.row, sum.column, sum.rows0);
  storeDgelu4(sum.row + 4u, sum.column, sum.rows4);
  storeDgelu4(sum.row + 8u, sum.column, sum.rows8);
  storeDgelu4(sum.row + 12u, sum.column, sum.rows12);
}
