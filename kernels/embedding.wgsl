// Token plus position embedding. Its gradient: add_rows.wgsl, once for each table.
//   forward: out[n, c] = wte[token[n], c] + wpe[position[n], c]
// N rows, C channels, V vocabulary, P positions. wte is bound as its rows [first, first + V): a table
// larger than one binding takes several launches, and each serves the tokens that fall into its range.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
// Pack, PACK and fold: fragments/pack4.wgsl, or pack1.wgsl where C is no multiple of 4
struct Dims { N: u32, C: u32, V: u32, first: u32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> token: array<u32>; //        (N)
@group(0) @binding(2) var<storage, read> position: array<u32>; //     (N)
// 3 and 4 may hold f16: fragments/table.ts declares them in front, with wteAt and wpeAt, which give a
// Pack of wte (V, C), from row `first` on, and of wpe (P, C).
@group(0) @binding(5) var<storage, read_write> out: array<Pack>; //   (N, C) overwritten

@compute @workgroup_size(WORKGROUP)
fn forward(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let C = dims.C / PACK;
  let c = id.x;
  if (c >= C) { return; }
  for (var n = group.y; n < dims.N; n += groups.y) {
    let row = token[n] - dims.first; // wraps to a large number for tokens below the range
    let place = position[n];
    if (row < dims.V) { out[n * C + c] = wteAt(row * C + c) + wpeAt(place * C + c); }
  }
}
