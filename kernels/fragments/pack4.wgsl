// A Pack is four neighbours of a row: in front of a kernel whose rows are whole fours.
alias Pack = vec4f;
const PACK = 4u; // elements in one Pack
fn fold(p: Pack) -> f32 { return p.x + p.y + p.z + p.w; }
