// Removes improbable tokens before `sample` draws: what is left keeps its logit, the rest gets DROPPED.
//   z[v] = logit of v; of tokens that stand in the row already divided by the penalty, or times it
//          where it is negative (Keskar et al. 2019, "CTRL", section 4.1)
//   p[v] = softmax(z / temperature); then, each on what the one before it left:
//   top-k keeps the k largest z; top-p (Holtzman et al. 2019, "The curious case of neural text
//   degeneration") those v where the p of all larger z sum to less than P; min-p (Nguyen et al. 2024,
//   "Turning up the heat") those v with p[v] >= M max p. Tokens of equal z stay or go together.
// Each of them is a lower bound on z, so nothing is sorted: the bound is found by bisection over the
// bit patterns of numbers, counting and summing what lies above. One workgroup owns one row, lane i
// its tokens v = i mod WORKGROUP; lane 0 adds the lanes in order, so the result does not depend on
// timing. B batch, V vocabulary, rows of logits `ld` apart, S tokens a row.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
// LOWEST, magnitude: fragments/finite.wgsl
struct Dims { B: u32, V: u32, ld: u32, S: u32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> logits: array<f32>; //           (B, ld)
@group(0) @binding(2) var<storage, read> control: array<u32>; //          (16) sample-, filterControl
@group(0) @binding(3) var<storage, read> position: array<u32>; //         (B) of the last token
@group(0) @binding(4) var<storage, read_write> finished: array<u32>; //   (B) as in sample.wgsl
@group(0) @binding(5) var<storage, read> tokens: array<u32>; //           (B, S) prompt and response
@group(0) @binding(6) var<storage, read_write> filtered: array<f32>; //   (B, ld)
@group(0) @binding(7) var<storage, read_write> norm: array<f32>; //       (B, 2) top, log sum exp((z - top) / temperature)
@group(0) @binding(8) var<storage, read_write> place: array<u32>; //      (B) of the token to draw
@group(0) @binding(9) var<storage, read_write> logprobs: array<f32>; //   (B, S) at `place`

const NONE = 0xffffffffu; // place of a row that stays as it is
const DROPPED = LOWEST; // exp gives 0; finite, as WGSL knows no infinity

struct Above { count: u32, mass: f32 }
var<workgroup> stop: u32;
var<workgroup> answer: Above;
var<workgroup> part: array<f32, WORKGROUP>;
var<workgroup> counted: array<u32, WORKGROUP>;

// A number as an integer of the same order.
fn key(z: f32) -> u32 {
  let bits = bitcast<u32>(z);
  return select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
}

fn number(key: u32) -> f32 {
  return bitcast<f32>(select(~key, key & 0x7fffffffu, (key >> 31u) == 1u));
}

// The largest of one number a lane.
fn largest(lane: u32, mine: f32) -> f32 {
  part[lane] = mine;
  workgroupBarrier();
  if (lane == 0u) {
    answer = Above(0u, part[0]);
    for (var i = 1u; i < WORKGROUP; i++) { answer.mass = max(answer.mass, part[i]); }
  }
  return workgroupUniformLoad(&answer).mass;
}

fn added(lane: u32, count: u32, mass: f32) -> Above {
  part[lane] = mass;
  counted[lane] = count;
  workgroupBarrier();
  if (lane == 0u) {
    answer = Above(0u, 0.0);
    for (var i = 0u; i < WORKGROUP; i++) {
      answer.count += counted[i];
      answer.mass += part[i];
    }
  }
  return workgroupUniformLoad(&answer);
}

// How many tokens have a key above `bound`, and the sum of exp((z - high) / temperature) over them.
fn above(row: u32, lane: u32, bound: u32, high: f32) -> Above {
  let inverse = 1.0 / bitcast<f32>(control[6]);
  var count = 0u;
  var mass = 0.0;
  for (var v = lane; v < dims.V; v += WORKGROUP) {
    let z = filtered[row + v];
    if (key(z) > bound) {
      count++;
      mass += exp((z - high) * inverse);
    }
  }
  return added(lane, count, mass);
}

@compute @workgroup_size(WORKGROUP)
fn filter_row(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let b = group.x; // the grid is exactly (B)
  if (lane == 0u) {
    let stays = finished[b] != 0u || position[b] + 1u >= dims.S;
    stop = select(0u, 1u, stays);
    place[b] = select(position[b] + 1u, NONE, stays);
  }
  if (workgroupUniformLoad(&stop) == 1u) { return; }
  let row = b * dims.ld;
  let inverse = 1.0 / bitcast<f32>(control[6]);
  let penalty = bitcast<f32>(control[11]);

  var mine = DROPPED;
  for (var v = lane; v < dims.V; v += WORKGROUP) {
    let z = logits[row + v];
    filtered[row + v] = select(z, 0.0, z == 0.0); // -0 and 0 are equal, their keys are not
    mine = max(mine, z);
  }
  let raw = largest(lane, mine);
  var mass = 0.0;
  var broken = 0u; // logits that are infinite or NaN
  for (var v = lane; v < dims.V; v += WORKGROUP) {
    broken += select(0u, 1u, magnitude(logits[row + v]) >= INFINITE);
    mass += exp((logits[row + v] - raw) * inverse);
  }
  let all = added(lane, broken, mass);
  if (all.count > 0u) {
    if (lane == 0u) {
      finished[b] = 2u;
      place[b] = NONE;
    }
    return;
  }
  if (lane == 0u) {
    norm[b * 2u] = raw;
    norm[b * 2u + 1u] = log(all.mass);
  }

  if (penalty != 1.0) {
    for (var s = 0u; s <= position[b]; s++) {
      let v = tokens[b * dims.S + s];
      if (v % WORKGROUP == lane) { // from `logits`, so that a second time changes nothing
        let z = logits[row + v];
        filtered[row + v] = select(z / penalty, z * penalty, z < 0.0);
      }
    }
  }
  mine = DROPPED;
  var lowest = -DROPPED;
  for (var v = lane; v < dims.V; v += WORKGROUP) {
    mine = max(mine, filtered[row + v]);
    lowest = min(lowest, filtered[row + v]);
  }
  let top = largest(lane, mine);

  var low = key(-largest(lane, -lowest)) - 1u; // kept are the keys above it
  for (var which = 0u; which < 2u; which++) { // top-k, then top-p
    let k = control[8];
    let p = bitcast<f32>(control[9]);
    if (select(p >= 1.0, k == 0u || k >= dims.V, which == 0u)) { continue; }
    var kept = above(row, lane, low, top);
    let goal = p * kept.mass;
    var end = key(top); // too high a bound: too little lies above
    var beyond = 0u; // tokens above `end`
    var even = true;
    // A single token between the bounds is the last one needed.
    while (end - low > 1u && kept.count - beyond > 1u) {
      // Halving the numbers is quick where they are spread evenly, halving the keys ends everywhere.
      let half = key(number(low) * 0.5 + number(end) * 0.5);
      let middle = select(low + (end - low) / 2u, half, even && half > low && half < end);
      let seen = above(row, lane, middle, top);
      if (select(seen.mass >= goal, seen.count >= k, which == 0u)) {
        low = middle;
        kept = seen;
      } else {
        end = middle;
        beyond = seen.count;
      }
      even = !even;
    }
  }
  let least = bitcast<f32>(control[10]);
  for (var v = lane; v < dims.V; v += WORKGROUP) {
    let z = filtered[row + v];
    let probable = z == top || exp((z - top) * inverse) >= least; // the best stays, come what may
    if (key(z) <= low || !probable) { filtered[row + v] = DROPPED; }
  }
}

// After `sample` drew: the log-probability of its token as if nothing had been filtered.
@compute @workgroup_size(WORKGROUP)
fn unfiltered(@builtin(global_invocation_id) id: vec3u) {
  let b = id.x;
  if (b >= dims.B || control[12] == 1u) { return; }
  let to = place[b];
  if (to == NONE) { return; }
  let z = logits[b * dims.ld + tokens[b * dims.S + to]];
  logprobs[b * dims.S + to] = (z - norm[b * 2u]) / bitcast<f32>(control[6]) - norm[b * 2u + 1u];
}
