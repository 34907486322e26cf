//! Kinds of operation. A kind is nothing but its plan: the work that it goes through, in tasks that all kinds share.
//!
//! Each kind has its own file. A room that needs to know something about every kind defines a trait for it, such as `Plan` in this one, and
//! calls it through `of_kind!`, so the compiler lists whatever a new kind still lacks.

mod backups;
mod delete;
mod launch;
mod restart;
mod restore;
mod take;
mod turn_on;

use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator;

use super::{
    ids::{ActionId, OperationId, SnapshotId},
    step::{Step, Task, Work},
};
pub use backups::{Backups, BackupsChange};
pub use delete::Delete;
pub use launch::Launch;
pub use restart::Restart;
pub(super) use restore::SAFETY;
pub use restore::{Restore, Safety};
pub use take::{Downtime, Take};
pub use turn_on::TurnOn;

/// What a person asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, strum::EnumIter)]
pub enum Kind {
    /// Take a Snapshot of a Droplet.
    Take(Take),
    /// Restore a Snapshot onto its Droplet.
    Restore(Restore),
    /// Create a new Droplet from a Snapshot.
    Launch(Launch),
    /// Delete a Snapshot.
    Delete(Delete),
    /// Turn a Droplet on.
    TurnOn(TurnOn),
    /// Restart a Droplet.
    Restart(Restart),
    /// Enable, change or disable DigitalOcean's own Backups, or keep one of them.
    Backups(Backups),
}

/// Evaluates the same expression for whichever kind it is.
macro_rules! of_kind {
    ($kind:expr, $it:ident => $said:expr) => {
        match $kind {
            $crate::operation::kinds::Kind::Take($it) => $said,
            $crate::operation::kinds::Kind::Restore($it) => $said,
            $crate::operation::kinds::Kind::Launch($it) => $said,
            $crate::operation::kinds::Kind::Delete($it) => $said,
            $crate::operation::kinds::Kind::TurnOn($it) => $said,
            $crate::operation::kinds::Kind::Restart($it) => $said,
            $crate::operation::kinds::Kind::Backups($it) => $said,
        }
    };
}
pub(crate) use of_kind;

/// What the rules need to know about a kind.
trait Plan {
    /// One word for logs, metrics and the database.
    fn word(&self) -> &'static str;

    /// The work that it does, in order. Turning the Droplet back on and answering are not part of it: they follow whatever happened.
    fn works(&self) -> Vec<Work>;

    /// The existing Snapshot that it works with; `None` for one that is yet to be taken.
    fn snapshot(&self) -> Option<&SnapshotRef>;

    /// Whether it overwrites, deletes or spends, and is therefore done only for somebody who has certainly read that it is.
    fn needs_a_sure_answer(&self) -> bool;

    /// Whether it deletes its Snapshot, so that nothing else may use that Snapshot meanwhile.
    fn deletes(&self) -> bool {
        false
    }

    /// Whether its Droplet is to be on from the moment of the request, as if it had been turned off for the operation.
    fn owes_power(&self) -> bool {
        false
    }

    /// The Backups that it deletes, as confirmed by somebody.
    fn backups_to_delete(&self) -> &[SnapshotRef] {
        &[]
    }

    /// The Actions that had already rewritten the disk when somebody was asked whether to overwrite it.
    fn rewrites(&self) -> Option<&[ActionId]> {
        None
    }

    /// What to do when its shutdown hangs.
    fn if_hung(&self) -> IfHung {
        IfHung::Ask
    }

    /// Whether a person can have the same operation with the Droplet left on.
    fn may_leave_on(&self) -> bool {
        false
    }

    /// The first part of the name of the Snapshot that it takes of `target`; the date and the operation's id follow.
    fn snapshot_stem(&self, target: &str) -> String {
        target.to_owned()
    }

    /// Marks what it creates as this operation's, so that it can be found after a lost answer.
    fn mark(&mut self, _operation: OperationId) {}
}

impl Kind {
    /// The steps of this kind, in order, all of them waiting.
    pub fn plan(&self) -> Vec<Step> {
        self.works().into_iter().map(Step::new).collect()
    }

