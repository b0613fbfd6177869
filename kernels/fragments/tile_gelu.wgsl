// Joined to matmul_tile.wgsl: four columns of one row, pre = product + bias, out = GELU(pre).

fn store(row: u32, column: u32, value: vec4f) {
  if (isOutside(row, column)) { return; }
  let i = at(row, column);
  let x = value + bias[column / 4u];
  pre[i] = within(column, x, pre[i]);
  out[i] = within(column, geluOf(x), out[i]);
}
