// Built-in functions of one number, whose accuracy WGSL leaves to the driver.
//   out[i] = f(x[i]), f chosen by FUNCTION
// N numbers. One invocation owns one of them.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
override FUNCTION: u32; //  0 exp, 1 log, 2 tanh, 3 inverseSqrt
struct Dims { N: u32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>; //         (N)
@group(0) @binding(2) var<storage, read_write> out: array<f32>; // (N) overwritten
@group(0) @binding(3) var<storage, read> bits: array<u32>; //      (N / 2) two f16 each

@compute @workgroup_size(WORKGROUP)
fn run(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= dims.N) { return; }
  switch FUNCTION {
    case 0u: { out[i] = exp(x[i]); }
    case 1u: { out[i] = log(x[i]); }
    case 2u: { out[i] = tanh(x[i]); }
    default: { out[i] = inverseSqrt(x[i]); }
  }
}

// The f32 of every f16, denormal ones among them: the kernels with f16 weights read them so.
@compute @workgroup_size(WORKGROUP)
fn halves(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= dims.N / 2u) { return; }
  let pair = unpack2x16float(bits[i]);
  out[2u * i] = pair.x;
  out[2u * i + 1u] = pair.y;
}
