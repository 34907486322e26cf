//! How people learn of an operation apart from its progress message, as the requester chose.
//!
//! The front end writes the choice into the new operation; the reporter asks what to say. Questions, calls for help and failures do not
//! depend on it: they always mention people.

use serde::{Deserialize, Serialize};

use super::{
    FirstAnswer, Operation, Outcome,
    warning::{Warn, Warning},
};

/// How the requester learns that the operation is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tell {
    /// The announcement mentions them.
    #[default]
    Ping,
    /// The announcement mentions nobody.
    Silent,
    /// The announcement mentions nobody, and a direct message links to it. If the requester accepts no direct messages, they are mentioned in
    /// the channel.
    Direct,
}

impl Tell {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
    pub(super) fn is_ping(&self) -> bool {
        *self == Self::Ping
    }
}

/// The choices that the requester can make about announcements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announce {
    /// How the requester learns that the operation is done.
    #[serde(default)]
    pub tell: Tell,
    /// The warning before the Droplet goes down, if the requester wants one.
    #[serde(default)]
    pub warn: Option<Warn>,
}

/// How the requester is answered: immediately, and when the operation ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answering {
    /// What is known about the first answer when the operation is created.
    pub first: FirstAnswer,
    /// How people learn of the operation later.
    pub announce: Announce,
}

impl From<FirstAnswer> for Answering {
    fn from(first: FirstAnswer) -> Self {
        Self { first, announce: Announce::default() }
    }
}

impl Answering {
    /// Nobody awaits an answer, since it begins by itself; these are warned.
    pub fn by_itself(warn: Option<Warn>) -> Self {
        let announce = Announce { warn, ..Announce::default() };
        Self { first: FirstAnswer::Taken, announce }
    }
}

impl Operation {
    /// Sets how the requester is answered.
    pub fn answer_by(&mut self, Answering { first, announce }: Answering) {
        self.first_answer = first;
        self.tell = announce.tell;
        self.warning = announce.warn.map(Warning::new);
    }

    /// The choices for a repetition of this operation: it is announced in the same way, but nobody is warned again.
    pub fn announced_again(&self) -> Announce {
        Announce { tell: self.tell, warn: None }
    }

    /// How the end is announced: as chosen if all went well or a person stopped the operation, with a mention otherwise.
    pub fn announced(&self) -> Tell {
        match &self.outcome {
            Some(Outcome::Completed) => self.tell,
            Some(Outcome::Cancelled) if self.cancelled.is_some_and(|cancelled| cancelled.by.is_some()) => self.tell,
            Some(Outcome::Cancelled | Outcome::Failed(_)) | None => Tell::Ping,
        }
    }
}
