//! The texts about DigitalOcean's own Backups: refusals, and operations in every state and with every ending.

use strum::VariantArray;

use super::*;
use crate::{
    discord::messages::{answer::answer, examples, marker::signed, progress::progress, refusal::Refusal},
    operation::{
        Cancelled, Operation, Outcome,
        ids::SnapshotId,
        kinds::{Backups, BackupsChange, Kind, SnapshotRef},
        reading::{Failure, FailureKind},
        report::ReportKind,
        step::{Checks, State, Task},
    },
};

#[test]
fn every_refusal_says_what_to_do_next() {
    let droplet = || "web-1".to_owned();
    let text = || "noon".to_owned();
    let refusals = [
        BackupsRefusal::On { droplet: droplet() },
        BackupsRefusal::Off { droplet: droplet() },
        BackupsRefusal::Same { droplet: droplet() },
        BackupsRefusal::NoPlan { text: text(), plans: vec!["weekly".to_owned(), "daily".to_owned()] },
        BackupsRefusal::NoDay { text: text(), days: Vec::new() },
        BackupsRefusal::NoDay { text: text(), days: vec!["SUN".to_owned(), "MON".to_owned()] },
        BackupsRefusal::NoHour { text: text(), hours: vec![0, 4, 8] },
        BackupsRefusal::NoBackup { text: text(), droplet: droplet(), count: 0 },
        BackupsRefusal::NoBackup { text: text(), droplet: droplet(), count: 3 },
    ];
    insta::assert_snapshot!(refusals.map(|refusal| refusal.words()).join("\n"));
}

#[test]
fn a_plan_that_nobody_knew_is_named_and_has_no_price() {
    let policy = BackupPolicy { plan: "usage_based".to_owned(), weekday: None, hour: 20 };
    assert_eq!(when(&policy), "by the plan `usage_based`, between 20:00 and 00:00 UTC");
    let droplet: Droplet = serde_json::from_value(serde_json::json!({
        "id": 1, "name": "web-1", "status": "active", "size": { "price_monthly": 6.0 },
    }))
    .unwrap();
    assert_eq!(price("usage_based", &droplet), None);
    assert_eq!(price("weekly", &droplet).map(dollars_a_month).as_deref(), Some("$1.20/mo"));
}

fn reference(number: u64) -> SnapshotRef {
    SnapshotRef { id: SnapshotId(number), name: format!("web-1 2026-11-{number}") }
}

fn policy() -> BackupPolicy {
    BackupPolicy { plan: "weekly".to_owned(), weekday: Some("SUN".to_owned()), hour: 20 }
}

fn changes() -> [(&'static str, Task, BackupsChange); 5] {
    let listed = vec![reference(20), reference(21)];
    [
        ("enable", Task::EnableBackups, BackupsChange::Enable(policy())),
        ("change", Task::ChangeBackups, BackupsChange::Change(policy())),
        ("disable", Task::DisableBackups, BackupsChange::Disable { listed: listed.clone(), keep: None }),
        ("disable, keep one", Task::DisableBackups, BackupsChange::Disable { listed, keep: Some(reference(21)) }),
        ("keep", Task::KeepBackup, BackupsChange::Keep(reference(21))),
    ]
}

/// An operation whose steps before this task are done.
fn at(task: Task, change: &BackupsChange, state: &State) -> Operation {
    let mut operation = examples::of(Kind::Backups(Backups { change: change.clone() }));
    let before = operation.steps.iter().position(|step| step.task() == task).expect("a step of it");
    for (number, step) in operation.steps.iter_mut().enumerate() {
        let done = State::Done { at: examples::ago(20) };
        step.state = if number < before { done } else { state.clone() };
        step.began = Some(examples::ago(30));
    }
    if task == Task::DisableBackups && before > 0 {
        operation.snapshot = examples::completed().snapshot;
    }
    operation
}

fn read(message: &Message) -> String {
    let embeds = message.embeds.iter().map(|embed| format!("{}\n{}", embed.title, embed.description));
    std::iter::once(message.content.clone())
        .chain(embeds)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

fn answered(operation: &Operation) -> String {
    let message = answer(operation, &examples::wording());
    examples::assert_short(&signed(message.clone(), ReportKind::Answer, operation.id));
    read(&message)
}

#[test]
fn operations_from_beginning_to_end() {
    let mut told = Vec::new();
    for (label, task, change) in changes() {
        let waiting = at(task, &change, &State::Waiting(Checks::default()));
        let running = at(task, &change, &examples::running(examples::ago(10)));
        let mut done = at(task, &change, &State::Done { at: examples::ago(5) });
        (done.outcome, done.ended) = (Some(Outcome::Completed), Some(examples::ago(5)));
        if task == Task::KeepBackup {
            done.snapshot = examples::completed().snapshot;
        }
        let mut cancelled = at(task, &change, &State::Skipped);
        cancelled.cancelled = Some(Cancelled { by: Some(examples::BOB), at: examples::ago(9) });
        (cancelled.outcome, cancelled.ended) = (Some(Outcome::Cancelled), Some(examples::ago(8)));
        for (state, operation) in [("waiting", &waiting), ("under way", &running), ("done", &done)] {
            told.push(format!(
                "── {label}, {state}\n{}",
                read(&progress(operation, &examples::wording(), examples::NOW))
            ));
        }
        for (state, operation) in [("done", &done), ("cancelled", &cancelled)] {
            told.push(format!("── {label}, {state}\n{}", answered(operation)));
        }
    }
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn every_failure_is_told_in_words_about_backups() {
    let text = || "no".to_owned();
    let failures = FailureKind::VARIANTS.iter().filter_map(|kind| match kind {
        FailureKind::ActionErrored => Some(Failure::ActionErrored),
        FailureKind::ActionVanished => Some(Failure::ActionVanished),
        FailureKind::DropletGone => Some(Failure::DropletGone),
        FailureKind::SnapshotGone => Some(Failure::SnapshotGone),
        FailureKind::Refused => Some(Failure::Refused { message: text() }),
        FailureKind::TooOld => Some(Failure::TooOld),
        FailureKind::ChangedMeanwhile => Some(Failure::ChangedMeanwhile),
        FailureKind::NotListed => Some(Failure::NotListed),
        _ => None,
    });
    let mut told = Vec::new();
    for why in failures {
        for (label, task, change) in changes() {
            let state = State::Failed { at: examples::ago(5), why: why.clone() };
            let mut failed = at(task, &change, &state);
            (failed.outcome, failed.ended) = (Some(Outcome::Failed(why.clone())), Some(examples::ago(5)));
            let message = answered(&failed);
            assert!(!message.contains("two"), "nothing is paid for twice here: {message}");
            told.push(format!("{label} · {why:?}\n{message}"));
        }
    }
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn a_refusal_of_backups_is_one_like_any_other() {
    let refusal = BackupsRefusal::Off { droplet: "web-1".to_owned() };
    assert_eq!(Refusal::Backups(refusal.clone()).words(), refusal.words());
}
