//! DigitalOcean's own Backups: enabled once whatever gets lost, never disabled if that deletes a Backup that nobody confirmed, and kept.

use jiff::Timestamp;

use super::super::{
    Observation, Operation, Outcome,
    effect::{Answer, BackupPolicy, Command, Effect, Look},
    ids::{ActionId, SnapshotId},
    kinds::{Backups, BackupsChange, Kind, SnapshotRef},
    reading::{ActionReading, ActionStatus, Failure, ImageReading, PowerState, SnapshotReading, Trouble},
};
use super::{
    noon, operation, rules,
    stories::words,
    toy::{Toy, Transit},
};

fn backup(id: u64) -> SnapshotReading {
    SnapshotReading { id: SnapshotId(id), name: format!("nightly-{id}"), created_at: None, size_gigabytes: Some(2.5) }
}

fn reference(id: u64) -> SnapshotRef {
    SnapshotRef { id: SnapshotId(id), name: format!("nightly-{id}") }
}

fn change(change: BackupsChange) -> Operation {
    operation(Kind::Backups(Backups { change }))
}

fn enable() -> Operation {
    change(BackupsChange::Enable(BackupPolicy { plan: "daily".to_owned(), weekday: None, hour: 4 }))
}

fn disable(listed: &[u64], keep: Option<u64>) -> Operation {
    let listed = listed.iter().map(|id| reference(*id)).collect();
    change(BackupsChange::Disable { listed, keep: keep.map(reference) })
}

/// Plays an operation with these Backups and these readings of images until it rests; returns it with the commands that were sent.
fn played(mut it: Operation, backups: &[u64], image: impl Fn(u32) -> Answer) -> (Operation, Vec<Command>) {
    let mut toy = Toy::new(PowerState::On);
    let (rules, mut sent, mut looks) = (rules(), Vec::new(), 0);
    for _ in 0..500 {
        let now = toy.now;
        let seen = match it.next(&rules, now) {
            Effect::Rest => return (it, sent),
            Effect::Look(look @ Look::Backups(_)) => {
                Observation::Seen(look, Answer::Snapshots(backups.iter().map(|id| backup(*id)).collect()))
            }
            Effect::Look(look @ Look::Image(_)) => {
                looks += 1;
                Observation::Seen(look, image(looks))
            }
            Effect::Look(look @ Look::Action(ActionId(9))) => {
                Observation::Seen(look, Answer::Action(conversion(now, ActionStatus::InProgress)))
            }
            Effect::Send(command @ Command::KeepBackup(_)) => {
                sent.push(command.clone());
                it = it.apply(Observation::Intended, &rules, now).unwrap();
                Observation::Answered(command, Answer::Action(conversion(now, ActionStatus::InProgress)))
            }
            Effect::Send(_) | Effect::Look(_) | Effect::Sleep(_) => {
                it = toy.turn(it, Transit::Fine, 20);
                continue;
            }
        };
        it = it.apply(seen, &rules, now).unwrap();
    }
    panic!("it never ends: {it:#?}");
}

fn conversion(at: Timestamp, status: ActionStatus) -> ActionReading {
    ActionReading { id: ActionId(9), kind: "convert".to_owned(), droplet: None, status, started_at: Some(at) }
}

fn image(id: u64, is_backup: bool) -> Answer {
    Answer::Image(ImageReading { snapshot: backup(id), is_backup })
}

#[test]
fn backups_are_enabled_once_whatever_becomes_of_the_answer() {
    for transit in [
        Transit::Fine,
        Transit::NeverSent,
        Transit::LostBefore,
        Transit::LostAfter,
        Transit::LostUntil(20),
        Transit::Crash { executed: true },
        Transit::Crash { executed: false },
        Transit::Throttled,
    ] {
        let mut toy = Toy::new(PowerState::On);
        let mut it = enable();
        while !matches!(it.next(&toy.rules, toy.now), Effect::Send(_)) {
            it = toy.turn(it, Transit::Fine, 20);
        }
        it = toy.turn(it, transit, 20);
        let done = toy.settle(it);
        assert_eq!((done.outcome, words(&toy)), (Some(Outcome::Completed), vec!["enable_backups"]), "{transit:?}");
        assert!(done.power.owed().is_none());
    }
}

