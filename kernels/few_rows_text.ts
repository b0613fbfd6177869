/** The WGSL of few_rows.wgsl's `multiply`, whose lines are repeated for each row and strip of columns. @module */
import { each } from "./fragments/lines.ts";

/**
 * How the lanes share the work.
 * - "shuffle": a workgroup is one subgroup of 8 lanes, which loads 32 k's of a row of a together and hands
 *   them round by shuffles. For software adapters, where a load costs once a lane; up to four rows.
 * - "parts": 8 lanes own 32 columns, and the lanes below them a part of k each; loads of b are 128 bytes
 *   side by side, however few the columns are, and there are still many of them.
 * - "along_k": 32 lanes walk along the rows of b (N, K) together.
 */
export type Sharing = "shuffle" | "parts" | "along_k";

/** Rows of out and vec4 strips, 32 columns apart, of one lane. */
export interface Block {
  readonly ROWS: number;
  readonly STRIPS: number;
}

/** One product more in a sum. */
type Plus = (sum: string, b: string, x: string) => string;

/** Rounded once: hardware may not choose one way for one row and the other for sixteen. */
const fused: Plus = (sum, b, x) => `${sum} = fma(${b}, vec4f(${x}), ${sum});`;

/**
 * Rounded twice. So llvmpipe does with `fma` too, but compiles that to code which takes up to six times as
 * long, by what stands behind the loop.
 */
const apart: Plus = (sum, b, x) => `${sum} += ${b} * ${x};`;

/** Adds four k's from `k` on to every sum. */
function addFour({ ROWS, STRIPS }: Block, transposed: boolean, plus: Plus): string {
  const rows = (b: string, j: number, s: number): string =>
    each(ROWS, (r) => plus(`sum${r}_${s}`, b, `x${r}[${j}]`));
  if (transposed) {
    return each(STRIPS, (s) =>
      `let right${s} = transposedB(k, column + ${32 * s}u);\n` +
      each(4, (j) => rows(`right${s}[${j}]`, j, s)));
  }
  // Row of b after row of b, each from left to right, as they lie in memory.
  return `let first = (k * dims.ldB + min(column, dims.N - 4u)) / 4u;\n` +
    each(
      4,
      (j) =>
        each(STRIPS, (s) =>
          `let b${j}_${s} = bAt(first + ${j}u * (dims.ldB / 4u) + ${8 * s}u);\n` +
          rows(`b${j}_${s}`, j, s)),
    );
}

const begin = ({ ROWS, STRIPS }: Block): string => `
@compute @workgroup_size(WORKGROUP)
fn multiply(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
let row = group.y * ${ROWS}u;
let column = (group.x * ${
  8 * STRIPS
}u + lane % 8u) * 4u; // lanes past the last help their neighbours
${each(ROWS, (r) => each(STRIPS, (s) => `var sum${r}_${s} = vec4f();`))}
`;

/** Two steps before they are read. */
const touchNext = ({ STRIPS }: Block): string => `
let strip = group.x * ${32 * STRIPS}u;
${each(STRIPS, (s) => `ahead = touched(ahead, strip + ${32 * s}u, k + 8u, lane);`)}
`;

const shuffle = (block: Block, transposed: boolean): string =>
  `${begin(block)}
var ahead = 0.0;
for (var chunk = 0u; chunk < dims.K; chunk += 32u) {
${each(block.ROWS, (r) => `let a${r} = aAt(row + ${r}u, chunk + 4u * lane);`)}
for (var i = 0u; i < min(8u, (dims.K - chunk) / 4u); i++) {
let k = chunk + 4u * i;
${transposed ? "" : `if (AHEAD) {${touchNext(block)}}`}
${each(block.ROWS, (r) => `let x${r} = subgroupShuffle(a${r}, i);`)}
${addFour(block, transposed, apart)}
}}
if (AHEAD) { sum0_0 *= one(ahead); }
${
    each(
      block.ROWS,
      (r) => each(block.STRIPS, (s) => `store(row + ${r}u, column + ${32 * s}u, sum${r}_${s});`),
    )
  }
}`;

const parts = (block: Block): string => `
var<workgroup> part: array<vec4f, WORKGROUP>; // four columns of one row, over a part of k
${begin(block)}
let length = (dims.K / 4u + WORKGROUP / 8u - 1u) / (WORKGROUP / 8u) * 4u; // of a part
for (var k = lane / 8u * length; k < min((lane / 8u + 1u) * length, dims.K); k += 4u) {
${each(block.ROWS, (r) => `let x${r} = aAt(row + ${r}u, k);`)}
${addFour(block, false, fused)}
}
${
  each(block.ROWS, (r) => `
part[lane] = sum${r}_0;
workgroupBarrier();
if (lane < 8u) {
for (var i = 8u; i < WORKGROUP; i += 8u) { sum${r}_0 += part[lane + i]; }
store(row + ${r}u, column, sum${r}_0);
}
workgroupBarrier();`)
}
}`;

const alongK = ({ ROWS }: Block): string => `
@compute @workgroup_size(WORKGROUP)
fn multiply(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
let row = group.y * ${ROWS}u;
let column = (group.x * (WORKGROUP / 32u) + lane / 32u) * 4u;
let ld = dims.ldB / 4u;
let rows = min(column + STEP, vec4u(dims.N - 1u)) * ld;
${each(ROWS, (r) => `var sum${r} = vec4f();`)}
for (var i = lane % 32u; i < dims.K / 4u; i += 32u) {
let right = transpose(mat4x4f(bAt(rows.x + i), bAt(rows.y + i), bAt(rows.z + i), bAt(rows.w + i)));
${
  each(ROWS, (r) =>
    `let x${r} = aAt(row + ${r}u, 4u * i);\n` +
    each(4, (j) => fused(`sum${r}`, `right[${j}]`, `x${r}[${j}]`)))
}
}
${
  each(ROWS, (r) => `
sum${r} = added(lane, sum${r});
if (lane % 32u == 0u) { store(row + ${r}u, column, sum${r}); }`)
}
}`;

/** `multiply`. Only "shuffle" takes more than one strip. */
export function multiplyText(sharing: Sharing, block: Block, transposed: boolean): string {
  if (sharing === "along_k") return alongK(block);
  return sharing === "parts" ? parts(block) : shuffle(block, transposed);
}
