//! What is being sent and what must wait: one batch at a time per channel, urgent messages first, progress before the answer.
//!
//! Everything here may be lost, because the store knows what is due.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;

use super::Pace;
use crate::{
    operation::{
        ids::{ChannelId, OperationId},
        report::ReportKind,
    },
    store::Report,
};

/// The minimum time between two edits of one message.
pub(super) const EDIT_PAUSE: SignedDuration = SignedDuration::from_secs(2);
/// The pause for older messages. After an hour nobody watches every second, and Discord limits edits of old messages.
const LATE_EDIT_PAUSE: SignedDuration = SignedDuration::from_secs(10);
const LATE: SignedDuration = SignedDuration::from_hours(1);
/// How many reports a channel gets at once, so that a report that becomes urgent meanwhile is soon sent.
const BATCH: usize = 10;

/// A report that waits, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    operation: OperationId,
    kind: ReportKind,
    until: Timestamp,
    is_posted: bool,
}

impl Held {
    pub(super) fn new(report: &Report, until: Timestamp) -> Self {
        let operation = report.operation.operation.id;
        Self { operation, kind: report.kind, until, is_posted: report.message.is_some() }
    }

    /// Whether the operation's other messages wait for this one. An answer replies to the progress message, so that one is posted first. An
    /// edit that Discord refuses does not delay the end.
    pub(super) fn keeps_back(&self, operation: OperationId) -> bool {
        self.operation == operation && self.kind == ReportKind::Progress && !self.is_posted
    }
}

/// The result of a channel's batch.
pub(super) struct Done {
    pub(super) channel: ChannelId,
    pub(super) held: Vec<Held>,
}

/// The reports that wait to be sent, by channel.
#[derive(Default)]
pub(super) struct Queue {
    /// Batches run as tasks because SQLite has one connection. A batch that held it and was polled only between our own queries would block
    /// them. The tasks end with the queue.
    at_work: JoinSet<Done>,
    busy: HashSet<ChannelId>,
    held: HashMap<(OperationId, ReportKind), Held>,
}

/// What may start now, and when something else may.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Sorted {
    pub(super) batches: BTreeMap<ChannelId, Vec<Report>>,
    pub(super) wake: Option<Timestamp>,
}

impl Queue {
    pub(super) fn start(&mut self, channel: ChannelId, work: impl Future<Output = Done> + Send + 'static) {
        self.busy.insert(channel);
        self.at_work.spawn(work);
    }

    /// The channels that have a batch at work.
    pub(super) fn busy(&self) -> &HashSet<ChannelId> {
        &self.busy
    }

    /// Waits for the next finished batch, if any is at work.
    pub(super) async fn next_done(&mut self) -> Option<Done> {
        // Batches catch their own panics, and nothing aborts them meanwhile.
        self.at_work.join_next().await.and_then(Result::ok)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.at_work.is_empty()
    }

    pub(super) fn take_back(&mut self, Done { channel, held }: Done) {
        self.busy.remove(&channel);
        self.held.extend(held.into_iter().map(|held| ((held.operation, held.kind), held)));
    }

    /// Sorts the due reports into batches by channel.
    pub(super) fn sort(&mut self, due: Vec<Report>, now: Timestamp, pace: Pace) -> Sorted {
        self.held.retain(|_, held| held.until > now);
        let mut sorted = Sorted::default();
        for report in due {
            if self.busy.contains(&report.channel) {
                continue;
            }
            match self.ready_at(&report, pace).filter(|at| *at > now) {
                Some(at) => sorted.wake = Some(sorted.wake.map_or(at, |wake| wake.min(at))),
                None => sorted.batches.entry(report.channel).or_default().push(report),
            }
        }
        for batch in sorted.batches.values_mut() {
            by_urgency(batch);
            batch.truncate(BATCH);
        }
        sorted
    }

    /// When a report may be sent; `None` if at once.
    fn ready_at(&self, report: &Report, pace: Pace) -> Option<Timestamp> {
        let id = report.operation.operation.id;
        let own = self.held.get(&(id, report.kind));
        let progress = self.held.get(&(id, ReportKind::Progress)).filter(|held| held.keeps_back(id));
        let held = [own, progress].into_iter().flatten().map(|held| held.until);
        held.chain(pause(report, pace)).max()
    }
}

/// When the pause between two edits ends.
fn pause(report: &Report, pace: Pace) -> Option<Timestamp> {
    let operation = &report.operation.operation;
    if pace == Pace::Flush || report.message.is_none() {
        return None;
    }
    let shown_at = report.shown_at?;
    let is_late = shown_at.duration_since(operation.asked_at) > LATE;
    Some(shown_at + if is_late { LATE_EDIT_PAUSE } else { EDIT_PAUSE })
}

/// Puts operations with an urgent report first. Within an operation, progress comes before the answer.
fn by_urgency(batch: &mut [Report]) {
    let mut urgency: HashMap<OperationId, u8> = HashMap::new();
    for report in batch.iter() {
        let own = self::urgency(report);
        urgency.entry(report.operation.operation.id).and_modify(|known| *known = own.min(*known)).or_insert(own);
    }
    batch.sort_by_key(|report| {
        let id = report.operation.operation.id;
        (urgency.get(&id).copied(), id, report.kind)
    });
}

