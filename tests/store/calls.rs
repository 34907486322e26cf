//! Which operations a call for help lists, and which people get a message of their own.

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use snapshot_bot::{
    operation::{
        Blocker, Obstacle, Operation,
        ids::{ChannelId, InteractionId, MessageId, OperationId, UserId},
        power::Stuck,
        reading::Failure,
        report::ReportKind,
    },
    store::{OUTDATED, Report, Store},
};

use crate::{
    memory::{Memory, at, load, owing, request},
    rows::with_power,
};

/// Later than every clock here.
const FAR: i64 = 4_000_000_000;

/// An operation of a person in a channel, about which no one was called yet.
async fn begun(store: &Store, number: u64, (user, channel): (u64, u64)) -> Operation {
    let mut request = request(number, number);
    request.requester.user = UserId(user);
    request.requester.channel = ChannelId(channel);
    let operation = store.create(request, InteractionId(number)).await.unwrap();
    let owing = owing(&operation, operation.asked_at);
    store.commit(&load(store, operation.id).await, &owing, None).await.unwrap();
    owing
}

/// Its state after this many calls.
fn called(operation: &Operation, times: u32, why: Option<Failure>) -> Operation {
    with_power(operation, |power| {
        power["stuck"] = json!(Stuck { since: operation.asked_at, why });
        power["calls"] = json!(times);
    })
}

async fn call(store: &Store, operation: &Operation, times: u32) -> Operation {
    let called = called(operation, times, None);
    store.commit(&load(store, operation.id).await, &called, None).await.unwrap();
    called
}

/// Calls people about a new operation of this user in ada's channel.
async fn called_about(store: &Store, number: u64, user: u64) -> Operation {
    let operation = begun(store, number, (user, 3)).await;
    call(store, &operation, 1).await
}

/// The calls that must be posted or edited.
async fn due(store: &Store) -> Vec<Report> {
    let due = store.due_reports(at(FAR), 999).await.unwrap().into_iter();
    due.filter(|report| report.kind == ReportKind::Stuck).collect()
}

async fn listed(store: &Store, leader: OperationId) -> Vec<(OperationId, bool)> {
    let called = store.called_with(leader).await.unwrap();
    called.into_iter().map(|called| (called.operation.id, called.is_called_elsewhere)).collect()
}

async fn post(store: &Store, report: &Report, message: u64, now: Timestamp) {
    store.report_posting(report, now).await.unwrap();
    store.report_posted(report, MessageId(message), report.version(), "d", now).await.unwrap();
}

fn ids(operations: &[&Operation]) -> Vec<OperationId> {
    let mut ids: Vec<_> = operations.iter().map(|operation| operation.id).collect();
    ids.sort_unstable();
    ids
}

fn leaders(reports: &[Report]) -> Vec<OperationId> {
    reports.iter().map(|report| report.operation.operation.id).collect()
}

const ADA: u64 = 1;
const BOB: u64 = 2;