    fn works(&self) -> Vec<Work> {
        of_kind!(self, it => it.works())
    }

    /// The work of a task in an operation of this kind; `None` if this kind has nothing that the task could work with.
    pub(super) fn work(&self, task: Task) -> Option<Work> {
        task.on_droplet_alone().or_else(|| self.works().into_iter().find(|work| work.task() == task))
    }

    /// A kind of which only the word is known: what it works with has been lost, so no command of it may be sent.
    pub fn of_word(word: &str) -> Self {
        Self::iter().find(|kind| kind.word() == word).unwrap_or_else(|| Self::Take(Take::default()))
    }

    /// What to do when this operation's shutdown hangs.
    pub fn if_hung(&self) -> IfHung {
        of_kind!(self, it => it.if_hung())
    }

    /// The existing Snapshot that this kind works with; `None` for one that is yet to be taken.
    pub fn snapshot(&self) -> Option<&SnapshotRef> {
        of_kind!(self, it => it.snapshot())
    }

    /// Whether its Droplet may be turned off for it.
    pub fn may_turn_off(&self) -> bool {
        self.works().iter().any(|work| work.task().traits().may_turn_off)
    }

    /// Whether a person can have the same operation with the Droplet left on.
    pub fn may_leave_on(&self) -> bool {
        of_kind!(self, it => it.may_leave_on())
    }

    /// Whether it deletes its Snapshot.
    pub fn deletes(&self) -> bool {
        of_kind!(self, it => it.deletes())
    }

    /// The Backups that it deletes, as confirmed by somebody. Any other must be confirmed first.
    pub fn backups_to_delete(&self) -> &[SnapshotRef] {
        of_kind!(self, it => it.backups_to_delete())
    }

    /// The Actions that had already rewritten the disk when somebody was asked whether to overwrite it; `None` if nobody was asked or the
    /// Actions could not be read. After any other such Action, the disk is not the one that they agreed to lose.
    pub fn rewrites(&self) -> Option<&[ActionId]> {
        of_kind!(self, it => it.rewrites())
    }

    /// Whether it overwrites, deletes or spends, and is therefore done only for somebody who has certainly read that it is.
    pub fn needs_a_sure_answer(&self) -> bool {
        of_kind!(self, it => it.needs_a_sure_answer())
    }

    /// Whether its Droplet is to be on from the moment of the request.
    pub fn owes_power(&self) -> bool {
        of_kind!(self, it => it.owes_power())
    }

    /// One word for logs, metrics and the database.
    pub fn word(&self) -> &'static str {
        of_kind!(self, it => it.word())
    }

    pub(super) fn snapshot_stem(&self, target: &str) -> String {
        of_kind!(self, it => it.snapshot_stem(target))
    }

    pub(super) fn mark(&mut self, operation: OperationId) {
        of_kind!(self, it => it.mark(operation));
    }
}

/// A Snapshot that somebody chose, with the name that they saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotRef {
    /// Its id.
    pub id: SnapshotId,
    /// Its name when it was chosen.
    pub name: String,
}

impl SnapshotRef {
    /// Placeholder for a Snapshot that is no longer known.
    const UNKNOWN: Self = Self { id: SnapshotId(0), name: String::new() };
}

/// What to do when a shutdown hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IfHung {
    /// Ask in the channel.
    Ask,
    /// Cut the power.
    Force,
    /// Continue with the Droplet running.
    Live,
    /// Take no Snapshot.
    Skip,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_word_of_its_own_by_which_it_is_found() {
        for kind in Kind::iter() {
            assert_eq!(Kind::of_word(kind.word()), kind);
        }
    }

    #[test]
    fn whatever_destroys_needs_a_sure_answer() {
        for kind in Kind::iter() {
            let destroys = kind.works().iter().any(|work| work.task().traits().is_destructive);
            assert!(!destroys || kind.needs_a_sure_answer(), "{}", kind.word());
        }
    }

    #[test]
    fn each_kind_knows_what_its_tasks_work_with() {
        for kind in Kind::iter() {
            for work in kind.works() {
                assert_eq!(kind.work(work.task()), Some(work));
            }
        }
    }
}
