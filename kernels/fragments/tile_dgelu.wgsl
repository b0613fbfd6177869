// Joined to product_operands.wgsl: four columns of one row, out = ([out +] product) * GELU'(pre).

fn store(row: u32, column: u32, product: vec4f) {
  if (isOutside(row, column)) { return; }
  let i = at(row, column);
  var value = product;
  if (ACCUMULATE) { value += out[i]; }
  value *= geluSlope(pre[i]);
  if (PARTIAL) { value = within(column, value, out[i]); }
  out[i] = value;
}
