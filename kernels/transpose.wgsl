// Transposition of a matrix.
//   out[c, r] = x[r, c]
// R rows of C columns, both multiples of 4. One invocation owns four by four elements, and a workgroup
// SIDE by SIDE of those, so that both what it reads and what it writes has SIDE vec4s side by side.
override WORKGROUP: u32; // threads per workgroup, set by the launcher: SIDE * SIDE
const SIDE = 8u;
struct Dims { R: u32, C: u32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<vec4f>; //         (R, C)
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>; // (C, R) overwritten

@compute @workgroup_size(WORKGROUP)
fn transposed(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let C = dims.C / 4u;
  let R = dims.R / 4u;
  let c = group.y * SIDE + lane / SIDE;
  let r = group.x * SIDE + lane % SIDE;
  if (c >= C || r >= R) { return; } // the last workgroups may be partly empty
  let first = 4u * r * C + c;
  let four = transpose(mat4x4f(x[first], x[first + C], x[first + 2u * C], x[first + 3u * C]));
  let to = 4u * c * R + r;
  out[to] = four[0];
  out[to + R] = four[1];
  out[to + 2u * R] = four[2];
  out[to + 3u * R] = four[3];
}
