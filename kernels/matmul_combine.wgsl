// The second step of a product whose sums are taken in parts: adds them up, in the order of k, and stores.
//   out[m, n] = epilogue(sum_p a[p, m, n])     a (K, M, ldA): K are the parts that the first step left
// Joined to product_operands.wgsl and `store`, the epilogue, in one of fragments/tile_*.wgsl. One invocation
// owns four columns of one row.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
// PARTIAL, ACCUMULATE, dims and buffers, isOutside: fragments/product_operands.wgsl

@compute @workgroup_size(WORKGROUP)
fn combine(@builtin(global_invocation_id) id: vec3u) {
  let fours = (dims.N + 3u) / 4u;
  let row = id.x / fours;
  let column = id.x % fours * 4u;
  if (isOutside(row, column)) { return; }
  let first = (row * dims.ldA + column) / 4u;
  var sum = a[first];
  for (var p = 1u; p < dims.K; p++) { sum += a[first + p * (dims.plane / 4u)]; }
  store(row, column, sum);
}
