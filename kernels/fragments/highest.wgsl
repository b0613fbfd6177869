// What a lane knows of its part of a row of logits.
struct Highest {
  top: f32, // the largest
  extreme: u32, // the bits of the largest magnitude
}
