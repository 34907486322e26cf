//! Sends everything except first answers. It compares what is stored with what is shown, and posts or edits until both agree.
//!
//! It never relays events, so bursts collapse into one edit, a failed message is retried, a deleted one is posted again, and a restart
//! repairs everything. No other module posts operations' messages into channels. `app` runs the reporter and lets it drain after the
//! gateway is closed.

pub(super) mod deadline;
mod deliver;
mod direct;
mod fallback;
mod find_posted;
mod queue;

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serenity::{http::Http, model::id::UserId};
use tokio_util::sync::CancellationToken;

use super::{
    global_rate_limit::GlobalRateLimit,
    incident::chain,
    messages::{
        Wording,
        answer::{answer, notify, without_snapshot},
        marker::signed,
        message::Message,
        progress::progress,
        question::question,
        stuck::{call, repaired},
        warning::warning,
    },
    pauses::STORE_PAUSE,
    press::Press,
    roles::RoleNames,
    state::AppState,
};
use crate::{
    clock::Clock,
    inventory::Inventory,
    operation::{
        Operation,
        ids::{ChannelId, OperationId, SnapshotId},
        report::ReportKind,
        warning::Warned,
    },
    store::{self, Called, Deletion, Report, Store},
};
use queue::{EDIT_PAUSE, Queue};

/// How many due reports are read together, in addition to those of channels at work.
const DUE: usize = 256;

/// The reporter of operations. Clones share one bot; run only one.
#[derive(Clone)]
pub struct Reporter {
    http: Arc<Http>,
    store: Arc<Store>,
    inventory: Arc<Inventory>,
    clock: Clock,
    wording: Arc<Wording>,
    global_rate_limit: GlobalRateLimit,
    roles: Arc<RoleNames>,
    notify_channel: Option<ChannelId>,
    me: UserId,
}

/// The content of a report.
struct Words {
    said: Message,
    /// The operations that a call lists.
    called: Vec<Called>,
    /// The report calls for help that is no longer needed.
    is_over: bool,
}

impl Words {
    /// The ids of the operations that a call lists.
    fn listed(&self) -> Vec<OperationId> {
        self.called.iter().map(|called| called.operation.id).collect()
    }
}

/// Whether the reporter continues or finishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    Steady,
    /// Send everything that is due at once, then stop.
    Flush,
}

impl Reporter {
    pub(super) fn new(
        http: Arc<Http>,
        state: &AppState,
        global_rate_limit: GlobalRateLimit,
        notify_channel: Option<ChannelId>,
        me: UserId,
    ) -> Self {
        Self {
            http,
            store: Arc::clone(&state.store),
            inventory: Arc::clone(&state.inventory),
            clock: state.clock.clone(),
            wording: Arc::new(state.wording.clone()),
            global_rate_limit,
            roles: Arc::clone(&state.roles),
            notify_channel,
            me,
        }
    }

