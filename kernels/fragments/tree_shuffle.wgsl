// In place of tree.wgsl where a workgroup is one subgroup of 8 lanes (llvmpipe): the same tree without
// workgroup memory or barriers, with which all of a kernel runs more slowly there.

// Two sums at once, on every lane.
fn sum_of_lanes(lane: u32, mine: vec2f) -> vec2f {
  var sum = mine;
  sum += subgroupShuffle(sum, lane ^ 4u);
  sum += subgroupShuffle(sum, lane ^ 2u);
  sum += subgroupShuffle(sum, lane ^ 1u);
  return sum;
}

// The largest of all lanes, on every lane.
fn highest_of_lanes(lane: u32, mine: Highest) -> Highest {
  var high = mine;
  for (var step = 4u; step > 0u; step /= 2u) {
    high.top = max(high.top, subgroupShuffle(high.top, lane ^ step));
    high.extreme = max(high.extreme, subgroupShuffle(high.extreme, lane ^ step));
  }
  return high;
}
