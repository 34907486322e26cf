//! Operations in every state that people see, for tests. Each is built by hand, so that it shows exactly one thing.

use jiff::{SignedDuration, Timestamp};

use crate::operation::{
    Cancelled, NewOperation, Operation, Outcome, Requester, Rules, Target, TypicalDurations,
    ids::{ChannelId, DropletId, GuildId, OperationId, SnapshotId, UserId},
    kinds::{Delete, Downtime, IfHung, Kind, Restart, Restore, Safety, SnapshotRef, Take, TurnOn},
    power::{LATE_OFF, Owed, Release, Released, Theirs},
    reading::{Failure, PowerState, SnapshotReading},
    step::{Checks, Run, State, Step, Task, Work},
};

use super::{Wording, message::Message};

/// 2026-11-22 17:42:00 UTC.
pub(crate) const NOW: Timestamp = Timestamp::constant(1_795_369_320, 0);
pub(crate) const ADA: UserId = UserId(101);
pub(crate) const BOB: UserId = UserId(102);

pub(crate) fn wording() -> Wording {
    Wording {
        price_per_gb: 0.06,
        rules: Rules {
            shutdown_timeout: SignedDuration::from_mins(2),
            decision_timeout: SignedDuration::from_mins(10),
            settle_time: SignedDuration::from_secs(30),
            poll_interval: SignedDuration::from_secs(5),
            droplet_tag: None,
            are_requests_scarce: false,
        },
        failure_role: None,
    }
}

/// Checks that a message that lists nothing has at most five lines, its marker included.
pub(crate) fn assert_short(message: &Message) {
    for text in std::iter::once(&message.content).chain(message.embeds.iter().map(|embed| &embed.description)) {
        assert!(text.lines().count() <= 5, "more than five lines:\n{text}");
    }
}

pub(crate) fn ago(seconds: i64) -> Timestamp {
    NOW - SignedDuration::from_secs(seconds)
}

fn id() -> OperationId {
    "7f3kq2xa".parse().unwrap()
}

pub(crate) fn of(kind: Kind) -> Operation {
    Operation::new(NewOperation {
        id: id(),
        kind,
        requester: Requester { user: ADA, guild: GuildId(1), channel: ChannelId(7) },
        asked_at: ago(240),
        target: Target {
            droplet: Some(DropletId(11)),
            name: "web-1".to_owned(),
            region: Some("nyc3".to_owned()),
            disk_gb: Some(25),
        },
        snapshot_name: None,
        typical: TypicalDurations::default(),
    })
}

fn reference() -> SnapshotRef {
    SnapshotRef { id: SnapshotId(5), name: "web-1-20261101-0300-aaaaaaaa".to_owned() }
}

pub(crate) fn take(power: Downtime) -> Kind {
    Kind::Take(Take { power, if_hung: IfHung::Ask })
}

pub(crate) fn restore() -> Kind {
    Kind::Restore(Restore { snapshot: reference(), safety: Safety::Snapshot, rewrites: None })
}

pub(crate) fn restore_without_safety() -> Kind {
    Kind::Restore(Restore { snapshot: reference(), safety: Safety::None, rewrites: None })
}

pub(crate) fn delete() -> Kind {
    Kind::Delete(Delete { snapshot: reference() })
}

/// Just requested.
pub(crate) fn waiting() -> Operation {
    of(take(Downtime::PowerOff))
}

pub(crate) fn with_history(mut operation: Operation) -> Operation {
    operation.typical.millis =
        vec![(Task::ShutDown, 12_000), (Task::Snapshot, 210_000), (Task::Restore, 180_000), (Task::PowerOn, 25_000)];
    operation
}

pub(crate) fn running(began: Timestamp) -> State {
    State::Running(Run { intended_at: Some(began), ..Run::default() })
}

fn done(work: Work, began: i64, ended: i64) -> Step {
    Step { work, state: State::Done { at: ago(ended) }, began: Some(ago(began)), answer_lost: false }
}

/// The shutdown was requested.
pub(crate) fn shutting_down() -> Operation {
    let mut operation = with_history(waiting());
    operation.power.edit(|power| {
        power.before = Some(PowerState::On);
        power.went_off = Some(ago(200));
        power.owed = Some(Owed { since: ago(200), late_until: Some(ago(200) + LATE_OFF), earlier_until: None });
    });
    operation.steps[0].began = Some(ago(200));
    operation.steps[0].state = running(ago(200));
    operation
}

/// The Droplet is off and the Snapshot is being taken.
pub(crate) fn taking() -> Operation {
    let mut operation = shutting_down();
    operation.steps[0] = done(Work::ShutDown, 200, 188);
    operation.steps[1].began = Some(ago(185));
    operation.steps[1].state = running(ago(185));
    operation.power.edit(|power| power.seen_off = true);
    operation
}

