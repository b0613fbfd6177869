// Draws the next token of every row and moves the row on, so that decoding needs no host.
//   x[v] = logits[b, v] / temperature;   p[v] = exp(x[v]) / sum_u exp(x[u])
//   token = the v in which u * sum falls when the exp(x[v]) are laid end to end (inverse CDF), or
//           the lowest v of the largest logit when greedy;   logprob = log p[token]
// A row with a logit that is infinite or NaN draws nothing: finished becomes 2.
// u is word 0 of Philox4x32-10 at row row0 + b, token drawn[b] and step `stream` of the sampler's stream
// (base/random.ts): splitting a batch does not change what is drawn.
// B batch, V vocabulary, rows of logits `ld` apart, S tokens a row. One workgroup owns one row. The
// search goes down by a factor of WORKGROUP a level: every lane sums one part of the range that is
// left, and lane 0 walks the parts in order, so the result does not depend on timing.
override WORKGROUP: u32; // threads per workgroup, set by the launcher
// magnitude: fragments/finite.wgsl; philox, counterOf: fragments/philox.ts
struct Dims { V: u32, ld: u32, S: u32 }
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> logits: array<f32>; //           (B, ld)
@group(0) @binding(2) var<storage, read> control: array<u32>; //          (8) see sampleControl
@group(0) @binding(3) var<storage, read_write> position: array<u32>; //   (B) of the last token: + 1
@group(0) @binding(4) var<storage, read_write> finished: array<u32>; //   (B) not 0: the row stays so
@group(0) @binding(5) var<storage, read_write> drawn: array<u32>; //      (B) tokens drawn so far
@group(0) @binding(6) var<storage, read_write> token: array<u32>; //      (B) the token drawn
@group(0) @binding(7) var<storage, read_write> tokens: array<u32>; //     (B, S) at the new position
@group(0) @binding(8) var<storage, read_write> logprobs: array<f32>; //   (B, S) at the new position

var<workgroup> stop: u32;
var<workgroup> high: f32; // largest logit, subtracted so that exp cannot overflow
var<workgroup> start: u32; // of the range that is left
var<workgroup> part: array<f32, WORKGROUP>;
var<workgroup> best: array<u32, WORKGROUP>; // index of each lane's largest logit
var<workgroup> extreme: array<u32, WORKGROUP>; // largest magnitude of each lane's logits

@compute @workgroup_size(WORKGROUP)
fn draw(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let b = group.x; // the grid is exactly (B)
  if (lane == 0u) { stop = select(0u, 1u, finished[b] != 0u || position[b] + 1u >= dims.S); }
  if (workgroupUniformLoad(&stop) == 1u) { return; }
  let row = b * dims.ld;
  let seed = vec2u(control[0], control[1]);
  let greedy = control[5] == 1u;
  let inverse = 1.0 / bitcast<f32>(control[6]);
  let most = (dims.V + WORKGROUP - 1u) / WORKGROUP;

  var top = min(lane * most, dims.V - 1u);
  var largest = logits[row + top];
  var furthest = 0u; // the largest magnitude
  for (var v = top; v < min((lane + 1u) * most, dims.V); v++) {
    let x = logits[row + v];
    furthest = max(furthest, magnitude(x));
    if (x > largest) {
      top = v;
      largest = x;
    }
  }
  part[lane] = largest;
  best[lane] = top;
  extreme[lane] = furthest;
  workgroupBarrier();
  if (lane == 0u) {
    for (var i = 1u; i < WORKGROUP; i++) { // strictly larger: the lowest index wins
      if (part[i] > part[0]) {
        part[0] = part[i];
        best[0] = best[i];
      }
      extreme[0] = max(extreme[0], extreme[i]);
    }
    if (extreme[0] >= INFINITE) {
      finished[b] = 2u;
      stop = 1u;
    }
    high = part[0];
    start = 0u;
  }
  if (workgroupUniformLoad(&stop) == 1u) { return; }

  var total = 0.0; // lane 0 alone uses these two
  var goal = 0.0; // where u falls in the range that is left
  for (var width = dims.V; ; width = (width + WORKGROUP - 1u) / WORKGROUP) {
    let size = (width + WORKGROUP - 1u) / WORKGROUP; // of one part
    let end = min(start + width, dims.V);
    var sum = 0.0;
    for (var v = start + lane * size; v < min(start + (lane + 1u) * size, end); v++) {
      sum += exp((logits[row + v] - high) * inverse); // the difference first: it loses no digits
    }
    part[lane] = sum;
    workgroupBarrier();
    if (lane == 0u) {
      if (width == dims.V) { // the first level
        for (var i = 0u; i < WORKGROUP; i++) { total += part[i]; }
        let counter = counterOf(control[3] + b, drawn[b], control[2]);
        goal = f32(philox(counter, seed).x >> 8u) * 0x1p-24 * total;
      }
      var chosen = 0u;
      var before = 0.0; // sum of the parts before the chosen one
      var passed = 0.0;
      for (var i = 0u; i < WORKGROUP && passed <= goal; i++) {
        if (part[i] > 0.0) { // rounding may leave the goal past the end: the last part that counts
          chosen = i;
          before = passed;
          passed += part[i];
        }
      }
      start += chosen * size;
      goal -= before;
    }
    workgroupBarrier();
    if (size == 1u || greedy) { break; }
  }
  if (lane > 0u) { return; }
  let choice = select(start, best[0], greedy);
  let to = position[b] + 1u;
  tokens[b * dims.S + to] = choice;
  logprobs[b * dims.S + to] = (logits[row + choice] - high) * inverse - log(total);
  token[b] = choice;
  position[b] = to;
  drawn[b] += 1u;
  if (choice == control[4]) { finished[b] = 1u; }
}
