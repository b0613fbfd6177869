// GELU in its tanh form and its slope, for gelu.wgsl and as an epilogue of a matrix product. Joined
// behind a Pack.
//   out = x/2 (1 + tanh u) = x gate
//   (1 + tanh u) / 2 = gate = 1 / (1 + decay),   decay = exp(-2u),   u = sqrt(2 / pi) (x + 0.044715 x^3)
// One exponential in place of a tanh; and no 1 + tanh, of which little is left where x is far below 0.

/// exp(-2u), within the range where it is neither 0 nor infinite.
fn decay(x: Pack) -> Pack {
  let s = clamp(x, Pack(-10.0), Pack(10.0));
  return exp(-1.5957691216 * (s + 0.044715 * s * s * s));
}
fn geluOf(x: Pack) -> Pack { return max(x, Pack(-10.0)) / (1.0 + decay(x)); }
fn geluSlope(x: Pack) -> Pack {
  let s = clamp(x, Pack(-10.0), Pack(10.0)); // beyond, the second term is 0, and x^2 may be infinite
  let e = decay(x);
  let gate = 1.0 / (1.0 + e);
  return gate + gate * (gate * e) * s * 1.5957691216 * (1.0 + 0.134145 * s * s); // 1 - gate = gate e
}
