// Half precision as storage: `unpack2x16float` is part of every WebGPU; the extension `f16` is not, and
// no faster where it was tried. Unpacking is exact.
alias Half = u32; // two neighbours, the first in the low bits
alias Half4 = vec2u;
fn halfOf(pair: u32, i: u32) -> f32 { return unpack2x16float(pair)[i % 2u]; }
fn fourOf(pairs: vec2u) -> vec4f {
  return vec4f(unpack2x16float(pairs.x), unpack2x16float(pairs.y));
}
