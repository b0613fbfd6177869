// Joined behind few_rows.wgsl where b is (N, K) and loads of neighbouring lanes should lie side by side:
// 32 lanes share four columns and walk along k together, each summing every 32nd vec4; then the 32 parts
// are added by a tree in workgroup memory, always in the same order. WORKGROUP is a multiple of 32.
// few_rows.ts writes `multiply`, as its lines are repeated for each row.
var<workgroup> part: array<vec4f, WORKGROUP>; // four columns of one row

/// Sum of `mine` over the 32 lanes of `lane`'s group, in its first lane.
fn added(lane: u32, mine: vec4f) -> vec4f {
  workgroupBarrier(); // what was read from `part` before was read by all
  part[lane] = mine;
  for (var half = 16u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane % 32u < half) { part[lane] += part[lane + half]; }
  }
  return part[lane];
}
