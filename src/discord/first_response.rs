//! The first response to one interaction: shared by the responder, which sends it, and the work, which may begin an operation.
//!
//! An operation is carried out only for somebody whom Discord let us answer. Whether an interaction is too old for that is Discord's to
//! say, because clocks differ: where it seems too old, the work has it deferred first, and begins something only if Discord takes that.

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::{
    operation::{
        FirstAnswer,
        ids::{GuildId, OperationId, ScheduleId, UserId},
    },
    schedule::{Schedule, run::Plan},
};

/// What is known of the first response, and what was begun meanwhile.
#[derive(Debug, Default)]
pub(super) struct FirstResponse {
    requested: Notify,
    outcome: watch::Sender<Option<FirstAnswer>>,
    begun: Mutex<Option<Begun>>,
}

/// What was begun before it is known what became of the first response, and must hear of that.
#[derive(Clone, Debug)]
pub(super) enum Begun {
    /// An operation, and who asked for it.
    Operation(OperationId, UserId),
    /// The run of a group, which begins no member until then, for this person in this guild.
    Run(Box<Plan>, (UserId, GuildId)),
    /// A schedule that was added, or edited and what it was before.
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
    /// What became of it; none while it was not sent, or is under way.
    pub(super) fn outcome(&self) -> Option<FirstAnswer> {
        *self.outcome.borrow()
    }

    /// Has it sent at once, and waits for what becomes of it.
    pub(super) async fn ensure(&self) -> FirstAnswer {
        self.requested.notify_one();
        let mut outcome = self.outcome.subscribe();
        // The sender is this very value, so it is there.
        let known = outcome.wait_for(Option::is_some).await;
        known.ok().and_then(|known| *known).unwrap_or(FirstAnswer::Lost)
    }

    /// Returns when somebody wants it sent at once.
    pub(super) async fn requested(&self) {
        self.requested.notified().await;
    }

    /// This became of it.
    pub(super) fn settle(&self, outcome: FirstAnswer) {
        self.outcome.send_replace(Some(outcome));
    }

    /// Something was begun that waits for it.
    pub(super) fn awaited_by(&self, begun: Begun) {
        *self.begun.lock() = Some(begun);
    }

    /// What waits for it.
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
