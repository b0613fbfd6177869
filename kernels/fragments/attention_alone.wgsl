// Joined to attention_one.wgsl where each lane has a row of its own.
fn none(seen: Seen) -> bool { return !seen; }
