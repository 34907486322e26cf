//! What can go wrong with a request to Discord.
//!
//! Requested by tests and the demo's switches, applied by the server. The consequences of a fault never lead to a complaint.

use std::time::Duration;

pub use crate::control::pattern::Pattern;
use crate::control::{self, fault::Effect};

/// A fault of this service.
pub type Fault = control::fault::Fault<Disturbance>;

impl Pattern {
    /// Selects first responses to Interactions with this command (`snapshot take`) or custom id.
    pub fn response_to(name: &str) -> Self {
        Self { method: Some("POST".to_owned()), about: Some(name.to_owned()), ..Self::at("/interactions/*/*/callback") }
    }
}

/// An effect on a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Disturbance {
    /// It is not executed; the answer is this error.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// Discord's code.
        code: u32,
        /// Discord's text.
        message: String,
    },
    /// Discord's edge answers with this status and a page instead of JSON.
    Down(u16),
    /// It is executed later.
    ExecuteLate(Duration),
    /// The connection is cut before it is executed.
    CutBefore,
    /// It is executed, but the connection is cut before the answer.
    CutAfter,
    /// 429 for this route.
    ThrottleRoute(Duration),
    /// 429 for all routes.
    ThrottleGlobal(Duration),
    /// It is executed, but the answer is not JSON.
    Malform,
}

impl Effect for Disturbance {}
