// KL divergence of each row's distribution from a reference's, over the whole vocabulary, and its
// gradient by the logits.
//   log p[v] = logits[n, v] / temperature - lse[n]                            v < V
//   log q[v] = reference[n, v] / temperature - reference_lse[n]
//   d[v]     = log p[v] - log q[v]
//   kl[n]    = sum_v p[v] d[v]                                  NaN where a logit is infinite or NaN
//   dlogits[v] = dkl[n] p[v] (d[v] - kl[n]) / temperature       replaces the reference's logits
// N rows (batch * time), V vocabulary, rows of logits `ld` apart (columns past V are padding). One
// workgroup owns one row. Both lse come from token_logprob, in its two parts.
//
// What is added up for kl is p (d - 1) + q, which is never negative: p and q sum to 1, so that the sum is
// the same, but rounding in the two lse, which moves all d alike, cancels from it. Backward takes off
// the plain sum `mean`, from which it does not cancel, so that a row's gradient sums to 0.
override WORKGROUP: u32; // threads per workgroup, a power of two, set by the launcher
// LOWEST, INFINITE, magnitude: fragments/finite.wgsl. Highest, highest_of_lanes, sum_of_lanes:
// fragments/tree.wgsl, or tree_shuffle.wgsl
struct Dims { N: u32, V: u32, ld: u32, temperature: f32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> logits: array<f32>; //              (N, ld)
@group(0) @binding(2) var<storage, read_write> reference: array<f32>; //     (N, ld), then dlogits
@group(0) @binding(3) var<storage, read> lse: array<vec2f>; //               (N, 2)
@group(0) @binding(4) var<storage, read> reference_lse: array<vec2f>; //     (N, 2)
@group(0) @binding(5) var<storage, read_write> kl: array<f32>; //            (N)
@group(0) @binding(6) var<storage, read_write> mean: array<f32>; //          (N)  kept for backward
@group(0) @binding(7) var<storage, read> dkl: array<f32>; //                 (N)

// log p of a logit; the difference first, which is exact where the logits are near each other.
fn log_p(logit: f32, lse: vec2f) -> f32 {
  return max((logit - lse.x) / dims.temperature - lse.y, LOWEST);
}

// p (d - 1) + q. Near d = 0 its terms cancel to p d^2 / 2, which the series keeps.
fn excess(p: f32, d: f32, q: f32) -> f32 {
  if (abs(d) > 0.25) { return p * (d - 1.0) + q; }
  let tail = 1.0 / 24.0 - d * (1.0 / 120.0 - d * (1.0 / 720.0 - d / 5040.0));
  return p * d * d * (0.5 - d * (1.0 / 6.0 - d * tail));
}

@compute @workgroup_size(WORKGROUP)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let n = group.x + group.y * groups.x;
  if (n >= dims.N) { return; } // the last line of the grid may be partly empty
  let row = n * dims.ld;
  let norm = lse[n];
  let reference_norm = reference_lse[n];
  var sum = vec2f(0.0);
  var largest = 0u;
  for (var v = lane; v < dims.V; v += WORKGROUP) {
    let z = logits[row + v];
    let r = reference[row + v];
    let a = log_p(z, norm);
    let b = log_p(r, reference_norm);
    let p = exp(a);
    sum += vec2f(excess(p, a - b, exp(b)), p * (a - b));
    largest = max(largest, max(magnitude(z), magnitude(r)));
  }
  largest = highest_of_lanes(lane, Highest(0.0, largest)).extreme;
  let sums = sum_of_lanes(lane, sum);
  if (lane > 0u) { return; }
  kl[n] = sums.x;
  mean[n] = sums.y;
  if (largest >= INFINITE) { kl[n] = bitcast<f32>(largest | 0x00400000u); } // NaN
}

@compute @workgroup_size(WORKGROUP)
fn backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let n = group.x + group.y * groups.x;
  if (n >= dims.N) { return; }
  let row = n * dims.ld;
  let norm = lse[n]; // and so on: read once, as a write to the gradient might change them
  let reference_norm = reference_lse[n];
  let average = mean[n];
  let by = dkl[n] / dims.temperature;
  for (var v = lane; v < dims.V; v += WORKGROUP) {
    let i = row + v;
    let a = log_p(logits[i], norm);
    let d = a - log_p(reference[i], reference_norm);
    reference[i] = by * exp(a) * (d - average);
  }
  for (var v = dims.V + lane; v < dims.ld; v += WORKGROUP) { reference[row + v] = 0.0; }
}
