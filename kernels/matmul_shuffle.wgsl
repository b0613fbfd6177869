// Joined to matmul_tile.wgsl on adapters whose subgroups have 8 lanes (llvmpipe), with workgroups of 8:
// a load there costs as much as eight scalar loads even if all lanes want the same address. So each lane
// brings one vec4 of the eight rows, and a shuffle hands them round.

fn four(mine: vec4f, first: u32) -> mat4x4f {
  let tile = mat4x4f(
    subgroupShuffle(mine, first), subgroupShuffle(mine, first + 1u),
    subgroupShuffle(mine, first + 2u), subgroupShuffle(mine, first + 3u));
  if (TRANSPOSE_A) { return transpose(tile); }
  return tile;
}
fn rowsOfA(k: u32, row: u32, thread: u32) -> Rows {
  var mine: vec4f;
  if (TRANSPOSE_A) { // lanes 0-3: rows 0-3 at k, k+1, k+2, k+3; lanes 4-7: rows 4-7
    let first = min(row + 4u * (thread / 4u), (dims.M - 1u) / 4u * 4u);
    mine = a[(min(k + thread % 4u, dims.K - 1u) * dims.ldA + dims.atA + first) / 4u];
  } else { // lane i: row i at k .. k+3
    mine = a[(min(row + thread, dims.M - 1u) * dims.ldA + dims.atA + k) / 4u];
  }
  return Rows(clipA(four(mine, 0u), k), clipA(four(mine, 4u), k));
}
