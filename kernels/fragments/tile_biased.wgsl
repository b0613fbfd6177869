// Joined to product_operands.wgsl: four columns of one row, out = product + bias.

fn store(row: u32, column: u32, product: vec4f) {
  if (isOutside(row, column)) { return; }
  let i = at(row, column);
  var value = product + bias[column / 4u];
  if (PARTIAL) { value = within(column, value, out[i]); }
  out[i] = value;
}
