//! What happens to writes: one fails before it takes effect, or after, and the process cannot tell which.
//!
//! The verbs commit once each. So a commit that fails before means that the verb did nothing, and one that fails after means that its
//! answer is lost.

use jiff::{SignedDuration, Timestamp};
use snapshot_bot::{operation::ids::OperationId, store::Error, worker::schedule::Ending};

use super::{
    Simulation,
    mood::{Mood, Spell},
};

/// What happens to a commit.
#[derive(Debug)]
pub(crate) enum Write {
    Made,
    /// Nothing was written.
    Fails(Error),
    /// It was written, and the process does not learn that.
    Lost(Error),
}

fn io_error() -> Error {
    Error::Unavailable(sqlx::Error::Io(std::io::Error::other("the disk failed")))
}

impl Simulation {
    /// What happens to the next commit.
    pub(crate) fn fate_of_write(&mut self) -> Write {
        if !self.troubled || !self.moods.has(Mood::BadDisk) {
            return Write::Made;
        }
        let write = match self.dice.u8(..24) {
            _ if matches!(self.spell, Some((Spell::DiskFull, _))) => Write::Fails(Error::Full),
            0 | 1 => Write::Fails(io_error()),
            2..=4 => Write::Lost(io_error()),
            _ => Write::Made,
        };
        if !matches!(write, Write::Made) {
            self.conduct.trouble_at(self.now);
            self.conduct.writes_fail_at(self.now);
        }
        write
    }

    /// The consequences of the way in which a turn ended.
    pub(crate) fn leave_alone(&mut self, id: OperationId, ending: Ending) {
        if let Some(pause) = ending.leaves_alone_for() {
            let pause = SignedDuration::try_from(pause).unwrap_or_default();
            self.process.left_alone.insert(id, self.now + pause);
        }
    }

    /// Until when an operation is left alone.
    pub(crate) fn left_alone_until(&self, id: OperationId) -> Option<Timestamp> {
        let put_off = self.process.put_off.get(&id).filter(|_| !self.unheard.contains_key(&id));
        let left_alone = self.process.left_alone.get(&id);
        left_alone.into_iter().chain(put_off).copied().max().filter(|until| *until > self.now)
    }
}

impl Write {
    /// Runs a verb, unless its commit fails before. Returns what the process learns, and whether it was written.
    pub(crate) async fn of<T>(self, verb: impl Future<Output = Result<T, Error>>) -> (Result<T, Error>, bool) {
        match self {
            Self::Made => {
                let outcome = verb.await;
                let is_written = outcome.is_ok();
                (outcome, is_written)
            }
            Self::Fails(error) => (Err(error), false),
            Self::Lost(error) => match verb.await {
                Ok(_) => (Err(error), true),
                Err(refused) => (Err(refused), false),
            },
        }
    }
}
