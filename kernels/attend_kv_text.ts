/** The WGSL of attend_kv.wgsl's `attend`, whose lines are repeated for each Pack of a head. @module */
import head from "./attend_kv.wgsl" with { type: "text" };
import finite from "./fragments/finite.wgsl" with { type: "text" };
import { each } from "./fragments/lines.ts";

const MOST_HELD = 32; // Packs of q that a lane keeps in registers; longer heads read them again

/** What a text is written for. */
export interface AttendChoice {
  /** Packs of a head. */
  readonly packs: number;
  /** Lanes of a workgroup. */
  readonly lanes: number;
  /** They are one subgroup: no barrier, with which llvmpipe runs all of a kernel more slowly. */
  readonly shuffles: boolean;
}

/** `attend`, and the workgroup's memory where it needs one. */
export function attendText({ packs, lanes, shuffles }: AttendChoice): string {
  const LANES = lanes % packs === 0 ? packs : lanes, PARTS = lanes / LANES;
  const strips = Math.ceil(packs / LANES);
  const q = (d: number): string => packs <= MOST_HELD ? `q${d}` : `qkv[q + ${d}u]`;
  const place = (s: number): string =>
    packs % LANES === 0 ? `d + ${s * LANES}u` : `min(d + ${s * LANES}u, D - 1u)`;
  const add = `let row = first + (tile + i) * D;
sum += w;
${each(strips, (s) => `value${s} += w * v[row + ${place(s)}];`)}`;
  const { memory, highest, weigh, walk, join } = shuffles ? byShuffles(PARTS) : byMemory(PARTS);
  return `${memory}
@compute @workgroup_size(WORKGROUP)
fn attend(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
let h = group.x; // the grid is exactly (H, B)
let b = group.y;
let D = dims.D / PACK;
let C = dims.H * D;
let q = b * 3u * C + h * D;
let first = (b * dims.H + h) * dims.S * D; // slot 0 of this head
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
let row = first + (tile + lane) * D;
var product = Pack(0.0);
${each(packs, (d) => `product += ${q(d)} * k[row + ${d}u];`)}
s = fold(product) * scale;
}
let before = high;
${highest(lanes)}
${weigh}
let keep = exp(before - high); // what was summed so far was relative to the old maximum
sum *= keep;
${each(strips, (s) => `value${s} *= keep;`)}
${walk(LANES, add)}
}
${PARTS > 1 ? join(LANES) : ""}
let o = b * C + h * D + d;
${
    each(strips, (s) =>
      `if (lane < ${LANES}u && d + ${s * LANES}u < D) { out[o + ${
        s * LANES
      }u] = value${s} / sum; }`)
  }
}`;
}

/** How lanes tell each other scores and weights, and add up their parts in order. */
interface Telling {
  readonly memory: string;
  /** Raises `high` to the highest of all scores `s`. */
  highest(lanes: number): string;
  readonly weigh: string;
  /** `add` for every slot i of a lane's part, with its weight w. */
  walk(LANES: number, add: string): string;
  /** Where there are parts there is one strip. */
  join(LANES: number): string;
}

const byMemory = (PARTS: number): Telling => ({
  memory: `
var<workgroup> score: array<f32, WORKGROUP>;
var<workgroup> weight: array<f32, WORKGROUP>; // exp(score - highest so far)
var<workgroup> part: array<Pack, WORKGROUP>;`,
  highest: () => `
score[lane] = s;
workgroupBarrier();
for (var i = 0u; i < count; i++) { high = max(high, score[i]); }`,
  weigh: `
weight[lane] = exp(s - high);
workgroupBarrier();`,
  walk: (LANES, add) => `
for (var i = lane / ${LANES}u; i < count; i += ${PARTS}u) {
let w = weight[i];
${add}
}`,
  join: (LANES) => `
score[lane] = sum;
part[lane] = value0;
workgroupBarrier();
for (var i = d + ${LANES}u; i < WORKGROUP && lane < ${LANES}u; i += ${LANES}u) {
sum += score[i];
value0 += part[i];
}`,
});

// All lanes shuffle, also those that have no slot left: from one that does not, nothing would come.
const byShuffles = (PARTS: number): Telling => ({
  memory: "",
  highest: (lanes) => each(lanes, (i) => `high = max(high, subgroupShuffle(s, ${i}u));`),
  weigh: "let weight = exp(s - high);",
  walk: (LANES, add) => `
for (var j = 0u; j < count; j += ${PARTS}u) {
let i = j + lane / ${LANES}u;
let w = subgroupShuffle(weight, min(i, WORKGROUP - 1u));
if (i < count) {
${add}
}
}`,
  join: (LANES) => `
let mine = sum;
let values = value0;
${
    each(PARTS - 1, (p) => `
sum += subgroupShuffle(mine, d + ${(p + 1) * LANES}u);
value0 += subgroupShuffle(values, d + ${(p + 1) * LANES}u);`)
  }`,
});

const texts = new Map<string, string>(); // by what they are written for

/** The whole text but for the Pack, the same object each time. */
export function attendCode(choice: AttendChoice): string {
  const key = JSON.stringify(choice);
  let text = texts.get(key);
  if (!text) texts.set(key, text = [finite, head, attendText(choice)].join("\n"));
  return text;
}
