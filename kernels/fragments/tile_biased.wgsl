// Joined to matmul_tile.wgsl: four columns of one row, out = product + bias.

fn store(row: u32, column: u32, value: vec4f) {
  if (isOutside(row, column)) { return; }
  let i = at(row, column);
  out[i] = within(column, value + bias[column / 4u], out[i]);
}
