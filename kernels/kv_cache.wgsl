// Keys and values of earlier positions, kept so that decoding reads one new row instead of all.
//   store:  k[b, position] = k of row (b, t), v likewise
//   attend: s[j] = q[b] . k[b, j] / sqrt(D)                       j <= position[b], one head
//           out[b] = sum_j softmax(s)[j] v[b, j]
// B batch, T time, H heads, D head size, C = H * D, S slots. store: one invocation owns an element.
// attend: one workgroup owns one head of one row and walks the slots in tiles; a lane owns one slot
// while scores are made and two dimensions, lane and lane + WORKGROUP, while values are summed.
override WORKGROUP: u32; // threads per workgroup, set by the launcher; at least D / 2
struct Dims { B: u32, T: u32, H: u32, D: u32, S: u32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> qkv: array<f32>; //      (B * T, 3C); attend: (B, 3C)
@group(0) @binding(2) var<storage, read> position: array<u32>; // (B * T);     attend: (B)
@group(0) @binding(3) var<storage, read_write> k: array<f32>; //  (B, S, C)
@group(0) @binding(4) var<storage, read_write> v: array<f32>; //  (B, S, C)
@group(0) @binding(5) var<storage, read_write> out: array<f32>; // (B, C) overwritten

const LOW = -1e30; // below every score; exp of a difference to it is 0
var<workgroup> score: array<f32, WORKGROUP>;
var<workgroup> weight: array<f32, WORKGROUP>; // exp(score - highest so far)

@compute @workgroup_size(WORKGROUP)
fn store(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let C = dims.H * dims.D;
  for (var i = id.x; i < dims.B * dims.T * C; i += groups.x * WORKGROUP) {
    let row = i / C;
    let slot = position[row];
    if (slot >= dims.S) { continue; } // a padded row past the capacity
    let to = (row / dims.T * dims.S + slot) * C + i % C;
    k[to] = qkv[row * 3u * C + C + i % C];
    v[to] = qkv[row * 3u * C + 2u * C + i % C];
  }
}

@compute @workgroup_size(WORKGROUP)
fn attend(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let h = group.x; // the grid is exactly (H, B)
  let b = group.y;
  let C = dims.H * dims.D;
  let q = b * 3u * C + h * dims.D;
  let first = b * dims.S * C + h * dims.D; // slot 0 of this head
  let end = min(position[b] + 1u, dims.S);
  let other = lane + WORKGROUP;
  let scale = inverseSqrt(f32(dims.D));
  var high = LOW;
  var sum = 0.0;
  var sum_v = vec2f(0.0);
  for (var tile = 0u; tile < end; tile += WORKGROUP) {
    let count = min(WORKGROUP, end - tile);
    var s = LOW;
    if (lane < count) {
      let row = first + (tile + lane) * C;
      s = 0.0;
      for (var d = 0u; d < dims.D; d++) { s += qkv[q + d] * k[row + d]; }
      s *= scale;
    }
    score[lane] = s;
    workgroupBarrier();
    let before = high;
    for (var i = 0u; i < count; i++) { high = max(high, score[i]); }
    weight[lane] = exp(s - high);
    workgroupBarrier();
    let keep = exp(before - high); // what was summed so far was relative to the old maximum
    sum *= keep;
    sum_v *= keep;
    for (var i = 0u; i < count; i++) {
      let row = first + (tile + i) * C;
      sum += weight[i];
      if (lane < dims.D) { sum_v.x += weight[i] * v[row + lane]; }
      if (other < dims.D) { sum_v.y += weight[i] * v[row + other]; }
    }
  }
  let o = b * C + h * dims.D;
  if (lane < dims.D) { out[o + lane] = sum_v.x / sum; }
  if (other < dims.D) { out[o + other] = sum_v.y / sum; }
}
