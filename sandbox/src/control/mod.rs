//! How tests watch a simulated service and make it misbehave, in one vocabulary for both: a journal of what was asked, gates that
//! stop requests, and faults; a pattern says which requests a gate or a fault means.
//!
//! Nothing here knows what a request is about: each service describes its own as `pattern::Seen`.

pub mod fault;
pub mod gate;
pub mod journal;
pub mod pattern;
