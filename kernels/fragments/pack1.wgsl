// A Pack is one element: in front of a kernel whose rows are no multiple of four.
alias Pack = f32;
const PACK = 1u; // elements in one Pack
fn fold(p: Pack) -> f32 { return p; }
fn highest(p: Pack) -> f32 { return p; }
fn bits(p: Pack) -> u32 { return bitcast<u32>(p) & 0x7fffffffu; } // the largest magnitude's
// `p` where its column, from `first` on, is before `end`, and `other` elsewhere.
fn before(end: u32, first: u32, p: Pack, other: f32) -> Pack { return select(other, p, first < end); }
