// AdamW: Adam with decoupled weight decay (Loshchilov and Hutter 2019), and the gradient's zeroing.
//   g       = grad * norm[1]                       the factor that clips the global norm
//   m       = beta1 m + (1 - beta1) g
//   v       = beta2 v + (1 - beta2) g^2
//   weight -= lr * (m c1 / (sqrt(v c2) + eps) + decay * weightDecay * weight)
//   grad    = 0
// with c1 = 1/(1 - beta1^t) and c2 = 1/(1 - beta2^t) of step t, which `advance` counts before it.
// norm[1] = 0 means that some gradient was not finite: then only the gradient is zeroed, and the count
// stays. It is here because the host does not know how a step went until it reads.
// N elements. One workgroup owns WORKGROUP * run neighbouring Packs, one invocation every WORKGROUP-th of
// them: what all invocations read first is read once for many, and memory is walked in order.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
// Pack, PACK and fold: fragments/pack4.wgsl, or pack1.wgsl where N is no multiple of 4
struct Dims { N: u32, run: u32, decay: f32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> hyper: array<f32>; //         (8) lr beta1 beta2 eps weightDecay log(beta1) log(beta2) 0
@group(0) @binding(2) var<storage, read> norm: array<f32>; //          (2) global norm, factor
@group(0) @binding(3) var<storage, read_write> weight: array<Pack>; // (N) updated
@group(0) @binding(4) var<storage, read_write> grad: array<Pack>; //   (N) becomes 0
@group(0) @binding(5) var<storage, read_write> m: array<Pack>; //      (N) updated
@group(0) @binding(6) var<storage, read_write> v: array<Pack>; //      (N) updated
@group(0) @binding(7) var<storage, read_write> taken: array<u32>; //  (1) t, steps taken
@group(0) @binding(8) var<storage, read_write> correction: array<f32>; // (2) c1, c2

// 1 - exp(x), x <= 0: near 0 by its series, as the difference would lose its digits there.
fn part(x: f32) -> f32 {
  if (x < -0.5) { return 1.0 - exp(x); }
  var sum = 1.0;
  for (var n = 9.0; n > 1.0; n -= 1.0) { sum = 1.0 + x / n * sum; }
  return -x * sum;
}

@compute @workgroup_size(WORKGROUP)
fn advance(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= dims.N || norm[1] == 0.0) { return; } // N is 1: one count
  taken[0] += 1u;
  let t = f32(taken[0]);
  correction[0] = 1.0 / part(t * hyper[5]);
  correction[1] = 1.0 / part(t * hyper[6]);
}

@compute @workgroup_size(WORKGROUP)
fn step(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first = group.x * WORKGROUP * dims.run;
  let end = min(dims.N / PACK, first + WORKGROUP * dims.run); // the last workgroup has fewer
  let lr = hyper[0];
  let beta1 = hyper[1];
  let beta2 = hyper[2];
  let eps = hyper[3];
  let fade = 1.0 - lr * hyper[4] * dims.decay;
  let c1 = correction[0];
  let c2 = correction[1];
  let factor = norm[1];
  for (var i = first + lane; i < end; i += WORKGROUP) {
    if (factor != 0.0) {
      let g = grad[i] * factor;
      let mean = beta1 * m[i] + (1.0 - beta1) * g;
      let square = beta2 * v[i] + (1.0 - beta2) * g * g;
      weight[i] = fade * weight[i] - lr * c1 * mean / (sqrt(c2 * square) + eps);
      m[i] = mean;
      v[i] = square;
    }
    grad[i] = Pack(0.0);
  }
}
