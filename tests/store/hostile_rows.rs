//! Rows that the bot did not write: never a panic, never a forgotten Droplet.

use snapshot_bot::{
    operation::{
        Instruction, Outcome,
        ids::{DropletId, GuildId, InteractionId, MessageId},
        kinds::Kind,
        reading::{Failure, PowerState},
        report::ReportKind,
    },
    store::{Store, Version, What, Whose},
};

use crate::memory::{Memory, at, ended, instructed, load, nothing_skipped, owing, request};

/// Calls every function that reads.
async fn read_everything(store: &Store) {
    let id = crate::memory::ids(1);
    let _ = store.operation(id).await;
    let _ = store.running().await;
    let _ = store.running_in(GuildId(2)).await;
    let _ = store.recent(GuildId(2), 9).await;
    let _ = store.progress_message(id).await;
    let _ = store.timeline(id).await;
    let _ = store.typical(request(1, 10).target.droplet).await;
    let _ = store.due(at(1_000_000_000), Whose::All, &nothing_skipped(), 9).await;
    let _ = store.next_due(Whose::All, &nothing_skipped()).await;
    let _ = store.load(id).await;
    let _ = store.power_owed().await;
    let _ = store.count_open().await;
    let _ = store.due_reports(at(1_000_000_000), 9).await;
    let _ = store.next_report_due().await;
    let _ = store.create(request(2, 10), InteractionId(2)).await;
    let _ = store.instruct(id, instructed(Instruction::Cancel), Some(InteractionId(3))).await;
}

async fn a_life_with_everything(store: &Store) {
    let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
    let loaded = load(store, operation.id).await;
    let mut after = ended(owing(&operation, at(3)), Outcome::Failed(Failure::Hung), at(9));
    after.ended = None;
    store.commit(&loaded, &after, Some(at(20))).await.unwrap();
    store.instruct(operation.id, instructed(Instruction::Cancel), None).await.unwrap();
    let report = store.due_reports(at(20), 9).await.unwrap().remove(0);
    store.report_posted(&report, MessageId(1), Version(1), "d", at(1)).await.unwrap();
}

