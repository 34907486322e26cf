//! What an operation knows about the older one whose duty it took over.
//!
//! The older operation was watching for a late off of its own. If the newer one finds the Droplet off, that may be the late off or somebody
//! else's doing. The Droplet's Actions tell, so they are read before anything follows from it.

use serde::{Deserialize, Serialize};

use super::{Operation, reading::PowerState, step::Step};

/// What the older operation left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Inherited {
    /// DigitalOcean's `type`s of the Actions that the older operation sent without learning their ids: an Action of such a type may be its
    /// own.
    may_be_ours: Vec<String>,
}

impl Inherited {
    fn from(older: &Operation) -> Self {
        let sent = older.steps.iter().filter(|step| may_be_listed(step)).filter_map(|step| step.task().action_kind());
        let before = older.inherited.iter().flat_map(|inherited| &inherited.may_be_ours);
        Self { may_be_ours: sent.map(str::to_owned).chain(before.cloned()).collect() }
    }
}

/// Whether the Droplet's list may contain an Action of this step that is not accounted for.
fn may_be_listed(step: &Step) -> bool {
    step.answer_lost || step.run().and_then(|run| run.action).is_some()
}

impl Operation {
    /// Takes over what an ended operation still owes the same Droplet. The older operation is then finished for good.
    pub fn inherit(&mut self, older: &mut Self) {
        if self.power.inherit(&mut older.power) {
            self.inherited = Some(Inherited::from(older));
            // Actions that turned the Droplet on or off before must not be mistaken for ours.
            self.baseline = older.baseline.clone();
        }
    }

    /// Whether an Action of this kind may be ours although it is not accounted for.
    pub(super) fn may_have_sent(&self, kind: &str) -> bool {
        let by_this = |step: &Step| step.task().action_kind() == Some(kind) && may_be_listed(step);
        let inherited = self.inherited.iter().flat_map(|inherited| &inherited.may_be_ours);
        self.steps.iter().any(by_this) || inherited.into_iter().any(|known| known == kind)
    }

    /// Whether this operation took over a duty all of whose Actions are accounted for.
    pub fn inherited_what_is_known(&self) -> bool {
        self.inherited.as_ref().is_some_and(|inherited| inherited.may_be_ours.is_empty())
    }

    /// Whether the Droplet is off before this operation has sent anything, so that an older one may have turned it off.
    pub(super) fn may_be_off_by_inheritance(&self) -> bool {
        self.inherited.is_some()
            && self.power.owed().is_some()
            && self.power.last_seen() == Some(PowerState::Off)
            && self.baseline.is_known()
            && self.steps.iter().all(|step| step.began.is_none())
    }
}
