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
// workgroup owns one row: its lanes take neighbouring Packs of columns, and join what they found in a
// tree. dlogits replace the logits: they are the largest buffer of a step.
override WORKGROUP: u32; // threads per workgroup, a power of two, set by the launcher
// Pack, PACK, fold, highest, bits, before: fragments/pack4.wgsl, or pack1.wgsl where ld is no multiple of 4
// LOWEST, INFINITE: fragments/finite.wgsl. Highest, highest_of_lanes, sum_of_lanes: fragments/tree.wgsl, or
// tree_shuffle.wgsl
struct Dims { N: u32, V: u32, ld: u32, temperature: f32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read_write> logits: array<Pack>; // (N, ld), then dlogits
@group(0) @binding(2) var<storage, read> token: array<u32>; //         (N)
@group(0) @binding(3) var<storage, read_write> logprob: array<f32>; // (N)
@group(0) @binding(4) var<storage, read_write> entropy: array<f32>; // (N)     kept for backward
@group(0) @binding(5) var<storage, read_write> lse: array<vec2f>; //   (N, 2)  kept for backward
@group(0) @binding(6) var<storage, read> dlogprob: array<f32>; //      (N)
@group(0) @binding(7) var<storage, read> dentropy: array<f32>; //      (N)

// The number in column y of a Pack that starts at column `first`; 0 where y is not in it.
fn chosen(y: u32, first: u32, p: Pack) -> f32 {
  return fold(before(y + 1u, first, p - before(y, first, p, 0.0), 0.0));
}

@compute @workgroup_size(WORKGROUP)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let n = group.x + group.y * groups.x;
  if (n >= dims.N) { return; } // the last line of the grid may be partly empty
  let row = n * (dims.ld / PACK);
  let inverse = 1.0 / dims.temperature;
  var mine = Highest(LOWEST, 0u);
  for (var v = lane * PACK; v < dims.V; v += WORKGROUP * PACK) {
    let z = logits[row + v / PACK];
    mine.top = max(mine.top, highest(before(dims.V, v, z, LOWEST)));
    mine.extreme = max(mine.extreme, bits(before(dims.V, v, z, 0.0)));
  }
  let all = highest_of_lanes(lane, mine);
  let top = all.top;
  var sum = Pack(0.0); // of e = exp(x - top)
  var weighted = Pack(0.0); // of e (x - top)
  for (var v = lane * PACK; v < dims.V; v += WORKGROUP * PACK) {
    // The difference first: it is exact where the logits are near each other, whatever their size.
    let x = max((logits[row + v / PACK] - top) * inverse, Pack(LOWEST)); // not -infinity: 0 times that is NaN
    let e = before(dims.V, v, exp(x), 0.0);
    sum += e;
    weighted += e * before(dims.V, v, x, 0.0);
  }
  let sums = sum_of_lanes(lane, vec2f(fold(sum), fold(weighted)));
  if (lane > 0u) { return; }
  let log_sum = log(sums.x);
  let y = token[n];
  lse[n] = vec2f(top, log_sum);
  logprob[n] = (chosen(y % PACK, 0u, logits[row + y / PACK]) - top) * inverse - log_sum;
  entropy[n] = log_sum - sums.y / sums.x; // relative to the top: no difference of large numbers
  if (all.extreme >= INFINITE) { // of logits that are infinite or NaN nothing is known
    logprob[n] = bitcast<f32>(all.extreme | 0x00400000u); // NaN, also where it is infinity
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
  let row = n * (dims.ld / PACK);
  let inverse = 1.0 / dims.temperature;
  let y = token[n];
  let norm = lse[n]; // and so on: read once, as a write to the logits might change them
  let H = entropy[n];
  let dl = dlogprob[n];
  let dH = dentropy[n];
  for (var v = lane * PACK; v < dims.ld; v += WORKGROUP * PACK) {
    let log_p = max((logits[row + v / PACK] - norm.x) * inverse - norm.y, Pack(LOWEST));
    let p = exp(log_p);
    let one = before(y + 1u, v, Pack(1.0), 0.0) - before(y, v, Pack(1.0), 0.0);
    let dz = (dl * (one - p) - dH * p * (log_p + H)) * inverse;
    logits[row + v / PACK] = before(dims.V, v, dz, 0.0);
  }
}
