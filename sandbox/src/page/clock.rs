//! The clock as the page knows it: how far it is ahead of the machine's, and whether it runs fast.
//!
//! Anyone who starts the page holds the other ends; a page without them shows no clock. Before a person acts in a Channel the clock
//! goes at its own pace again: Discord gives a bot three seconds for its answer and fifteen minutes for an Interaction.

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

/// How the clock is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockState {
    /// How far it is ahead of the machine's.
    pub ahead: SignedDuration,
    /// Whether it runs fast.
    pub is_fast: bool,
}

/// What people may do to the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockOrder {
    /// Lets a week pass, as fast as the bot can follow.
    Week,
    /// Lets it go at its own pace.
    Stop,
}

/// The page's ends of the strings that move the clock.
#[derive(Clone, Debug)]
pub struct ClockStrings {
    /// How it is.
    pub state: watch::Receiver<ClockState>,
    /// Where orders go.
    pub orders: mpsc::Sender<ClockOrder>,
}

impl ClockStrings {
    pub(super) fn json(&self) -> Value {
        let state = *self.state.borrow();
        json!({"ahead": i64::try_from(state.ahead.as_millis()).unwrap_or(i64::MAX), "fast": state.is_fast})
    }

    /// Returns once the clock goes at its own pace.
    pub(super) async fn calm(&self) {
        let mut state = self.state.clone();
        if state.borrow_and_update().is_fast {
            // Anyone who started the page may be on the way out: then nobody moves the clock any more.
            let _ = self.orders.send(ClockOrder::Stop).await;
            let _ = state.wait_for(|state| !state.is_fast).await;
        }
    }
}