    /// Sends what is due until `shutdown`, then flushes once more and returns. The caller may drop it instead: nothing is lost.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut queue = Queue::default();
        let mut pace = Pace::Steady;
        loop {
            let wake = self.store.bounded(self.hand_out(&mut queue, pace)).await.unwrap_or_else(|error| {
                tracing::warn!(cause = chain(&error), "could not learn what is to be said");
                Some(self.clock.now() + STORE_PAUSE)
            });
            if pace == Pace::Flush && queue.is_idle() {
                return;
            }
            tokio::select! {
                Some(done) = queue.next_done() => queue.take_back(done),
                () = self.store.changes().reporter.notified() => {}
                () = self.clock.wake_at(wake) => {}
                () = shutdown.cancelled(), if pace == Pace::Steady => pace = Pace::Flush,
            }
        }
    }

    /// Starts on everything that is due and free, one batch per channel. Returns when to look again if nothing wakes it before.
    async fn hand_out(&self, queue: &mut Queue, pace: Pace) -> Result<Option<Timestamp>, store::Error> {
        let now = self.clock.now();
        if let Some(over) = self.global_rate_limit.over_at(now) {
            return Ok(Some(over));
        }
        // At the end, the pause between two edits does not apply.
        let by = if pace == Pace::Flush { now + EDIT_PAUSE } else { now };
        let due = self.store.due_reports_elsewhere(queue.busy(), by, DUE).await?;
        let sorted = queue.sort(due, now, pace);
        for (channel, batch) in sorted.batches {
            queue.start(channel, self.clone().say_all(channel, batch));
        }
        // A report that is due and not started waits for a channel at work, which wakes the reporter when it is free.
        let later = self.store.next_report_due().await?.filter(|at| *at > now);
        Ok([sorted.wake, later].into_iter().flatten().min())
    }

    /// The announcement without actions on Snapshots that the bot has deleted since.
    async fn without_deleted(&self, mut said: Message, operation: &Operation) -> Result<Message, store::Error> {
        let (mut kept, mut gone) = (Vec::new(), BTreeMap::new());
        for button in said.buttons {
            let snapshot = match button.press() {
                Some(Press::Restore(id) | Press::Launch(id) | Press::Delete(id)) => Some(id),
                Some(Press::Undo(_)) => operation.safety_snapshot().map(|safety| safety.id),
                _ => None,
            };
            let deletion = match snapshot {
                Some(id) => self.store.deletion_of(id).await?,
                None => None,
            };
            match snapshot.zip(deletion) {
                Some((id, deletion)) => drop(gone.insert(id, deletion)),
                None => kept.push(button),
            }
        }
        said.buttons = kept;
        let without = |said, (id, deletion): (SnapshotId, Deletion)| {
            without_snapshot(said, (operation, &self.wording), (id, deletion.by, deletion.at))
        };
        Ok(gone.into_iter().fold(said, without))
    }

    async fn words(&self, report: &Report, now: Timestamp) -> Result<Words, store::Error> {
        let operation = &report.operation.operation;
        let called = match report.kind {
            ReportKind::Stuck => self.store.called_with(operation.id).await?,
            ReportKind::Progress
            | ReportKind::Answer
            | ReportKind::Notify
            | ReportKind::Repaired
            | ReportKind::Question
            | ReportKind::Direct
            | ReportKind::Warning => Vec::new(),
        };
        let said = match report.kind {
            ReportKind::Progress => progress(operation, &self.wording, now),
            ReportKind::Answer => {
                let said = answer(operation, &self.wording);
                // Only an edit can come after what the message offers has expired.
                if report.message.is_some() { self.without_deleted(said, operation).await? } else { said }
            }
            ReportKind::Notify => notify(operation, &self.wording),
            // An edit pings nobody. Once nobody is needed any more, the message names nobody.
            ReportKind::Stuck => {
                let role = self.wording.failure_role.filter(|_| is_called_about(&called));
                call(&called).calling(self.roles.callable(role, report.channel, operation.requester.guild))
            }
            ReportKind::Repaired => repaired(operation),
            ReportKind::Question => question(operation, &self.wording, now),
            ReportKind::Direct => {
                let said = self.store.announcement(operation.id).await?;
                direct::words(operation, said, report.channel)
            }
            ReportKind::Warning => warning(operation),
        };
        let is_over = match report.kind {
            ReportKind::Question => operation.question.is_none(),
            ReportKind::Warning => !matches!(operation.warned(), Some(Warned::Ahead { .. })),
            ReportKind::Stuck => !is_called_about(&called),
            ReportKind::Progress
            | ReportKind::Answer
            | ReportKind::Notify
            | ReportKind::Repaired
            | ReportKind::Direct => false,
        };
        Ok(Words { said: signed(said, report.kind, operation.id), called, is_over })
    }
}

/// Whether people are still needed for one of these.
fn is_called_about(called: &[Called]) -> bool {
    called.iter().any(|called| called.operation.power.is_called_about())
}
