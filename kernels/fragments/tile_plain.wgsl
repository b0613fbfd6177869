// Joined to product_operands.wgsl: four columns of one row, out = [out +] scale * product.

fn store(row: u32, column: u32, product: vec4f) {
  if (isOutside(row, column)) { return; }
  let i = at(row, column);
  var value = dims.scale * product;
  if (ACCUMULATE) { value += out[i]; }
  if (PARTIAL) { value = within(column, value, out[i]); }
  out[i] = value;
}
