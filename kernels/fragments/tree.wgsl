// Joined to kernels of which a workgroup owns a row: sums over its lanes, a power of two, as a tree.
// The order of additions depends on the number of lanes alone.
var<workgroup> branches: array<vec2f, WORKGROUP>;

// Two sums at once, on every lane.
fn sum_of_lanes(lane: u32, mine: vec2f) -> vec2f {
  workgroupBarrier(); // the sum before this one may still be read
  branches[lane] = mine;
  workgroupBarrier();
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    if (lane < half) { branches[lane] += branches[lane + half]; }
    workgroupBarrier();
  }
  return branches[0];
}
