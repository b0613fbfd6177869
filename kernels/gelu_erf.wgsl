// GELU as it is defined (Hendrycks and Gimpel 2016): x times the chance that a normal draw is below x.
//   out = x/2 * (1 + erf(x / sqrt 2))
// BERT has this form, GPT-2 the tanh form of gelu.wgsl. WGSL has no erf; this one is Abramowitz and
// Stegun 1964, formula 7.1.26, off by at most 1.5e-7:
//   erf(z) = 1 - (a1 t + a2 t^2 + ... + a5 t^5) exp(-z^2),   t = 1 / (1 + p z),   z >= 0
// N elements. One invocation owns one Pack at a time.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
// Pack, PACK and fold: fragments/pack4.wgsl, or pack1.wgsl where N is no multiple of 4
struct Dims { N: u32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<Pack>; //          (N)
@group(0) @binding(2) var<storage, read_write> out: array<Pack>; //  (N) overwritten

// erfc(z) = 1 - erf(z) for z >= 0.
fn beyond(z: Pack) -> Pack {
  let t = 1.0 / (1.0 + 0.3275911 * z);
  let sum = t * (0.254829592 +
    t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return sum * exp(-z * z);
}

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < dims.N / PACK; i += groups.x * WORKGROUP) {
    // Beyond 14 standard deviations the tail is below what f32 holds, while z^2 may overflow.
    let tail = 0.5 * beyond(min(abs(x[i]), Pack(14.0)) * 0.7071067811865476);
    out[i] = x[i] * select(1.0 - tail, tail, x[i] < Pack(0.0));
  }
}
