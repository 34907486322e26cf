//! What the scheduler and the Discord front end may rely on: schedules, slots with one operation each, and Snapshots that stay known.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp, civil::Time};
use snapshot_bot::{
    operation::{
        FirstAnswer, NewOperation, Operation, Outcome,
        ids::{ChannelId, DropletId, GuildId, InteractionId, MessageId, OperationId, ScheduleId, SnapshotId, UserId},
        kinds::{Delete, Kind, SnapshotRef},
        reading::{Failure, SnapshotReading},
        step::State as StepState,
        trigger::Trigger,
    },
    ping::{Address, Reach, Signal},
    schedule::{
        Due, IfHung, Owner, Power, Schedule, State, Watched,
        hung_shutdowns::Asked,
        notice::Notice,
        policy::Policy,
        rule::{Every, Rule},
        slot::{Missed, Skipped, SlotState},
    },
    store::{
        AddError, Confirmation, ConfirmationRefused, Consent, CreateError, Deleter, Deletion, Error, OUTDATED, Pin,
        Said, Store, StoredSchedule, Version,
    },
};

use crate::memory::{Memory, at, ended, ids, load, request};

pub(crate) fn id(number: u64) -> ScheduleId {
    ScheduleId::from_random(number)
}

pub(crate) fn schedule(number: u64, droplet: u64) -> Schedule {
    Schedule {
        id: id(number),
        droplet: DropletId(droplet),
        droplet_name: format!("web-{droplet}"),
        rule: Rule { every: Every::Day, at: Time::constant(3, 0, 0, 0), zone: "UTC".to_owned(), spread: 0 },
        power: Power::Off,
        if_hung: IfHung::Live,
        keep: Policy::PRESETS[0],
        owner: Owner::new(UserId(1), at(0)),
        guild: GuildId(2),
        channel: ChannelId(3),
        created_at: at(0),
        floor: at(0),
        state: State::Active,
        reminded_at: None,
        approved: Vec::new(),
        narrowed: false,
        warn: None,
        group: None,
        watched: Watched::default(),
    }
}

pub(crate) async fn consent(store: &Store, press: u64) -> Consent {
    let confirmation =
        Confirmation { requester: UserId(1), guild: GuildId(2), what: "{}".to_owned(), expires_at: at(3600) };
    let id = store.create_confirmation(&confirmation).await.unwrap();
    Consent { id, by: UserId(1), guild: GuildId(2), at: at(1), interaction: InteractionId(press), retries: None }
}

pub(crate) async fn add(store: &Store, schedule: &Schedule) -> StoredSchedule {
    let count = u64::try_from(store.schedules().await.unwrap().len()).unwrap();
    let consent = consent(store, schedule.droplet.0 * 1000 + count).await;
    store.add_schedule(schedule, &consent).await.unwrap();
    store.schedule(schedule.id).await.unwrap().unwrap()
}

/// Opens a planned time, as the scheduler does when it is due.
pub(crate) async fn open(store: &Store, stored: &StoredSchedule, slot: Timestamp) -> StoredSchedule {
    let due = Due { opened: Some(slot), ..Due::default() };
    store.keep_schedule(stored, &stored.schedule, &due, &[], None).await.unwrap();
    store.schedule(stored.schedule.id).await.unwrap().unwrap()
}

fn trigger(schedule: u64, slot: Timestamp) -> Trigger {
    Trigger::Slot { schedule: id(schedule), at: slot, until: slot + SignedDuration::from_hours(4) }
}

pub(crate) fn listed(operation: &Operation, size: f64) -> Operation {
    let mut done = ended(operation.clone(), Outcome::Completed, at(60));
    done.taken_off = Some(true);
    done.snapshot = Some(SnapshotReading {
        id: SnapshotId(500),
        name: operation.snapshot_name.clone(),
        created_at: Some(at(30)),
        size_gigabytes: Some(size),
    });
    done
}

pub(crate) async fn end(store: &Store, operation: OperationId, as_it_is: impl Fn(&Operation) -> Operation) {
    let loaded = load(store, operation).await;
    store.commit(&loaded, &as_it_is(&loaded.operation), None).await.unwrap();
}

pub(crate) async fn states(store: &Store, schedule: u64) -> Vec<(Timestamp, u32, SlotState)> {
    let slots = store.latest_slots(id(schedule), 99).await.unwrap();
    slots.into_iter().map(|slot| (slot.at, slot.count, slot.state)).collect()
}

/// Deletes the Snapshot that [`listed`] lists.
fn delete(number: u64) -> NewOperation {
    NewOperation {
        kind: Kind::Delete(Delete { snapshot: SnapshotRef { id: SnapshotId(500), name: "it".to_owned() } }),
        ..request(number, 77)
    }
}

/// The trigger for pruning the first Snapshot of the first schedule.
fn prune() -> Trigger {
    Trigger::Prune { schedule: id(1), taken_by: ids(1) }
}

/// A schedule with one good Snapshot, which operation 1 took.
async fn taken(store: &Store, number: u64, slot: Timestamp) {
    let stored = add(store, &schedule(number, 10)).await;
    open(store, &stored, slot).await;
    store.create(request(1, 10), trigger(number, slot)).await.unwrap();
    end(store, ids(1), |it| listed(it, 12.5)).await;
    store.settle_schedules().await.unwrap();
}

