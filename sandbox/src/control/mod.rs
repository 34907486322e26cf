//! How tests observe a simulated service and make it misbehave, in the same vocabulary for both services: a journal of requests, gates that
//! stop requests, and faults. A pattern selects the requests for a gate or a fault.
//!
//! Nothing here knows the meaning of a request: each service describes its own requests as `pattern::Seen`.

pub mod fault;
pub mod gate;
pub mod journal;
pub mod pattern;
