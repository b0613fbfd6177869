// GELU in its tanh form as an epilogue of a matrix product, and its slope; gelu.wgsl is the kernel of
// its own. Joined behind a Pack.
/// sqrt(2 / pi) (x + 0.044715 x^3), within the range where tanh still moves: some drivers build tanh
/// from exp, which overflows far out.
fn inner(x: Pack) -> Pack {
  return clamp(0.7978845608 * (x + 0.044715 * x * x * x), Pack(-15.0), Pack(15.0));
}
fn geluOf(x: Pack) -> Pack { return 0.5 * x * (1.0 + tanh(inner(x))); }
fn geluSlope(x: Pack) -> Pack {
  let t = tanh(inner(x));
  let s = clamp(x, Pack(-8.0), Pack(8.0)); // beyond, 1 - t^2 is 0, and x^2 may be infinite: NaN
  return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * 0.7978845608 * (1.0 + 0.134145 * s * s);
}
