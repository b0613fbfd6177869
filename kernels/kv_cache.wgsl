// Keys and values of earlier positions, kept so that decoding reads one new row instead of all
// (attend_kv.wgsl reads them).
//   store:  k[b, h, position] = k of row (source[b], t), v likewise: rows of equal beginnings share a source
// B batch, T time, U sources, H heads, D head size, C = H * D, S slots. The slots of a head lie side by
// side, as attention walks them. One invocation owns one Pack of one row of keys and values.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
// Pack and PACK: fragments/pack4.wgsl, or pack1.wgsl where D is no multiple of 4
struct Dims { B: u32, T: u32, H: u32, D: u32, S: u32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> qkv: array<Pack>; //      (U * T, 3C)
@group(0) @binding(2) var<storage, read> position: array<u32>; //  (U * T)
@group(0) @binding(3) var<storage, read_write> k: array<Pack>; //  (B, H, S, D)
@group(0) @binding(4) var<storage, read_write> v: array<Pack>; //  (B, H, S, D)
@group(0) @binding(5) var<storage, read> source: array<u32>; //    (B) below U

@compute @workgroup_size(WORKGROUP)
fn store(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let D = dims.D / PACK;
  let C = dims.H * D;
  if (id.x >= C) { return; } // the last workgroup may be partly empty
  for (var row = id.y; row < dims.B * dims.T; row += groups.y) {
    let b = row / dims.T;
    let owner = source[b] * dims.T + row % dims.T;
    let slot = position[owner];
    if (slot >= dims.S) { continue; } // a padded row past the capacity
    let to = ((b * dims.H + id.x / D) * dims.S + slot) * D + id.x % D;
    k[to] = qkv[owner * 3u * C + C + id.x];
    v[to] = qkv[owner * 3u * C + 2u * C + id.x];
  }
}
