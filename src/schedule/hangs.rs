//! Shutdowns that hang night after night: after three in a row the bot asks people, and keeps the Droplet running until they answer.

use serde::{Deserialize, Serialize};

use super::{Paused, Power, Schedule, State};
use crate::operation::ids::UserId;

/// After so many in a row people are asked.
pub const ENOUGH: u8 = 3;

/// What is known of a schedule's shutdowns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hangs {
    /// How many hung in a row.
    #[serde(default)]
    pub in_a_row: u8,
    /// Whether people were asked about them.
    #[serde(default)]
    pub asked: Asked,
}

/// Whether people were asked what to do about shutdowns that hang.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Asked {
    /// They were not.
    #[default]
    No,
    /// They were, and nobody has answered.
    Open,
    /// Somebody wants it to shut down all the same; they are not asked again until a shutdown succeeds.
    ShutDownStill,
}

/// How the shutdown of one run went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// It did not end in time.
    Hung,
    /// The Droplet was shut down.
    Done,
}

/// What somebody answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter)]
pub enum HangAnswer {
    /// *Keep shutting down*.
    ShutDown,
    /// *Stay live*: from now on nothing is shut down.
    StayLive,
    /// *Pause*.
    Pause,
}

impl Schedule {
    /// Folds in how a shutdown went. Whether people are to be asked now.
    pub fn note_shutdown(&mut self, shutdown: Shutdown) -> bool {
        let hangs = &mut self.watched.hangs;
        match shutdown {
            Shutdown::Done => *hangs = Hangs::default(),
            Shutdown::Hung => hangs.in_a_row = hangs.in_a_row.saturating_add(1),
        }
        let asks = hangs.in_a_row >= ENOUGH && hangs.asked == Asked::No;
        if asks {
            hangs.asked = Asked::Open;
            self.watched.hangs_answered = None;
        }
        asks
    }

    /// Whether the Droplet is shut down for the next run: not while people are asked about shutdowns that hang.
    pub fn power_now(&self) -> Power {
        match (self.power, self.watched.hangs.asked) {
            (Power::Live, _) | (Power::Off, Asked::Open) => Power::Live,
            (Power::Off, Asked::No | Asked::ShutDownStill) => Power::Off,
        }
    }

    /// Takes an answer into account. False if nobody was asked, or somebody else was quicker.
    pub fn answer_hangs(&mut self, answer: HangAnswer, by: UserId) -> bool {
        if self.watched.hangs.asked != Asked::Open {
            return false;
        }
        self.watched.hangs = Hangs::default();
        match answer {
            HangAnswer::ShutDown => self.watched.hangs.asked = Asked::ShutDownStill,
            HangAnswer::StayLive => self.power = Power::Live,
            HangAnswer::Pause => self.state = State::Paused { until: None, why: Paused::By(by) },
        }
        true
    }
}
