//! The first response to one interaction, shared by the responder, which sends it, and the work, which may begin an operation.
//!
//! An operation runs only if Discord accepted the answer to the person who requested it. Only Discord can tell whether an interaction is
//! too old, because clocks differ. If an interaction seems too old, the work has it deferred first, and begins something only if Discord
//! accepts that.

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::{
    operation::{
        FirstAnswer,
        ids::{GuildId, OperationId, ScheduleId, UserId},
    },
    schedule::{Schedule, run::Plan},
};

/// The state of the first response, and what was begun meanwhile.
#[derive(Debug, Default)]
pub(super) struct FirstResponse {
    requested: Notify,
    outcome: watch::Sender<Option<FirstAnswer>>,
    begun: Mutex<Option<Begun>>,
}

/// Something that was begun before the outcome of the first response was known, and that waits for that outcome.
#[derive(Clone, Debug)]
pub(super) enum Begun {
    /// An operation, and the person who requested it.
    Operation(OperationId, UserId),
    /// The run of a group, requested by this person in this guild. It begins no member before the outcome is known.
    Run(Box<Plan>, (UserId, GuildId)),
    /// A schedule that was added, or one that was edited together with its earlier version.
    Schedule(ScheduleId, Option<Box<Schedule>>),
}

impl Begun {
    /// Its id, for the log.
    pub(super) fn id(&self) -> String {
        match self {
            Self::Operation(id, _) => id.to_string(),
            Self::Run(plan, _) => plan.id.to_string(),
            Self::Schedule(id, _) => id.to_string(),
        }
    }
}

impl FirstResponse {
    /// The outcome; `None` if the response was not sent or is still under way.
    pub(super) fn outcome(&self) -> Option<FirstAnswer> {
        *self.outcome.borrow()
    }

    /// Has the response sent at once, and waits for the outcome.
    pub(super) async fn ensure(&self) -> FirstAnswer {
        self.requested.notify_one();
        let mut outcome = self.outcome.subscribe();
        // `self` holds the sender, so the channel is open.
        let known = outcome.wait_for(Option::is_some).await;
        known.ok().and_then(|known| *known).unwrap_or(FirstAnswer::Lost)
    }

    /// Returns when the response must be sent at once.
    pub(super) async fn requested(&self) {
        self.requested.notified().await;
    }

    /// Records the outcome.
    pub(super) fn settle(&self, outcome: FirstAnswer) {
        self.outcome.send_replace(Some(outcome));
    }

    /// Records that something was begun that waits for the outcome.
    pub(super) fn awaited_by(&self, begun: Begun) {
        *self.begun.lock() = Some(begun);
    }

    /// What waits for the outcome.
    pub(super) fn begun(&self) -> Option<Begun> {
        self.begun.lock().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_wants_it_sent_learns_what_became_of_it() {
        let first = FirstResponse::default();
        let send = async {
            first.requested().await;
            first.settle(FirstAnswer::Refused);
        };
        let (outcome, ()) = tokio::join!(first.ensure(), send);
        assert_eq!((outcome, first.outcome()), (FirstAnswer::Refused, Some(FirstAnswer::Refused)));
    }
}
