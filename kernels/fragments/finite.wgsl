// Joined to kernels that look for the largest number, or that must tell numbers from infinity and NaN.
const LOWEST = -0x1.fffffep+127f; // no number is less
const INFINITE = 0x7f800000u; // magnitudes from here on are those of infinity and NaN

// The bits without the sign: comparisons with infinity and NaN may be folded away.
fn magnitude(x: f32) -> u32 { return bitcast<u32>(x) & 0x7fffffffu; }
