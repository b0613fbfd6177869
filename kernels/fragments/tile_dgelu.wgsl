// Joined to matmul_tile.wgsl: four columns of one row, out = ([out +] product) * GELU'(pre).

fn store(row: u32, column: u32, value: vec4f) {
  if (isOutside(row, column)) { return; }
  let i = at(row, column);
  let old = out[i];
  let sum = select(value, old + value, dims.accumulate == 1u);
  out[i] = within(column, sum * geluSlope(pre[i]), old);
}
