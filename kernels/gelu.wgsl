// GELU in its tanh form (Hendrycks and Gimpel 2016), as GPT-2 has it.
//   u(x)   = sqrt(2/pi) * (x + 0.044715 x^3)
//   out    = x/2 * (1 + tanh u)
// N elements. One invocation owns one Pack at a time.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
// Pack, PACK and fold: fragments/pack4.wgsl, or pack1.wgsl where N is no multiple of 4
struct Dims { N: u32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<Pack>; //          (N)
@group(0) @binding(2) var<storage, read_write> out: array<Pack>; //  (N) overwritten

const ROOT = 0.7978845608028654; // sqrt(2/pi)
const CUBE = 0.044715;

// Beyond 8 tanh is 1 to the last bit, while x^3 may overflow and some drivers give NaN for tanh(100).
fn near(x: Pack) -> Pack { return clamp(x, Pack(-8.0), Pack(8.0)); }
fn slope(s: Pack) -> Pack { return tanh(ROOT * (s + CUBE * s * s * s)); }

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.N / PACK; i += groups.x * WORKGROUP) {
    out[i] = 0.5 * x[i] * (1.0 + slope(near(x[i])));
  }
}
