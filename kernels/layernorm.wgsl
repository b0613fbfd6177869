// Layer normalisation over channels (Ba et al. 2016), and its gradient.
//   mean[n]    = (1/C) sum_c x[n, c]
//   rstd[n]    = 1 / sqrt((1/C) sum_c (x[n, c] - mean[n])^2 + eps)
//   xhat[n, c] = (x[n, c] - mean[n]) * rstd[n]
//   out[n, c]  = xhat[n, c] * weight[c] + bias[c]
//   dxhat      = dout * weight
//   dx[n, c]  += rstd[n] * (dxhat - mean_c(dxhat) - xhat * mean_c(dxhat * xhat))
//   dweight[c] += sum_n dout * xhat,   dbias[c] += sum_n dout
// N rows (batch * time), C channels. One workgroup owns one row in `forward` and `input`; in
// `parameters` one invocation owns one Pack of channels of one chunk of R rows, and column_sum.combine adds
// the G chunks in order.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
// Pack, PACK and fold: fragments/pack4.wgsl, or pack1.wgsl where C is no multiple of 4
// total, the sum of all lanes' shares: fragments/total_shared.wgsl, total_shuffle.wgsl or total_tree.wgsl
struct Dims { N: u32, C: u32, R: u32, eps: f32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<Pack>; //              (N, C)
@group(0) @binding(2) var<storage, read> weight: array<Pack>; //         (C)
@group(0) @binding(3) var<storage, read> bias: array<Pack>; //           (C)
@group(0) @binding(4) var<storage, read_write> out: array<Pack>; //      (N, C) overwritten
@group(0) @binding(5) var<storage, read_write> mean: array<f32>; //     (N)    kept for backward
@group(0) @binding(6) var<storage, read_write> rstd: array<f32>; //     (N)    kept for backward
@group(0) @binding(7) var<storage, read> dout: array<Pack>; //           (N, C)
@group(0) @binding(8) var<storage, read_write> dx: array<Pack>; //       (N, C) added to
@group(0) @binding(9) var<storage, read_write> pweight: array<Pack>; //  (G, C) partial dweight
@group(0) @binding(10) var<storage, read_write> pbias: array<Pack>; //   (G, C) partial dbias

@compute @workgroup_size(WORKGROUP)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let C = dims.C / PACK;
  for (var n = group.x; n < dims.N; n += groups.x) {
    let row = n * C;
    var sum = Pack(0.0);
    for (var c = lane; c < C; c += WORKGROUP) { sum += x[row + c]; }
    let m = total(lane, fold(sum)) / f32(dims.C);
    var squares = Pack(0.0); // a second pass: E[x^2] - E[x]^2 cancels when the mean is large
    for (var c = lane; c < C; c += WORKGROUP) {
      let d = x[row + c] - m;
      squares += d * d;
    }
    let r = inverseSqrt(total(lane, fold(squares)) / f32(dims.C) + dims.eps);
    for (var c = lane; c < C; c += WORKGROUP) {
      out[row + c] = (x[row + c] - m) * r * weight[c] + bias[c];
    }
    if (lane == 0u) {
      mean[n] = m;
      rstd[n] = r;
    }
  }
}

@compute @workgroup_size(WORKGROUP)
fn input(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let C = dims.C / PACK;
  for (var n = group.x; n < dims.N; n += groups.x) {
    let row = n * C;
    let m = mean[n];
    let r = rstd[n];
    var plain = Pack(0.0);
    var along = Pack(0.0);
    for (var c = lane; c < C; c += WORKGROUP) {
      let dxhat = dout[row + c] * weight[c];
      plain += dxhat;
      along += dxhat * (x[row + c] - m) * r;
    }
    let a = total(lane, fold(plain)) / f32(dims.C);
    let b = total(lane, fold(along)) / f32(dims.C);
    for (var c = lane; c < C; c += WORKGROUP) {
      let xhat = (x[row + c] - m) * r;
      dx[row + c] += r * (dout[row + c] * weight[c] - a - xhat * b);
    }
  }
}

@compute @workgroup_size(WORKGROUP)
fn parameters(@builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u) {
  let c = id.x;
  let C = dims.C / PACK;
  if (c >= C) { return; }
  let end = min(dims.N, (group.y + 1u) * dims.R);
  var dweight = Pack(0.0);
  var dbias = Pack(0.0);
  for (var n = group.y * dims.R; n < end; n++) {
    let d = dout[n * C + c];
    dweight += d * (x[n * C + c] - mean[n]) * rstd[n];
    dbias += d;
  }
  pweight[group.y * C + c] = dweight;
  pbias[group.y * C + c] = dbias;
}
