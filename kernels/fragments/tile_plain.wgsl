// Joined to matmul_tile.wgsl: four columns of one row, out = [out +] scale * product.

fn store(row: u32, column: u32, product: vec4f) {
  if (isOutside(row, column)) { return; }
  let i = at(row, column);
  let old = out[i];
  let value = dims.scale * product;
  out[i] = within(column, select(value, old + value, dims.accumulate == 1u), old);
}
