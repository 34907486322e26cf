//! What befalls that which is written down: it fails before it was written, or after, and the process cannot tell which.
//!
//! The verbs commit once each, so a commit that fails before is a verb that did nothing, and one that fails after is a verb whose
//! answer is lost.

use jiff::{SignedDuration, Timestamp};
use snapshot_bot::{operation::ids::OperationId, store::Error, worker::schedule::Ending};

use super::{
    Simulation,
    mood::{Mood, Spell},
};

/// What befalls a commit.
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
    /// What befalls the next commit.
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

    /// A turn ended: what follows from how it did.
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
    /// Lets a verb run, unless its commit fails before it is made; then says what the process hears of it, and whether it was written.
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
