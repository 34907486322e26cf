//! What can go wrong with a request to Discord.
//!
//! Asked for by tests and the demo's switches; carried out by the server. What a fault caused is never a complaint.

use std::time::Duration;

pub use crate::control::pattern::Pattern;
use crate::control::{self, fault::Effect};

/// A fault of this service.
pub type Fault = control::fault::Fault<Disturbance>;

impl Pattern {
    /// First responses to Interactions with this command (`snapshot take`) or custom id.
    pub fn response_to(name: &str) -> Self {
        Self { method: Some("POST".to_owned()), about: Some(name.to_owned()), ..Self::at("/interactions/*/*/callback") }
    }
}

/// What happens to a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Disturbance {
    /// It is not carried out; the answer is this refusal.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// Discord's code.
        code: u32,
        /// Discord's text.
        message: String,
    },
    /// Discord's edge answers with this status and a page, not JSON.
    Down(u16),
    /// It is carried out later.
    ExecuteLate(Duration),
    /// The connection is cut before it is carried out.
    CutBefore,
    /// It is carried out, and the connection is cut before the answer.
    CutAfter,
    /// 429 for this route.
    ThrottleRoute(Duration),
    /// 429 for everything.
    ThrottleGlobal(Duration),
    /// It is carried out, and the answer is no JSON.
    Malform,
}

impl Effect for Disturbance {}
