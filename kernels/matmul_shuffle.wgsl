// Joined to matmul_tile.wgsl on adapters whose subgroups have 8 lanes (llvmpipe), with workgroups of 8:
// a load there costs as much as eight scalar loads even if all lanes want the same address. So each lane
// brings one vec4 of the eight rows, and a shuffle hands them round.

/// Where this lane finds its vec4 of eight rows of a.
alias PlacesOfA = u32;

fn placesOfA(row: u32, thread: u32) -> PlacesOfA {
  let ld = dims.ldA / 4u;
  let first = dims.atA / 4u;
  if (TRANSPOSE_A) { // lanes 0-3: rows 0-3 at k, k+1, k+2, k+3; lanes 4-7: rows 4-7
    let four = min(row + 4u * (thread / 4u), (dims.M - 1u) / 4u * 4u);
    return four / 4u + first + thread % 4u * ld;
  }
  return min(row + thread, dims.M - 1u) * ld + first; // lane i: row i at k .. k+3
}
fn handedRound(mine: vec4f, first: u32) -> mat4x4f {
  let tile = mat4x4f(
    subgroupShuffle(mine, first), subgroupShuffle(mine, first + 1u),
    subgroupShuffle(mine, first + 2u), subgroupShuffle(mine, first + 3u));
  if (TRANSPOSE_A) { return transpose(tile); }
  return tile;
}
fn rowsOfA(places: PlacesOfA, offset: u32, thread: u32) -> Rows {
  let mine = a[places + offset];
  return Rows(handedRound(mine, 0u), handedRound(mine, 4u));
}
fn lastOfA(places: PlacesOfA, offset: u32, thread: u32, k: u32) -> Rows {
  let back = select(0u, behind(k)[thread % 4u] * (dims.ldA / 4u), TRANSPOSE_A);
  let rows = rowsOfA(places, offset - back, thread);
  return Rows(clipA(rows.upper, k), clipA(rows.lower, k));
}
