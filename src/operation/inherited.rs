//! What an operation knows of the one whose duty it took over.
//!
//! The older one was watching for a late off of its own. What the newer one finds off may be that, or somebody else's doing: the Droplet's
//! Actions say, and are asked before anything follows from it.

use serde::{Deserialize, Serialize};

use super::{Operation, reading::PowerState, step::Step};

/// Left by the older operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Inherited {
    /// DigitalOcean's words for what the older one sent and does not know the Action of: one of such a kind may be its own.
    may_be_ours: Vec<String>,
}

impl Inherited {
    fn from(older: &Operation) -> Self {
        let sent = older.steps.iter().filter(|step| may_be_listed(step)).filter_map(|step| step.task().action_kind());
        let before = older.inherited.iter().flat_map(|inherited| &inherited.may_be_ours);
        Self { may_be_ours: sent.map(str::to_owned).chain(before.cloned()).collect() }
    }
}

/// Whether the Droplet's list may hold an Action of this step that is not accounted for.
fn may_be_listed(step: &Step) -> bool {
    step.answer_lost || step.run().and_then(|run| run.action).is_some()
}

impl Operation {
    /// Takes over what an ended operation still owes the same Droplet. The older one is then done for good.
    pub fn inherit(&mut self, older: &mut Self) {
        if self.power.inherit(&mut older.power) {
            self.inherited = Some(Inherited::from(older));
            // What turned the Droplet on or off before is not ours to find again.
            self.baseline = older.baseline.clone();
        }
    }

    /// Whether an Action of this kind may be our own although it is not accounted for.
    pub(super) fn may_have_sent(&self, kind: &str) -> bool {
        let by_this = |step: &Step| step.task().action_kind() == Some(kind) && may_be_listed(step);
        let inherited = self.inherited.iter().flat_map(|inherited| &inherited.may_be_ours);
        self.steps.iter().any(by_this) || inherited.into_iter().any(|known| known == kind)
    }

    /// Whether it took over a duty of which every Action is accounted for.
    pub fn inherited_what_is_known(&self) -> bool {
        self.inherited.as_ref().is_some_and(|inherited| inherited.may_be_ours.is_empty())
    }

    /// Whether the Droplet is off before this operation has sent anything, and an older one may have turned it off.
    pub(super) fn may_be_off_by_inheritance(&self) -> bool {
        self.inherited.is_some()
            && self.power.owed().is_some()
            && self.power.last_seen() == Some(PowerState::Off)
            && self.baseline.is_known()
            && self.steps.iter().all(|step| step.began.is_none())
    }
}
