// Euclidean norm of all gradients together, and the factor that clips it (Pascanu et al. 2013).
//   partial[g] = sum of squares of the elements of chunk g          CHUNK elements, the last fewer
//   norm[0]    = sqrt(sum over g of partial[g])
//   norm[1]    = min(1, maxNorm / norm[0]);  1 where maxNorm is 0;  0 where norm[0] is not finite
// `finishPart` does so for some of the gradients, and gives the factor 0 where `whole` has it, the norm of
// all of them. One workgroup owns one chunk in `squares`; a single workgroup runs `finish`. All sums have a fixed
// order: no float atomics.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
// Pack, PACK and fold: fragments/pack4.wgsl, or pack1.wgsl where N is no multiple of 4
// total, the sum of all lanes' shares: fragments/total_shared.wgsl, total_shuffle.wgsl or total_tree.wgsl
override CHUNK: u32; //     elements of one partial sum
struct Dims { N: u32, first: u32, G: u32, maxNorm: f32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> grad: array<Pack>; //          (N)
@group(0) @binding(2) var<storage, read_write> partial: array<f32>; //  (G) chunks of all tensors; ours start at `first`
@group(0) @binding(3) var<storage, read> partials: array<f32>; //       (G)
@group(0) @binding(4) var<storage, read_write> norm: array<f32>; //     (2) overwritten
@group(0) @binding(5) var<storage, read> whole: array<f32>; //          (2) the norm of all gradients

@compute @workgroup_size(WORKGROUP)
fn squares(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  for (var g = group.x; g * CHUNK < dims.N; g += groups.x) {
    let first = g * CHUNK / PACK;
    let end = min(dims.N, (g + 1u) * CHUNK) / PACK;
    let quarter = CHUNK / PACK / 4u;
    var share = Pack(0.0);
    if (first + 4u * quarter == end) {
      // Four places of a whole chunk at a time: memory is fetched ahead for each.
      var shares = array<Pack, 4>();
      for (var i = first + lane; i < first + quarter; i += WORKGROUP) {
        let some = array(grad[i], grad[i + quarter], grad[i + 2u * quarter], grad[i + 3u * quarter]);
        shares[0] += some[0] * some[0];
        shares[1] += some[1] * some[1];
        shares[2] += some[2] * some[2];
        shares[3] += some[3] * some[3];
      }
      share = (shares[0] + shares[1]) + (shares[2] + shares[3]);
    } else {
      for (var i = first + lane; i < end; i += WORKGROUP) { share += grad[i] * grad[i]; }
    }
    let sum = total(lane, fold(share));
    if (lane == 0u) { partial[dims.first + g] = sum; }
  }
}

// The norm and its factor; every lane calls it, as it waits for all of them.
fn clip(lane: u32) {
  var share = 0.0;
  for (var g = lane; g < dims.G; g += WORKGROUP) { share += partials[g]; }
  let length = sqrt(total(lane, share));
  if (lane != 0u) { return; }
  norm[0] = length;
  // The bits tell infinity and NaN apart from numbers; comparisons may be folded away.
  if ((bitcast<u32>(length) & 0x7fffffffu) >= 0x7f800000u) {
    norm[1] = 0.0;
  } else if (dims.maxNorm > 0.0 && length > dims.maxNorm) {
    norm[1] = dims.maxNorm / length;
  } else {
    norm[1] = 1.0;
  }
}

@compute @workgroup_size(WORKGROUP)
fn finish(@builtin(local_invocation_index) lane: u32) { clip(lane); }

@compute @workgroup_size(WORKGROUP)
fn finishPart(@builtin(local_invocation_index) lane: u32) {
  clip(lane);
  if (lane == 0u && whole[1] == 0.0) { norm[1] = 0.0; }
}
