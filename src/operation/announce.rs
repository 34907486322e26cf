//! How people hear of an operation next to its progress, as its asker chose.
//!
//! The front end writes the choice into the new operation; the reporter asks what to say. Questions, calls for help and failures do not
//! depend on it: they always mention people.

use serde::{Deserialize, Serialize};

use super::{
    FirstAnswer, Operation, Outcome,
    warning::{Warn, Warning},
};

/// How the asker hears that it is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tell {
    /// The announcement mentions them.
    #[default]
    Ping,
    /// The announcement mentions nobody.
    Silent,
    /// The announcement mentions nobody, and a direct message leads there. Where they take none, they are mentioned in the channel.
    Direct,
}

impl Tell {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
    pub(super) fn is_ping(&self) -> bool {
        *self == Self::Ping
    }
}

/// What the asker can choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announce {
    /// How they hear that it is done.
    #[serde(default)]
    pub tell: Tell,
    /// The warning before the Droplet goes down, if there is to be one.
    #[serde(default)]
    pub warn: Option<Warn>,
}

/// How somebody who asks is answered: at once, and at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answering {
    /// What is known of the first answer when the operation is created.
    pub first: FirstAnswer,
    /// How people hear of it later.
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
    /// Takes on how its person is answered.
    pub fn answer_by(&mut self, Answering { first, announce }: Answering) {
        self.first_answer = first;
        self.tell = announce.tell;
        self.warning = announce.warn.map(Warning::new);
    }

    /// How people hear of it when it is begun once more: the same at the end, and nobody is warned again.
    pub fn announced_again(&self) -> Announce {
        Announce { tell: self.tell, warn: None }
    }

    /// How its end is announced: as was chosen, if all went well or a person stopped it.
    pub fn announced(&self) -> Tell {
        match &self.verdict {
            Some(Outcome::Completed) => self.tell,
            Some(Outcome::Cancelled) if self.cancelled.is_some_and(|cancelled| cancelled.by.is_some()) => self.tell,
            Some(Outcome::Cancelled | Outcome::Failed(_)) | None => Tell::Ping,
        }
    }
}
