// Softmax over rows, and its gradient.
//   out[n, v] = exp(x[n, v]) / sum_u exp(x[n, u])
//   dx[n, v]  = out[n, v] (dout[n, v] - sum_u out[n, u] dout[n, u])
// N rows of V. One workgroup owns one row; lanes join their parts in order, so sums repeat exactly.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
struct Dims { N: u32, V: u32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>; //         (N, V)
@group(0) @binding(2) var<storage, read_write> out: array<f32>; // (N, V) overwritten by forward
@group(0) @binding(3) var<storage, read> dout: array<f32>; //      (N, V)
@group(0) @binding(4) var<storage, read_write> dx: array<f32>; //  (N, V) overwritten

const LOW = -1e30; // below every x; exp of a difference to it is 0
var<workgroup> part: array<vec2f, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let n = group.x + group.y * groups.x;
  if (n >= dims.N) { return; } // the last line of the grid may be partly empty
  let row = n * dims.V;
  var top = LOW; // subtract the largest x so that exp cannot overflow; each lane has its own
  for (var v = lane; v < dims.V; v += WORKGROUP) { top = max(top, x[row + v]); }
  var sum = 0.0;
  for (var v = lane; v < dims.V; v += WORKGROUP) { sum += exp(x[row + v] - top); }
  part[lane] = vec2f(top, sum);
  workgroupBarrier();
  for (var i = 0u; i < WORKGROUP; i++) { top = max(top, part[i].x); }
  sum = 0.0;
  for (var i = 0u; i < WORKGROUP; i++) { sum += part[i].y * exp(part[i].x - top); }
  for (var v = lane; v < dims.V; v += WORKGROUP) { out[row + v] = exp(x[row + v] - top) / sum; }
}

@compute @workgroup_size(WORKGROUP)
fn backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let n = group.x + group.y * groups.x;
  if (n >= dims.N) { return; }
  let row = n * dims.V;
  var sum = 0.0;
  for (var v = lane; v < dims.V; v += WORKGROUP) { sum += out[row + v] * dout[row + v]; }
  part[lane].x = sum;
  workgroupBarrier();
  sum = 0.0;
  for (var i = 0u; i < WORKGROUP; i++) { sum += part[i].x; }
  for (var v = lane; v < dims.V; v += WORKGROUP) {
    dx[row + v] = out[row + v] * (dout[row + v] - sum);
  }
}
