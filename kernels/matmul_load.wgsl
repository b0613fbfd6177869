// Joined to matmul_tile.wgsl: every invocation loads the rows of a that it needs. Neighbours ask for the
// same addresses, which hardware answers from cache.

fn loadRow(k: u32, row: u32) -> vec4f { // four k's of one row of out
  return a[(min(row, dims.M - 1u) * dims.ldA + dims.atA + k) / 4u];
}
fn loadK(k: u32, row: u32) -> vec4f { // four rows of out at one k
  return a[(min(k, dims.K - 1u) * dims.ldA + dims.atA + min(row, (dims.M - 1u) / 4u * 4u)) / 4u];
}
fn fourRows(k: u32, row: u32) -> mat4x4f {
  if (TRANSPOSE_A) {
    return clipA(transpose(mat4x4f(
      loadK(k, row), loadK(k + 1u, row), loadK(k + 2u, row), loadK(k + 3u, row))), k);
  }
  return clipA(mat4x4f(
    loadRow(k, row), loadRow(k, row + 1u), loadRow(k, row + 2u), loadRow(k, row + 3u)), k);
}
fn rowsOfA(k: u32, row: u32, thread: u32) -> Rows {
  return Rows(fourRows(k, row), fourRows(k, row + 4u));
}
