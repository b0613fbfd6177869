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
// backward_query) or one key row (backward_key) of one head: nothing is summed across rows.
// All lanes meet the same row of the other side at a time, or the same eight, so each load serves a
// whole workgroup. They pass over what none of them sees; what one of them does not see counts
// nothing there (where lanes share or shuffle as 0 times its numbers, which are finite in all but a
// broken model). A query adds up its keys in ascending order, so that its bits do not depend on what
// else the row holds. Where SHARE is above 1 so many invocations side by side own a row together, each
// its part of the D numbers: one that holds all of them has no registers left for others beside it.
// D is a multiple of 4 here; attention_naive.wgsl takes any.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
override ROWS: u32; // that a workgroup owns, WORKGROUP / SHARE
// LOWEST: fragments/finite.wgsl. Row, sees, next_key: fragments/attention_seen.wgsl. Many, Soft and what a lane
// does with the rows it meets: fragments/attention_one.wgsl, with attention_alone.wgsl or
// attention_share.wgsl, or else attention_shuffle.wgsl. D4 and SHARE, Head, a lane's numbers of a row,
// and its functions: fragments/attention_head.ts.
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

// The softmax of a query after one more key: all that was summed is relative to the largest score so
// far, and is multiplied by `keep` when that rises.
struct Step { top: f32, sum: f32, keep: f32, p: f32 }
fn with_key(before: Step, s: f32, seen: bool) -> Step {
  let rises = seen && s > before.top;
  let top = select(before.top, s, rises);
  let keep = select(1.0, exp(before.top - top), rises);
  let p = select(0.0, exp(s - top), seen);
  return Step(top, before.sum * keep + p, keep, p);
}

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first = group.x * ROWS;
  let last = min(first + ROWS, dims.T) - 1u;
  let h = group.y;
  let rows = group.z * dims.T;
  let C4 = dims.H * D4;
  let stride = 3u * C4;
  let own = h * D4 + lane % SHARE; // which vec4 of a row of C numbers is this lane's first
  let head = rows * stride + own; // row 0 of q; k is C4 further on, v 2 * C4
  let t = row_of(rows, min(first + lane / SHARE, last));
  let q = scaled(qkv_head(head + t.at * stride), scale_of_scores());
  var sum_v = Head();
  var soft = Step(LOWEST, 0.0, 1.0, 0.0);
  let low = lowest_position(rows, first);
  for (var j = 0u; j <= last; j += MANY) {
    let next = next_key(rows, j, first, low);
    if (next > j) {
      j = next - MANY;
      continue;
    }
    let key = key_row(rows, j, lane);
    let seen = seen_keys(t, key, j);
    if (none(seen)) { continue; }
    let k = head + C4 + key.at * stride;
    let x = soften(soft, scores_qkv(q, k), seen);
    sum_v = keep_qkv(sum_v, x, k + C4);
    soft = x.last;
  }
  if (first + lane / SHARE > last) { return; } // the last workgroup may be partly empty
  let mine = (rows + t.at) * C4 + own;
  let stat = (group.z * dims.H + h) * dims.T + t.at;
  if (t.end <= t.at) { // padding
    store_out(mine, Head());
    if (lane % SHARE == 0u) { lse[stat] = vec2f(); }
    return;
  }
  store_out(mine, divided(sum_v, soft.sum));
  if (lane % SHARE == 0u) { lse[stat] = vec2f(soft.top, log(soft.sum)); }
}

// Also writes delta, which backward_key reads.
@compute @workgroup_size(WORKGROUP)
fn backward_query(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first = group.x * ROWS;
  let last = min(first + ROWS, dims.T) - 1u;
  let h = group.y;
  let rows = group.z * dims.T;
  let C4 = dims.H * D4;
  let stride = 3u * C4;
  let own = h * D4 + lane % SHARE;
  let head = rows * stride + own;
  let t = row_of(rows, min(first + lane / SHARE, last));
  let mine = (rows + t.at) * C4 + own;
  let stat = (group.z * dims.H + h) * dims.T + t.at;
  let scale = scale_of_scores();
  let q = scaled(qkv_head(head + t.at * stride), scale);
  let d_out = dout_head(mine);
  let sum = dot_head(d_out, out_head(mine));
  let norm = lse[stat];
  var dq = Head();
  let low = lowest_position(rows, first);
  for (var j = 0u; j <= last; j += MANY) {
    let next = next_key(rows, j, first, low);
    if (next > j) {
      j = next - MANY;
      continue;
    }
    let key = key_row(rows, j, lane);
    let seen = seen_keys(t, key, j);
    if (none(seen)) { continue; }
    let k = head + C4 + key.at * stride;
    let p = probability(scores_qkv(q, k), alike(norm.x), alike(norm.y), seen);
    let ds = dscore(p, scores_qkv(d_out, k + C4), alike(sum));
    dq = add_qkv(dq, times(ds, scale), k);
  }
  if (first + lane / SHARE > last) { return; }
  let real = t.end > t.at;
  if (!real) { dq = Head(); }
  store_dqkv(head + t.at * stride, dq);
  if (lane % SHARE == 0u) { delta[stat] = select(0.0, sum, real); }
}

@compute @workgroup_size(WORKGROUP)
fn backward_key(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first = group.x * ROWS;
  let last = min(first + ROWS, dims.T) - 1u;
  let h = group.y;
  let rows = group.z * dims.T;
  let C4 = dims.H * D4;
  let stride = 3u * C4;
  let own = h * D4 + lane % SHARE;
  let head = rows * stride + own;
  let j = row_of(rows, min(first + lane / SHARE, last));
  let mine = head + C4 + j.at * stride;
  let scale = scale_of_scores();
  let k = scaled(qkv_head(mine), scale);
  let v = qkv_head(mine + C4);
  var dk = Head();
  var dv = Head();
  // Backwards from the last row that any of the workgroup's keys is seen by, so that all lanes read
  // the same rows.
  let reach = reach_of_keys(rows, first);
  var past = reach.x;
  while (past > first) {
    let t = past - 1u;
    let far = reach.y + dims.window; // a query from this position on sees none of the keys
    if (position[rows + t] >= far) { // backwards, positions fall by at most one a row
      past -= min(past, position[rows + t] - far + 1u);
      continue;
    }
    past -= min(past, MANY);
    let query = query_row(rows, t, lane);
    let seen = seen_queries(j, query, t);
    if (none(seen)) { continue; }
    let q = head + query.at * stride;
    let o = (rows + query.at) * C4 + own;
    let stat = (group.z * dims.H + h) * dims.T + query.at;
    let norm = lse[stat];
    let p = probability(scores_qkv(k, q), handed(norm.x), handed(norm.y), seen);
    let ds = dscore(p, scores_dout(v, o), handed(delta[stat]));
    dv = add_dout(dv, p, o);
    dk = add_qkv(dk, times(ds, scale), q);
  }
  if (first + lane / SHARE > last) { return; }
  if (j.end <= j.at) { dk = Head(); } // padding, whose own numbers need not be finite
  store_dqkv(mine, dk);
  store_dqkv(mine + C4, dv);
}
