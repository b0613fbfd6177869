// In place of total_shared.wgsl where a workgroup is one subgroup of 8 lanes (llvmpipe): the same
// additions, without a barrier. A kernel with barriers runs as a coroutine there, all of it more slowly.
fn total(lane: u32, share: f32) -> f32 {
  var sum = 0.0;
  sum += subgroupShuffle(share, 0u);
  sum += subgroupShuffle(share, 1u);
  sum += subgroupShuffle(share, 2u);
  sum += subgroupShuffle(share, 3u);
  sum += subgroupShuffle(share, 4u);
  sum += subgroupShuffle(share, 5u);
  sum += subgroupShuffle(share, 6u);
  sum += subgroupShuffle(share, 7u);
  return sum;
}
