// GELU in its tanh form (Hendrycks and Gimpel 2016), as GPT-2 has it: out = geluOf(x), which
// fragments/gelu_epilogue.wgsl defines, so that a product with this epilogue gives the same bits.
// N elements. One invocation owns one Pack at a time.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
// Pack, PACK and fold: fragments/pack4.wgsl, or pack1.wgsl where N is no multiple of 4
struct Dims { N: u32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<Pack>; //          (N)
@group(0) @binding(2) var<storage, read_write> out: array<Pack>; //  (N) overwritten

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.N / PACK; i += groups.x * WORKGROUP) { out[i] = geluOf(x[i]); }
}
