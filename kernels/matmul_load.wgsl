// Joined to matmul_tile.wgsl: every invocation loads the rows of a that it needs. Neighbours ask for the
// same addresses, which hardware answers from cache.

/// Where eight rows of out find their vec4s of a.
struct PlacesOfA { upper: vec4u, lower: vec4u }

/// Eight rows of a for four k's: columns are rows of out, rows are k's.
struct RowsOfA { upper: mat4x4f, lower: mat4x4f }

fn fourPlaces(row: u32) -> vec4u {
  let ld = dims.ldA / 4u;
  let first = dims.atA / 4u;
  if (TRANSPOSE_A) { return min(row, (dims.M - 1u) / 4u * 4u) / 4u + first + STEP * ld; }
  return min(row + STEP, vec4u(dims.M - 1u)) * ld + first;
}
fn placesOfA(row: u32, thread: u32) -> PlacesOfA {
  return PlacesOfA(fourPlaces(row), fourPlaces(row + 4u));
}
fn fourOfA(at: vec4u) -> mat4x4f {
  let tile = mat4x4f(a[at.x], a[at.y], a[at.z], a[at.w]);
  if (TRANSPOSE_A) { return transpose(tile); }
  return tile;
}
fn rowsOfA(places: PlacesOfA, offset: u32, thread: u32) -> RowsOfA {
  return RowsOfA(fourOfA(places.upper + offset), fourOfA(places.lower + offset));
}
fn fourOfRows(rows: RowsOfA, first: u32) -> mat4x4f {
  if (first == 0u) { return rows.upper; }
  return rows.lower;
}
/// `tile` with zeros where k >= K, since what lies behind a row of a is unknown.
fn clipA(tile: mat4x4f, k: u32) -> mat4x4f {
  return mat4x4f(insideA(tile[0], k), insideA(tile[1], k), insideA(tile[2], k), insideA(tile[3], k));
}
fn lastOfA(places: PlacesOfA, offset: u32, thread: u32, k: u32) -> RowsOfA {
  let back = select(vec4u(), behind(k) * (dims.ldA / 4u), TRANSPOSE_A);
  return RowsOfA(
    clipA(fourOfA(places.upper + offset - back), k),
    clipA(fourOfA(places.lower + offset - back), k));
}
