// Mean of the real rows of each sequence: what a sentence encoder pools its tokens by.
//   out[b, c] = sum over t < length[b] of x[b, t, c] / length[b]        0 where length[b] is 0
// B sequences, T rows each, C channels. One invocation owns one Pack of one sequence.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
// Pack, PACK and fold: fragments/pack4.wgsl, or pack1.wgsl where C is no multiple of 4
struct Dims { B: u32, T: u32, C: u32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<Pack>; //          (B, T, C)
@group(0) @binding(2) var<storage, read> length: array<u32>; //      (B)       real rows, all first
@group(0) @binding(3) var<storage, read_write> out: array<Pack>; //  (B, C)    overwritten

@compute @workgroup_size(WORKGROUP)
fn forward(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let C = dims.C / PACK;
  if (id.x >= C) { return; }
  for (var b = group.y; b < dims.B; b += groups.y) {
    let end = min(length[b], dims.T);
    var sum = Pack(0.0);
    for (var t = 0u; t < end; t++) { sum += x[(b * dims.T + t) * C + id.x]; }
    out[b * C + id.x] = sum / f32(max(end, 1u));
  }
}
