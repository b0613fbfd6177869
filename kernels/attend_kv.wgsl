// Attention of one new row a sequence over the cache of keys and values (kv_cache.wgsl):
//   s[j] = scale q[b] . k[b, j]      position[b] - window < j <= position[b], one head
//   out[b] = sum_j softmax(s)[j] v[b, j]
// B batch, H heads, D head size, C = H * D, S slots. One workgroup owns one head of one row and walks
// its slots, no more, in tiles of WORKGROUP. While scores are made a lane owns one slot, with q in
// registers; while values are summed, LANES lanes side by side own the dimensions and the lanes below
// them every PARTS-th slot. The parts are added in order, so that the result does not depend on timing.
// Scores and weights go round by workgroup memory, or where a workgroup is one subgroup of 8 by shuffles.
// attend_kv_text.ts writes `attend` behind this text, as its lines are repeated for each Pack of q.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
// Pack, PACK and fold: fragments/pack4.wgsl, or pack1.wgsl where D is no multiple of 4; LOWEST: finite.wgsl
override SCALE: f32 = 0.0; // of the scores; 0: 1 / sqrt(D)
struct Dims { B: u32, H: u32, D: u32, S: u32, window: u32 } // window <= S
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> qkv: array<Pack>; //      (B, 3C)
@group(0) @binding(2) var<storage, read> position: array<u32>; //  (B)
@group(0) @binding(3) var<storage, read> k: array<Pack>; //        (B, H, S, D)
@group(0) @binding(4) var<storage, read> v: array<Pack>; //        (B, H, S, D)
@group(0) @binding(5) var<storage, read_write> out: array<Pack>; // (B, C) overwritten
