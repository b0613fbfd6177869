// A Pack is one element: in front of a kernel whose rows are no multiple of four.
alias Pack = f32;
const PACK = 1u; // elements in one Pack
fn fold(p: Pack) -> f32 { return p; }