fn urgency(report: &Report) -> u8 {
    match report.kind {
        // An operation that another call lists has a message that replies to that call.
        ReportKind::Stuck if report.leader.is_none() => 0,
        ReportKind::Stuck | ReportKind::Question | ReportKind::Warning => 1,
        ReportKind::Answer | ReportKind::Repaired | ReportKind::Direct => 2,
        ReportKind::Progress => 3,
        ReportKind::Notify => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        discord::messages::examples,
        operation::{Operation, ids::MessageId},
        store::{Stored, Version},
    };

    fn report(operation: Operation, kind: ReportKind) -> Report {
        Report {
            operation: Stored { operation, version: Version(3) },
            kind,
            generation: 1,
            channel: ChannelId(7),
            message: None,
            shown_version: None,
            shown_digest: None,
            shown_at: None,
            attempts: 0,
            posting_since: None,
            leader: None,
            changes: Version(1),
        }
    }

    fn shown(operation: Operation, at: Timestamp) -> Report {
        Report { message: Some(MessageId(9)), shown_at: Some(at), ..report(operation, ReportKind::Progress) }
    }

    fn kinds(sorted: &Sorted) -> Vec<ReportKind> {
        sorted.batches.values().flatten().map(|report| report.kind).collect()
    }

    #[test]
    fn progress_is_said_before_the_answer() {
        let now = examples::NOW;
        let due =
            vec![report(examples::waiting(), ReportKind::Answer), report(examples::waiting(), ReportKind::Progress)];
        let sorted = Queue::default().sort(due, now, Pace::Steady);
        assert_eq!(kinds(&sorted), [ReportKind::Progress, ReportKind::Answer]);
    }

    #[test]
    fn edits_are_two_seconds_apart_but_a_question_does_not_wait() {
        let now = examples::NOW;
        let operation = examples::waiting();
        let sorted = Queue::default().sort(vec![shown(operation.clone(), now)], now, Pace::Steady);
        assert_eq!(sorted, Sorted { wake: Some(now + EDIT_PAUSE), ..Sorted::default() });
        let flushed = Queue::default().sort(vec![shown(operation.clone(), now)], now, Pace::Flush);
        assert_eq!(kinds(&flushed), [ReportKind::Progress]);
        let due = vec![shown(operation.clone(), now), report(operation, ReportKind::Question)];
        let sorted = Queue::default().sort(due, now, Pace::Steady);
        assert_eq!(kinds(&sorted), [ReportKind::Question]);
    }

    #[test]
    fn after_an_hour_edits_are_slower() {
        let mut operation = examples::waiting();
        operation.asked_at = examples::NOW - SignedDuration::from_hours(2);
        assert_eq!(pause(&shown(operation, examples::NOW), Pace::Steady), Some(examples::NOW + LATE_EDIT_PAUSE));
    }

    #[test]
    fn an_answer_waits_for_progress_that_could_not_be_said_yet() {
        let (now, operation) = (examples::NOW, examples::waiting());
        let mut queue = Queue::default();
        let until = now + SignedDuration::from_secs(4);
        let held = Held::new(&report(operation.clone(), ReportKind::Progress), until);
        queue.take_back(Done { channel: ChannelId(7), held: vec![held] });
        let due = || vec![report(operation.clone(), ReportKind::Answer)];
        assert_eq!(queue.sort(due(), now, Pace::Steady), Sorted { wake: Some(until), ..Sorted::default() });
        assert_eq!(kinds(&queue.sort(due(), until, Pace::Steady)), [ReportKind::Answer]);
    }

    #[test]
    fn an_answer_does_not_wait_for_an_edit_of_which_discord_has_seen_enough() {
        let (now, operation) = (examples::NOW, examples::waiting());
        let mut queue = Queue::default();
        let held = Held::new(&shown(operation.clone(), now), now + SignedDuration::from_mins(5));
        queue.take_back(Done { channel: ChannelId(7), held: vec![held] });
        let sorted = queue.sort(vec![report(operation, ReportKind::Answer)], now, Pace::Steady);
        assert_eq!(kinds(&sorted), [ReportKind::Answer]);
    }

    #[test]
    fn a_call_for_help_overtakes_the_progress_of_others() {
        let mut other = examples::waiting();
        other.id = OperationId::from_random(0);
        let due = vec![report(other, ReportKind::Progress), report(examples::waiting(), ReportKind::Stuck)];
        let sorted = Queue::default().sort(due, examples::NOW, Pace::Steady);
        assert_eq!(kinds(&sorted), [ReportKind::Stuck, ReportKind::Progress]);
    }

    #[tokio::test]
    async fn a_channel_at_work_gets_nothing_more() {
        let mut queue = Queue::default();
        queue.start(ChannelId(7), std::future::pending());
        let due = vec![report(examples::waiting(), ReportKind::Progress)];
        assert_eq!(queue.sort(due, examples::NOW, Pace::Steady), Sorted::default());
    }
}
