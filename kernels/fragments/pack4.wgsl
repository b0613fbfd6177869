// A Pack is four neighbours of a row: in front of a kernel whose rows are whole fours.
alias Pack = vec4f;
const PACK = 4u; // elements in one Pack
fn fold(p: Pack) -> f32 { return p.x + p.y + p.z + p.w; }
fn highest(p: Pack) -> f32 { return max(max(p.x, p.y), max(p.z, p.w)); }
fn bits(p: Pack) -> u32 { // the largest magnitude's
  let all = bitcast<vec4u>(p) & vec4u(0x7fffffffu);
  return max(max(all.x, all.y), max(all.z, all.w));
}
// `p` where its columns, from `first` on, are before `end`, and `other` elsewhere.
fn before(end: u32, first: u32, p: Pack, other: f32) -> Pack {
  return select(vec4f(other), p, vec4u(first) + vec4u(0u, 1u, 2u, 3u) < vec4u(end));
}