contract! {
    async fn one_message_calls_about_all_that_have_one_cause(memory: &Memory) {
        let store = memory.open().await;
        let one = called_about(&store, 1, ADA).await;
        let two = called_about(&store, 2, ADA).await;
        let three = called_about(&store, 3, BOB).await;
        let due = due(&store).await;
        assert_eq!(leaders(&due), [one.id], "the first leads");
        let all = listed(&store, one.id).await;
        assert_eq!(all.iter().map(|(id, _)| *id).collect::<Vec<_>>(), ids(&[&one, &two, &three]));
        assert!(all.iter().all(|(_, elsewhere)| !elsewhere), "nothing was said yet, so the message mentions bob, too");
    }

    async fn another_cause_or_channel_is_another_message(memory: &Memory) {
        let store = memory.open().await;
        let one = called_about(&store, 1, ADA).await;
        let elsewhere = begun(&store, 2, (ADA, 4)).await;
        call(&store, &elsewhere, 1).await;
        let token = begun(&store, 3, (ADA, 3)).await;
        let refused = called(&token, 1, Some(Failure::Unauthorized));
        store.commit(&load(&store, token.id).await, &refused, None).await.unwrap();
        let mut outage = begun(&store, 4, (ADA, 3)).await;
        outage.obstacle = Some(Obstacle { what: Blocker::Outage, since: outage.asked_at });
        call(&store, &outage, 1).await;
        let mut words = Vec::new();
        for (number, message) in [(5, "no"), (6, "nope"), (7, "no")] {
            let operation = begun(&store, number, (ADA, 3)).await;
            let refused = called(&operation, 1, Some(Failure::Refused { message: message.repeat(5_000) }));
            store.commit(&load(&store, operation.id).await, &refused, None).await.unwrap();
            words.push(operation);
        }
        let mut expected = ids(&[&one, &elsewhere, &token, &outage, &words[0], &words[1]]);
        let mut found = leaders(&due(&store).await);
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected);
    }

    async fn a_call_that_grows_is_edited_and_an_requester_whom_it_does_not_mention_is_called_too(memory: &Memory) {
        let store = memory.open().await;
        let now = memory.clock.now();
        let one = called_about(&store, 1, ADA).await;
        let first = due(&store).await.remove(0);
        store.report_posting(&first, now).await.unwrap();
        // The message may have been sent, and can no longer mention bob.
        let two = called_about(&store, 2, ADA).await;
        let three = called_about(&store, 3, BOB).await;
        let four = called_about(&store, 4, BOB).await;
        store.report_posted(&first, MessageId(9), first.version(), "d", now).await.unwrap();
        drop(store);
        let store = memory.open().await;
        let mut due_now = due(&store).await;
        due_now.sort_by_key(|report| report.leader.is_some());
        assert_eq!(leaders(&due_now), [one.id, three.id], "one is edited, and one is posted");
        assert_eq!((due_now[0].message, due_now[0].leader), (Some(MessageId(9)), None));
        assert_eq!((due_now[1].message, due_now[1].leader), (None, Some(one.id)));
        let mut expected = vec![(one.id, false), (two.id, false), (three.id, true), (four.id, true)];
        expected.sort_unstable();
        assert_eq!(listed(&store, one.id).await, expected);
        assert_eq!(listed(&store, three.id).await, [(three.id, false)]);
        assert_eq!(store.call_message(one.id).await.unwrap(), Some((ChannelId(3), MessageId(9))));
        store.report_edited(&due_now[0], due_now[0].version(), "e", now).await.unwrap();
        post(&store, &due_now[1], 10, now).await;
        assert_eq!(due(&store).await, []);
        assert!(store.next_report_due().await.unwrap().is_some_and(|at| at < now), "only progress is due");
    }

    async fn what_changes_for_one_of_them_is_shown_where_it_is_listed(memory: &Memory) {
        let store = memory.open().await;
        let now = memory.clock.now();
        let one = called_about(&store, 1, ADA).await;
        post(&store, &due(&store).await[0], 9, now).await;
        let two = called_about(&store, 2, BOB).await;
        for report in due(&store).await {
            match report.message {
                Some(_) => store.report_edited(&report, report.version(), "e", now).await.unwrap(),
                None => post(&store, &report, 10, now).await,
            }
        }
        assert_eq!(due(&store).await, []);
        // Nothing that the messages show has changed.
        store.commit(&load(&store, two.id).await, &two, None).await.unwrap();
        assert_eq!(due(&store).await, []);
        let back = with_power(&two, |power| power["owed"] = json!(null));
        store.commit(&load(&store, two.id).await, &back, None).await.unwrap();
        let mut found = leaders(&due(&store).await);
        found.sort_unstable();
        assert_eq!(found, ids(&[&one, &two]));
        let edits: Vec<_> = due(&store).await.iter().map(|report| report.message).collect();
        assert!(edits.iter().all(Option::is_some), "nobody is called for that");
        // A change during the edit leads to another edit.
        let report = due(&store).await.into_iter().find(|report| report.operation.operation.id == one.id).unwrap();
        let back = with_power(&one, |power| power["owed"] = json!(null));
        store.commit(&load(&store, one.id).await, &back, None).await.unwrap();
        store.report_edited(&report, report.version(), "f", now).await.unwrap();
        assert!(leaders(&due(&store).await).contains(&one.id));
    }

    async fn after_half_an_hour_another_message_calls(memory: &Memory) {
        let store = memory.open().await;
        let one = called_about(&store, 1, ADA).await;
        post(&store, &due(&store).await[0], 9, memory.clock.now()).await;
        memory.clock.advance(SignedDuration::from_mins(31));
        let two = called_about(&store, 2, ADA).await;
        assert_eq!(leaders(&due(&store).await), [two.id]);
        assert_eq!(listed(&store, one.id).await, [(one.id, false)]);
    }

    async fn who_leads_and_is_called_about_again_leaves_the_message_to_the_others(memory: &Memory) {
        let store = memory.open().await;
        let one = called_about(&store, 1, ADA).await;
        let others = [called_about(&store, 2, ADA).await, called_about(&store, 3, ADA).await];
        let first = due(&store).await.remove(0);
        post(&store, &first, 9, memory.clock.now()).await;
        memory.clock.advance(SignedDuration::from_mins(31));
        call(&store, &one, 2).await;
        let mut due_now = due(&store).await;
        due_now.sort_by_key(|report| report.message.is_none());
        let [edited, posted] = due_now.as_slice() else { panic!("{due_now:?}") };
        let heir = edited.operation.operation.id;
        assert_eq!((edited.message, edited.leader), (Some(MessageId(9)), None));
        assert_eq!((posted.operation.operation.id, posted.generation), (one.id, 2));
        let rest: Vec<_> = listed(&store, heir).await.into_iter().map(|(id, _)| id).collect();
        assert_eq!(rest, ids(&[&others[0], &others[1]]));
        assert_eq!(listed(&store, one.id).await, [(one.id, false)]);
        // The others follow, one after the other, and none is left behind.
        for other in &others {
            call(&store, other, 2).await;
        }
        assert_eq!(leaders(&due(&store).await), [one.id]);
        let all: Vec<_> = listed(&store, one.id).await.into_iter().map(|(id, _)| id).collect();
        assert_eq!(all, ids(&[&one, &others[0], &others[1]]));
    }

    async fn who_is_not_told_another_way_when_a_call_is_given_up_is_called_alone(memory: &Memory) {
        let store = memory.open().await;
        let one = called_about(&store, 1, ADA).await;
        let two = called_about(&store, 2, ADA).await;
        let first = due(&store).await.remove(0);
        store.report_posting(&first, memory.clock.now()).await.unwrap();
        let three = called_about(&store, 3, ADA).await;
        store.call_given_up(&first, &[one.id, two.id], "the channel is gone").await.unwrap();
        assert_eq!(leaders(&due(&store).await), [three.id]);
        let four = called_about(&store, 4, ADA).await;
        let mut found = leaders(&due(&store).await);
        found.sort_unstable();
        assert_eq!(found, ids(&[&three, &four]), "nobody joins what is not said");
    }

    async fn a_message_that_is_posted_anew_lists_all(memory: &Memory) {
        let store = memory.open().await;
        let one = called_about(&store, 1, ADA).await;
        let two = called_about(&store, 2, ADA).await;
        let first = due(&store).await.remove(0);
        post(&store, &first, 9, memory.clock.now()).await;
        store.report_deleted(&first).await.unwrap();
        let again = due(&store).await.remove(0);
        assert_eq!((again.generation, again.message), (2, None));
        assert_eq!(listed(&store, one.id).await.len(), 2);
        // A message that is found again after a crash may be outdated.
        store.report_posted(&again, MessageId(10), OUTDATED, "", memory.clock.now()).await.unwrap();
        assert_eq!(leaders(&due(&store).await), [one.id]);
        drop(two);
    }

    async fn of_many_that_are_called_about_at_once_one_leads(memory: &Memory) {
        let store = memory.open().await;
        let mut operations = Vec::new();
        for number in 1..=12 {
            operations.push(begun(&store, number, (ADA, 3)).await);
        }
        join_all(operations.iter().map(|operation| call(&store, operation, 1))).await;
        let due_now = due(&store).await;
        assert_eq!(due_now.len(), 1, "{due_now:?}");
        let leader = due_now[0].operation.operation.id;
        assert_eq!(listed(&store, leader).await.len(), 12);
        post(&store, &due_now[0], 9, memory.clock.now()).await;
        memory.clock.advance(SignedDuration::from_mins(31));
        join_all(operations.iter().map(|operation| call(&store, operation, 2))).await;
        let due_now = due(&store).await;
        assert_eq!(due_now.len(), 1, "{due_now:?}");
        assert_eq!(listed(&store, due_now[0].operation.operation.id).await.len(), 12);
    }

    async fn operations_that_are_only_listed_are_pruned(memory: &Memory) {
        let store = memory.open().await;
        called_about(&store, 1, ADA).await;
        let two = called_about(&store, 2, ADA).await;
        let mut ended = with_power(&two, |power| power["owed"] = json!(null));
        ended.ended = Some(two.asked_at);
        ended.outcome = Some(snapshot_bot::operation::Outcome::Completed);
        store.commit(&load(&store, two.id).await, &ended, None).await.unwrap();
        for report in store.due_reports(at(FAR), 99).await.unwrap() {
            if report.operation.operation.id == two.id {
                store.report_given_up(&report, "not needed here").await.unwrap();
            }
        }
        assert_eq!(store.prune_operations(at(FAR), at(FAR)).await.unwrap(), 1);
        assert!(store.operation(two.id).await.unwrap().is_none());
    }
}
