// Joined to attention_one.wgsl where SHARE lanes side by side, 2 or 4 of one subgroup, share a row of their
// own: what each finds by its part of the D numbers is added up by shuffles, to the same bits in each.

// Whether a lane may leave out what it meets: never, as all take part in every shuffle.
fn none(seen: Seen) -> bool { return false; }

/// The sum of what the lanes of a row have found.
fn of_row(x: f32) -> f32 {
  let pair = x + subgroupShuffleXor(x, 1u);
  return select(pair + subgroupShuffleXor(pair, 2u), pair, SHARE == 2u);
}
