// Self-attention in both directions over ragged rows, forward only: every real row attends every real
// row of its sequence, as an encoder's do. attention.wgsl is the causal form, with gradients.
//   s[t, j]  = q[t] . k[j] / sqrt(D)             t, j < length[b]; one head of one batch row
//   out[t]   = sum_j softmax(s[t])[j] v[j]       0 in padded rows
// The softmax runs along with the sum (Milakov and Gimelshein 2018, arXiv 1805.02867, algorithm 3).
// B batch, T time, H heads, D head size, C = H * D. One invocation owns one query row of one head;
// all lanes read the same key row at a time, so each load serves a whole workgroup.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
// LOWEST: fragments/finite.wgsl
// Pack, PACK and fold: fragments/pack4.wgsl, or pack1.wgsl where D is no multiple of 4
// PACKS = D / PACK is a constant that the launcher declares in front: a private array cannot be sized by
// an override, and a loop whose trip count is its array's size is unrolled, which keeps the array in
// registers.
struct Dims { T: u32, H: u32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> qkv: array<Pack>; //        (B, T, 3C) q | k | v
@group(0) @binding(2) var<storage, read> length: array<u32>; //      (B)        real rows, all first
@group(0) @binding(3) var<storage, read_write> out: array<Pack>; //  (B, T, C)  overwritten

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let t = group.x * WORKGROUP + lane;
  if (t >= dims.T) { return; } // the last workgroup may be partly empty
  let h = group.y;
  let b = group.z;
  let C = dims.H * PACKS; // here and below, places are counted in Packs
  let mine = (b * dims.T + t) * C + h * PACKS;
  let end = min(length[b], dims.T);
  if (t >= end) { // padding
    for (var i = 0u; i < PACKS; i++) { out[mine + i] = Pack(0.0); }
    return;
  }
  let step = 3u * C;
  let head = b * dims.T * step + h * PACKS; // row 0 of q; k is C further on, v 2 * C
  let scale = inverseSqrt(f32(PACKS * PACK));
  var q: array<Pack, PACKS>;
  var sum_v: array<Pack, PACKS>;
  for (var i = 0u; i < PACKS; i++) {
    q[i] = qkv[head + t * step + i] * scale;
    sum_v[i] = Pack(0.0);
  }
  var top = LOWEST;
  var sum = 0.0;
  for (var j = 0u; j < end; j++) {
    let k = head + C + j * step;
    var products = Pack(0.0);
    for (var i = 0u; i < PACKS; i++) { products += q[i] * qkv[k + i]; }
    let s = fold(products);
    let high = max(top, s);
    let keep = exp(top - high); // what was summed so far was relative to the old maximum
    let p = exp(s - high);
    sum = sum * keep + p;
    top = high;
    let v = k + C;
    for (var i = 0u; i < PACKS; i++) { sum_v[i] = sum_v[i] * keep + p * qkv[v + i]; }
  }
  for (var i = 0u; i < PACKS; i++) { out[mine + i] = sum_v[i] / sum; }
}
