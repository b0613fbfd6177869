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

var<workgroup> highest_branches: array<Highest, WORKGROUP>;

// The largest of all lanes, on every lane.
fn highest_of_lanes(lane: u32, mine: Highest) -> Highest {
  highest_branches[lane] = mine;
  workgroupBarrier();
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      let other = highest_branches[lane + half];
      highest_branches[lane].top = max(highest_branches[lane].top, other.top);
      highest_branches[lane].extreme = max(highest_branches[lane].extreme, other.extreme);
    }
    workgroupBarrier();
  }
  return highest_branches[0];
}
