// A value for every row: a linear layer with one output, and its gradient.
//   value[n]    = sum_c x[n, c] * weight[c] + bias
//   dx[n, c]   += dvalue[n] * weight[c]
//   dweight[c] += sum_n dvalue[n] * x[n, c],   dbias += sum_n dvalue[n]
// N rows (batch * time), C channels. One workgroup owns one row in `forward`; one invocation owns one
// Pack of channels, of one row in `input` and of one chunk of R rows in `parameters`;
// column_sum.combine adds the G chunks in order.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
// Pack, PACK and fold: fragments/pack4.wgsl, or pack1.wgsl where C is no multiple of 4
struct Dims { N: u32, C: u32, R: u32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<Pack>; //             (N, C)
@group(0) @binding(2) var<storage, read> weight: array<Pack>; //        (C)
@group(0) @binding(3) var<storage, read> bias: array<f32>; //           (1)
@group(0) @binding(4) var<storage, read_write> value: array<f32>; //    (N)    overwritten
@group(0) @binding(5) var<storage, read> dvalue: array<f32>; //         (N)
@group(0) @binding(6) var<storage, read_write> dx: array<Pack>; //      (N, C) added to
@group(0) @binding(7) var<storage, read_write> pweight: array<Pack>; // (G, C) partial dweight
@group(0) @binding(8) var<storage, read_write> pbias: array<f32>; //    (G)    partial dbias

var<workgroup> shares: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let C = dims.C / PACK;
  for (var n = group.x; n < dims.N; n += groups.x) {
    var share = Pack(0.0);
    for (var c = lane; c < C; c += WORKGROUP) { share += x[n * C + c] * weight[c]; }
    shares[lane] = fold(share);
    workgroupBarrier();
    if (lane == 0u) {
      var sum = bias[0];
      for (var i = 0u; i < WORKGROUP; i++) { sum += shares[i]; }
      value[n] = sum;
    }
    workgroupBarrier(); // the next row reuses `shares`
  }
}

@compute @workgroup_size(WORKGROUP)
fn input(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let C = dims.C / PACK;
  if (id.x >= C) { return; }
  for (var n = group.y; n < dims.N; n += groups.y) {
    dx[n * C + id.x] += dvalue[n] * weight[id.x];
  }
}

@compute @workgroup_size(WORKGROUP)
fn parameters(@builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u) {
  let C = dims.C / PACK;
  if (id.x >= C) { return; }
  let g = group.y;
  let end = min(dims.N, (g + 1u) * dims.R);
  var dweight = Pack(0.0);
  var dbias = 0.0;
  for (var n = g * dims.R; n < end; n++) {
    dweight += dvalue[n] * x[n * C + id.x];
    dbias += dvalue[n];
  }
  pweight[g * C + id.x] = dweight;
  if (id.x == 0u) { pbias[g] = dbias; }
}
