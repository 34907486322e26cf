//! What the reporter may rely on: what must be posted, and what was posted.

use jiff::Timestamp;
use serde_json::json;
use snapshot_bot::{
    operation::{
        Outcome, Question,
        ids::{ChannelId, InteractionId, MessageId},
        power::Stuck,
        report::ReportKind,
    },
    store::{Error, Report, Store, Version, Whose},
};

use crate::{
    memory::{Memory, NOTIFY, at, ended, load, nothing_skipped, owing, request},
    rows::with_power,
};

async fn due(store: &Store) -> Vec<Report> {
    // Far later than the wall clock, by which reports become due.
    store.due_reports(at(3_000_000_000), 99).await.unwrap()
}

async fn kinds(store: &Store) -> Vec<ReportKind> {
    due(store).await.iter().map(|report| report.kind).collect()
}

/// Seconds later than the wall clock.
const FAR: i64 = 2_900_000_000;

/// The report of a question, if one is due by then.
async fn question_due(store: &Store, by: Timestamp) -> Option<Report> {
    store.due_reports(by, 99).await.unwrap().into_iter().find(|report| report.kind == ReportKind::Question)
}

contract! {
    async fn progress_is_due_from_the_first_moment(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        assert_eq!(store.next_report_due().await.unwrap(), Some(at(0)));
        let reports = store.due_reports(at(0), 9).await.unwrap();
        let [report] = reports.as_slice() else { panic!("{reports:?}") };
        assert_eq!(report.operation.operation, operation);
        assert_eq!((report.kind, report.generation, report.channel), (ReportKind::Progress, 1, ChannelId(3)));
        assert_eq!((report.message, report.shown_version, report.posting_since), (None, None, None));
    }

    async fn a_channel_in_which_something_is_being_said_keeps_no_other_waiting(memory: &Memory) {
        let store = memory.open().await;
        for number in 1..=5 {
            let mut request = request(number, number);
            request.requester.channel = ChannelId(if number == 5 { 4 } else { 3 });
            store.create(request, InteractionId(number)).await.unwrap();
        }
        let elsewhere = |busy: &[u64]| busy.iter().copied().map(ChannelId).collect();
        let channels = |reports: Vec<Report>| reports.iter().map(|report| report.channel.0).collect::<Vec<_>>();
        let found = store.due_reports_elsewhere(&elsewhere(&[3]), at(9), 2).await.unwrap();
        assert_eq!(channels(found), [4]);
        assert_eq!(store.due_reports_elsewhere(&elsewhere(&[3, 4]), at(9), 2).await.unwrap(), []);
        assert_eq!(store.due_reports_elsewhere(&elsewhere(&[]), at(9), 9).await.unwrap().len(), 5);
    }

    async fn a_shown_version_is_due_again_only_when_it_changed(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let report = due(&store).await.remove(0);
        store.report_posted(&report, MessageId(u64::MAX), report.operation.version, "first", at(5)).await.unwrap();
        assert_eq!(due(&store).await, []);
        assert_eq!(store.next_report_due().await.unwrap(), None);

        let loaded = load(&store, operation.id).await;
        store.commit(&loaded, &operation, Some(at(9))).await.unwrap();

        assert_eq!(store.next_report_due().await.unwrap(), Some(at(7)), "edits are two seconds apart");
        assert_eq!(store.due_reports(at(6), 9).await.unwrap(), []);
        let report = store.due_reports(at(7), 9).await.unwrap().remove(0);
        assert_eq!(report.message, Some(MessageId(u64::MAX)));
        assert_eq!((report.shown_version, report.shown_digest.as_deref()), (Some(Version(1)), Some("first")));
        assert_eq!(report.shown_at, Some(at(5)));
        store.report_edited(&report, report.operation.version, "second", at(8)).await.unwrap();
        assert_eq!(due(&store).await, []);
        assert_eq!(store.progress_message(operation.id).await.unwrap(), Some((ChannelId(3), MessageId(u64::MAX))));
    }

    async fn a_version_committed_while_another_was_shown_is_due(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let report = due(&store).await.remove(0);
        let loaded = load(&store, operation.id).await;
        store.commit(&loaded, &operation, Some(at(9))).await.unwrap();
        store.report_posted(&report, MessageId(1), report.operation.version, "old", at(5)).await.unwrap();
        assert_eq!(kinds(&store).await, [ReportKind::Progress]);
    }

    async fn each_question_is_a_message_of_its_own_and_is_edited_when_it_changes(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let report = due(&store).await.remove(0);
        let now = memory.clock.now();
        store.report_posted(&report, MessageId(1), Version(1), "d", now).await.unwrap();
        let mut asking = operation;
        asking.questions = 1;
        asking.question = Some(Question { opened_at: now, shown_at: None });
        store.commit(&load(&store, asking.id).await, &asking, None).await.unwrap();
        let question = question_due(&store, at(FAR)).await.unwrap();
        assert_eq!((question.generation, question.channel, question.message), (1, ChannelId(3), None));
        store.report_posted(&question, MessageId(2), question.operation.version, "d", now).await.unwrap();
        assert_eq!(question_due(&store, at(FAR)).await, None, "it shows what is true");
        // A report that was loaded before a commit does not have the text for after it.
        let mut answered = asking.clone();
        answered.question = None;
        store.commit(&load(&store, asking.id).await, &answered, None).await.unwrap();
        let outdated = question_due(&store, at(FAR)).await.unwrap();
        assert_eq!((outdated.message, outdated.shown_version), (Some(MessageId(2)), Some(Version(0))));
        store.report_edited(&outdated, question.operation.version, "e", now).await.unwrap();
        let still = question_due(&store, at(FAR)).await.unwrap();
        store.report_edited(&still, still.operation.version, "e", now).await.unwrap();
        assert_eq!(question_due(&store, at(FAR)).await, None);
        // A second question is posted again, with its own nonce.
        let mut again = asking;
        again.questions = 2;
        store.commit(&load(&store, again.id).await, &again, None).await.unwrap();
        let again = question_due(&store, at(FAR)).await.unwrap();
        assert_eq!((again.generation, again.message, again.posting_since), (2, None, None));
    }

    async fn a_question_is_not_edited_before_discord_allows_it(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let mut asking = operation;
        asking.questions = 1;
        asking.question = Some(Question { opened_at: at(6), shown_at: None });
        store.commit(&load(&store, asking.id).await, &asking, None).await.unwrap();
        let question = question_due(&store, at(FAR)).await.unwrap();
        store.report_posted(&question, MessageId(2), question.operation.version, "d", at(7)).await.unwrap();
        store.report_failed(&question, at(FAR), u32::MAX).await.unwrap();
        let mut answered = asking;
        answered.question = None;
        store.commit(&load(&store, answered.id).await, &answered, None).await.unwrap();
        assert_eq!(question_due(&store, at(FAR - 1)).await, None);
        assert!(question_due(&store, at(FAR)).await.is_some());
    }

    async fn an_outcome_is_not_told_twice_in_the_channel_where_it_was_asked_for(memory: &Memory) {
        let store = memory.open().await;
        let mut here = request(1, 10);
        here.requester.channel = NOTIFY;
        let operation = store.create(here, InteractionId(1)).await.unwrap();
        let after = ended(owing(&operation, at(3)), Outcome::Completed, at(9));
        store.commit(&load(&store, operation.id).await, &after, None).await.unwrap();
        assert_eq!(kinds(&store).await, [ReportKind::Progress, ReportKind::Answer]);
    }

    async fn an_end_is_announced_once_to_the_requester_and_the_notify_channel(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let loaded = load(&store, operation.id).await;
        let after = ended(owing(&operation, at(3)), Outcome::Completed, at(9));
        store.commit(&loaded, &after, Some(at(20))).await.unwrap();
        let reports = due(&store).await;
        let channels: Vec<_> = reports.iter().map(|report| (report.kind, report.channel)).collect();
        assert_eq!(channels, [
            (ReportKind::Progress, ChannelId(3)),
            (ReportKind::Answer, ChannelId(3)),
            (ReportKind::Notify, NOTIFY),
        ]);
        for report in &reports {
            store.report_posted(report, MessageId(1), report.operation.version, "d", at(9)).await.unwrap();
        }
        let loaded = load(&store, operation.id).await;
        store.commit(&loaded, &ended(operation, Outcome::Completed, at(9)), None).await.unwrap();
        assert_eq!(kinds(&store).await, [ReportKind::Progress], "only progress is edited");
    }

    async fn a_call_for_help_is_due_when_power_is_stuck(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let stuck = with_power(&owing(&operation, at(3)), |power| {
            power["stuck"] = json!(Stuck { since: at(4), why: None });
        });
        let loaded = load(&store, operation.id).await;
        store.commit(&loaded, &stuck, Some(at(20))).await.unwrap();
        assert_eq!(kinds(&store).await, [ReportKind::Progress, ReportKind::Stuck]);
    }

    async fn a_post_that_left_is_known_to_have_left(memory: &Memory) {
        let store = memory.open().await;
        store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let report = due(&store).await.remove(0);
        store.report_posting(&report, at(4)).await.unwrap();
        store.report_failed(&report, at(6), u32::MAX).await.unwrap();
        store.report_posting(&report, at(6)).await.unwrap();
        drop(store);
        let store = memory.open().await;
        assert_eq!(store.due_reports(at(5), 9).await.unwrap(), []);
        let report = due(&store).await.remove(0);
        assert_eq!((report.posting_since, report.attempts), (Some(at(4)), 1));
    }

    async fn an_edit_leaves_only_for_what_the_message_still_shows(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let report = due(&store).await.remove(0);
        store.report_posted(&report, MessageId(1), Version(1), "d", at(1)).await.unwrap();
        let loaded = load(&store, operation.id).await;
        store.commit(&loaded, &operation, None).await.unwrap();
        let shown = due(&store).await.remove(0);
        store.report_editing(&shown).await.unwrap();
        store.report_edited(&shown, Version(2), "e", at(5)).await.unwrap();
        let late = store.report_editing(&shown).await;
        assert!(matches!(late, Err(Error::LeaseLost)), "{late:?}");
    }

    async fn a_deleted_message_is_posted_anew_as_the_next_generation(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let first = due(&store).await.remove(0);
        store.report_posting(&first, at(1)).await.unwrap();
        store.report_posted(&first, MessageId(1), Version(1), "d", at(1)).await.unwrap();
        store.report_deleted(&first).await.unwrap();
        let second = due(&store).await.remove(0);
        assert_eq!((second.generation, second.message, second.posting_since), (2, None, None));
        assert_eq!(second.shown_digest, None);
        assert_eq!(store.progress_message(operation.id).await.unwrap(), None);
        let late = store.report_posted(&first, MessageId(1), Version(1), "d", at(2)).await;
        assert!(matches!(late, Err(Error::LeaseLost)), "{late:?}");
        let again = store.report_deleted(&first).await;
        assert!(matches!(again, Err(Error::LeaseLost)), "{again:?}");
    }

    async fn what_was_given_up_stays_so(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let report = due(&store).await.remove(0);
        store.report_given_up(&report, "the channel is gone\0").await.unwrap();
        let loaded = load(&store, operation.id).await;
        store.commit(&loaded, &operation, None).await.unwrap();
        assert_eq!(due(&store).await, []);
        assert_eq!(store.next_report_due().await.unwrap(), None);
    }

    async fn a_report_may_be_put_off(memory: &Memory) {
        let store = memory.open().await;
        store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let report = due(&store).await.remove(0);
        store.report_postponed(&report, at(50)).await.unwrap();
        assert_eq!(store.next_report_due().await.unwrap(), Some(at(50)));
        assert_eq!(due(&store).await.remove(0).attempts, 0);
    }

    async fn said_or_not_changes_nothing_of_the_operation(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let loaded = load(&store, operation.id).await;
        let report = due(&store).await.remove(0);
        store.report_posting(&report, at(1)).await.unwrap();
        store.report_posted(&report, MessageId(1), Version(1), "d", at(1)).await.unwrap();
        assert_eq!(load(&store, operation.id).await, loaded);
        assert_eq!(store.due(at(9), Whose::All, &nothing_skipped(), 9).await.unwrap(), [operation.id]);
        store.commit(&loaded, &operation, None).await.unwrap();
    }
}

#[tokio::test]
async fn on_postgresql_the_reporter_and_the_worker_do_not_block_each_other() {
    let Some(memory) = Memory::postgresql().await else { return };
    let store = memory.open().await;
    let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
    let report = due(&store).await.remove(0);
    for round in 0..20 {
        let mut after = operation.clone();
        // Every second commit opens a question, which also changes the report's row.
        after.question = (round % 2 == 0).then_some(Question { opened_at: at(round), shown_at: None });
        let loaded = load(&store, operation.id).await;
        let (committed, shown) = tokio::join!(
            store.commit(&loaded, &after, None),
            store.report_posted(&report, MessageId(1), loaded.version, "d", at(round)),
        );
        committed.unwrap();
        shown.unwrap();
    }
    drop(store);
    memory.forget().await;
}
