// Joined to product_operands.wgsl: four columns of one row, out = the part of the sum that `plane` has. What
// lies between N and the next multiple of 4 may hold anything.

fn store(row: u32, column: u32, product: vec4f) {
  if (isOutside(row, column)) { return; }
  out[at(row, column) + plane * (dims.plane / 4u)] = product;
}
