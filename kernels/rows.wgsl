// Picking rows out of a matrix. Its gradient: add_rows.wgsl.
//   gather: out[n, c] = x[index[n], c]         0 where index[n] >= R ("no row")
// N picked rows, R rows of x, C channels. One invocation owns one Pack of one picked row.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
// Pack, PACK and fold: fragments/pack4.wgsl, or pack1.wgsl where C is no multiple of 4
struct Dims { N: u32, R: u32, C: u32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<Pack>; //         (R, C)
@group(0) @binding(2) var<storage, read> index: array<u32>; //      (N)
@group(0) @binding(3) var<storage, read_write> out: array<Pack>; // (N, C) overwritten

@compute @workgroup_size(WORKGROUP)
fn gather(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let C = dims.C / PACK;
  if (id.x >= C) { return; }
  for (var n = group.y; n < dims.N; n += groups.y) {
    let row = index[n];
    if (row < dims.R) {
      out[n * C + id.x] = x[row * C + id.x];
    } else {
      out[n * C + id.x] = Pack(0.0);
    }
  }
}
