//! The bot as the page knows it: something that runs or not, and that takes two orders.
//!
//! Anyone who starts the page holds the other ends; a page without them shows no such buttons.

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};

/// How the bot is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum BotState {
    /// Its process is being started.
    Starting,
    /// Its loops run.
    Running,
    /// It was killed, without a chance to tidy up.
    Killed,
    /// It ended by itself.
    Failed {
        /// Why.
        why: String,
    },
}

/// What people may do to the bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Ends it on the spot, as a power cut would.
    Kill,
    /// Starts it on what it remembers.
    Start,
}

/// The page's ends of the strings that move the bot.
#[derive(Clone, Debug)]
pub struct BotStrings {
    /// How it is.
    pub state: watch::Receiver<BotState>,
    /// Where orders go.
    pub orders: mpsc::Sender<Order>,
}