contract! {
    async fn an_unreadable_state_becomes_a_rescue_that_still_owes_power(memory: &Memory) {
        for garbage in ["garbage", "", "null", "[]", "{}", "{\"id\":7}"] {
            let store = memory.open().await;
            store.create(request(1, 10), InteractionId(1)).await.ok();
            let loaded = load(&store, request(1, 10).id).await;
            let intended = owing(&loaded.operation, at(3));
            store.commit(&loaded, &intended, Some(at(5))).await.unwrap();
            let broken = format!("UPDATE operations SET state = '{garbage}', unreadable_state = NULL");
            memory.tamper(&broken).await;

            assert_eq!(store.due(at(5), Whose::All, &nothing_skipped(), 9).await.unwrap(), [intended.id]);
            let loaded = load(&store, intended.id).await;
            assert_eq!(loaded.operation.outcome, Some(Outcome::Failed(Failure::Internal)));
            assert_eq!(loaded.operation.power.before(), Some(PowerState::On));
            assert_eq!(loaded.operation.power.owed().map(|owed| owed.since), Some(at(3)));
            assert_eq!(loaded.operation.target.droplet, intended.target.droplet);
            assert_eq!(loaded.operation.target.name, "web-10");
            assert_eq!(loaded.operation.requester, intended.requester);
            assert!(matches!(loaded.operation.kind, Kind::Take { .. }));

            store.commit(&loaded, &loaded.operation, Some(at(6))).await.unwrap();
            let kept = memory.back_door().await;
            let row = sqlx::query("SELECT unreadable_state FROM operations").fetch_one(&kept).await.unwrap();
            assert_eq!(sqlx::Row::get::<String, _>(&row, 0), garbage);
            kept.close().await;
            assert_eq!(load(&store, intended.id).await.operation, loaded.operation);
            assert_eq!(store.power_owed().await.unwrap().len(), 1);
            let timeline = store.timeline(intended.id).await.unwrap();
            assert!(timeline.iter().any(|event| event.what == What::Unreadable));
        }
    }

    async fn what_is_owed_survives_a_lost_droplet_id(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        store.commit(&load(&store, operation.id).await, &owing(&operation, at(3)), Some(at(5))).await.unwrap();
        memory.tamper("UPDATE operations SET state = 'garbage', droplet_id = NULL").await;
        let rescued = load(&store, operation.id).await;
        assert_eq!(rescued.operation.target.droplet, Some(DropletId(10)));
        store.commit(&rescued, &rescued.operation, Some(at(6))).await.unwrap();
        assert_eq!(store.power_owed().await.unwrap().len(), 1);
    }

    async fn a_state_that_is_given_up_leaves_what_is_owed_and_what_was_said(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        store.commit(&load(&store, operation.id).await, &owing(&operation, at(3)), Some(at(5))).await.unwrap();
        store.instruct(operation.id, instructed(Instruction::Cancel), None).await.unwrap();
        let given_up = store.load_columns(operation.id).await.unwrap().unwrap();
        assert_eq!(given_up.operation.outcome, Some(Outcome::Failed(Failure::Internal)));
        assert_eq!(given_up.operation.power.owed().map(|owed| owed.since), Some(at(3)));
        assert_eq!(given_up.instructions.len(), 1);
        store.commit(&given_up, &given_up.operation, Some(at(6))).await.unwrap();
        let kept = memory.back_door().await;
        let row = sqlx::query("SELECT unreadable_state FROM operations").fetch_one(&kept).await.unwrap();
        assert!(sqlx::Row::get::<String, _>(&row, 0).contains("ShutDown"));
        kept.close().await;
        assert_eq!(store.due(at(5), Whose::All, &nothing_skipped(), 9).await.unwrap(), []);
    }

    async fn readable_parts_of_a_broken_state_are_kept(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        memory.tamper("UPDATE operations SET state = REPLACE(state, '\"steps\"', '\"stairs\"')").await;
        let rescued = load(&store, operation.id).await.operation;
        assert_eq!(rescued.target, operation.target);
        assert_eq!(rescued.kind, operation.kind);
        assert_eq!(rescued.snapshot_name, operation.snapshot_name);
        assert!(rescued.steps.iter().all(snapshot_bot::operation::step::Step::is_over));
    }

    async fn a_step_that_its_kind_has_no_use_for_ends_the_operation_and_keeps_what_is_owed(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let loaded = load(&store, operation.id).await;
        store.commit(&loaded, &owing(&operation, at(3)), Some(at(5))).await.unwrap();
        memory.tamper(r#"UPDATE operations SET state = REPLACE(state, '"task":"Snapshot"', '"task":"Restore"')"#).await;
        let rescued = load(&store, operation.id).await.operation;
        assert_eq!(rescued.outcome, Some(Outcome::Failed(Failure::Internal)));
        assert!(rescued.steps.iter().all(snapshot_bot::operation::step::Step::is_over));
        assert_eq!(rescued.power.owed().map(|owed| owed.since), Some(at(3)));
    }

    async fn a_step_that_needs_a_droplet_where_the_row_names_none_ends_the_operation(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        memory.tamper(r#"UPDATE operations SET droplet_id = NULL, state = REPLACE(state, '"droplet":10', '"droplet":null')"#).await;
        let rescued = load(&store, operation.id).await.operation;
        assert_eq!(rescued.target.droplet, None);
        assert_eq!(rescued.outcome, Some(Outcome::Failed(Failure::Internal)));
        assert!(rescued.steps.iter().all(snapshot_bot::operation::step::Step::is_over));
    }

    async fn whatever_task_a_row_names_what_is_owed_is_to_turn_the_droplet_on(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        memory.tamper(r#"UPDATE operations SET state = REPLACE(state, '"task":"PowerOn"', '"task":"Delete"')"#).await;
        assert_eq!(load(&store, operation.id).await.operation, operation);
    }

    async fn an_ended_operation_that_became_unreadable_stays_ended(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let loaded = load(&store, operation.id).await;
        store.commit(&loaded, &ended(operation.clone(), Outcome::Completed, at(9)), None).await.unwrap();
        memory.tamper("UPDATE operations SET state = 'x'").await;
        let recent = store.recent(GuildId(2), 9).await.unwrap().remove(0).operation;
        assert_eq!((recent.ended, &recent.outcome), (Some(at(9)), &Some(Outcome::Completed)));
        assert!(!recent.is_open());
    }

    async fn a_state_of_another_operation_is_not_believed(memory: &Memory) {
        let store = memory.open().await;
        let one = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let two = store.create(request(2, 11), InteractionId(2)).await.unwrap();
        memory.tamper("UPDATE operations SET state = (SELECT MAX(state) FROM operations)").await;
        for (id, droplet) in [(one.id, DropletId(10)), (two.id, DropletId(11))] {
            let operation = load(&store, id).await.operation;
            assert_eq!((operation.id, operation.target.droplet), (id, Some(droplet)));
        }
    }

    async fn no_row_makes_a_reader_panic(memory: &Memory) {
        for tampering in [
            "UPDATE operations SET state = 'garbage', kind = 'dance', outcome = 'eaten', id = id",
            "UPDATE operations SET kind = 'launch', state = '1'",
            "UPDATE operations SET kind = 'restore', state = '1'",
            "UPDATE operations SET kind = 'delete', state = '1'",
            "UPDATE operations SET droplet_id = -1, asker_id = -1, guild_id = -9223372036854775807, state = ''",
            "UPDATE operations SET asked_at = 9223372036854775807, ended_at = -9223372036854775807, state = ''",
            "UPDATE operations SET due_at = -9223372036854775807",
            "UPDATE operations SET due_at = 9223372036854775807, version = 9223372036854775807",
            "UPDATE operations SET version = -5, shown_version = -9",
            "UPDATE operations SET events = -5",
            "UPDATE events SET what = 'nonsense', at = 9223372036854775807, by_user = -1",
            "UPDATE events SET what = '\"Asked\"', by_user = NULL",
            "UPDATE power_owed SET droplet_id = -1, since = 9223372036854775807",
            "UPDATE durations SET task = 'yodel', millis = -9223372036854775807 WHERE task = 'snapshot'",
            "UPDATE durations SET millis = 9223372036854775807",
            "UPDATE reports SET kind = 'gossip' WHERE kind = 'progress'",
            "UPDATE reports SET message_id = NULL, generation = -1, attempts = 99999999999, shown_version = -1, channel_id = -1",
            "UPDATE reports SET due_at = -9223372036854775807, posting_since = 9223372036854775807, message_id = NULL",
            "UPDATE interactions SET operation = 'nobody knows'",
        ] {
            let store = memory.open().await;
            if store.operation(crate::memory::ids(1)).await.unwrap().is_none() {
                a_life_with_everything(&store).await;
            }
            memory.tamper(tampering).await;
            read_everything(&store).await;
        }
    }

    async fn an_unreadable_instruction_does_not_keep_the_worker_busy(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        store.instruct(operation.id, instructed(Instruction::Cancel), None).await.unwrap();
        memory.tamper("UPDATE events SET what = '{\"Wished\":\"Sing\"}' WHERE unheard = 1").await;
        let loaded = load(&store, operation.id).await;
        assert_eq!(loaded.instructions, []);
        store.commit(&loaded, &operation, None).await.unwrap();
        assert_eq!(store.due(at(9), Whose::All, &nothing_skipped(), 9).await.unwrap(), []);
    }

    async fn one_bad_report_does_not_silence_the_others(memory: &Memory) {
        let store = memory.open().await;
        store.create(request(1, 10), InteractionId(1)).await.unwrap();
        memory.tamper("UPDATE reports SET kind = 'gossip'").await;
        store.create(request(2, 11), InteractionId(2)).await.unwrap();
        let due = store.due_reports(at(9), 9).await.unwrap();
        assert_eq!(due.iter().map(|report| report.kind).collect::<Vec<_>>(), [ReportKind::Progress]);
    }
}

#[tokio::test]
async fn sqlite_may_hold_the_wrong_type_in_any_column() {
    for column in
        ["kind", "droplet_id", "droplet_name", "asker_id", "asked_at", "ended_at", "outcome", "state", "events"]
    {
        for value in ["'text'", "x'ff00'", "1.5", "CAST(x'ff' AS TEXT)"] {
            let memory = Memory::sqlite();
            let store = memory.open().await;
            a_life_with_everything(&store).await;
            memory.tamper(&format!("UPDATE operations SET {column} = {value}")).await;
            read_everything(&store).await;
        }
    }
}

#[tokio::test]
async fn a_state_that_is_no_text_at_all_still_owes_power() {
    for value in ["CAST(x'ff' AS TEXT)", "x'ff00'", "7"] {
        let memory = Memory::sqlite();
        let store = memory.open().await;
        a_life_with_everything(&store).await;
        memory.tamper(&format!("UPDATE operations SET state = {value}")).await;
        let loaded = load(&store, crate::memory::ids(1)).await;
        assert!(loaded.operation.power.owed().is_some(), "{value}");
        store.commit(&loaded, &loaded.operation, Some(at(9))).await.unwrap();
    }
}

/// A row that only SQLite accepts, once a process has taken the lease.
async fn repaired(damage: &str) -> Store {
    let memory = Memory::sqlite();
    let store = memory.open().await;
    let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
    store.commit(&load(&store, operation.id).await, &owing(&operation, at(3)), Some(at(5))).await.unwrap();
    memory.tamper(&format!("PRAGMA foreign_keys = OFF; {damage}")).await;
    store.repair().await.unwrap();
    let owed = store.power_owed().await.unwrap();
    assert_eq!(owed.iter().map(|owed| owed.operation).collect::<Vec<_>>(), [operation.id], "{damage}");
    assert_eq!(store.open_operations().await.unwrap(), [operation.id], "{damage}");
    let found = load(&store, operation.id).await;
    assert_eq!(found.operation.target.droplet, Some(DropletId(10)), "{damage}");
    assert_eq!(found.operation.power.owed().map(|owed| owed.since), Some(at(3)), "{damage}");
    store.commit(&found, &found.operation, Some(at(6))).await.unwrap();
    store
}

#[tokio::test]
async fn a_debt_is_carried_on_whatever_became_of_its_operations_row() {
    for damage in [
        "UPDATE operations SET version = 'x'",
        "UPDATE operations SET version = 'é'",
        "UPDATE operations SET is_open = 0",
        "UPDATE operations SET is_open = 'no'",
        "UPDATE operations SET id = '?'",
        "UPDATE operations SET id = CAST(X'ff' AS TEXT)",
        "UPDATE operations SET id = '00000000'",
        "UPDATE operations SET droplet_name = CAST(X'ffff' AS TEXT), kind = CAST(X'fe' AS TEXT)",
        "UPDATE operations SET id = '?', state = 'garbage'",
        "UPDATE operations SET id = '?', droplet_id = NULL, is_running = 0",
        "DELETE FROM events; DELETE FROM interactions; DELETE FROM reports; DELETE FROM operations",
    ] {
        repaired(damage).await;
    }
}
