// Joined to product_operands.wgsl: asking for rows of b (K, N) some steps before they are read. They lie a
// page or more apart, where no prefetcher looks, so that a processor waits for one after another; asked for
// at once, four come together. On llvmpipe that takes a third and more off products by large b.
override AHEAD: bool;

/// The smaller of `before` and some numbers of b, which nobody wants: LANES lanes touch the lines of memory,
/// of 16 columns each, that 4 LANES columns have in each of the rows from k to k + 3.
fn touched(before: f32, column: u32, k: u32, lane: u32) -> f32 {
  let row = min(k + lane % 4u, dims.K - 1u);
  let place = row * dims.ldB + min(column + lane / 4u % (LANES / 4u) * 16u, dims.ldB - 4u);
  return min(before, f32(b[place / 4u].x));
}
/// 1, which no compiler knows: what was touched counts as wanted.
fn one(touched: f32) -> f32 {
  return select(1.0, f32(min(dims.M, 1u)), bitcast<u32>(touched) == 0x7fc12345u);
}
