// Causal self-attention over ragged rows, without ever storing the (T, T) probabilities.
//   s[t, j]   = scale q[t] . k[j]              where t sees j; one head of one row
//   lse[t]    = log sum_j exp(s[t, j])         kept for backward, which recomputes p from it, in two
//               parts: the largest score, and the rest, as their sum in f32 would lose digits
//   p[t, j]   = exp(s[t, j] - lse[t])
//   out[t]    = sum_j p[t, j] v[j]
//   delta[t]  = dout[t] . out[t]
//   ds[t, j]  = scale p[t, j] (dout[t] . v[j] - delta[t])
//   dq[t]     = sum_j ds[t, j] k[j]
//   dk[j]     = sum_t ds[t, j] q[t]            dv[j] = sum_t p[t, j] dout[t]
// Dao et al. 2022, "FlashAttention" (arXiv 2205.14135), algorithms 1 and 4. The window is local
// attention as in Child et al. 2019 (arXiv 1904.10509) and Beltagy et al. 2020 (arXiv 2004.05150).
// Query t sees key j where j <= t < end[j] and position[t] - position[j] < window. So a row may hold a
// tree of texts in depth-first order, as a prompt and then its completions: end[j] is the first row
// past all that continue j, position[t] how many rows t continues. In a plain batch end[j] is the
// number of real rows and position[t] is t. A padded row has end 0: it sees nothing and is not seen.
// B batch, T time, H heads, D head size, C = H * D. One invocation owns one query row (forward,
// backward_query) or one key row (backward_key) of one head: nothing is summed across invocations.
// All lanes read the same row of the other side at a time, so each load serves a whole workgroup:
// they pass over what none of them sees, and each skips what it does not see itself. A query adds up
// its keys in ascending order, so that its bits do not depend on what else the row holds.
// D is a multiple of 4 here; attention_naive.wgsl takes any.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
// LOWEST: fragments/finite.wgsl; lowest_position, next_key, sees: attention_seen.wgsl
// D4 = D / 4 is a constant that the launcher declares in front: a private array cannot be sized by an
// override, and a loop whose trip count is its array's size is unrolled, which keeps the array in
// registers.
override SCALE: f32 = 0.0; // of the scores; 0: 1 / sqrt(D)
struct Dims { T: u32, H: u32, window: u32 } // window <= T
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> qkv: array<vec4f>; //         (B, T, 3C) q | k | v
@group(0) @binding(2) var<storage, read> end: array<u32>; //           (B, T)
@group(0) @binding(3) var<storage, read> position: array<u32>; //      (B, T)
@group(0) @binding(4) var<storage, read_write> out: array<vec4f>; //   (B, T, C)
@group(0) @binding(5) var<storage, read_write> lse: array<vec2f>; //   (B, H, T, 2)
@group(0) @binding(6) var<storage, read> dout: array<vec4f>; //        (B, T, C)
@group(0) @binding(7) var<storage, read_write> delta: array<f32>; //   (B, H, T)
@group(0) @binding(8) var<storage, read_write> dqkv: array<vec4f>; //  (B, T, 3C) overwritten

fn scale_of_scores() -> f32 {
  return select(SCALE, inverseSqrt(f32(D4) * 4.0), SCALE == 0.0);
}

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first = group.x * WORKGROUP;
  let t = first + lane;
  if (t >= dims.T) { return; } // the last workgroup may be partly empty
  let h = group.y;
  let b = group.z;
  let C4 = dims.H * D4;
  let rows = b * dims.T;
  let mine = (rows + t) * C4 + h * D4;
  let stat = (b * dims.H + h) * dims.T + t;
  if (end[rows + t] <= t) { // padding
    for (var i = 0u; i < D4; i++) { out[mine + i] = vec4f(0.0); }
    lse[stat] = vec2f();
    return;
  }
  let step = 3u * C4;
  let head = rows * step + h * D4; // row 0 of q; k is C4 further on, v 2 * C4
  let scale = scale_of_scores();
  var q: array<vec4f, D4>;
  var sum_v: array<vec4f, D4>;
  for (var i = 0u; i < D4; i++) {
    q[i] = qkv[head + t * step + i] * scale;
    sum_v[i] = vec4f(0.0);
  }
  var top = LOWEST;
  var sum = 0.0;
  let low = lowest_position(rows, first);
  for (var j = 0u; j <= t; j++) {
    let next = next_key(rows, j, first, low);
    if (next > j) {
      j = next - 1u;
      continue;
    }
    if (!sees(rows, t, j)) { continue; }
    let k = head + C4 + j * step;
    var s = 0.0;
    for (var i = 0u; i < D4; i++) { s += dot(q[i], qkv[k + i]); }
    let high = max(top, s);
    let keep = exp(top - high); // what was summed so far was relative to the old maximum
    let p = exp(s - high);
    sum = sum * keep + p;
    top = high;
    let v = k + C4;
    for (var i = 0u; i < D4; i++) { sum_v[i] = sum_v[i] * keep + p * qkv[v + i]; }
  }
  for (var i = 0u; i < D4; i++) { out[mine + i] = sum_v[i] / sum; }
  lse[stat] = vec2f(top, log(sum));
}

