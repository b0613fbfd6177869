// Log-probability of one chosen token per row, entropy of the row, and their gradient in place.
//   x[v]       = logits[n, v] / temperature                                  v < V
//   lse[n]     = log sum_v exp(x[v]), in two parts: top, the largest logit, and rest, with
//                lse = top / temperature + rest: one f32 would lose the digits of the difference
//   logprob[n] = x[y] - lse[n]                                               y = token[n]
//   entropy[n] = -sum_v p[v] log p[v]                               log p[v] = x[v] - lse[n]
//   both NaN where a logit is infinite or NaN
//   dlogits[v] = (dlogprob[n] ((v == y) - p[v])
//                 - dentropy[n] p[v] (log p[v] + entropy[n])) / temperature
// N rows (batch * time), V vocabulary, rows of logits `ld` apart (columns past V are padding). One
// workgroup owns one row. dlogits replace the logits: they are the largest buffer of a step.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
// LOWEST, magnitude: fragments/finite.wgsl
struct Dims { N: u32, V: u32, ld: u32, temperature: f32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read_write> logits: array<f32>; //  (N, ld), then dlogits
@group(0) @binding(2) var<storage, read> token: array<u32>; //         (N)
@group(0) @binding(3) var<storage, read_write> logprob: array<f32>; // (N)
@group(0) @binding(4) var<storage, read_write> entropy: array<f32>; // (N)     kept for backward
@group(0) @binding(5) var<storage, read_write> lse: array<vec2f>; //   (N, 2)  kept for backward
@group(0) @binding(6) var<storage, read> dlogprob: array<f32>; //      (N)
@group(0) @binding(7) var<storage, read> dentropy: array<f32>; //      (N)

var<workgroup> part: array<vec3f, WORKGROUP>; // top, sum, weighted of each lane
var<workgroup> extreme: array<u32, WORKGROUP>; // largest magnitude of each lane's logits

@compute @workgroup_size(WORKGROUP)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let n = group.x + group.y * groups.x;
  if (n >= dims.N) { return; } // the last line of the grid may be partly empty
  let row = n * dims.ld;
  let inverse = 1.0 / dims.temperature;
  var top = LOWEST; // of the lane's logits
  extreme[lane] = 0u;
  for (var v = lane; v < dims.V; v += WORKGROUP) {
    top = max(top, logits[row + v]);
    extreme[lane] = max(extreme[lane], magnitude(logits[row + v]));
  }
  var sum = 0.0; // of e = exp(x - top)
  var weighted = 0.0; // of e (x - top)
  for (var v = lane; v < dims.V; v += WORKGROUP) {
    // The difference first: it is exact where the logits are near each other, whatever their size.
    let x = max((logits[row + v] - top) * inverse, LOWEST); // never -infinity: 0 times that is NaN
    let e = exp(x);
    sum += e;
    weighted += e * x;
  }
  part[lane] = vec3f(top, sum, weighted);
  workgroupBarrier();
  if (lane > 0u) { return; }
  // One lane joins the parts in order: a tree would need a barrier a level.
  let lanes = min(WORKGROUP, dims.V); // the others have no logit
  var high = LOWEST;
  for (var i = 0u; i < lanes; i++) {
    high = max(high, part[i].x);
    extreme[0] = max(extreme[0], extreme[i]);
  }
  sum = 0.0;
  weighted = 0.0;
  for (var i = 0u; i < lanes; i++) {
    let shift = max((part[i].x - high) * inverse, LOWEST);
    let scale = exp(shift);
    sum += scale * part[i].y;
    weighted += scale * (part[i].z + part[i].y * shift);
  }
  let log_sum = log(sum);
  lse[n] = vec2f(high, log_sum);
  logprob[n] = (logits[row + token[n]] - high) * inverse - log_sum;
  entropy[n] = log_sum - weighted / sum; // relative to the top: no difference of large numbers
  if (extreme[0] >= INFINITE) { // of logits that are infinite or NaN nothing is known
    logprob[n] = bitcast<f32>(extreme[0] | 0x00400000u); // NaN, also where it is infinity
    entropy[n] = logprob[n];
  }
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
  let inverse = 1.0 / dims.temperature;
  let y = token[n];
  for (var v = lane; v < dims.V; v += WORKGROUP) {
    let log_p = max((logits[row + v] - lse[n].x) * inverse - lse[n].y, LOWEST);
    let p = exp(log_p);
    let chosen = select(0.0, 1.0, v == y);
    logits[row + v] =
      (dlogprob[n] * (chosen - p) - dentropy[n] * p * (log_p + entropy[n])) * inverse;
  }
  for (var v = dims.V + lane; v < dims.ld; v += WORKGROUP) { logits[row + v] = 0.0; }
}
