//! What the Discord front end may rely on: requests and instructions.

use std::time::Duration;

use serde_json::json;
use snapshot_bot::{
    operation::{
        Instruction, NewOperation, Outcome, Target,
        ids::{ChannelId, DropletId, GuildId, InteractionId, MessageId, SnapshotId, UserId},
        kinds::{Delete, Kind, Restore, Safety, SnapshotRef},
        power::Owed,
        reading::PowerState,
        step::{Run, State, Task},
    },
    store::{CreateError, Error, Event, Heard, Version, What, Whose},
};

use crate::{
    memory::{Memory, at, ended, ids, instructed, load, nothing_skipped, owing, request},
    rows::with_power,
};

contract! {
    async fn an_operation_is_there_after_a_restart(memory: &Memory) {
        let store = memory.open().await;
        let created = store.create(request(1, 10), InteractionId(u64::MAX)).await.unwrap();
        drop(store);
        let store = memory.open().await;
        let stored = store.operation(created.id).await.unwrap().unwrap();
        assert_eq!(stored.operation, created);
        assert_eq!(stored.version, Version(1));
        assert_eq!(store.running().await.unwrap(), vec![stored]);
        assert_eq!(store.running_on(DropletId(10)).await.unwrap(), Some(created.id));
        assert_eq!(store.running_on(DropletId(11)).await.unwrap(), None);
        assert_eq!((store.count_running().await.unwrap(), store.count_open().await.unwrap()), (1, 1));
    }

    async fn an_interaction_that_arrives_twice_creates_one_operation(memory: &Memory) {
        let store = memory.open().await;
        let first = store.create(request(1, 10), InteractionId(5)).await.unwrap();
        let again = store.create(request(2, 11), InteractionId(5)).await;
        assert!(matches!(again, Err(CreateError::Repeated(id)) if id == first.id), "{again:?}");
        assert_eq!(store.running().await.unwrap().len(), 1);
    }

    async fn a_droplet_has_one_running_operation(memory: &Memory) {
        let store = memory.open().await;
        let first = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let second = store.create(request(2, 10), InteractionId(2)).await;
        assert!(
            matches!(second, Err(CreateError::AlreadyRunning { operation, progress: None }) if operation == first.id),
            "{second:?}"
        );
        store.create(request(4, 11), InteractionId(4)).await.unwrap();
    }

    async fn a_refusal_links_to_the_progress_of_what_runs(memory: &Memory) {
        let store = memory.open().await;
        let first = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let report = store.due_reports(at(60), 9).await.unwrap().remove(0);
        store.report_posted(&report, MessageId(77), Version(1), "d", at(1)).await.unwrap();
        let refused = store.create(request(2, 10), InteractionId(2)).await;
        let Err(CreateError::AlreadyRunning { operation, progress }) = refused else { panic!("{refused:?}") };
        assert_eq!((operation, progress), (first.id, Some((ChannelId(3), MessageId(77)))));
    }

    async fn a_snapshot_that_an_operation_uses_is_not_deleted_meanwhile(memory: &Memory) {
        let store = memory.open().await;
        let snapshot = || SnapshotRef { id: SnapshotId(50), name: "golden".to_owned() };
        let restore = Kind::Restore(Restore { snapshot: snapshot(), safety: Safety::Snapshot, rewrites: None });
        let of = |number, droplet, kind| NewOperation { kind, ..request(number, droplet) };
        let first = store.create(of(1, 10, restore.clone()), InteractionId(1)).await.unwrap();
        let deletion = store.create(of(2, 11, Kind::Delete(Delete { snapshot: snapshot() })), InteractionId(2)).await;
        let refused = |outcome: &Result<_, CreateError>, by| {
            matches!(outcome, Err(CreateError::SnapshotInUse { operation, progress: None }) if *operation == by)
        };
        assert!(refused(&deletion, first.id), "{deletion:?}");
        let other = SnapshotRef { id: SnapshotId(51), ..snapshot() };
        let deletion = of(3, 11, Kind::Delete(Delete { snapshot: other.clone() }));
        let deletion = store.create(deletion, InteractionId(3)).await.unwrap();
        let restore = Kind::Restore(Restore { snapshot: other, safety: Safety::None, rewrites: None });
        let restored = store.create(of(4, 12, restore), InteractionId(4)).await;
        assert!(refused(&restored, deletion.id), "{restored:?}");
    }

    async fn who_took_a_snapshot_is_known_by_its_whole_name(memory: &Memory) {
        let store = memory.open().await;
        let taken = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let imitated = format!("mine-{}", taken.id);
        let names = [taken.snapshot_name.as_str(), imitated.as_str(), "golden", "", "-7f3kq2xa"];
        let origins = store.origins(names).await.unwrap();
        assert_eq!(origins.len(), 1);
        assert_eq!(origins.get(&taken.snapshot_name).map(|operation| operation.id), Some(taken.id));
        assert!(!origins.contains_key(&imitated));
    }

    async fn a_snapshot_counts_as_put_back_once_a_later_restore_of_it_has_completed(memory: &Memory) {
        let store = memory.open().await;
        let (kept, droplet) = (SnapshotId(50), DropletId(10));
        let restores = [
            (1, 10, 50, Outcome::Completed, 5),
            (2, 10, 50, Outcome::Cancelled, 20),
            (3, 10, 51, Outcome::Completed, 30),
            (4, 11, 50, Outcome::Completed, 40),
        ];
        for (number, droplet, snapshot, outcome, when) in restores {
            let snapshot = SnapshotRef { id: SnapshotId(snapshot), name: "golden".to_owned() };
            let kind = Kind::Restore(Restore { snapshot, safety: Safety::Snapshot, rewrites: None });
            let request = NewOperation { kind, ..request(number, droplet) };
            let operation = store.create(request, InteractionId(number)).await.unwrap();
            let loaded = load(&store, operation.id).await;
            store.commit(&loaded, &ended(operation, outcome, at(when)), None).await.unwrap();
        }
        assert!(!store.was_put_back(kept, droplet, at(10)).await.unwrap());
        assert!(store.was_put_back(kept, droplet, at(5)).await.unwrap());
        assert!(store.was_put_back(kept, DropletId(11), at(10)).await.unwrap());
    }

    async fn requests_at_once_for_one_droplet_create_one_operation(memory: &Memory) {
        let store = memory.open().await;
        let tries = (1..=8).map(|number| store.create(request(number, 10), InteractionId(number)));
        let outcomes = futures_util::future::join_all(tries).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
        assert!(
            outcomes.iter().all(|outcome| matches!(outcome, Ok(_) | Err(CreateError::AlreadyRunning { .. }))),
            "{outcomes:?}"
        );
    }

    async fn one_interaction_many_times_at_once_creates_one_operation(memory: &Memory) {
        let store = memory.open().await;
        let tries = (1..=8).map(|number| store.create(request(number, 10 + number), InteractionId(1)));
        let outcomes = futures_util::future::join_all(tries).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
        assert_eq!(store.running().await.unwrap().len(), 1);
    }

    async fn a_refused_request_may_be_repeated_by_the_same_interaction(memory: &Memory) {
        let store = memory.open().await;
        let first = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        store.create(request(2, 10), InteractionId(2)).await.unwrap_err();
        let loaded = load(&store, first.id).await;
        store.commit(&loaded, &ended(first, Outcome::Completed, at(9)), None).await.unwrap();
        store.create(request(2, 10), InteractionId(2)).await.unwrap();
    }

    async fn droplets_yet_to_be_made_do_not_exclude_each_other(memory: &Memory) {
        let store = memory.open().await;
        let launch = |number| {
            let request = request(number, 1);
            NewOperation { target: Target { droplet: None, ..request.target.clone() }, ..request }
        };
        store.create(launch(1), InteractionId(1)).await.unwrap();
        store.create(launch(2), InteractionId(2)).await.unwrap();
        assert_eq!(store.running().await.unwrap().len(), 2);
    }

    async fn a_taken_id_is_said_to_be_taken(memory: &Memory) {
        let store = memory.open().await;
        store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let again = store.create(request(1, 11), InteractionId(2)).await;
        assert!(matches!(again, Err(CreateError::Unavailable(Error::IdTaken))), "{again:?}");
    }

    async fn a_new_operation_takes_over_what_an_ended_one_owes(memory: &Memory) {
        let store = memory.open().await;
        let older = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let loaded = load(&store, older.id).await;
        let still_owing = ended(owing(&older, at(5)), Outcome::Cancelled, at(9));
        store.commit(&loaded, &still_owing, Some(at(20))).await.unwrap();

        let newer = store.create(request(2, 10), InteractionId(2)).await.unwrap();

        assert_eq!(newer.power.owed(), Some(Owed { since: at(5), late_until: None, earlier_until: None }));
        let owed = store.power_owed().await.unwrap();
        assert_eq!(owed.iter().map(|owed| (owed.operation, owed.since)).collect::<Vec<_>>(), [(newer.id, at(5))]);
        assert_eq!(store.due(at(99), Whose::All, &nothing_skipped(), 9).await.unwrap(), [newer.id]);
        let handed_over = store.operation(older.id).await.unwrap().unwrap();
        assert!(!handed_over.operation.is_open());
        let timeline = store.timeline(older.id).await.unwrap();
        assert_eq!(timeline.last().map(|event| &event.what), Some(&What::HandedOver(newer.id)));
        let late = store.commit(&load_at(&still_owing, 2), &still_owing, None).await;
        assert!(matches!(late, Err(Error::LeaseLost)), "{late:?}");
    }

    async fn power_owed_whose_command_is_under_way_is_not_taken_over(memory: &Memory) {
        let store = memory.open().await;
        let older = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let loaded = load(&store, older.id).await;
        let turning_on = ended(owing(&older, at(5)), Outcome::Cancelled, at(9));
        let turning_on =
            with_power(&turning_on, |power| power["back"]["state"] = json!(State::Running(Run::default())));
        store.commit(&loaded, &turning_on, Some(at(20))).await.unwrap();
        let refused = store.create(request(2, 10), InteractionId(2)).await;
        assert!(
            matches!(refused, Err(CreateError::AlreadyRunning { operation, .. }) if operation == older.id),
            "{refused:?}"
        );
    }

    async fn an_instruction_is_heard_at_once_and_until_it_is_committed(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let loaded = load(&store, operation.id).await;
        store.commit(&loaded, &operation, Some(at(1000))).await.unwrap();
        assert_eq!(store.due(at(10), Whose::All, &nothing_skipped(), 9).await.unwrap(), []);

        assert_eq!(store.instruct(operation.id, instructed(Instruction::Cancel), Some(InteractionId(2))).await.unwrap(), Heard::Yes);
        assert_eq!(store.instruct(operation.id, instructed(Instruction::LeaveOff), None).await.unwrap(), Heard::Yes);

        assert_eq!(store.due(at(10), Whose::All, &nothing_skipped(), 9).await.unwrap(), [operation.id]);
        assert_eq!(store.next_due(Whose::All, &nothing_skipped()).await.unwrap(), Some(at(1)));
        assert_eq!(store.unheard().await.unwrap(), [operation.id]);
        let loaded = load(&store, operation.id).await;
        assert_eq!(loaded.version, Version(2), "an instruction is no commit");
        let heard: Vec<_> = loaded.instructions.iter().map(|(_, instructed)| instructed.instruction).collect();
        assert_eq!(heard, [Instruction::Cancel, Instruction::LeaveOff]);
        assert_eq!(load(&store, operation.id).await, loaded, "a load takes nothing away");
        store.commit(&loaded, &operation, Some(at(1000))).await.unwrap();
        assert_eq!(load(&store, operation.id).await.instructions, []);
        assert_eq!(store.unheard().await.unwrap(), []);
        assert_eq!(store.due(at(10), Whose::All, &nothing_skipped(), 9).await.unwrap(), []);
    }

    async fn an_instruction_given_during_a_turn_is_heard_in_the_next(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        store.instruct(operation.id, instructed(Instruction::LeaveOff), Some(InteractionId(2))).await.unwrap();
        let loaded = load(&store, operation.id).await;
        store.instruct(operation.id, instructed(Instruction::Cancel), Some(InteractionId(3))).await.unwrap();
        store.commit(&loaded, &operation, Some(at(1000))).await.unwrap();
        assert_eq!(store.due(at(10), Whose::All, &nothing_skipped(), 9).await.unwrap(), [operation.id]);
        let heard: Vec<_> = load(&store, operation.id).await.instructions.iter().map(|(_, instructed)| instructed.instruction).collect();
        assert_eq!(heard, [Instruction::Cancel]);
    }

    async fn a_press_that_arrives_twice_is_one_instruction(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let press = || store.instruct(operation.id, instructed(Instruction::Cancel), Some(InteractionId(2)));
        assert_eq!(press().await.unwrap(), Heard::Yes);
        assert_eq!(press().await.unwrap(), Heard::Repeated);
        assert_eq!(load(&store, operation.id).await.instructions.len(), 1);
        let same_as_request = store.instruct(operation.id, instructed(Instruction::Cancel), Some(InteractionId(1))).await.unwrap();
        assert_eq!(same_as_request, Heard::Repeated);
    }

    async fn an_instruction_for_what_has_ended_or_never_was_is_told_so(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let loaded = load(&store, operation.id).await;
        store.commit(&loaded, &ended(operation.clone(), Outcome::Completed, at(9)), None).await.unwrap();
        let late = store.instruct(operation.id, instructed(Instruction::Cancel), Some(InteractionId(2))).await.unwrap();
        assert_eq!(late, Heard::Ended);
        let lost = store.instruct(ids(404), instructed(Instruction::Cancel), Some(InteractionId(3))).await.unwrap();
        assert_eq!(lost, Heard::Unknown);
    }

    async fn what_ended_last_is_listed_first(memory: &Memory) {
        let store = memory.open().await;
        for (number, when) in [(1, 30), (2, 50), (3, 40)] {
            let operation = store.create(request(number, number), InteractionId(number)).await.unwrap();
            let loaded = load(&store, operation.id).await;
            store.commit(&loaded, &ended(operation, Outcome::Completed, at(when)), None).await.unwrap();
        }
        let recent: Vec<_> = store.recent(GuildId(2), 2).await.unwrap().iter().map(|stored| stored.operation.id).collect();
        assert_eq!(recent, [ids(2), ids(3)]);
        assert_eq!(store.running().await.unwrap(), []);
        assert_eq!(store.running_on(DropletId(2)).await.unwrap(), None);
        assert_eq!((store.count_running().await.unwrap(), store.count_open().await.unwrap()), (0, 0));
    }

    async fn one_guild_neither_sees_nor_crowds_out_what_another_asked_for(memory: &Memory) {
        let store = memory.open().await;
        let elsewhere = |number| {
            let mut request = request(number, number);
            request.requester.guild = GuildId(u64::MAX);
            request
        };
        for (number, of) in [(1, request(1, 1)), (2, elsewhere(2)), (3, elsewhere(3))] {
            let operation = store.create(of, InteractionId(number)).await.unwrap();
            let loaded = load(&store, operation.id).await;
            let when = at(i64::try_from(number).unwrap());
            store.commit(&loaded, &ended(operation, Outcome::Completed, when), None).await.unwrap();
        }
        store.create(request(4, 4), InteractionId(4)).await.unwrap();
        store.create(elsewhere(5), InteractionId(5)).await.unwrap();
        let ids_of = |listed: Vec<snapshot_bot::store::Stored>| -> Vec<_> {
            listed.iter().map(|stored| stored.operation.id).collect()
        };
        assert_eq!(ids_of(store.recent(GuildId(2), 1).await.unwrap()), [ids(1)]);
        assert_eq!(ids_of(store.recent(GuildId(u64::MAX), 9).await.unwrap()), [ids(3), ids(2)]);
        assert_eq!(ids_of(store.running_in(GuildId(2)).await.unwrap()), [ids(4)]);
        assert_eq!(ids_of(store.running_in(GuildId(u64::MAX)).await.unwrap()), [ids(5)]);
    }

    async fn the_timeline_names_who_and_when(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        store.instruct(operation.id, instructed(Instruction::Cancel), Some(InteractionId(2))).await.unwrap();
        let loaded = load(&store, operation.id).await;
        store.commit(&loaded, &ended(operation.clone(), Outcome::Cancelled, at(9)), None).await.unwrap();
        let timeline = store.timeline(operation.id).await.unwrap();
        assert_eq!(timeline[0], Event { at: at(0), by: Some(UserId(1)), what: What::Asked });
        assert_eq!(timeline[1], Event { at: at(1), by: Some(UserId(7)), what: What::Instructed(Instruction::Cancel) });
        let rest: Vec<_> = timeline[2..].iter().map(|event| &event.what).collect();
        assert_eq!(rest, [&What::Judged(Outcome::Cancelled), &What::Ended]);
        assert_eq!(timeline[3].at, at(9));
    }

    async fn whoever_waits_for_the_progress_message_gets_it(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        assert_eq!(store.wait_for_progress_message(operation.id, Duration::ZERO).await, None);
        let report = store.due_reports(at(60), 9).await.unwrap().remove(0);
        let (seen, posted) = tokio::join!(
            store.wait_for_progress_message(operation.id, Duration::from_mins(10)),
            store.report_posted(&report, MessageId(5), Version(1), "d", at(1)),
        );
        posted.unwrap();
        assert_eq!(seen, Some((ChannelId(3), MessageId(5))));
    }

    async fn estimates_are_the_median_of_the_same_droplets_last_steps(memory: &Memory) {
        let store = memory.open().await;
        for (number, seconds) in [(1, 10), (2, 1000), (3, 30)] {
            let operation = store.create(request(number, 10), InteractionId(number)).await.unwrap();
            let loaded = load(&store, operation.id).await;
            memory.clock.advance(jiff::SignedDuration::from_secs(1));
            store.commit(&loaded, &ended(operation, Outcome::Completed, at(seconds)), None).await.unwrap();
        }
        let newer = store.create(request(4, 10), InteractionId(4)).await.unwrap();
        let median = Some(jiff::SignedDuration::from_secs(30));
        assert_eq!(newer.typical.of(Task::Snapshot), median);
        assert_eq!(store.typical(Some(DropletId(11))).await.unwrap().millis, []);
        assert_eq!(store.typical(None).await.unwrap().millis, []);
    }

    async fn a_task_that_is_rare_keeps_its_estimate_beside_one_that_is_frequent(memory: &Memory) {
        let store = memory.open().await;
        for number in 1..=40 {
            let operation = store.create(request(number, 10), InteractionId(number)).await.unwrap();
            let loaded = load(&store, operation.id).await;
            memory.clock.advance(jiff::SignedDuration::from_secs(1));
            store.commit(&loaded, &ended(operation, Outcome::Completed, at(60)), None).await.unwrap();
            if number == 1 {
                memory.tamper("UPDATE durations SET task = 'restore' WHERE task = 'snapshot'").await;
            }
        }
        let typical = store.typical(Some(DropletId(10))).await.unwrap();
        assert!(typical.of(Task::Restore).is_some() && typical.of(Task::Snapshot).is_some(), "{typical:?}");
    }

    async fn registered_commands_are_remembered_per_guild(memory: &Memory) {
        let store = memory.open().await;
        let guild = GuildId(u64::MAX);
        assert_eq!(store.registered_commands(guild).await.unwrap(), None);
        store.set_registered_commands(guild, "a").await.unwrap();
        store.set_registered_commands(guild, "b").await.unwrap();
        assert_eq!(store.registered_commands(guild).await.unwrap().as_deref(), Some("b"));
        assert_eq!(store.registered_commands(GuildId(1)).await.unwrap(), None);
    }

    async fn both_loops_are_woken_by_a_request_and_the_worker_by_a_instruction(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        store.changes().worker.notified().await;
        store.changes().reporter.notified().await;
        store.instruct(operation.id, instructed(Instruction::Cancel), None).await.unwrap();
        store.changes().worker.notified().await;
        let loaded = load(&store, operation.id).await;
        store.commit(&loaded, &operation, None).await.unwrap();
        store.changes().reporter.notified().await;
    }

    async fn a_name_may_hold_anything(memory: &Memory) {
        let store = memory.open().await;
        let mut odd = request(1, 10);
        odd.target.name = "a\0b'\"; DROP TABLE operations; --\u{202e}🦀".into();
        let created = store.create(odd, InteractionId(1)).await.unwrap();
        assert_eq!(store.operation(created.id).await.unwrap().unwrap().operation, created);
        assert_eq!(created.power.before(), None::<PowerState>);
    }
}

/// What a caller still holds that loaded an operation at an earlier version.
fn load_at(operation: &snapshot_bot::operation::Operation, version: i64) -> snapshot_bot::store::Loaded {
    snapshot_bot::store::Loaded::committed(operation.clone(), Version(version))
}
