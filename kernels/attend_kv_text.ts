/** The WGSL of attend_kv.wgsl's `attend`, whose lines are repeated for each Pack of a head. @module */
import head from "./attend_kv.wgsl" with { type: "text" };
import finite from "./fragments/finite.wgsl" with { type: "text" };
import { each } from "./fragments/lines.ts";

const MOST_HELD = 32; // Packs of q that a lane keeps in registers; longer heads read them again

/** `attend` for heads of `packs` Packs and workgroups of `lanes` lanes. */
export function attendText(packs: number, lanes: number): string {
  const LANES = lanes % packs === 0 ? packs : lanes, PARTS = lanes / LANES;
  const strips = Math.ceil(packs / LANES);
  const q = (d: number): string => packs <= MOST_HELD ? `q${d}` : `qkv[q + ${d}u]`;
  const place = (s: number): string =>
    packs % LANES === 0 ? `d + ${s * LANES}u` : `min(d + ${s * LANES}u, D - 1u)`;
  const add = each(strips, (s) => `value${s} += w * v[row + ${place(s)}];`);
  return `
@compute @workgroup_size(WORKGROUP)
fn attend(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
let h = group.x; // the grid is exactly (H, B)
let b = group.y;
let D = dims.D / PACK;
let C = dims.H * D;
let q = b * 3u * C + h * D;
let first = b * dims.S * C + h * D; // slot 0 of this head
let end = min(position[b] + 1u, dims.S);
let begin = end - min(end, dims.window);
let scale = select(SCALE, inverseSqrt(f32(dims.D)), SCALE == 0.0);
${packs <= MOST_HELD ? each(packs, (d) => `let q${d} = qkv[q + ${d}u];`) : ""}
let d = lane % ${LANES}u;
var high = LOWEST;
var sum = 0.0; // of the weights of this lane's part
${each(strips, (s) => `var value${s} = Pack(0.0);`)}
for (var tile = begin; tile < end; tile += WORKGROUP) {
let count = min(WORKGROUP, end - tile);
var s = LOWEST;
if (lane < count) {
let row = first + (tile + lane) * C;
var product = Pack(0.0);
${each(packs, (d) => `product += ${q(d)} * k[row + ${d}u];`)}
s = fold(product) * scale;
}
score[lane] = s;
workgroupBarrier();
let before = high;
for (var i = 0u; i < count; i++) { high = max(high, score[i]); }
weight[lane] = exp(s - high);
workgroupBarrier();
let keep = exp(before - high); // what was summed so far was relative to the old maximum
sum *= keep;
${each(strips, (s) => `value${s} *= keep;`)}
for (var i = lane / ${LANES}u; i < count; i += ${PARTS}u) {
let w = weight[i];
let row = first + (tile + i) * C;
sum += w;
${add}
}
}
${PARTS > 1 ? addParts(LANES) : ""}
let o = b * C + h * D + d;
${
    each(strips, (s) =>
      `if (lane < ${LANES}u && d + ${s * LANES}u < D) { out[o + ${
        s * LANES
      }u] = value${s} / sum; }`)
  }
}`;
}

/** Where there are parts there is one strip. */
const addParts = (LANES: number): string => `
score[lane] = sum;
part[lane] = value0;
workgroupBarrier();
for (var i = d + ${LANES}u; i < WORKGROUP && lane < ${LANES}u; i += ${LANES}u) {
sum += score[i];
value0 += part[i];
}`;

const texts = new Map<string, string>(); // by Packs and lanes

/** The whole text but for the Pack, the same object each time. */
export function attendCode(packs: number, lanes: number): string {
  const key = `${packs} ${lanes}`;
  let text = texts.get(key);
  if (!text) texts.set(key, text = [finite, head, attendText(packs, lanes)].join("\n"));
  return text;
}
