//! Shutdowns that hang night after night. After three in a row the bot asks people, and keeps the Droplet running until they answer.

use serde::{Deserialize, Serialize};

use super::{Paused, Power, Schedule, State};
use crate::operation::ids::UserId;

/// After this many in a row, the bot asks people.
pub const ENOUGH: u8 = 3;

/// The state of a schedule's shutdowns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HungShutdowns {
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
    /// They were not asked.
    #[default]
    No,
    /// They were asked and have not answered.
    Open,
    /// A person wants the schedule to keep shutting the Droplet down. People are not asked again until a shutdown succeeds.
    ShutDownStill,
}

/// The outcome of a run's shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// It did not end in time.
    Hung,
    /// The Droplet was shut down.
    Done,
}

/// A person's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter)]
pub enum HangAnswer {
    /// *Keep shutting down*.
    ShutDown,
    /// *Stay live*: from now on the Droplet keeps running.
    StayLive,
    /// *Pause*.
    Pause,
}

impl Schedule {
    /// Records how a shutdown went. Returns whether to ask people now.
    pub fn note_shutdown(&mut self, shutdown: Shutdown) -> bool {
        let hangs = &mut self.watched.hangs;
        match shutdown {
            Shutdown::Done => *hangs = HungShutdowns::default(),
            Shutdown::Hung => hangs.in_a_row = hangs.in_a_row.saturating_add(1),
        }
        let asks = hangs.in_a_row >= ENOUGH && hangs.asked == Asked::No;
        if asks {
            hangs.asked = Asked::Open;
            self.watched.hangs_answered = None;
        }
        asks
    }

    /// Whether the next run shuts the Droplet down. It does not while people are asked about shutdowns that hang.
    pub fn power_now(&self) -> Power {
        match (self.power, self.watched.hangs.asked) {
            (Power::Live, _) | (Power::Off, Asked::Open) => Power::Live,
            (Power::Off, Asked::No | Asked::ShutDownStill) => Power::Off,
        }
    }

    /// Records an answer. Returns `false` if people were not asked, or another person answered first.
    pub fn answer_hangs(&mut self, answer: HangAnswer, by: UserId) -> bool {
        if self.watched.hangs.asked != Asked::Open {
            return false;
        }
        self.watched.hangs = HungShutdowns::default();
        match answer {
            HangAnswer::ShutDown => self.watched.hangs.asked = Asked::ShutDownStill,
            HangAnswer::StayLive => self.power = Power::Live,
            HangAnswer::Pause => self.state = State::Paused { until: None, why: Paused::By(by) },
        }
        true
    }
}
