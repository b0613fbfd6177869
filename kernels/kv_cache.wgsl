// Keys and values of earlier positions, kept so that decoding reads one new row instead of all.
//   store:  k[b, position] = k of row (source[b], t), v likewise: rows of equal beginnings share a source
//   attend: s[j] = scale q[b] . k[b, j]      position[b] - window < j <= position[b], one head
//           out[b] = sum_j softmax(s)[j] v[b, j]
// B batch, T time, U sources, H heads, D head size, C = H * D, S slots. store: one invocation owns one
// Pack of one row of the cache. attend: one workgroup owns one head of one row and walks the slots in tiles; a lane owns
// one slot while scores are made, and every WORKGROUP-th Pack of out while values are summed.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
// Pack, PACK and fold: fragments/pack4.wgsl, or pack1.wgsl where D is no multiple of 4; LOWEST: finite.wgsl
override SCALE: f32 = 0.0; // of the scores; 0: 1 / sqrt(D)
struct Dims { B: u32, T: u32, H: u32, D: u32, S: u32, window: u32 } // window <= S
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> qkv: array<Pack>; //      (U * T, 3C); attend: (B, 3C)
@group(0) @binding(2) var<storage, read> position: array<u32>; // (U * T);     attend: (B)
@group(0) @binding(3) var<storage, read_write> k: array<Pack>; //  (B, S, C)
@group(0) @binding(4) var<storage, read_write> v: array<Pack>; //  (B, S, C)
@group(0) @binding(5) var<storage, read_write> out: array<Pack>; // (B, C) overwritten
@group(0) @binding(6) var<storage, read> source: array<u32>; //    (B) below U

var<workgroup> score: array<f32, WORKGROUP>;
var<workgroup> weight: array<f32, WORKGROUP>; // exp(score - highest so far)

@compute @workgroup_size(WORKGROUP)
fn store(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let C = dims.H * dims.D / PACK;
  if (id.x >= C) { return; } // the last workgroup may be partly empty
  for (var row = id.y; row < dims.B * dims.T; row += groups.y) {
    let b = row / dims.T;
    let owner = source[b] * dims.T + row % dims.T;
    let slot = position[owner];
    if (slot >= dims.S) { continue; } // a padded row past the capacity
    let to = (b * dims.S + slot) * C + id.x;
    k[to] = qkv[owner * 3u * C + C + id.x];
    v[to] = qkv[owner * 3u * C + 2u * C + id.x];
  }
}

@compute @workgroup_size(WORKGROUP)
fn attend(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let h = group.x; // the grid is exactly (H, B)
  let b = group.y;
  let D = dims.D / PACK;
  let C = dims.H * D;
  let q = b * 3u * C + h * D;
  let first = b * dims.S * C + h * D; // slot 0 of this head
  let o = b * C + h * D;
  let end = min(position[b] + 1u, dims.S);
  let begin = end - min(end, dims.window);
  let scale = select(SCALE, inverseSqrt(f32(dims.D)), SCALE == 0.0);
  var high = LOWEST;
  var sum = 0.0;
  for (var tile = begin; tile < end; tile += WORKGROUP) {
    let count = min(WORKGROUP, end - tile);
    var s = LOWEST;
    if (lane < count) {
      let row = first + (tile + lane) * C;
      var product = Pack(0.0);
      for (var d = 0u; d < D; d++) { product += qkv[q + d] * k[row + d]; }
      s = fold(product) * scale;
    }
    score[lane] = s;
    workgroupBarrier();
    let before = high;
    for (var i = 0u; i < count; i++) { high = max(high, score[i]); }
    weight[lane] = exp(s - high);
    workgroupBarrier();
    let keep = exp(before - high); // what was summed so far was relative to the old maximum
    sum *= keep;
    for (var i = 0u; i < count; i++) { sum += weight[i]; }
    for (var d = lane; d < D; d += WORKGROUP) {
      var value = Pack(0.0);
      if (tile > begin) { value = out[o + d] * keep; }
      for (var i = 0u; i < count; i++) { value += weight[i] * v[first + (tile + i) * C + d]; }
      out[o + d] = value;
    }
  }
  for (var d = lane; d < D; d += WORKGROUP) { out[o + d] /= sum; }
}