fn snapshot(operation: &mut Operation) {
    operation.snapshot = Some(SnapshotReading {
        id: SnapshotId(9),
        name: operation.snapshot_name.clone(),
        created_at: Some(ago(185)),
        size_gigabytes: Some(12.4),
    });
}

/// The Snapshot exists and the Droplet is being turned on.
pub(crate) fn powering_on() -> Operation {
    let mut operation = taking();
    operation.steps[1] = done(Work::Snapshot, 185, 30);
    snapshot(&mut operation);
    operation.outcome = Some(Outcome::Completed);
    operation.power.edit(|power| {
        power.back.began = Some(ago(28));
        power.back.state = running(ago(28));
    });
    operation
}

/// Completed without problems.
pub(crate) fn completed() -> Operation {
    let mut operation = powering_on();
    operation.power.edit(|power| {
        power.owed = None;
        power.back.state = State::Done { at: ago(8) };
        power.came_back = Some(ago(8));
    });
    operation.ended = Some(ago(8));
    operation
}

/// The Droplet was off and stays off.
pub(crate) fn was_off() -> Operation {
    let mut operation = completed();
    operation.power = crate::operation::power::Power::default();
    operation.power.edit(|power| power.before = Some(PowerState::Off));
    operation.steps[0].state = State::Skipped;
    operation
}

/// A completed live Snapshot.
pub(crate) fn live() -> Operation {
    let mut operation = of(take(Downtime::None));
    operation.steps[0] = done(Work::Snapshot, 185, 30);
    operation.power.edit(|power| power.before = Some(PowerState::On));
    snapshot(&mut operation);
    operation.outcome = Some(Outcome::Completed);
    operation.ended = Some(ago(30));
    operation
}

/// The Snapshot failed and the Droplet is on again.
pub(crate) fn failed(why: Failure) -> Operation {
    let mut operation = completed();
    operation.snapshot = None;
    operation.steps[1].state = State::Failed { at: ago(30), why: why.clone() };
    operation.outcome = Some(Outcome::Failed(why));
    operation
}

/// Cancelled before the Snapshot was begun.
pub(crate) fn cancelled(by: Option<UserId>) -> Operation {
    let mut operation = completed();
    operation.snapshot = None;
    operation.steps[1].state = State::Skipped;
    operation.steps[1].began = None;
    operation.cancelled = Some(Cancelled { by, at: ago(100) });
    operation.outcome = Some(Outcome::Cancelled);
    operation
}

/// A person took the Droplet over.
pub(crate) fn released(how: Released) -> Operation {
    let mut operation = completed();
    operation.power.edit(|power| {
        power.came_back = None;
        power.back.state = State::Skipped;
        power.released = Some(Release { by: BOB, at: ago(20), how });
    });
    operation
}

/// The shutdown hung and its outcome is unknown: the Droplet is on, and watched.
pub(crate) fn watched() -> Operation {
    let mut operation = completed();
    operation.steps[0].state = State::Failed { at: ago(80), why: Failure::Hung };
    operation.power.edit(|power| {
        power.came_back = None;
        power.parked = true;
        power.back = Step::new(Work::PowerOn);
        power.owed = Some(Owed { since: ago(200), late_until: Some(ago(200) + LATE_OFF), earlier_until: None });
    });
    operation
}

/// A completed restore.
pub(crate) fn restored() -> Operation {
    let mut operation = completed();
    operation.kind = restore();
    operation.steps.push(done(Work::Restore(reference().id), 120, 30));
    operation
}

pub(crate) fn fresh(work: Work) -> Step {
    Step { state: State::Waiting(Checks::default()), ..Step::new(work) }
}

/// The Snapshot exists, and someone else turned the Droplet off meanwhile.
pub(crate) fn theirs() -> Operation {
    let mut operation = completed();
    operation.power.edit(|power| {
        power.came_back = None;
        power.back.state = State::Skipped;
        power.theirs = Some(Theirs { kind: "power_off".to_owned(), at: ago(20) });
    });
    operation
}

/// A Droplet that the bot turned on, or that was already on.
pub(crate) fn turned_on(by_us: bool) -> Operation {
    let mut operation = of(Kind::TurnOn(TurnOn {}));
    operation.outcome = Some(Outcome::Completed);
    operation.ended = Some(ago(8));
    operation.power.edit(|power| {
        power.owed = None;
        power.came_back = Some(ago(8));
        power.back.began = by_us.then_some(ago(20));
        power.back.state = if by_us { State::Done { at: ago(8) } } else { State::Skipped };
    });
    operation
}

/// A Droplet that was restarted.
pub(crate) fn restarted() -> Operation {
    let mut operation = of(Kind::Restart(Restart {}));
    operation.steps[0] = done(Work::Restart, 30, 10);
    operation.outcome = Some(Outcome::Completed);
    operation.ended = Some(ago(8));
    operation.power.edit(|power| {
        power.before = Some(PowerState::On);
        power.went_off = Some(ago(30));
    });
    operation
}
