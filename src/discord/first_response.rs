//! The first response to one interaction: shared by the responder, which sends it, and the work, which may begin an operation.
//!
//! An operation is carried out only for somebody whom Discord let us answer. Whether an interaction is too old for that is Discord's to
//! say, because clocks differ: where it seems too old, the work has it deferred first, and begins something only if Discord takes that.

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::operation::{
    FirstAnswer,
    ids::{OperationId, UserId},
};

/// What is known of the first response, and what was begun meanwhile.
#[derive(Debug, Default)]
pub(super) struct FirstResponse {
    requested: Notify,
    outcome: watch::Sender<Option<FirstAnswer>>,
    begun: Mutex<Option<(OperationId, UserId)>>,
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

    /// An operation was created that waits for it.
    pub(super) fn awaited_by(&self, operation: OperationId, asker: UserId) {
        *self.begun.lock() = Some((operation, asker));
    }

    /// The operation that waits for it, and who asked.
    pub(super) fn begun(&self) -> Option<(OperationId, UserId)> {
        *self.begun.lock()
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
