// Joined to kernels that draw: Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers:
// as easy as 1, 2, 3"), four words that depend on nothing but a counter and a seed; as in base/random.ts.
// High and low word of a * b, by 16-bit halves: WGSL has no 64-bit product.
fn wide(a: u32, b: u32) -> vec2u {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let mid = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let cross = (a & 0xffffu) * (b >> 16u) + (mid & 0xffffu);
  return vec2u((a >> 16u) * (b >> 16u) + (mid >> 16u) + (cross >> 16u), a * b);
}

fn philox(counter: vec4u, seed: vec2u) -> vec4u {
  var c = counter;
  var key = seed;
  for (var round = 0u; round < 10u; round++) {
    let x = wide(0xD2511F53u, c.x);
    let z = wide(0xCD9E8D57u, c.z);
    c = vec4u(z.x ^ c.y ^ key.x, z.y, x.x ^ c.w ^ key.y, x.y);
    key += vec2u(0x9E3779B9u, 0xBB67AE85u);
  }
  return c;
}
