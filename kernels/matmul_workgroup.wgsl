// Joined to matmul_tile.wgsl and matmul_load.wgsl, for graphics hardware: a workgroup owns 8 SIDE rows and
// columns of out, and shares what it reads of a and b through workgroup memory; each of its SIDE x SIDE
// invocations owns 8 by 8, as two fours of rows and two of columns. A step is eight k's. While it is
// computed from one half of the memory the next is on its way into the other, so that one barrier a step
// is enough. With SIDE 16 that is 16 KiB, the most that every WebGPU has.
// The sums are those of the register tile, in the same order. RAGGED: K is no multiple of 8.
// `const SIDE` is written in front by the launcher; WORKGROUP is its square.
const FOURS = 2u * SIDE; // of rows, or of columns
// By half, k and four. An index that is no constant is clamped: those below are the same in all lines.
var<workgroup> lefts: array<array<array<vec4f, FOURS>, 8>, 2>;
var<workgroup> rights: array<array<array<vec4f, FOURS>, 8>, 2>;

struct Sums { m00: mat4x4f, m01: mat4x4f, m10: mat4x4f, m11: mat4x4f } // fours of rows, then of columns

/// One k more: four rows of out (columns) by four of its columns.
fn outer(sum: mat4x4f, left: vec4f, right: vec4f) -> mat4x4f {
  return mat4x4f(
    sum[0] + right * left.x, sum[1] + right * left.y,
    sum[2] + right * left.z, sum[3] + right * left.w);
}
fn added(sums: Sums, left0: vec4f, left1: vec4f, right0: vec4f, right1: vec4f) -> Sums {
  return Sums(
    outer(sums.m00, left0, right0), outer(sums.m01, left0, right1),
    outer(sums.m10, left1, right0), outer(sums.m11, left1, right1));
}

/// What one invocation brings at each step: four k's of four rows of a, or of four columns of b.
struct Errand { isA: bool, isB: bool, four: u32, k: u32, places: vec4u }

fn errandOf(group: vec3u, thread: u32) -> Errand {
  var mine: Errand;
  mine.isA = thread < 2u * FOURS;
  mine.isB = !mine.isA && thread < 4u * FOURS;
  let i = thread % (2u * FOURS);
  let alongK = select(TRANSPOSE_B, !TRANSPOSE_A, mine.isA); // neighbours read neighbours in memory
  mine.four = select(i % FOURS, i / 2u, alongK);
  mine.k = 4u * select(i / FOURS, i % 2u, alongK);
  if (mine.isA) { mine.places = fourPlaces(group.y * 8u * SIDE + 4u * mine.four); }
  if (mine.isB) { mine.places = placesOfB(group.x * 8u * SIDE + 4u * mine.four); }
  return mine;
}

/// Four k's (columns) from `first + mine.k` on, by four rows or columns of out (rows).
fn fetched(mine: Errand, first: u32) -> mat4x4f {
  let k = first + mine.k;
  if (RAGGED && k >= dims.K) { return mat4x4f(); }
  let isLast = RAGGED && k + 4u > dims.K;
  if (mine.isA) {
    let at = mine.places + k / 4u * strideA();
    if (!isLast) { return transpose(fourOfA(at)); }
    let back = select(vec4u(), behind(k) * (dims.ldA / 4u), TRANSPOSE_A);
    return transpose(clipA(fourOfA(at - back), k));
  }
  if (mine.isB) {
    let at = mine.places + k / 4u * strideB();
    if (!isLast) { return fourOfB(at); }
    return lastOfB(at, k);
  }
  return mat4x4f();
}
fn deliver(mine: Errand, half: u32, four: mat4x4f) {
  if (mine.isA) {
    lefts[half][mine.k][mine.four] = four[0];
    lefts[half][mine.k + 1u][mine.four] = four[1];
    lefts[half][mine.k + 2u][mine.four] = four[2];
    lefts[half][mine.k + 3u][mine.four] = four[3];
  } else if (mine.isB) {
    rights[half][mine.k][mine.four] = four[0];
    rights[half][mine.k + 1u][mine.four] = four[1];
    rights[half][mine.k + 2u][mine.four] = four[2];
    rights[half][mine.k + 3u][mine.four] = four[3];
  }
}

@compute @workgroup_size(WORKGROUP)
fn multiply(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let x = thread % SIDE;
  let y = thread / SIDE;
  let mine = errandOf(group, thread);
  plane = group.z; // for `store`: what a private variable says is not uniform to every compiler
  let first = group.z * dims.part / 8u;
  let steps = (min(dims.K, (group.z + 1u) * dims.part) + 7u) / 8u;
  var s: Sums;
  deliver(mine, first % 2u, fetched(mine, 8u * first));
  workgroupBarrier();
  for (var i = first; i < steps; i++) {
    let h = i % 2u;
    let isMore = i + 1u < steps;
    var next: mat4x4f;
    if (isMore) { next = fetched(mine, 8u * (i + 1u)); }
    s = added(s, lefts[h][0][y], lefts[h][0][y + SIDE], rights[h][0][x], rights[h][0][x + SIDE]);
    s = added(s, lefts[h][1][y], lefts[h][1][y + SIDE], rights[h][1][x], rights[h][1][x + SIDE]);
    s = added(s, lefts[h][2][y], lefts[h][2][y + SIDE], rights[h][2][x], rights[h][2][x + SIDE]);
    s = added(s, lefts[h][3][y], lefts[h][3][y + SIDE], rights[h][3][x], rights[h][3][x + SIDE]);
    s = added(s, lefts[h][4][y], lefts[h][4][y + SIDE], rights[h][4][x], rights[h][4][x + SIDE]);
    s = added(s, lefts[h][5][y], lefts[h][5][y + SIDE], rights[h][5][x], rights[h][5][x + SIDE]);
    s = added(s, lefts[h][6][y], lefts[h][6][y + SIDE], rights[h][6][x], rights[h][6][x + SIDE]);
    s = added(s, lefts[h][7][y], lefts[h][7][y + SIDE], rights[h][7][x], rights[h][7][x + SIDE]);
    if (isMore) { deliver(mine, 1u - h, next); }
    workgroupBarrier();
  }
  let row = group.y * 8u * SIDE + 4u * y;
  let column = group.x * 8u * SIDE + 4u * x;
  storeFour(row, column, s.m00);
  storeFour(row, column + 4u * SIDE, s.m01);
  storeFour(row + 4u * SIDE, column, s.m10);
  storeFour(row + 4u * SIDE, column + 4u * SIDE, s.m11);
}