#[test]
fn an_action_that_errs_is_told() {
    let mut toy = Toy::new(PowerState::On);
    let mut it = enable();
    while toy.actions.is_empty() {
        it = toy.turn(it, Transit::Fine, 20);
    }
    toy.actions.last_mut().unwrap().errs = true;
    assert_eq!(toy.settle(it).outcome, Some(Outcome::Failed(Failure::ActionErrored)));
}

#[test]
fn backups_that_somebody_was_asked_about_are_deleted_and_fewer_too() {
    for there in [&[1, 2][..], &[2], &[]] {
        let (done, _) = played(disable(&[1, 2], None), there, |_| unreachable!("no image is looked at"));
        assert_eq!(done.outcome, Some(Outcome::Completed), "{there:?}");
    }
}

#[test]
fn a_backup_that_nobody_was_asked_about_keeps_all_of_them() {
    let (done, sent) = played(disable(&[1, 2], None), &[1, 2, 3], |_| unreachable!("no image is looked at"));
    assert_eq!(done.outcome, Some(Outcome::Failed(Failure::ChangedMeanwhile)));
    assert!(sent.is_empty() && done.steps.iter().all(|step| step.began.is_none()));
}

#[test]
fn one_is_kept_before_the_others_are_deleted() {
    let (done, sent) = played(disable(&[1, 2], Some(2)), &[1], |looks| image(2, looks < 3));
    assert_eq!(done.outcome, Some(Outcome::Completed));
    assert_eq!(sent, [Command::KeepBackup(SnapshotId(2))]);
    assert_eq!(done.snapshot.map(|kept| kept.id), Some(SnapshotId(2)));
    assert!(done.steps.iter().all(super::super::step::Step::is_done));
}

#[test]
fn nothing_is_deleted_where_the_one_to_keep_is_gone() {
    let gone = |_| Answer::Trouble(Trouble::NotFound);
    let (done, _) = played(disable(&[1, 2], Some(2)), &[1], gone);
    assert_eq!(done.outcome, Some(Outcome::Failed(Failure::SnapshotGone)));
    assert!(done.steps[1].began.is_none());
}

#[test]
fn a_conversion_that_never_shows_is_told_so_and_one_that_errs_as_well() {
    let (rules, noon) = (rules(), noon());
    let command = Command::KeepBackup(SnapshotId(2));
    let running = change(BackupsChange::Keep(reference(2))).apply(Observation::Intended, &rules, noon).unwrap();
    let answer = Answer::Action(conversion(noon, ActionStatus::InProgress));
    let running = running.apply(Observation::Answered(command, answer), &rules, noon).unwrap();
    let look = Look::Action(ActionId(9));
    let told = |status| Observation::Seen(look.clone(), Answer::Action(conversion(noon, status)));
    let errs = running.apply(told(ActionStatus::Errored), &rules, noon).unwrap();
    assert_eq!(errs.outcome, Some(Outcome::Failed(Failure::ActionErrored)));
    let completed = running.apply(told(ActionStatus::Completed), &rules, noon).unwrap();
    assert_eq!(completed.outcome, None, "it is believed once the image shows it");
    let shown = Observation::Seen(Look::Image(SnapshotId(2)), image(2, true));
    let late = noon + jiff::SignedDuration::from_mins(31);
    let waiting = completed.apply(shown.clone(), &rules, noon).unwrap();
    assert_eq!(waiting.outcome, None);
    assert_eq!(waiting.apply(shown, &rules, late).unwrap().outcome, Some(Outcome::Failed(Failure::NotListed)));
}

#[test]
fn a_conversion_whose_answer_was_lost_is_looked_for_and_sent_again() {
    let (rules, noon) = (rules(), noon());
    let command = Command::KeepBackup(SnapshotId(2));
    let it = change(BackupsChange::Keep(reference(2))).apply(Observation::Intended, &rules, noon).unwrap();
    let lost = Answer::Trouble(Trouble::Unclear { retry_at: noon });
    let it = it.apply(Observation::Answered(command.clone(), lost), &rules, noon).unwrap();
    let look = |is_backup| Observation::Seen(Look::Image(SnapshotId(2)), image(2, is_backup));
    assert_eq!(it.apply(look(false), &rules, noon).unwrap().outcome, Some(Outcome::Completed));
    let waiting = it.apply(look(true), &rules, noon).unwrap();
    assert!(matches!(waiting.next(&rules, noon), Effect::Sleep(_)), "it may still be converted");
    let later = noon + rules.settle_time;
    let again = waiting.apply(look(true), &rules, later).unwrap();
    assert_eq!(again.next(&rules, later), Effect::Send(command));
}
