// Adding rows into the rows of a table, many into one: the gradient of an embedding, and of picking rows.
//   table[distinct[k], c] += sum of dout[order[i], c] for start[k] <= i < start[k + 1]
// N rows of dout, grouped by the row of the table that they go to (row_groups.ts); C channels. The table
// is bound as its rows [first, first + V): one larger than a binding takes several launches, and each
// serves the groups that fall into its range; a group that falls into none is left out. One invocation
// owns one Pack of one group and adds its rows in order: no float atomics, and the same sum in every run.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
// Pack, PACK and fold: fragments/pack4.wgsl, or pack1.wgsl where C is no multiple of 4
struct Dims { C: u32, V: u32, first: u32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> dout: array<Pack>; //         (N, C)
@group(0) @binding(2) var<storage, read> order: array<u32>; //         (N)     rows, grouped
@group(0) @binding(3) var<storage, read> start: array<u32>; //         (N + 1) where each group begins
@group(0) @binding(4) var<storage, read> distinct: array<u32>; //      (N)     where each group goes
@group(0) @binding(5) var<storage, read> count: array<u32>; //         (1)     how many groups
@group(0) @binding(6) var<storage, read_write> table: array<Pack>; //  (V, C)  added to

@compute @workgroup_size(WORKGROUP)
fn add(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let C = dims.C / PACK;
  let c = id.x;
  if (c >= C) { return; }
  for (var k = group.y; k < count[0]; k += groups.y) {
    let row = distinct[k] - dims.first; // wraps to a large number for rows before the range
    if (row >= dims.V) { continue; }
    var sum = Pack(0.0);
    for (var i = start[k]; i < start[k + 1u]; i++) { sum += dout[order[i] * C + c]; }
    table[row * C + c] += sum;
  }
}
