// Causal self-attention as attention.wgsl, formula by formula, for any head size. Read this one
// first: the same letters, bindings and ownership, with scalar loops and sums kept in the outputs.
override WORKGROUP: u32;
override SCALE: f32 = 0.0; // of the scores; 0: 1 / sqrt(D)
struct Dims { T: u32, H: u32, D: u32, window: u32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> qkv: array<f32>; //         (B, T, 3C) q | k | v
@group(0) @binding(2) var<storage, read> end: array<u32>; //         (B, T)
@group(0) @binding(3) var<storage, read> position: array<u32>; //    (B, T)
@group(0) @binding(4) var<storage, read_write> out: array<f32>; //   (B, T, C)
@group(0) @binding(5) var<storage, read_write> lse: array<vec2f>; // (B, H, T, 2)
@group(0) @binding(6) var<storage, read> dout: array<f32>; //        (B, T, C)
@group(0) @binding(7) var<storage, read_write> delta: array<f32>; // (B, H, T)
@group(0) @binding(8) var<storage, read_write> dqkv: array<f32>; //  (B, T, 3C) overwritten

// Where row t of q (part 0), k (1) or v (2) starts in qkv and dqkv.
fn at(b: u32, t: u32, part: u32, h: u32) -> u32 {
  return ((b * dims.T + t) * 3u + part) * dims.H * dims.D + h * dims.D;
}

fn scale() -> f32 {
  return select(SCALE, inverseSqrt(f32(dims.D)), SCALE == 0.0);
}

// Whether query t sees key j <= t of batch row b: j's text goes on as far as t, and is near enough.
fn sees(b: u32, t: u32, j: u32) -> bool {
  let rows = b * dims.T;
  return t < end[rows + j] && position[rows + t] - position[rows + j] < dims.window;
}

fn score(q: u32, k: u32) -> f32 {
  var sum = 0.0;
  for (var d = 0u; d < dims.D; d++) { sum += qkv[q + d] * qkv[k + d]; }
  return sum * scale();
}

fn dprobability(o: u32, v: u32) -> f32 {
  var sum = 0.0;
  for (var d = 0u; d < dims.D; d++) { sum += dout[o + d] * qkv[v + d]; }
  return sum;
}

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let t = group.x * WORKGROUP + lane;
  if (t >= dims.T) { return; } // the last workgroup may be partly empty
  let h = group.y;
  let b = group.z;
  let o = ((b * dims.T + t) * dims.H + h) * dims.D;
  let stat = (b * dims.H + h) * dims.T + t;
  for (var d = 0u; d < dims.D; d++) { out[o + d] = 0.0; }
  lse[stat] = vec2f();
  if (end[b * dims.T + t] <= t) { return; } // padding
  let q = at(b, t, 0u, h);
  var top = score(q, at(b, t, 1u, h)); // subtract the largest score so that exp cannot overflow
  for (var j = 0u; j < t; j++) {
    if (sees(b, t, j)) { top = max(top, score(q, at(b, j, 1u, h))); }
  }
  var sum = 0.0;
  for (var j = 0u; j <= t; j++) {
    if (sees(b, t, j)) { sum += exp(score(q, at(b, j, 1u, h)) - top); }
  }
  lse[stat] = vec2f(top, log(sum));
  for (var j = 0u; j <= t; j++) {
    if (!sees(b, t, j)) { continue; }
    let p = exp(score(q, at(b, j, 1u, h)) - top) / sum;
    let v = at(b, j, 2u, h);
    for (var d = 0u; d < dims.D; d++) { out[o + d] += p * qkv[v + d]; }
  }
}

// Also writes delta, which backward_key reads.
@compute @workgroup_size(WORKGROUP)
fn backward_query(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let t = group.x * WORKGROUP + lane;
  if (t >= dims.T) { return; }
  let h = group.y;
  let b = group.z;
  let o = ((b * dims.T + t) * dims.H + h) * dims.D;
  let stat = (b * dims.H + h) * dims.T + t;
  let q = at(b, t, 0u, h);
  for (var d = 0u; d < dims.D; d++) { dqkv[q + d] = 0.0; }
  delta[stat] = 0.0;
  if (end[b * dims.T + t] <= t) { return; }
  var sum = 0.0;
  for (var d = 0u; d < dims.D; d++) { sum += dout[o + d] * out[o + d]; }
  delta[stat] = sum;
  for (var j = 0u; j <= t; j++) {
    if (!sees(b, t, j)) { continue; }
    let k = at(b, j, 1u, h);
    let p = exp(score(q, k) - lse[stat].x - lse[stat].y);
    let ds = p * (dprobability(o, at(b, j, 2u, h)) - sum) * scale();
    for (var d = 0u; d < dims.D; d++) { dqkv[q + d] += ds * qkv[k + d]; }
  }
}

@compute @workgroup_size(WORKGROUP)
fn backward_key(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let j = group.x * WORKGROUP + lane;
  if (j >= dims.T) { return; }
  let h = group.y;
  let b = group.z;
  let k = at(b, j, 1u, h);
  let v = at(b, j, 2u, h);
  for (var d = 0u; d < dims.D; d++) {
    dqkv[k + d] = 0.0;
    dqkv[v + d] = 0.0;
  }
  for (var t = j; t < min(end[b * dims.T + j], dims.T); t++) {
    if (!sees(b, t, j)) { continue; }
    let q = at(b, t, 0u, h);
    let o = ((b * dims.T + t) * dims.H + h) * dims.D;
    let stat = (b * dims.H + h) * dims.T + t;
    let p = exp(score(q, k) - lse[stat].x - lse[stat].y);
    let ds = p * (dprobability(o, v) - delta[stat]) * scale();
    for (var d = 0u; d < dims.D; d++) {
      dqkv[v + d] += p * dout[o + d];
      dqkv[k + d] += ds * qkv[q + d];
    }
  }
}
