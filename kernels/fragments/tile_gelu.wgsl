// Joined to product_operands.wgsl: four columns of one row, pre = product + bias, out = GELU(pre).

fn store(row: u32, column: u32, product: vec4f) {
  if (isOutside(row, column)) { return; }
  let i = at(row, column);
  var x = product + bias[column / 4u];
  var value = geluOf(x);
  if (PARTIAL) {
    x = within(column, x, pre[i]);
    value = within(column, value, out[i]);
  }
  pre[i] = x;
  out[i] = value;
}
