// GELU in its tanh form (Hendrycks and Gimpel 2016), as GPT-2 has it.
//   u(x)   = sqrt(2/pi) * (x + 0.044715 x^3)
//   out    = x/2 * (1 + tanh u) = x / (1 + exp(-2u))
// N elements. One invocation owns one Pack at a time.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
// Pack, PACK and fold: fragments/pack4.wgsl, or pack1.wgsl where N is no multiple of 4
struct Dims { N: u32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<Pack>; //          (N)
@group(0) @binding(2) var<storage, read_write> out: array<Pack>; //  (N) overwritten

const TWICE_ROOT = 1.5957691216057308; // 2 sqrt(2/pi)
const CUBE = 0.044715;

// Beyond 10 the gate is 1 or 0 to the last bit, while x^3 may overflow.
fn near(x: Pack) -> Pack { return clamp(x, Pack(-10.0), Pack(10.0)); }
// (1 + tanh u) / 2, of which nothing cancels where u is far below 0.
fn gate(s: Pack) -> Pack { return 1.0 / (1.0 + exp(-TWICE_ROOT * (s + CUBE * s * s * s))); }

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.N / PACK; i += groups.x * WORKGROUP) {
    out[i] = max(x[i], Pack(-10.0)) * gate(near(x[i]));
  }
}
