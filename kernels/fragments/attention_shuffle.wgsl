// Joined to attention.wgsl on adapters whose subgroups have 8 lanes, or 16 (llvmpipe), with workgroups of 8:
// a load there costs as much as eight scalar loads even if all lanes want the same address. So the lanes
// meet eight rows at a time: each brings one of them, and shuffles hand them round.
// All lanes take part to the end, also those whose own row lies behind the last. No fma here: llvmpipe takes
// it apart, to the same bits, and compiled forward with it for heads of 64 to code 5 to 7 times as slow.
const MANY = 8u;
struct Many { a: vec4f, b: vec4f } // a number for each row that is met
struct Seen { a: vec4<bool>, b: vec4<bool> }

// Eight rows from j on: lane i gets row j + i, or j where that is padding, whose numbers need not be finite.
fn key_row(rows: u32, j: u32, lane: u32) -> Row {
  let mine = row_of(rows, min(j + lane, dims.T - 1u));
  return Row(select(j, mine.at, mine.at < mine.end), mine.end, mine.position);
}
// Eight rows from t backwards: lane i gets row t - i, or t where there is none.
fn query_row(rows: u32, t: u32, lane: u32) -> Row {
  return row_of(rows, select(t, t - lane, lane <= t));
}

fn sees_key(t: Row, key: Row, j: u32, i: u32) -> bool {
  return sees(t, Row(j + i, subgroupShuffle(key.end, i), subgroupShuffle(key.position, i)));
}
fn seen_keys(t: Row, key: Row, j: u32) -> Seen {
  return Seen(
    vec4<bool>(
      sees_key(t, key, j, 0u), sees_key(t, key, j, 1u),
      sees_key(t, key, j, 2u), sees_key(t, key, j, 3u)),
    vec4<bool>(
      sees_key(t, key, j, 4u), sees_key(t, key, j, 5u),
      sees_key(t, key, j, 6u), sees_key(t, key, j, 7u)));
}
fn seen_from(j: Row, query: Row, t: u32, i: u32) -> bool {
  return sees(Row(t - i, 0u, subgroupShuffle(query.position, i)), j); // no row before 0 is below j.end
}
fn seen_queries(j: Row, query: Row, t: u32) -> Seen {
  return Seen(
    vec4<bool>(
      seen_from(j, query, t, 0u), seen_from(j, query, t, 1u),
      seen_from(j, query, t, 2u), seen_from(j, query, t, 3u)),
    vec4<bool>(
      seen_from(j, query, t, 4u), seen_from(j, query, t, 5u),
      seen_from(j, query, t, 6u), seen_from(j, query, t, 7u)));
}
fn none(seen: Seen) -> bool { return false; }
fn alike(x: f32) -> Many { return Many(vec4f(x), vec4f(x)); }
fn handed(x: f32) -> Many {
  return Many(
    vec4f(subgroupShuffle(x, 0u), subgroupShuffle(x, 1u), subgroupShuffle(x, 2u), subgroupShuffle(x, 3u)),
    vec4f(subgroupShuffle(x, 4u), subgroupShuffle(x, 5u), subgroupShuffle(x, 6u), subgroupShuffle(x, 7u)));
}

// s + a . x of the i-th lane's x.
fn joined(s: f32, a: vec4f, x: vec4f, i: u32) -> f32 {
  let y = subgroupShuffle(x, i);
  return s + (a.x * y.x + (a.y * y.y + (a.z * y.z + a.w * y.w)));
}
fn scored(s: Many, a: vec4f, x: vec4f) -> Many {
  return Many(
    vec4f(
      joined(s.a.x, a, x, 0u), joined(s.a.y, a, x, 1u),
      joined(s.a.z, a, x, 2u), joined(s.a.w, a, x, 3u)),
    vec4f(
      joined(s.b.x, a, x, 4u), joined(s.b.y, a, x, 5u),
      joined(s.b.z, a, x, 6u), joined(s.b.w, a, x, 7u)));
}

fn plus(sum: vec4f, p: f32, x: vec4f, i: u32) -> vec4f {
  return sum + p * subgroupShuffle(x, i);
}
fn added(sum: vec4f, p: Many, x: vec4f) -> vec4f {
  let low = plus(plus(plus(plus(sum, p.a.x, x, 0u), p.a.y, x, 1u), p.a.z, x, 2u), p.a.w, x, 3u);
  return plus(plus(plus(plus(low, p.b.x, x, 4u), p.b.y, x, 5u), p.b.z, x, 6u), p.b.w, x, 7u);
}
fn kept(sum: vec4f, soft: Soft, x: vec4f) -> vec4f {
  let keep = soft.keep;
  let p = soft.p;
  var y = plus(sum * keep.a.x, p.a.x, x, 0u);
  y = plus(y * keep.a.y, p.a.y, x, 1u);
  y = plus(y * keep.a.z, p.a.z, x, 2u);
  y = plus(y * keep.a.w, p.a.w, x, 3u);
  y = plus(y * keep.b.x, p.b.x, x, 4u);
  y = plus(y * keep.b.y, p.b.y, x, 5u);
  y = plus(y * keep.b.z, p.b.z, x, 6u);
  return plus(y * keep.b.w, p.b.w, x, 7u);
}

struct Soft { last: Step, keep: Many, p: Many }
fn soften(before: Step, s: Many, seen: Seen) -> Soft {
  let s0 = with_key(before, s.a.x, seen.a.x);
  let s1 = with_key(s0, s.a.y, seen.a.y);
  let s2 = with_key(s1, s.a.z, seen.a.z);
  let s3 = with_key(s2, s.a.w, seen.a.w);
  let s4 = with_key(s3, s.b.x, seen.b.x);
  let s5 = with_key(s4, s.b.y, seen.b.y);
  let s6 = with_key(s5, s.b.z, seen.b.z);
  let s7 = with_key(s6, s.b.w, seen.b.w);
  return Soft(
    s7,
    Many(vec4f(s0.keep, s1.keep, s2.keep, s3.keep), vec4f(s4.keep, s5.keep, s6.keep, s7.keep)),
    Many(vec4f(s0.p, s1.p, s2.p, s3.p), vec4f(s4.p, s5.p, s6.p, s7.p)));
}

// p of scores, and their gradient, without the scale.
fn probability(s: Many, top: Many, rest: Many, seen: Seen) -> Many {
  return Many(
    select(vec4f(), exp(s.a - top.a - rest.a), seen.a),
    select(vec4f(), exp(s.b - top.b - rest.b), seen.b));
}
fn dscore(p: Many, dp: Many, delta: Many) -> Many {
  return Many(p.a * (dp.a - delta.a), p.b * (dp.b - delta.b));
}
fn times(x: Many, by: f32) -> Many { return Many(x.a * by, x.b * by); }
