// Joined to kernels whose lanes each have a share of one sum.
var<workgroup> shares: array<f32, WORKGROUP>;

// The sum of every lane's share, on every lane. All lanes add in the same order: no tree is needed
// at these sizes, and one barrier is cheaper than six on a software adapter.
fn total(lane: u32, share: f32) -> f32 {
  workgroupBarrier(); // the sum before this one may still be read
  shares[lane] = share;
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < WORKGROUP; i++) { sum += shares[i]; }
  return sum;
}
