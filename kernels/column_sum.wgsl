// Sum of every column, in two steps with a fixed order of additions (no float atomics):
//   partial[g, c] = sum of x[n, c] over the rows n of chunk g        G chunks of at most R rows
//   out[c]       += sum over g of partial[g, c]
// N rows, C channels. Step one: one invocation owns (g, one Pack of c). Step two: one Pack of c.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
// Pack, PACK and fold: fragments/pack4.wgsl, or pack1.wgsl where C is no multiple of 4
struct Dims { N: u32, C: u32, G: u32, R: u32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<Pack>; //              (N, C)
@group(0) @binding(2) var<storage, read_write> partial: array<Pack>; //  (G, C) overwritten
@group(0) @binding(3) var<storage, read> sums: array<Pack>; //           (G, C)
@group(0) @binding(4) var<storage, read_write> out: array<Pack>; //      (C)    added to

@compute @workgroup_size(WORKGROUP)
fn chunk(@builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u) {
  let c = id.x;
  let C = dims.C / PACK;
  if (c >= C) { return; }
  let g = group.y;
  let end = min(dims.N, (g + 1u) * dims.R);
  var sum = Pack(0.0);
  for (var n = g * dims.R; n < end; n++) { sum += x[n * C + c]; }
  partial[g * C + c] = sum;
}

@compute @workgroup_size(WORKGROUP)
fn combine(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  let C = dims.C / PACK;
  if (c >= C) { return; }
  var sum = Pack(0.0);
  for (var g = 0u; g < dims.G; g++) { sum += sums[g * C + c]; }
  out[c] += sum;
}
