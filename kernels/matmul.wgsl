// Matrix product, the plain form: one invocation owns one element of out. It is the text to read first;
// matmul_tile.wgsl computes the same, many elements an invocation.
//   out(M, N) = [out +] act(scale op(a) . op(b) + bias) + residual,   sums over K
// op(a) is a(M, K), or a(K, M) transposed; op(b) is b(K, N), or b(N, K) transposed.
// One entry point for each epilogue, so that a step saves a pass over out:
//   plain     out = [out +] scale * product         biased   out = product + bias
//   residual_add  out = product + bias + residual   gelu     pre = product + bias, out = GELU(pre)
//   dgelu     out = ([out +] product) * GELU'(pre)
// A Pack is one element here (fragments/pack1.wgsl); geluOf and geluSlope: fragments/gelu_epilogue.wgsl.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
override TRANSPOSE_A: bool; // a is (K, M)
override TRANSPOSE_B: bool; // b is (N, K)
struct Dims {
  M: u32, N: u32, K: u32, // rows and columns of out, length of the sum
  ldA: u32, ldB: u32, ldOut: u32, // elements from one row to the next
  atA: u32, atOut: u32, // first column used
  accumulate: u32, // 1: add to what out holds
  scale: f32, // times the product; 1 but in `plain`
}
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> a: array<f32>; //        (M, K) or (K, M), rows of ldA
// 2: b (K, N) or (N, K), rows of ldB. It may hold f16: fragments/table.ts declares it in front, with bAt.
@group(0) @binding(3) var<storage, read_write> out: array<f32>; // (M, N), rows of ldOut
@group(0) @binding(4) var<storage, read> bias: array<f32>; //     (N)
@group(0) @binding(5) var<storage, read> residual: array<f32>; // laid out as out
@group(0) @binding(6) var<storage, read_write> pre: array<f32>; // laid out as out

fn product(m: u32, n: u32) -> f32 {
  var sum = 0.0;
  for (var k = 0u; k < dims.K; k++) {
    let left = select(m * dims.ldA + k, k * dims.ldA + m, TRANSPOSE_A) + dims.atA;
    let right = select(k * dims.ldB + n, n * dims.ldB + k, TRANSPOSE_B);
    sum += a[left] * bAt(right);
  }
  return sum;
}

@compute @workgroup_size(WORKGROUP)
fn plain(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= dims.N || id.y >= dims.M) { return; }
  let i = id.y * dims.ldOut + dims.atOut + id.x;
  let sum = dims.scale * product(id.y, id.x);
  out[i] = select(sum, out[i] + sum, dims.accumulate == 1u);
}

@compute @workgroup_size(WORKGROUP)
fn biased(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= dims.N || id.y >= dims.M) { return; }
  out[id.y * dims.ldOut + dims.atOut + id.x] = product(id.y, id.x) + bias[id.x];
}

@compute @workgroup_size(WORKGROUP)
fn residual_add(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= dims.N || id.y >= dims.M) { return; }
  let i = id.y * dims.ldOut + dims.atOut + id.x;
  out[i] = product(id.y, id.x) + bias[id.x] + residual[i];
}

@compute @workgroup_size(WORKGROUP)
fn gelu(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= dims.N || id.y >= dims.M) { return; }
  let i = id.y * dims.ldOut + dims.atOut + id.x;
  pre[i] = product(id.y, id.x) + bias[id.x];
  out[i] = geluOf(pre[i]);
}

@compute @workgroup_size(WORKGROUP)
fn dgelu(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= dims.N || id.y >= dims.M) { return; }
  let i = id.y * dims.ldOut + dims.atOut + id.x;
  let sum = product(id.y, id.x);
  out[i] = select(sum, out[i] + sum, dims.accumulate == 1u) * geluSlope(pre[i]);
}
