// In place of total_shared.wgsl on graphics hardware, which waits little at a barrier: as many steps as
// WORKGROUP, a power of two, can be halved, and not as many additions one after another as it has lanes.
var<workgroup> shares: array<f32, WORKGROUP>;

fn total(lane: u32, share: f32) -> f32 {
  workgroupBarrier(); // the sum before this one may still be read
  shares[lane] = share;
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { shares[lane] += shares[lane + half]; }
  }
  workgroupBarrier();
  return shares[0];
}
