// Multiply-adds in registers and nothing else: the arithmetic that an adapter can do at most.
//   out[t] = sum of eight chains of ROUNDS * 4 multiply-adds each, every one on a vec4
// N invocations, one element of out each. Operations: N * ROUNDS * 8 chains * 4 * 4 lanes * 2.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
struct Dims { N: u32, ROUNDS: u32, factor: f32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read_write> out: array<f32>; // (N) overwritten

@compute @workgroup_size(WORKGROUP)
fn run(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let t = id.x;
  if (t >= dims.N) { return; }
  // The factor is a number of the host, so that no compiler knows the results.
  let x = vec4f(dims.factor);
  let y = vec4f(f32(t) * 1e-9);
  var a = y + 1.0;
  var b = y + 2.0;
  var c = y + 3.0;
  var d = y + 4.0;
  var e = y + 5.0;
  var f = y + 6.0;
  var g = y + 7.0;
  var h = y + 8.0;
  for (var i = 0u; i < dims.ROUNDS; i++) {
    a = fma(a, x, y); b = fma(b, x, y); c = fma(c, x, y); d = fma(d, x, y);
    e = fma(e, x, y); f = fma(f, x, y); g = fma(g, x, y); h = fma(h, x, y);
    a = fma(a, x, y); b = fma(b, x, y); c = fma(c, x, y); d = fma(d, x, y);
    e = fma(e, x, y); f = fma(f, x, y); g = fma(g, x, y); h = fma(h, x, y);
    a = fma(a, x, y); b = fma(b, x, y); c = fma(c, x, y); d = fma(d, x, y);
    e = fma(e, x, y); f = fma(f, x, y); g = fma(g, x, y); h = fma(h, x, y);
    a = fma(a, x, y); b = fma(b, x, y); c = fma(c, x, y); d = fma(d, x, y);
    e = fma(e, x, y); f = fma(f, x, y); g = fma(g, x, y); h = fma(h, x, y);
  }
  let s = a + b + c + d + e + f + g + h;
  out[t] = s.x + s.y + s.z + s.w;
}
