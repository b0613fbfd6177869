// Joined to attention_one.wgsl where each lane has a row of its own.
// Whether a lane may leave out what it meets.
fn none(seen: Seen) -> bool { return !seen; }
