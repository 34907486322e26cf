//! What the bot reports about an operation: each kind of report is one message, posted once.

use serde::{Deserialize, Serialize};
use strum::VariantArray as _;

use super::{Blocker, Operation, announce::Tell, ids::OperationId, reading::Failure};

/// A message that belongs to an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, strum::VariantArray)]
pub enum ReportKind {
    /// The progress message, edited as the operation goes on.
    Progress,
    /// The announcement that mentions who asked.
    Answer,
    /// The outcome, for the channel that receives all outcomes.
    Notify,
    /// The call for help: the Droplet could not be turned back on.
    Stuck,
    /// A late off was repaired after the answer.
    Repaired,
    /// The question about a hung shutdown, which mentions who asked for the operation.
    Question,
    /// The link to the announcement, for a requester who chose a direct message instead of a mention.
    Direct,
    /// The warning before a Droplet goes down, and what happened then.
    Warning,
}

impl ReportKind {
    /// All kinds of report.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        Self::VARIANTS.iter().copied()
    }

    /// One word for the database.
    pub fn word(self) -> &'static str {
        match self {
            Self::Progress => "progress",
            Self::Answer => "answer",
            Self::Notify => "notify",
            Self::Stuck => "stuck",
            Self::Repaired => "repaired",
            Self::Question => "question",
            Self::Direct => "direct",
            Self::Warning => "warning",
        }
    }

    /// The nonce by which Discord recognises a repeated post: at most 25 characters. A message that was deleted is posted again
    /// under the next generation, because Discord answers Unknown Message to the nonce of a deleted one.
    pub fn nonce(self, operation: OperationId, generation: u32) -> String {
        let letter = match self {
            Self::Progress => 'p',
            Self::Answer => 'a',
            Self::Notify => 'n',
            Self::Stuck => 's',
            Self::Repaired => 'r',
            Self::Question => 'q',
            Self::Direct => 'd',
            Self::Warning => 'w',
        };
        match generation {
            0 | 1 => format!("{operation}-{letter}"),
            later => format!("{operation}-{letter}{later}"),
        }
    }
}

impl Operation {
    /// Whether this kind of report is due by now. Once due, it stays so.
    pub fn calls_for(&self, kind: ReportKind) -> bool {
        self.times_called_for(kind) > 0
    }

    /// How many messages of this kind are due by now. The number never shrinks.
    pub fn times_called_for(&self, kind: ReportKind) -> u32 {
        match kind {
            // Its schedule's message reports its progress.
            ReportKind::Progress | ReportKind::Answer | ReportKind::Notify | ReportKind::Direct
                if self.is_automatic() =>
            {
                0
            }
            ReportKind::Progress => 1,
            // A person who read that the bot did not respond gets no announcement; the progress message says that nothing was done.
            ReportKind::Answer | ReportKind::Notify => u32::from(self.ended.is_some() && !self.is_withdrawn()),
            ReportKind::Direct => {
                let is_wanted = self.announced() == Tell::Direct && !self.is_withdrawn();
                u32::from(self.ended.is_some() && is_wanted)
            }
            ReportKind::Warning => u32::from(self.warning.is_some_and(|warning| warning.due.is_some())),
            ReportKind::Stuck => self.power.calls(),
            ReportKind::Repaired => u32::from(self.power.repaired().is_some()),
            ReportKind::Question => self.questions,
        }
    }

    /// Why people are called about this operation. Calls with the same cause in the same channel share a message.
    pub fn cause_of_call(&self) -> String {
        match self.power.last_call().and_then(|call| call.why.as_ref()) {
            Some(Failure::Unauthorized) => "token refused".to_owned(),
            Some(Failure::OtherAccount) => "other account".to_owned(),
            Some(Failure::Forbidden { scopes, message }) => format!("forbidden {scopes}: {message}"),
            Some(Failure::Refused { message }) => format!("refused: {message}"),
            Some(why) => format!("{why:?}"),
            None => match self.obstacle.as_ref().map(|obstacle| &obstacle.what) {
                Some(Blocker::Event(_) | Blocker::Locked | Blocker::Unsettled(_)) => "another event".to_owned(),
                Some(Blocker::Throttled | Blocker::Turn) => "request limit".to_owned(),
                Some(Blocker::Outage) => "outage".to_owned(),
                None if self.power.is_unseen() => "outage".to_owned(),
                None => "in progress for too long".to_owned(),
            },
        }
    }

    /// Whether one more report of this kind is due than at an earlier state; `None` stands for before the operation existed.
    pub fn newly_calls_for(&self, kind: ReportKind, earlier: Option<&Self>) -> bool {
        self.times_called_for(kind) > earlier.map_or(0, |earlier| earlier.times_called_for(kind))
    }
}
