// Token plus position embedding, and its gradient.
//   forward:   out[n, c]           = wte[token[n], c] + wpe[position[n], c]
//   tokens:    dwte[distinct[k], c] += sum of dout[order[i], c] for start[k] <= i < start[k + 1]
//   positions: dwpe[t, c]          += sum over b of dout[b * T + t, c]
// N = B * T rows, C channels, V vocabulary, P positions. wte and dwte are bound as rows
// [first, first + V) of the table: a table larger than one binding takes several launches, and each
// serves the tokens that fall into its range. In `tokens` one invocation owns one Pack of one
// distinct token and adds its rows in order: no float atomics, and the same sum in every run.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
// Pack, PACK and fold: fragments/pack4.wgsl, or pack1.wgsl where C is no multiple of 4
struct Dims { N: u32, B: u32, T: u32, C: u32, V: u32, first: u32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> token: array<u32>; //          (N)
@group(0) @binding(2) var<storage, read> position: array<u32>; //       (N)
// 3 and 4 may hold f16: fragments/table.ts declares them in front, with wteAt and wpeAt, which give a
// Pack of wte (V, C), from row `first` on, and of wpe (P, C).
@group(0) @binding(5) var<storage, read_write> out: array<Pack>; //     (N, C) overwritten
@group(0) @binding(6) var<storage, read> dout: array<Pack>; //          (N, C)
@group(0) @binding(7) var<storage, read> order: array<u32>; //          (N)     rows, grouped by token
@group(0) @binding(8) var<storage, read> start: array<u32>; //          (N + 1) where each group begins
@group(0) @binding(9) var<storage, read> distinct: array<u32>; //       (N)     the token of each group
@group(0) @binding(10) var<storage, read> count: array<u32>; //         (1)     how many groups
@group(0) @binding(11) var<storage, read_write> dwte: array<Pack>; //   (V, C) added to
@group(0) @binding(12) var<storage, read_write> dwpe: array<Pack>; //   (P, C) added to

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

@compute @workgroup_size(WORKGROUP)
fn tokens(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let C = dims.C / PACK;
  let c = id.x;
  if (c >= C) { return; }
  for (var k = group.y; k < count[0]; k += groups.y) {
    let row = distinct[k] - dims.first;
    if (row >= dims.V) { continue; }
    var sum = Pack(0.0);
    for (var i = start[k]; i < start[k + 1u]; i++) { sum += dout[order[i] * C + c]; }
    dwte[row * C + c] += sum;
  }
}

@compute @workgroup_size(WORKGROUP)
fn positions(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let C = dims.C / PACK;
  let c = id.x;
  if (c >= C) { return; }
  for (var t = group.y; t < dims.T; t += groups.y) {
    var sum = Pack(0.0);
    for (var b = 0u; b < dims.B; b++) { sum += dout[(b * dims.T + t) * C + c]; }
    dwpe[t * C + c] += sum;
  }
}
