//! The clock as the page knows it: how far it is ahead of the machine's, and whether it runs fast.
//!
//! The program that starts the page holds the other ends. Without them, the page shows no clock. Before a person acts in a Channel, the
//! clock returns to its own pace: Discord gives a bot three seconds for its answer and fifteen minutes for an Interaction.

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

/// The state of the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockState {
    /// How far it is ahead of the machine's clock.
    pub ahead: SignedDuration,
    /// Whether it runs fast.
    pub is_fast: bool,
}

/// An order for the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockOrder {
    /// Let a week pass, as fast as the bot can follow.
    Week,
    /// Let it run at its own pace.
    Stop,
}

/// The page's handle to control the clock.
#[derive(Clone, Debug)]
pub struct ClockStrings {
    /// The state of the clock.
    pub state: watch::Receiver<ClockState>,
    /// Where the page sends orders.
    pub orders: mpsc::Sender<ClockOrder>,
}

impl ClockStrings {
    pub(super) fn json(&self) -> Value {
        let state = *self.state.borrow();
        json!({"ahead": i64::try_from(state.ahead.as_millis()).unwrap_or(i64::MAX), "fast": state.is_fast})
    }

    /// Returns once the clock runs at its own pace.
    pub(super) async fn calm(&self) {
        let mut state = self.state.clone();
        if state.borrow_and_update().is_fast {
            // The process may be shutting down, and then nothing moves the clock.
            let _ = self.orders.send(ClockOrder::Stop).await;
            let _ = state.wait_for(|state| !state.is_fast).await;
        }
    }
}