// Also writes delta, which backward_key reads.
@compute @workgroup_size(WORKGROUP)
fn backward_query(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first = group.x * WORKGROUP;
  let t = first + lane;
  if (t >= dims.T) { return; }
  let h = group.y;
  let b = group.z;
  let C4 = dims.H * D4;
  let rows = b * dims.T;
  let mine = (rows + t) * C4 + h * D4;
  let stat = (b * dims.H + h) * dims.T + t;
  let step = 3u * C4;
  let head = rows * step + h * D4;
  if (end[rows + t] <= t) {
    for (var i = 0u; i < D4; i++) { dqkv[head + t * step + i] = vec4f(0.0); }
    delta[stat] = 0.0;
    return;
  }
  let scale = scale_of_scores();
  var q: array<vec4f, D4>;
  var d_out: array<vec4f, D4>;
  var dq: array<vec4f, D4>;
  var sum = 0.0;
  for (var i = 0u; i < D4; i++) {
    q[i] = qkv[head + t * step + i] * scale;
    d_out[i] = dout[mine + i];
    sum += dot(d_out[i], out[mine + i]);
    dq[i] = vec4f(0.0);
  }
  delta[stat] = sum;
  let norm = lse[stat];
  let low = lowest_position(rows, first);
  for (var j = 0u; j <= t; j++) {
    let next = next_key(rows, j, first, low);
    if (next > j) {
      j = next - 1u;
      continue;
    }
    if (!sees(rows, t, j)) { continue; }
    let k = head + C4 + j * step;
    let v = k + C4;
    var s = 0.0;
    var dp = 0.0;
    for (var i = 0u; i < D4; i++) {
      s += dot(q[i], qkv[k + i]);
      dp += dot(d_out[i], qkv[v + i]);
    }
    let ds = exp(s - norm.x - norm.y) * (dp - sum) * scale;
    for (var i = 0u; i < D4; i++) { dq[i] += ds * qkv[k + i]; }
  }
  for (var i = 0u; i < D4; i++) { dqkv[head + t * step + i] = dq[i]; }
}

@compute @workgroup_size(WORKGROUP)
fn backward_key(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first = group.x * WORKGROUP;
  let j = first + lane;
  if (j >= dims.T) { return; }
  let h = group.y;
  let b = group.z;
  let C4 = dims.H * D4;
  let step = 3u * C4;
  let rows = b * dims.T;
  let head = rows * step + h * D4;
  let mine = head + j * step + C4;
  let scale = scale_of_scores();
  var k: array<vec4f, D4>;
  var v: array<vec4f, D4>;
  var dk: array<vec4f, D4>;
  var dv: array<vec4f, D4>;
  for (var i = 0u; i < D4; i++) {
    k[i] = qkv[mine + i] * scale;
    v[i] = qkv[mine + C4 + i];
    dk[i] = vec4f(0.0);
    dv[i] = vec4f(0.0);
  }
  // Backwards from the last row that any of the workgroup's keys is seen by, so that all lanes read
  // the same row and each stops at its own; a padded key meets no query at all and stays 0.
  var past = 0u;
  var high = 0u; // their highest position
  for (var other = first; other < min(first + WORKGROUP, dims.T); other++) {
    past = max(past, end[rows + other]);
    high = max(high, position[rows + other]);
  }
  for (past = min(past, dims.T); past > j; past--) {
    let t = past - 1u;
    let reach = high + dims.window;
    if (position[rows + t] > reach) { // backwards, positions fall by at most one a row
      past -= min(past - 1u, position[rows + t] - reach);
      continue;
    }
    if (!sees(rows, t, j)) { continue; }
    let q = head + t * step;
    let o = (rows + t) * C4 + h * D4;
    let stat = (b * dims.H + h) * dims.T + t;
    var s = 0.0;
    var dp = 0.0;
    for (var i = 0u; i < D4; i++) {
      s += dot(k[i], qkv[q + i]);
      dp += dot(v[i], dout[o + i]);
    }
    let p = exp(s - lse[stat].x - lse[stat].y);
    let ds = p * (dp - delta[stat]) * scale;
    for (var i = 0u; i < D4; i++) {
      dv[i] += p * dout[o + i];
      dk[i] += ds * qkv[q + i];
    }
  }
  for (var i = 0u; i < D4; i++) {
    dqkv[mine + i] = dk[i];
    dqkv[mine + C4 + i] = dv[i];
  }
}
