// Joined to attention.wgsl: a lane meets one row of the other side at a time, the same as all others of
// its workgroup, so that one load serves them all. `none`: attention_alone.wgsl or attention_share.wgsl.
const MANY = 1u;
alias Many = f32; // a number for each row that is met
alias Seen = bool;

fn key_row(rows: u32, j: u32, lane: u32) -> Row { return row_of(rows, j); }
fn query_row(rows: u32, t: u32, lane: u32) -> Row { return row_of(rows, t); }
fn seen_keys(t: Row, key: Row, j: u32) -> Seen { return sees(t, key); }
fn seen_queries(j: Row, query: Row, t: u32) -> Seen { return sees(query, j); }
fn alike(x: f32) -> Many { return x; }
fn handed(x: f32) -> Many { return x; }

fn scored(s: Many, a: vec4f, x: vec4f) -> Many { return s + dot(a, x); }
fn added(sum: vec4f, p: Many, x: vec4f) -> vec4f { return sum + p * x; }
fn kept(sum: vec4f, soft: Soft, x: vec4f) -> vec4f { return sum * soft.keep + soft.p * x; }

struct Soft { last: Step, keep: Many, p: Many }
fn soften(before: Step, s: Many, seen: Seen) -> Soft {
  let x = with_key(before, s, seen);
  return Soft(x, x.keep, x.p);
}

// p of scores, and their gradient, without the scale.
fn probability(s: Many, top: Many, rest: Many, seen: Seen) -> Many {
  return select(0.0, exp(s - top - rest), seen);
}
fn dscore(p: Many, dp: Many, delta: Many) -> Many { return p * (dp - delta); }
fn times(x: Many, by: f32) -> Many { return x * by; }
