// A weighted sum, in place.
//   out[i] = alpha x[i] + beta out[i]          where beta is 0, out is not read
// N elements. One invocation owns one Pack at a time.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
// Pack, PACK and fold: fragments/pack4.wgsl, or pack1.wgsl where N is no multiple of 4
struct Dims { N: u32, alpha: f32, beta: f32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<Pack>; //         (N)
@group(0) @binding(2) var<storage, read_write> out: array<Pack>; // (N)

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.N / PACK; i += groups.x * WORKGROUP) {
    if (dims.beta == 0.0) { // 0 times what is infinite would be no 0
      out[i] = dims.alpha * x[i];
    } else {
      out[i] = dims.alpha * x[i] + dims.beta * out[i];
    }
  }
}