contract! {
    async fn a_schedule_is_there_after_a_restart_and_its_review_adds_it_once(memory: &Memory) {
        let store = memory.open().await;
        let wanted = schedule(1, 10);
        let consent = consent(&store, 1).await;
        store.add_schedule(&wanted, &consent).await.unwrap();
        let again = store.add_schedule(&schedule(2, 10), &Consent { interaction: InteractionId(2), ..consent }).await;
        assert!(matches!(again, Err(AddError::Unconfirmed(ConfirmationRefused::Used))), "{again:?}");
        drop(store);
        let store = memory.open().await;
        assert_eq!(store.schedules().await.unwrap(), [StoredSchedule { schedule: wanted, version: Version(1) }]);
        assert_eq!(store.due_schedules(at(0), 9).await.unwrap().len(), 1, "a new one is looked at at once");
    }

    async fn a_slot_has_one_operation_whoever_asks_for_it_again(memory: &Memory) {
        let store = memory.open().await;
        let stored = add(&store, &schedule(1, 10)).await;
        let early = store.create(request(1, 10), trigger(1, at(100))).await;
        assert!(matches!(early, Err(CreateError::NotWaiting)), "a slot is opened before it begins: {early:?}");
        open(&store, &stored, at(100)).await;
        let accounts = store.accounts(id(1)).await.unwrap();
        assert_eq!((accounts.last, accounts.waiting, accounts.is_running), (Some(at(100)), Some(at(100)), false));
        let created = store.create(request(2, 10), trigger(1, at(100))).await.unwrap();
        assert_eq!(created.trigger, Some(trigger(1, at(100))));
        assert_eq!(created.first_answer, FirstAnswer::Taken);
        let again = store.create(request(3, 11), trigger(1, at(100))).await;
        assert!(matches!(again, Err(CreateError::NotWaiting)), "{again:?}");
        let accounts = store.accounts(id(1)).await.unwrap();
        assert_eq!((accounts.waiting, accounts.is_running), (None, true));
        assert_eq!(states(&store, 1).await, [(at(100), 1, SlotState::Running)]);
        assert_eq!(store.running().await.unwrap().len(), 1);
        assert_eq!(store.due_reports(at(999), 9).await.unwrap(), [], "it says nothing by itself");
    }

    async fn a_slot_waits_while_its_droplet_is_busy_and_nothing_is_left_behind(memory: &Memory) {
        let store = memory.open().await;
        let stored = add(&store, &schedule(1, 10)).await;
        store.create(request(1, 10), InteractionId(5)).await.unwrap();
        open(&store, &stored, at(100)).await;
        let busy = store.create(request(2, 10), trigger(1, at(100))).await;
        assert!(matches!(busy, Err(CreateError::AlreadyRunning { .. })), "{busy:?}");
        assert_eq!(states(&store, 1).await, [(at(100), 1, SlotState::Waiting)]);
        end(&store, ids(1), |it| ended(it.clone(), Outcome::Cancelled, at(60))).await;
        store.create(request(2, 10), trigger(1, at(100))).await.unwrap();
    }

    async fn a_schedule_takes_one_snapshot_at_a_time(memory: &Memory) {
        let store = memory.open().await;
        let stored = add(&store, &schedule(1, 10)).await;
        let stored = open(&store, &stored, at(100)).await;
        store.create(request(1, 10), trigger(1, at(100))).await.unwrap();
        let stored = store.schedule(stored.schedule.id).await.unwrap().unwrap();
        open(&store, &stored, at(200)).await;
        let second = store.create(request(2, 11), trigger(1, at(200))).await;
        assert!(matches!(second, Err(CreateError::NotWaiting)), "{second:?}");
    }

    async fn a_good_take_ends_its_slot_and_its_snapshot_is_a_member(memory: &Memory) {
        let store = memory.open().await;
        let stored = add(&store, &schedule(1, 10)).await;
        open(&store, &stored, at(100)).await;
        store.create(request(1, 10), trigger(1, at(100))).await.unwrap();
        assert_eq!(store.settle_schedules().await.unwrap(), [], "it runs");
        end(&store, ids(1), |it| listed(it, 12.5)).await;
        let settled = store.settle_schedules().await.unwrap();
        assert_eq!(settled.iter().map(|one| (one.operation, one.is_taken)).collect::<Vec<_>>(), [(ids(1), true)]);
        assert_eq!(store.settle_schedules().await.unwrap(), [], "once");
        assert_eq!(states(&store, 1).await, [(at(100), 1, SlotState::Ran)]);
        let members = store.schedule_snapshots(id(1)).await.unwrap();
        let [member] = members.as_slice() else { panic!("{members:?}") };
        assert_eq!((member.planned, member.snapshot, member.size), (Some(at(100)), Some(SnapshotId(500)), Some(12.5)));
        assert!(member.is_consistent);
        // However soon history is pruned.
        while store.prune_operations(at(999_999), at(999_999)).await.unwrap() > 0 {}
        assert_eq!(store.operation(ids(1)).await.unwrap(), None);
        assert_eq!(store.schedule_snapshots(id(1)).await.unwrap().len(), 1);
    }

    async fn a_failed_take_is_told_and_leaves_no_member(memory: &Memory) {
        let store = memory.open().await;
        for (number, outcome, state, tells) in [
            (1, Outcome::Failed(Failure::ActionErrored), "failed", true),
            (2, Outcome::Cancelled, "failed", true),
            (3, Outcome::Failed(Failure::TooOld), "missed", true),
        ] {
            let alone = Schedule { channel: ChannelId(number), ..schedule(number, number + 10) };
            let stored = add(&store, &alone).await;
            open(&store, &stored, at(100)).await;
            store.create(request(number, number + 10), trigger(number, at(100))).await.unwrap();
            end(&store, ids(number), |it| {
                let mut over = it.clone();
                (over.outcome, over.ended) = (Some(outcome.clone()), Some(at(60)));
                over
            })
            .await;
            store.settle_schedules().await.unwrap();
            assert_eq!(states(&store, number).await[0].2.words().0, state);
            assert_eq!(store.schedule_snapshots(id(number)).await.unwrap(), []);
            let due = store.due_schedule_messages(at(999_999_999), 99).await.unwrap();
            let told = due.iter().any(|one| one.stored.schedule.id == id(number) && matches!(one.said, Said::Once(_)));
            assert_eq!(told, tells);
        }
    }

    async fn missed_slots_in_a_row_share_a_row_and_a_change_meanwhile_refuses_what_was_decided(memory: &Memory) {
        let store = memory.open().await;
        let stored = add(&store, &schedule(1, 10)).await;
        let nightly = stored.schedule.clone();
        let day = SignedDuration::from_hours(24);
        let no = store.accounts(id(1)).await.unwrap();
        let due = nightly.decide(no, at(0) + day * 3 + SignedDuration::from_hours(23));
        assert!(due.closed[0].count >= 2, "{due:?}");
        let first = due.closed[0];
        let due = Due { opened: None, begin: None, ..due };
        store.keep_schedule(&stored, &nightly, &due, &[], None).await.unwrap();
        let stale = store.keep_schedule(&stored, &nightly, &due, &[], None).await;
        assert!(matches!(stale, Err(Error::LeaseLost)), "{stale:?}");
        let stored = store.schedule(id(1)).await.unwrap().unwrap();
        let accounts = store.accounts(id(1)).await.unwrap();
        let later = nightly.decide(accounts, first.last + day * 2 + SignedDuration::from_hours(5));
        let later = Due { opened: None, begin: None, ..later };
        store.keep_schedule(&stored, &nightly, &later, &[], None).await.unwrap();
        let count = first.count + later.closed[0].count;
        assert_eq!(states(&store, 1).await, [(first.first, count, SlotState::Missed(Missed::Away))]);
    }

    async fn a_pause_gives_up_what_waits_and_a_removed_schedule_is_not_due(memory: &Memory) {
        let store = memory.open().await;
        let stored = add(&store, &schedule(1, 10)).await;
        let stored = open(&store, &stored, at(100)).await;
        let due = Due { given_up: Some((at(100), SlotState::Skipped(Skipped::Paused))), ..Due::default() };
        store.keep_schedule(&stored, &stored.schedule, &due, &[], None).await.unwrap();
        assert_eq!(states(&store, 1).await, [(at(100), 1, SlotState::Skipped(Skipped::Paused))]);
        store.change_schedule(id(1), |it| it.state = State::Removed).await.unwrap().unwrap();
        assert_eq!(store.change_schedule(id(1), |it| it.floor = at(9)).await.unwrap(), None);
        assert_eq!(store.schedules().await.unwrap(), []);
        store.wake_schedules().await.unwrap();
        assert_eq!(store.due_schedules(at(999_999), 9).await.unwrap(), []);
    }

    async fn what_is_announced_is_deleted_once_and_what_somebody_keeps_is_not(memory: &Memory) {
        let store = memory.open().await;
        let stored = add(&store, &schedule(1, 10)).await;
        open(&store, &stored, at(100)).await;
        let taken = store.create(request(1, 10), trigger(1, at(100))).await.unwrap();
        assert_eq!(store.count_running_of(taken.requester.user).await.unwrap(), 0, "its owner may ask for as many as before");
        end(&store, ids(1), |it| listed(it, 12.5)).await;
        store.settle_schedules().await.unwrap();
        let delete = |number| NewOperation {
            kind: Kind::Delete(Delete { snapshot: SnapshotRef { id: SnapshotId(500), name: "it".to_owned() } }),
            ..request(number, 77)
        };
        let prune = Trigger::Prune { schedule: id(1), taken_by: ids(1) };
        let early = store.create(delete(2), prune).await;
        assert!(matches!(early, Err(CreateError::NotWaiting)), "nobody was told: {early:?}");
        store.announce_deletions(id(1), (&[ids(1)], &[]), at(200)).await.unwrap();
        assert_eq!(store.schedule_snapshots(id(1)).await.unwrap()[0].announced_at, Some(at(200)));
        store.announce_deletions(id(1), (&[ids(1)], &[]), at(300)).await.unwrap();
        assert_eq!(store.schedule_snapshots(id(1)).await.unwrap()[0].announced_at, Some(at(200)), "told once");
        store.announce_deletions(id(1), (&[ids(1)], &[ids(1)]), at(310)).await.unwrap();
        assert_eq!(store.schedule_snapshots(id(1)).await.unwrap()[0].announced_at, Some(at(310)), "its notice begins again");
        assert_eq!(store.keep_announced(id(1), &[ids(1), ids(9)], (UserId(4), GuildId(2))).await.unwrap(), 1);
        let kept = store.create(delete(2), prune).await;
        assert!(matches!(kept, Err(CreateError::NotWaiting)), "{kept:?}");
        // *Keep…* is a pin, and is removed with it.
        assert_eq!(store.pinned(SnapshotId(500)).await.unwrap().map(|pin| pin.by), Some(UserId(4)));
        assert!(store.unpin(SnapshotId(500), (UserId(1), GuildId(2))).await.unwrap());
        store.announce_deletions(id(1), (&[ids(1)], &[]), at(350)).await.unwrap();
        // A pin keeps it too, and cancels the announcement.
        let snapshot = SnapshotRef { id: SnapshotId(500), name: "nightly".to_owned() };
        let pin = Pin { snapshot, by: UserId(8), guild: GuildId(2), at: at(360), reason: None };
        store.pin(&pin).await.unwrap();
        let pinned = store.schedule_snapshots(id(1)).await.unwrap();
        assert_eq!((pinned[0].kept_by, pinned[0].announced_at), (Some(UserId(8)), None));
        store.announce_deletions(id(1), (&[ids(1)], &[]), at(370)).await.unwrap();
        let pinned = store.create(delete(2), prune).await;
        assert!(matches!(pinned, Err(CreateError::NotWaiting)), "{pinned:?}");
        store.unpin(SnapshotId(500), (UserId(1), GuildId(2))).await.unwrap();
        store.announce_deletions(id(1), (&[ids(1)], &[]), at(400)).await.unwrap();
        store.create(delete(2), prune).await.unwrap();
        let again = store.create(delete(3), prune).await;
        assert!(matches!(again, Err(CreateError::NotWaiting)), "{again:?}");
        // If the deletion fails, it is announced again; if it succeeds, the Snapshot is forgotten.
        end(&store, ids(2), |it| {
            let mut over = it.clone();
            (over.outcome, over.ended) = (Some(Outcome::Failed(Failure::TooOld)), Some(at(60)));
            over
        })
        .await;
        store.settle_schedules().await.unwrap();
        let left = store.schedule_snapshots(id(1)).await.unwrap();
        assert_eq!((left[0].announced_at, left[0].deletion), (None, None));
        store.announce_deletions(id(1), (&[ids(1)], &[]), at(500)).await.unwrap();
        store.create(delete(4), prune).await.unwrap();
        end(&store, ids(4), |it| ended(it.clone(), Outcome::Completed, at(60))).await;
        store.settle_schedules().await.unwrap();
        assert_eq!(store.schedule_snapshots(id(1)).await.unwrap(), []);
    }

    async fn what_a_person_deletes_is_no_schedules_any_more(memory: &Memory) {
        let store = memory.open().await;
        taken(&store, 1, at(100)).await;
        store.create(delete(2), InteractionId(5)).await.unwrap();
        assert_eq!(store.schedule_snapshots(id(1)).await.unwrap().len(), 1, "it may fail");
        end(&store, ids(2), |it| ended(it.clone(), Outcome::Completed, at(60))).await;
        assert_eq!(store.schedule_snapshots(id(1)).await.unwrap(), []);
        let deletion = store.deletion_of(SnapshotId(500)).await.unwrap();
        assert_eq!(deletion, Some(Deletion { by: Deleter::Person(UserId(1)), at: at(60) }));
        assert_eq!(store.deletion_of(SnapshotId(50)).await.unwrap(), None);
    }

    async fn what_a_schedule_deletes_is_told_as_its_doing(memory: &Memory) {
        let store = memory.open().await;
        taken(&store, 1, at(100)).await;
        store.announce_deletions(id(1), (&[ids(1)], &[]), at(200)).await.unwrap();
        store.create(delete(2), prune()).await.unwrap();
        end(&store, ids(2), |it| ended(it.clone(), Outcome::Completed, at(60))).await;
        assert_eq!(store.settle_schedules().await.unwrap().len(), 1, "what follows from it is not lost");
        assert_eq!(store.schedule_snapshots(id(1)).await.unwrap(), []);
        let expected = Some(Deletion { by: Deleter::Schedule(id(1)), at: at(60) });
        assert_eq!(store.deletion_of(SnapshotId(500)).await.unwrap(), expected);
        memory.tamper("UPDATE operations SET deletes = NULL").await;
        assert_eq!(store.deletion_of(SnapshotId(500)).await.unwrap(), expected, "a row of an older version");
        assert_eq!(store.deletion_of(SnapshotId(50)).await.unwrap(), None);
    }

    async fn what_an_open_question_names_is_not_deleted(memory: &Memory) {
        let store = memory.open().await;
        taken(&store, 1, at(100)).await;
        store.announce_deletions(id(1), (&[ids(1)], &[]), at(200)).await.unwrap();
        let asked = Confirmation {
            requester: UserId(7),
            guild: GuildId(2),
            what: r#"{"kind":{"Restore":{"snapshot":{"id":500,"name":"web-1"}}}}"#.to_owned(),
            expires_at: at(900),
        };
        store.create_confirmation(&asked).await.unwrap();
        let early = store.create(NewOperation { asked_at: at(899), ..delete(2) }, prune()).await;
        assert!(matches!(early, Err(CreateError::NotWaiting)), "somebody is about to put it back: {early:?}");
        store.create(NewOperation { asked_at: at(901), ..delete(2) }, prune()).await.unwrap();
    }

    async fn a_deletion_that_fails_is_told_and_the_same_once_more_is_an_edit(memory: &Memory) {
        let store = memory.open().await;
        taken(&store, 1, at(100)).await;
        let mut told = Vec::new();
        for (number, outcome) in [
            (2, Outcome::Failed(Failure::ActionErrored)),
            (3, Outcome::Failed(Failure::ActionErrored)),
            (4, Outcome::Cancelled),
            (5, Outcome::Failed(Failure::ActionErrored)),
        ] {
            store.announce_deletions(id(1), (&[ids(1)], &[]), at(200)).await.unwrap();
            store.create(delete(number), prune()).await.unwrap();
            end(&store, ids(number), |it| ended(it.clone(), outcome.clone(), at(60))).await;
            store.settle_schedules().await.unwrap();
            let due = store.due_schedule_messages(at(999_999_999), 99).await.unwrap();
            told = due.into_iter().filter(|one| matches!(one.said, Said::Once(Notice::Undeleted { .. }))).collect();
            let undeleted = store.schedule(id(1)).await.unwrap().unwrap().schedule.watched.undeleted;
            assert_eq!(undeleted.is_empty(), outcome == Outcome::Cancelled);
        }
        let counts: Vec<u32> = told
            .iter()
            .filter_map(|one| match &one.said {
                Said::Once(Notice::Undeleted { count, .. }) => Some(*count),
                Said::Once(_) | Said::Status => None,
            })
            .collect();
        assert_eq!(counts, [2], "one message, edited");
        let with: Vec<Notice> = store.told_with((id(1), 1)).await.unwrap().into_iter().map(|(_, told)| told).collect();
        let again = |told: &Notice| matches!(told, Notice::Undeleted { count: 1, .. });
        assert!(with.len() == 1 && again(&with[0]), "what somebody had dealt with in between is told again: {with:?}");
    }

    async fn nobody_owns_more_schedules_than_25_however_many_reviews_are_open(memory: &Memory) {
        let store = memory.open().await;
        for number in 1..=25 {
            add(&store, &schedule(number, number + 10)).await;
        }
        let answer = consent(&store, 99_999).await;
        let one_more = store.add_schedule(&schedule(26, 40), &answer).await;
        assert!(matches!(one_more, Err(AddError::TooMany)), "{one_more:?}");
        store.change_schedule(id(1), |it| it.state = State::Removed).await.unwrap().unwrap();
        store.add_schedule(&schedule(26, 40), &answer).await.unwrap();
    }

    async fn planned_times_that_waited_in_vain_share_a_row(memory: &Memory) {
        let store = memory.open().await;
        let mut stored = add(&store, &schedule(1, 10)).await;
        let busy = SlotState::Missed(Missed::Overtaken);
        for slot in [100, 200, 300] {
            let due = Due {
                given_up: (slot > 100).then(|| (at(slot - 100), busy)),
                opened: Some(at(slot)),
                ..Due::default()
            };
            store.keep_schedule(&stored, &stored.schedule, &due, &[], None).await.unwrap();
            stored = store.schedule(id(1)).await.unwrap().unwrap();
        }
        assert_eq!(states(&store, 1).await, [(at(300), 1, SlotState::Waiting), (at(100), 2, busy)]);
        let accounts = store.accounts(id(1)).await.unwrap();
        assert_eq!((accounts.last, accounts.waiting), (Some(at(300)), Some(at(300))));
    }

    async fn a_run_by_hand_is_a_member_without_a_slot(memory: &Memory) {
        let store = memory.open().await;
        add(&store, &schedule(1, 10)).await;
        let run = Trigger::Run { schedule: id(1), interaction: InteractionId(70) };
        store.create(request(1, 10), run).await.unwrap();
        let again = store.create(request(2, 11), run).await;
        assert!(matches!(again, Err(CreateError::Repeated(first)) if first == ids(1)), "{again:?}");
        assert_eq!(store.due_reports(at(999), 9).await.unwrap().len(), 1, "a person follows its progress");
        assert_eq!(store.count_running_of(request(1, 10).requester.user).await.unwrap(), 1);
        end(&store, ids(1), |it| listed(it, 1.0)).await;
        store.settle_schedules().await.unwrap();
        assert_eq!(states(&store, 1).await, []);
        assert_eq!(store.schedule_snapshots(id(1)).await.unwrap().len(), 1);
    }

    async fn the_message_of_a_schedule_is_edited_as_it_changes_and_others_are_said_once(memory: &Memory) {
        let store = memory.open().await;
        let stored = add(&store, &schedule(1, 10)).await;
        let far = at(999_999_999);
        let due = store.due_schedule_messages(far, 9).await.unwrap();
        let [status] = due.as_slice() else { panic!("{due:?}") };
        assert_eq!((&status.said, status.channel, status.message), (&Said::Status, ChannelId(3), None));
        store.schedule_message_posting(status, at(1)).await.unwrap();
        store.schedule_message_shown(status, MessageId(70), (status.stored.version, "d"), at(2)).await.unwrap();
        assert_eq!(store.due_schedule_messages(far, 9).await.unwrap(), []);
        assert_eq!(store.next_schedule_message_due().await.unwrap(), None);
        let notices = [Notice::Unowned];
        let due = Due { opened: Some(at(100)), ..Due::default() };
        store.keep_schedule(&stored, &stored.schedule, &due, &notices, None).await.unwrap();
        let due = store.due_schedule_messages(far, 9).await.unwrap();
        assert_eq!(due.len(), 2);
        for message in &due {
            let posted = message.message.unwrap_or(MessageId(71));
            store.schedule_message_shown(message, posted, (message.stored.version, "e"), at(3)).await.unwrap();
        }
        store.schedule_message_shown(&due[0], MessageId(70), (OUTDATED, ""), at(4)).await.unwrap();
        // A lost message is posted again, in the channel that can be reached.
        let known = due.iter().find(|message| message.said == Said::Status).unwrap();
        store.schedule_message_lost(known, ChannelId(8)).await.unwrap();
        let again = store.due_schedule_messages(far, 9).await.unwrap();
        let again = again.iter().find(|message| message.said == Said::Status).unwrap();
        assert_eq!((again.generation, again.channel, again.message), (2, ChannelId(8), None));
        let late = store.schedule_message_failed(known, at(5)).await;
        assert!(matches!(late, Err(Error::LeaseLost)), "{late:?}");
        store.schedule_message_given_up(again, "no channel").await.unwrap();
    }

    async fn an_operation_that_cannot_be_read_any_more_does_not_hold_its_schedule_up(memory: &Memory) {
        let store = memory.open().await;
        let stored = add(&store, &schedule(1, 10)).await;
        open(&store, &stored, at(100)).await;
        store.create(request(1, 10), trigger(1, at(100))).await.unwrap();
        memory.tamper("UPDATE operations SET state = 'nonsense', is_running = 0, is_open = 0, ended_at = 5").await;
        store.settle_schedules().await.unwrap();
        assert_eq!(states(&store, 1).await[0].2.words().0, "failed");
    }

    async fn old_slots_are_pruned_but_for_the_latest(memory: &Memory) {
        let store = memory.open().await;
        let mut stored = add(&store, &schedule(1, 10)).await;
        for number in 1..=3 {
            stored = open(&store, &stored, at(number * 100)).await;
            let why = if number == 2 { Missed::Overtaken } else { Missed::Busy };
            let due = Due { given_up: Some((at(number * 100), SlotState::Missed(why))), ..Due::default() };
            store.keep_schedule(&stored, &stored.schedule, &due, &[Notice::Unowned], None).await.unwrap();
            stored = store.schedule(id(1)).await.unwrap().unwrap();
        }
        store.prune_slots(at(999_999)).await.unwrap();
        assert_eq!(states(&store, 1).await, [(at(300), 1, SlotState::Missed(Missed::Busy))]);
        assert_eq!(store.accounts(id(1)).await.unwrap().last, Some(at(300)));
        let due = store.due_schedule_messages(at(999_999_999), 99).await.unwrap();
        assert_eq!(due.len(), 2, "what is unsaid stays, and one message says all of it: {due:?}");
        assert_eq!(store.told_with((id(1), 1)).await.unwrap().len(), 2);
    }

    async fn what_no_channel_takes_is_kept_and_known_until_one_does(memory: &Memory) {
        let store = memory.open().await;
        add(&store, &schedule(1, 10)).await;
        let status = async || store.due_schedule_messages(at(999_999_999), 9).await.unwrap().remove(0);
        store.schedule_message_lost(&status().await, ChannelId(8)).await.unwrap();
        assert!(!store.has_unheard_schedules());
        store.schedule_message_unheard(&status().await, at(5_000)).await.unwrap();
        assert!(store.has_unheard_schedules());
        assert_eq!(store.due_schedule_messages(at(4_999), 9).await.unwrap(), [], "later");
        let again = status().await;
        assert_eq!(again.channel, ChannelId(3), "first where it belongs");
        store.schedule_message_shown(&again, MessageId(70), (again.version, "d"), at(5_001)).await.unwrap();
        assert!(!store.has_unheard_schedules());
    }

    async fn what_goes_wrong_in_one_channel_is_one_message_for_those_whom_it_calls(memory: &Memory) {
        let store = memory.open().await;
        let missed = Notice::Missed { first: at(1), last: at(1), count: 1, was_away: true, was_outage: false };
        let failed = |why: &str| Notice::Failed { planned: at(1), operation: ids(1), why: why.to_owned(), count: 1 };
        let say = async |number, notice: &Notice| store.tell(id(number), notice, |_| ()).await.unwrap();
        for number in 1..=3 {
            add(&store, &schedule(number, number + 10)).await;
        }
        let other = Schedule { owner: Owner::new(UserId(9), at(0)), ..schedule(4, 14) };
        add(&store, &other).await;
        say(1, &failed("hung")).await;
        say(2, &missed).await;
        say(3, &failed("hung")).await;
        say(4, &failed("hung")).await;
        let far = at(999_999_999);
        let posted = |due: &[snapshot_bot::store::ScheduleMessage]| {
            due.iter().filter(|one| one.said != Said::Status).map(|one| one.stored.schedule.id).collect::<Vec<_>>()
        };
        let due = store.due_schedule_messages(far, 99).await.unwrap();
        assert_eq!(posted(&due), [id(1), id(4)], "somebody else is called by a message of their own");
        let told: Vec<_> = store.told_with((id(1), 1)).await.unwrap().into_iter().map(|(of, _)| of.schedule.id).collect();
        assert_eq!(told, [id(2), id(3)]);
        for one in &due {
            store.schedule_message_shown(one, MessageId(70), (one.version, "d"), at(2)).await.unwrap();
        }
        assert_eq!(store.due_schedule_messages(far, 99).await.unwrap(), []);
        say(3, &Notice::Stale { since: at(1), newest: None }).await;
        // If the same reason occurs again, the message changes. Another reason is added to the message as long as it may grow.
        say(3, &failed("hung")).await;
        let due = store.due_schedule_messages(far, 99).await.unwrap();
        assert_eq!((posted(&due), due[0].message), (vec![id(1)], Some(MessageId(70))));
        let again = store.told_with((id(1), 1)).await.unwrap();
        assert!(matches!(&again[1].1, Notice::Failed { count: 2, .. }), "{again:?}");
        memory.clock.advance(SignedDuration::from_mins(11));
        say(2, &failed("cancelled")).await;
        let due = store.due_schedule_messages(far, 99).await.unwrap();
        assert_eq!(posted(&due), [id(1), id(2)], "later it is a new message");
    }

    async fn a_shared_snapshot_is_deleted_once_nobody_has_it(memory: &Memory) {
        let store = memory.open().await;
        let one = add(&store, &schedule(1, 10)).await;
        let other = add(&store, &schedule(2, 10)).await;
        open(&store, &one, at(50)).await;
        open(&store, &other, at(50)).await;
        let taken = store.create(request(1, 10), trigger(1, at(50))).await.unwrap();
        assert_eq!(store.taken_by_others(id(2), DropletId(10), at(0)).await.unwrap(), [], "it is being taken");
        end(&store, ids(1), |it| listed(it, 12.5)).await;
        let unsettled = store.create(request(5, 10), trigger(2, at(50))).await;
        assert!(matches!(unsettled, Err(CreateError::NotWaiting)), "what was taken may serve: {unsettled:?}");
        store.settle_schedules().await.unwrap();
        let since = taken.asked_at;
        assert_eq!(store.taken_by_others(id(2), DropletId(10), since).await.unwrap(), [(id(1), ids(1))]);
        let late = since + SignedDuration::from_secs(1);
        assert_eq!(store.taken_by_others(id(2), DropletId(10), late).await.unwrap(), [], "it was begun before");
        assert_eq!(store.taken_by_others(id(2), DropletId(11), since).await.unwrap(), []);
        assert!(store.share(&other.schedule, at(50), (id(1), ids(1))).await.unwrap());
        assert!(!store.share(&other.schedule, at(50), (id(1), ids(1))).await.unwrap(), "once");
        assert_eq!(states(&store, 2).await, [(at(50), 1, SlotState::Shared)]);
        let members = store.schedule_snapshots(id(2)).await.unwrap();
        assert_eq!((members[0].snapshot, members[0].is_consistent), (Some(SnapshotId(500)), true));
        store.announce_deletions(id(1), (&[ids(1)], &[]), at(200)).await.unwrap();
        let delete = |number| NewOperation {
            kind: Kind::Delete(Delete { snapshot: SnapshotRef { id: SnapshotId(500), name: "it".to_owned() } }),
            ..request(number, 77)
        };
        let prune = |number| Trigger::Prune { schedule: id(number), taken_by: ids(1) };
        let refused = store.create(delete(2), prune(1)).await;
        assert!(matches!(refused, Err(CreateError::NotWaiting)), "the other has it: {refused:?}");
        assert!(store.has_another_owner(id(1), ids(1)).await.unwrap());
        store.forget_schedule_snapshot(id(1), ids(1)).await.unwrap();
        assert!(!store.has_another_owner(id(2), ids(1)).await.unwrap());
        store.announce_deletions(id(2), (&[ids(1)], &[]), at(300)).await.unwrap();
        store.create(delete(3), prune(2)).await.unwrap();
    }

    async fn the_snapshots_of_a_removed_schedule_are_handed_over_once(memory: &Memory) {
        let store = memory.open().await;
        let one = add(&store, &schedule(1, 10)).await;
        add(&store, &schedule(2, 10)).await;
        open(&store, &one, at(100)).await;
        store.create(request(1, 10), trigger(1, at(100))).await.unwrap();
        end(&store, ids(1), |it| listed(it, 12.5)).await;
        store.settle_schedules().await.unwrap();
        store.announce_deletions(id(1), (&[ids(1)], &[]), at(200)).await.unwrap();
        assert_eq!(store.hand_over(id(1), id(2)).await.unwrap(), 1);
        assert_eq!(store.schedule_snapshots(id(1)).await.unwrap(), []);
        let handed = store.schedule_snapshots(id(2)).await.unwrap();
        assert_eq!((handed[0].operation, handed[0].announced_at), (ids(1), None), "it is announced first");
        assert_eq!(store.hand_over(id(1), id(2)).await.unwrap(), 0);
    }

    async fn what_only_removed_schedules_or_other_droplets_have_is_pruned_by_nobody(memory: &Memory) {
        let store = memory.open().await;
        let one = add(&store, &schedule(1, 10)).await;
        add(&store, &schedule(2, 10)).await;
        open(&store, &one, at(100)).await;
        let taken = store.create(request(1, 10), trigger(1, at(100))).await.unwrap();
        end(&store, ids(1), |it| listed(it, 12.5)).await;
        store.settle_schedules().await.unwrap();
        let listed = store.schedule_snapshots(id(1)).await.unwrap()[0].snapshot.unwrap();
        assert!(store.unpruned_snapshots().await.unwrap().is_empty());
        store.change_schedule(id(1), |it| it.state = State::Removed).await.unwrap().unwrap();
        assert_eq!(store.unpruned_snapshots().await.unwrap(), HashSet::from([listed]));
        assert_eq!(store.hand_over(id(1), id(2)).await.unwrap(), 1);
        assert!(store.unpruned_snapshots().await.unwrap().is_empty(), "{taken:?} has an heir");
        store.change_schedule(id(2), |it| it.droplet = DropletId(11)).await.unwrap().unwrap();
        assert_eq!(store.unpruned_snapshots().await.unwrap(), HashSet::from([listed]), "bound to another Droplet");
    }

    async fn three_hung_shutdowns_are_one_question(memory: &Memory) {
        let store = memory.open().await;
        let mut stored = add(&store, &schedule(1, 10)).await;
        for number in 1..=3_u64 {
            let slot = at(100) + SignedDuration::from_hours(24 * i64::try_from(number).unwrap());
            open(&store, &stored, slot).await;
            store.create(request(number, 10), trigger(1, slot)).await.unwrap();
            end(&store, ids(number), |it| {
                let mut over = it.clone();
                for step in &mut over.steps {
                    step.state = StepState::Failed { at: at(60), why: Failure::Hung };
                }
                (over.outcome, over.ended) = (Some(Outcome::Failed(Failure::Hung)), Some(at(60)));
                over
            })
            .await;
            store.settle_schedules().await.unwrap();
            stored = store.schedule(id(1)).await.unwrap().unwrap();
        }
        assert_eq!(stored.schedule.watched.hangs.asked, Asked::Open);
        assert_eq!(stored.schedule.power_now(), Power::Live);
    }

    async fn an_address_is_told_of_each_run_once(memory: &Memory) {
        let store = memory.open().await;
        let address = Address::read("https://hc.example.com/key", Reach::Public).unwrap();
        let watched = Watched { ping_url: Some(address), ..Watched::default() };
        let one = add(&store, &Schedule { watched, ..schedule(1, 10) }).await;
        let silent = add(&store, &schedule(2, 11)).await;
        open(&store, &one, at(100)).await;
        open(&store, &silent, at(100)).await;
        store.create(request(1, 10), trigger(1, at(100))).await.unwrap();
        store.create(request(2, 11), trigger(2, at(100))).await.unwrap();
        end(&store, ids(1), |it| listed(it, 12.5)).await;
        store.settle_schedules().await.unwrap();
        let far = at(999_999_999);
        let due = store.due_pings(far, 9).await.unwrap();
        let told: Vec<_> = due.iter().map(|ping| (ping.run.clone(), ping.signal)).collect();
        assert_eq!(told, [(ids(1).to_string(), Signal::Start), (ids(1).to_string(), Signal::Success)]);
        store.ping_is_over(&due[0]).await.unwrap();
        store.ping_failed(&due[1], at(500)).await.unwrap();
        assert_eq!(store.next_ping_due().await.unwrap(), Some(at(500)));
        let left = store.due_pings(far, 9).await.unwrap();
        assert_eq!((left.len(), left[0].attempts), (1, 1));
    }

    async fn a_start_that_nobody_heard_is_dropped_with_the_end(memory: &Memory) {
        let store = memory.open().await;
        let address = Address::read("https://hc.example.com/key", Reach::Public).unwrap();
        let watched = Watched { ping_url: Some(address), ..Watched::default() };
        let one = add(&store, &Schedule { watched, ..schedule(1, 10) }).await;
        open(&store, &one, at(100)).await;
        store.create(request(1, 10), trigger(1, at(100))).await.unwrap();
        end(&store, ids(1), |it| listed(it, 12.5)).await;
        store.settle_schedules().await.unwrap();
        let due = store.due_pings(at(999_999_999), 9).await.unwrap();
        store.ping_failed(&due[0], at(500)).await.unwrap();
        assert_eq!(due[1].signal, Signal::Success);
        store.ping_is_over(&due[1]).await.unwrap();
        assert_eq!(store.next_ping_due().await.unwrap(), None);
    }

    async fn an_address_hears_of_a_success_once_the_snapshot_is_known_to_be_good(memory: &Memory) {
        let store = memory.open().await;
        let address = Address::read("https://hc.example.com/key", Reach::Public).unwrap();
        let watched = Watched { ping_url: Some(address), ..Watched::default() };
        let mut stored = add(&store, &Schedule { watched, ..schedule(1, 10) }).await;
        let now = Timestamp::from_millisecond(memory.clock.now().as_millisecond()).unwrap();
        let slot = |number: u64| now + SignedDuration::from_secs(i64::try_from(number).unwrap());
        for (number, size) in [(1, 10.0), (2, 0.5), (3, 0.0), (4, 0.0)] {
            stored = open(&store, &stored, slot(number)).await;
            store.create(request(number, 10), trigger(1, slot(number))).await.unwrap();
            end(&store, ids(number), |it| listed(it, size)).await;
            store.settle_schedules().await.unwrap();
            stored = store.schedule(stored.schedule.id).await.unwrap().unwrap();
        }
        let hour = SignedDuration::from_hours(1);
        let told = async |until: Timestamp| {
            let due = store.due_pings(until, 99).await.unwrap().into_iter();
            let ends: Vec<_> = due.filter(|ping| ping.signal != Signal::Start).collect();
            let mut ends: Vec<_> = ends.into_iter().map(|ping| (ping.run, ping.signal)).collect();
            ends.sort_by_key(|(run, _)| run.clone());
            ends
        };
        let of = |number: u64, signal| (ids(number).to_string(), signal);
        let (small, good) = (of(2, Signal::Fail), of(1, Signal::Success));
        assert_eq!(told(now + hour).await, [good.clone(), small.clone()], "two have no size yet");
        let reading = SnapshotReading {
            id: SnapshotId(500),
            name: "it".to_owned(),
            created_at: None,
            size_gigabytes: Some(9.0),
        };
        store.note_schedule_snapshot(ids(3), &reading).await.unwrap();
        let third = of(3, Signal::Success);
        assert_eq!(told(now + hour).await, [good.clone(), small.clone(), third.clone()]);
        assert_eq!(told(now + hour * 25).await, [good, small, third, of(4, Signal::Fail)], "nobody said its size for a day");
    }

    async fn a_schedule_that_cannot_be_read_stops_no_other(memory: &Memory) {
        let store = memory.open().await;
        add(&store, &schedule(1, 10)).await;
        add(&store, &schedule(2, 11)).await;
        memory.tamper(&format!("UPDATE schedules SET state = 'nonsense' WHERE id = '{}'", id(1))).await;
        assert_eq!(store.schedules().await.unwrap().len(), 1);
        assert_eq!(store.due_schedules(at(0), 9).await.unwrap().len(), 1);
    }
}
