// Joined to matmul_tile.wgsl on adapters whose subgroups have 8 or 16 lanes (llvmpipe), with a workgroup of
// one subgroup: a load there costs as much as a scalar load for each number of each lane, even if all lanes
// want the same address. So each lane brings one vec4 of LANES rows, and a shuffle hands them round.

/// Where this lane finds its vec4 of LANES rows of a.
alias PlacesOfA = u32;
/// What the lane brings.
alias RowsOfA = vec4f;

fn placesOfA(row: u32, thread: u32) -> PlacesOfA {
  let ld = dims.ldA / 4u;
  let first = dims.atA / 4u;
  if (TRANSPOSE_A) { // four lanes a four of rows, at k, k+1, k+2, k+3
    let four = min(row + 4u * (thread / 4u), (dims.M - 1u) / 4u * 4u);
    return four / 4u + first + thread % 4u * ld;
  }
  return min(row + thread, dims.M - 1u) * ld + first; // lane i: row i at k .. k+3
}
fn rowsOfA(places: PlacesOfA, offset: u32, thread: u32) -> RowsOfA {
  return a[places + offset];
}
fn fourOfRows(mine: RowsOfA, first: u32) -> mat4x4f {
  let tile = mat4x4f(
    subgroupShuffle(mine, first), subgroupShuffle(mine, first + 1u),
    subgroupShuffle(mine, first + 2u), subgroupShuffle(mine, first + 3u));
  if (TRANSPOSE_A) { return transpose(tile); }
  return tile;
}
fn lastOfA(places: PlacesOfA, offset: u32, thread: u32, k: u32) -> RowsOfA {
  let back = select(0u, behind(k)[thread % 4u] * (dims.ldA / 4u), TRANSPOSE_A);
  let mine = rowsOfA(places, offset - back, thread);
  if (TRANSPOSE_A) { return select(vec4f(), mine, k + thread % 4u < dims.K); }
  return insideA(mine, k);
}
