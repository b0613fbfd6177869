// Joined to attention_one.wgsl where SHARE lanes side by side, 2 or 4 of one subgroup, share a row of their
// own: what each finds by its part of the D numbers is added up by shuffles, to the same bits in each.

// All lanes take part in every shuffle, also those whose own row sees nothing.
fn none(seen: Seen) -> bool { return false; }

fn of_row(x: f32) -> f32 {
  let pair = x + subgroupShuffleXor(x, 1u);
  return select(pair + subgroupShuffleXor(pair, 2u), pair, SHARE == 2u);
}
