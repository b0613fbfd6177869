// What the queries of attention.wgsl see, and what a whole workgroup of them may pass over. `rows` is
// the row of the batch where the texts start, b * T; t and j count from there.

struct Row { at: u32, end: u32, position: u32 }
fn row_of(rows: u32, at: u32) -> Row { return Row(at, end[rows + at], position[rows + at]); }

// Whether query t sees key j.
fn sees(t: Row, j: Row) -> bool {
  return j.at <= t.at && t.at < j.end && t.position - j.position < dims.window;
}

// The lowest position among a workgroup's queries, of which row `first` is the first.
fn lowest_position(rows: u32, first: u32) -> u32 {
  var low = position[rows + first];
  for (var t = first + 1u; t < min(first + ROWS, dims.T); t++) {
    low = min(low, position[rows + t]);
  }
  return low;
}

// Key j, or one behind it if no query of a workgroup sees j: as its first query and their lowest
// position tell. A text that ended before is passed over whole; and as positions rise by at most one
// a row, so are all the rows that it takes to come near enough.
fn next_key(rows: u32, j: u32, first: u32, low: u32) -> u32 {
  let past = end[rows + j];
  if (past <= first) { return max(past, j + 1u); }
  let reach = position[rows + j] + dims.window;
  return select(j, j + 1u + low - reach, reach <= low);
}

// Of a workgroup's keys: the first row behind all that continue one of them, and the highest position.
fn reach_of_keys(rows: u32, first: u32) -> vec2u {
  var reach = vec2u(0u);
  for (var j = first; j < min(first + ROWS, dims.T); j++) {
    reach = max(reach, vec2u(end[rows + j], position[rows + j]));
  }
  return vec2u(min(reach.x, dims.T), reach.y);
}
