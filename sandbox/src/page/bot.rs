//! The bot as the page knows it: something that runs or not, and that accepts two orders.
//!
//! The program that starts the page holds the other ends. Without them, the page shows no such buttons.

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};

/// The state of the bot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum BotState {
    /// The bot is starting.
    Starting,
    /// The bot is running.
    Running,
    /// It was killed, without a chance to clean up.
    Killed,
    /// It ended on its own.
    Failed {
        /// The reason.
        why: String,
    },
}

/// An order for the bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Kill it immediately, as a power cut would.
    Kill,
    /// Start it on its existing database.
    Start,
}

/// The page's handle to control the bot.
#[derive(Clone, Debug)]
pub struct BotStrings {
    /// The state of the bot.
    pub state: watch::Receiver<BotState>,
    /// Where the page sends orders.
    pub orders: mpsc::Sender<Order>,
}
