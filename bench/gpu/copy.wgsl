// Copies an array, four numbers at a time: the memory bandwidth that a kernel can have at most.
//   out[i] = x[i]
// N numbers, a multiple of 4; one invocation owns every (number of invocations)-th vec4.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
struct Dims { N: u32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<vec4f>; //         (N)
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>; // (N) overwritten

@compute @workgroup_size(WORKGROUP)
fn run(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.N / 4u; i += groups.x * WORKGROUP) { out[i] = x[i]; }
}
