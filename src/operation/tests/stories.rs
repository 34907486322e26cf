//! One story per promise.

use jiff::SignedDuration;

use super::super::{
    Instructed, Instruction, Observation, Operation, Outcome,
    effect::{Answer, Command, Effect, Look, NewDroplet},
    ids::{ActionId, DropletId, SnapshotId, UserId},
    kinds::{Delete, Downtime, IfHung, Kind, Launch, Safety, SnapshotRef},
    power::Owed,
    reading::{ActionReading, ActionStatus, DropletReading, Failure, PowerState, SnapshotReading, Status, Trouble},
    step::{State, Task},
};
use super::{
    DROPLET, operation, restore, take,
    toy::{Toy, Transit},
};

pub(super) fn word(command: &Command) -> &'static str {
    match command {
        Command::ShutDown(_) => "shutdown",
        Command::PowerOff(_) => "power_off",
        Command::PowerOn(_) => "power_on",
        Command::Restart(_) => "power_cycle",
        Command::TakeSnapshot { .. } => "snapshot",
        Command::Restore { .. } => "restore",
        Command::Create(_) => "create",
        Command::Delete(_) => "delete",
        Command::EnableBackups { .. } => "enable_backups",
        Command::ChangeBackups { .. } => "change_backup_policy",
        Command::DisableBackups(_) => "disable_backups",
        Command::KeepBackup(_) => "convert",
    }
}

pub(super) fn words(toy: &Toy) -> Vec<&'static str> {
    toy.sent.iter().map(word).collect()
}

/// Plays turns until `stop` says so.
pub(super) fn until(toy: &mut Toy, mut it: Operation, stop: impl Fn(&Operation) -> bool) -> Operation {
    for _ in 0..20_000 {
        if stop(&it) {
            return it;
        }
        it = toy.turn(it, Transit::Fine, 20);
    }
    panic!("it never came to that: {it:#?}");
}

pub(super) fn next_command(toy: &Toy, it: &Operation) -> Option<Command> {
    match it.next(&toy.rules, toy.now) {
        Effect::Send(command) => Some(command),
        Effect::Look(_) | Effect::Sleep(_) | Effect::Rest => None,
    }
}

#[test]
fn a_take_shuts_down_snapshots_and_powers_on_in_this_order() {
    let mut toy = Toy::new(PowerState::On);
    let done = toy.settle(operation(take(Downtime::PowerOff, IfHung::Ask)));
    assert_eq!(words(&toy), ["shutdown", "snapshot", "power_on"]);
    assert_eq!(done.outcome, Some(Outcome::Completed));
    assert_eq!(toy.power, PowerState::On);
    assert!(done.snapshot.is_some_and(|snapshot| snapshot.name == done.snapshot_name));
    assert!(done.power.came_back().is_some());
}

#[test]
fn power_is_back_before_a_late_list_shows_the_snapshot() {
    let mut toy = Toy::new(PowerState::On);
    toy.listing_delay = SignedDuration::from_mins(10);
    let done = toy.settle(operation(take(Downtime::PowerOff, IfHung::Ask)));
    let back = done.power.came_back().unwrap();
    assert!(done.ended.unwrap().duration_since(back) > SignedDuration::from_mins(5));
    assert_eq!(done.outcome, Some(Outcome::Completed));
}

#[test]
fn whoever_slept_through_the_patience_with_the_list_looks_before_a_snapshot_is_called_unlisted() {
    let mut toy = Toy::new(PowerState::On);
    let it = operation(take(Downtime::None, IfHung::Ask));
    let it = until(&mut toy, it, |it| it.steps[0].run().is_some_and(|run| run.completed.is_some()));
    toy.now += SignedDuration::from_hours(2);
    let awake = it.apply(Observation::Woke, &toy.rules, toy.now).unwrap();
    assert_eq!(awake.outcome, None);
    let missing = Observation::Seen(Look::Snapshots(DROPLET), Answer::Snapshots(Vec::new()));
    let it = awake.apply(missing, &toy.rules, toy.now).unwrap();
    assert_eq!(it.outcome, Some(Outcome::Failed(Failure::NotListed)));
    assert_eq!(toy.settle(awake).outcome, Some(Outcome::Completed));
}

#[test]
fn a_list_that_lacks_a_snapshot_after_one_that_had_it_proves_nothing() {
    let mut toy = Toy::new(PowerState::On);
    let it = operation(take(Downtime::None, IfHung::Ask));
    let it = until(&mut toy, it, |it| it.steps[0].run().is_some_and(|run| run.completed.is_some()));
    let reading = |size_gigabytes| {
        let (id, name) = (SnapshotId(50), it.snapshot_name.clone());
        vec![SnapshotReading { id, name, created_at: None, size_gigabytes }]
    };
    let (list, alone) = (Look::Snapshots(DROPLET), Look::Snapshot(SnapshotId(50)));
    let seen = |it: &Operation, look: &Look, answer, at| {
        it.apply(Observation::Seen(look.clone(), answer), &toy.rules, at).unwrap()
    };
    let listed = seen(&it, &list, Answer::Snapshots(reading(None)), toy.now);
    let unlisted = seen(&listed, &list, Answer::Snapshots(Vec::new()), toy.now);
    assert_eq!(unlisted.outcome, None);
    let soon = toy.now + toy.rules.poll_interval;
    assert_eq!(unlisted.next(&toy.rules, soon), Effect::Look(alone.clone()));
    let sized = seen(&unlisted, &alone, Answer::Snapshots(reading(Some(2.0))), soon);
    assert_eq!(sized.outcome, Some(Outcome::Completed));
    let not_found = || Answer::Trouble(Trouble::NotFound);
    let once = seen(&unlisted, &alone, not_found(), soon);
    assert_eq!(once.outcome, None);
    let twice = seen(&once, &alone, not_found(), soon + toy.rules.settle_time);
    assert_eq!(twice.outcome, Some(Outcome::Failed(Failure::SnapshotGone)));
}

#[test]
fn a_live_take_only_takes_the_snapshot() {
    let mut toy = Toy::new(PowerState::On);
    let done = toy.settle(operation(take(Downtime::None, IfHung::Ask)));
    assert_eq!(words(&toy), ["snapshot"]);
    assert_eq!(done.power.downtime(), None);
}

#[test]
fn a_droplet_that_was_off_stays_off() {
    let mut toy = Toy::new(PowerState::Off);
    let done = toy.settle(operation(take(Downtime::PowerOff, IfHung::Ask)));
    assert_eq!(words(&toy), ["snapshot"]);
    assert_eq!(toy.power, PowerState::Off);
    assert_eq!(done.outcome, Some(Outcome::Completed));
}

#[test]
fn a_failed_snapshot_powers_the_droplet_back_on() {
    let mut toy = Toy::new(PowerState::On);
    let it = operation(take(Downtime::PowerOff, IfHung::Ask));
    let it = until(&mut toy, it, |it| it.steps[1].run().is_some());
    toy.actions.last_mut().unwrap().errs = true;
    let done = toy.settle(it);
    assert_eq!(done.outcome, Some(Outcome::Failed(Failure::ActionErrored)));
    assert_eq!(words(&toy), ["shutdown", "snapshot", "power_on"]);
    assert_eq!(toy.power, PowerState::On);
}

#[test]
fn power_is_owed_from_the_very_intent_of_a_shutdown() {
    let mut toy = Toy::new(PowerState::On);
    let it = operation(take(Downtime::PowerOff, IfHung::Ask));
    let it = until(&mut toy, it, |it| matches!(it.steps[0].state, State::Intended { .. } | State::Running(_)));
    assert!(it.power.owed().is_some());
}

#[test]
fn a_lost_answer_to_the_snapshot_is_adopted_not_repeated() {
    for transit in [Transit::LostAfter, Transit::Crash { executed: true }] {
        let mut toy = Toy::new(PowerState::On);
        let mut it = operation(take(Downtime::PowerOff, IfHung::Ask));
        loop {
            let snapshot_is_next = matches!(next_command(&toy, &it), Some(Command::TakeSnapshot { .. }));
            it = toy.turn(it, if snapshot_is_next { transit } else { Transit::Fine }, 300);
            if snapshot_is_next {
                break;
            }
        }
        let done = toy.settle(it);
        assert_eq!(words(&toy), ["shutdown", "snapshot", "power_on"], "{transit:?}");
        assert_eq!(done.outcome, Some(Outcome::Completed));
    }
}

#[test]
fn a_snapshot_that_never_began_is_begun_again_but_not_before_it_is_sure() {
    let mut toy = Toy::new(PowerState::On);
    let mut it = operation(take(Downtime::None, IfHung::Ask));
    while next_command(&toy, &it).is_none() {
        it = toy.turn(it, Transit::Fine, 20);
    }
    let first = toy.now;
    it = toy.turn(it, Transit::Crash { executed: false }, 20);
    while next_command(&toy, &it).is_none() {
        it = toy.turn(it, Transit::Fine, 20);
    }
    assert!(toy.now.duration_since(first) >= toy.rules.settle_time);
    let done = toy.settle(it);
    assert_eq!(words(&toy), ["snapshot"]);
    assert_eq!(done.outcome, Some(Outcome::Completed));
}

pub(super) fn hung(if_hung: IfHung, late: Option<i64>) -> (Toy, Operation) {
    let mut toy = Toy::new(PowerState::On);
    let it = operation(take(Downtime::PowerOff, if_hung));
    let it = until(&mut toy, it, |it| it.steps[0].run().is_some());
    let now = toy.now;
    let shutdown = toy.actions.last_mut().unwrap();
    shutdown.takes_effect = late.map(|seconds| now + SignedDuration::from_secs(seconds));
    (toy, it)
}

#[test]
fn a_hung_shutdown_becomes_a_question_and_silence_is_cancel() {
    let (mut toy, it) = hung(IfHung::Ask, None);
    let it = until(&mut toy, it, |it| it.question.is_some());
    assert!(it.ended.is_none());
    let it = until(&mut toy, it, |it| it.ended.is_some());
    assert_eq!(it.outcome, Some(Outcome::Cancelled));
    assert!(it.cancelled.is_some_and(|cancelled| cancelled.by.is_none()));
    toy.settle(it);
    assert_eq!(words(&toy), ["shutdown"]);
}

#[test]
fn whoever_slept_through_the_time_out_looks_before_a_shutdown_is_called_hung() {
    for if_hung in [IfHung::Ask, IfHung::Force, IfHung::Live] {
        let mut toy = Toy::new(PowerState::On);
        let it = until(&mut toy, operation(take(Downtime::PowerOff, if_hung)), |it| it.steps[0].run().is_some());
        toy.now += SignedDuration::from_hours(2);
        toy.catch_up();
        let it = it.apply(Observation::Woke, &toy.rules, toy.now).unwrap();
        assert_eq!(it.question, None);
        let done = toy.settle(it);
        assert_eq!(words(&toy), ["shutdown", "snapshot", "power_on"]);
        assert!(matches!(done.steps[0].state, State::Done { .. }), "{:?}", done.steps[0]);
    }
}

#[test]
fn a_shutdown_that_errs_is_no_question_where_the_droplet_is_off() {
    let mut toy = Toy::new(PowerState::On);
    let it = until(&mut toy, operation(take(Downtime::PowerOff, IfHung::Ask)), |it| it.steps[0].run().is_some());
    toy.actions.last_mut().unwrap().errs = true;
    toy.power = PowerState::Off;
    let it = until(&mut toy, it, |it| it.question.is_some() || it.steps[0].is_over());
    assert_eq!(it.question, None);
}

#[test]
fn a_hung_shutdown_is_noticed_when_its_time_is_over_and_not_at_the_next_look() {
    let (mut toy, it) = hung(IfHung::Ask, None);
    let began = it.steps[0].began.unwrap();
    let it = until(&mut toy, it, |it| it.question.is_some());
    let noticed = it.question.unwrap().opened_at.duration_since(began);
    assert!(noticed <= toy.rules.shutdown_timeout + SignedDuration::from_secs(1), "{noticed:?}");
}

#[test]
fn force_cuts_the_power_and_goes_on() {
    let (mut toy, it) = hung(IfHung::Ask, None);
    let it = until(&mut toy, it, |it| it.question.is_some());
    let it = toy.instruction(&it, Instruction::Force);
    let done = toy.settle(it);
    assert_eq!(words(&toy), ["shutdown", "power_off", "snapshot", "power_on"]);
    assert_eq!(done.outcome, Some(Outcome::Completed));
}

#[test]
fn a_shutdown_that_takes_effect_after_cancel_is_made_good() {
    let (mut toy, it) = hung(IfHung::Ask, Some(300));
    let it = until(&mut toy, it, |it| it.question.is_some());
    let it = toy.instruction(&it, Instruction::Cancel);
    let it = until(&mut toy, it, |it| it.ended.is_some());
    assert!(it.power.owed().is_some(), "the duty outlives the answer");
    let done = toy.settle(it);
    assert_eq!(words(&toy), ["shutdown", "power_on"]);
    assert_eq!(toy.power, PowerState::On);
    assert!(done.power.repaired().is_some());
}

#[test]
fn taking_it_live_still_brings_a_late_off_back() {
    let (mut toy, it) = hung(IfHung::Live, Some(200));
    let done = toy.settle(it);
    assert_eq!(words(&toy), ["shutdown", "snapshot", "power_on"]);
    assert_eq!(toy.power, PowerState::On);
    assert_eq!(done.outcome, Some(Outcome::Completed));
}

#[test]
fn power_back_that_errs_calls_for_help_and_tries_on() {
    let mut toy = Toy::new(PowerState::On);
    let it = operation(take(Downtime::PowerOff, IfHung::Ask));
    let mut it = until(&mut toy, it, |it| it.power.back().run().is_some());
    for _ in 0..3 {
        toy.actions.last_mut().unwrap().errs = true;
        it = until(&mut toy, it, |it| matches!(it.power.back().state, State::Waiting(_)));
        it = until(&mut toy, it, |it| it.power.back().run().is_some());
    }
    assert!(it.power.last_call().is_some());
    assert!(it.ended.is_none(), "stuck is not an end");
    let done = toy.settle(it);
    assert_eq!(toy.power, PowerState::On);
    assert_eq!(done.outcome, Some(Outcome::Completed));
}

#[test]
fn a_person_may_take_the_duty() {
    let mut toy = Toy::new(PowerState::On);
    let it = operation(take(Downtime::PowerOff, IfHung::Ask));
    let it = until(&mut toy, it, |it| it.steps[1].run().is_some());
    let it = toy.instruction(&it, Instruction::LeaveOff);
    let done = toy.settle(it);
    assert_eq!(words(&toy), ["shutdown", "snapshot"]);
    assert_eq!(toy.power, PowerState::Off);
    assert_eq!(done.outcome, Some(Outcome::Completed));
}

#[test]
fn cancel_before_the_snapshot_takes_none() {
    let mut toy = Toy::new(PowerState::On);
    let it = operation(take(Downtime::PowerOff, IfHung::Ask));
    let it = until(&mut toy, it, |it| it.steps[0].run().is_some());
    let it = toy.instruction(&it, Instruction::Cancel);
    let done = toy.settle(it);
    assert_eq!(words(&toy), ["shutdown", "power_on"]);
    assert_eq!(done.outcome, Some(Outcome::Cancelled));
}

#[test]
fn cancel_during_the_snapshot_keeps_it() {
    let mut toy = Toy::new(PowerState::On);
    let it = operation(take(Downtime::PowerOff, IfHung::Ask));
    let it = until(&mut toy, it, |it| it.steps[1].run().is_some());
    let it = toy.instruction(&it, Instruction::Cancel);
    let done = toy.settle(it);
    assert_eq!(done.outcome, Some(Outcome::Completed));
    assert!(done.cancelled.is_some() && done.snapshot.is_some());
}

#[test]
fn a_restore_takes_its_safety_snapshot_first_and_sees_it_listed() {
    let mut toy = Toy::new(PowerState::On);
    let done = toy.settle(operation(restore(Safety::Snapshot)));
    assert_eq!(words(&toy), ["shutdown", "snapshot", "restore", "power_on"]);
    assert_eq!(done.outcome, Some(Outcome::Completed));
    assert!(done.snapshot.is_some());
}

#[test]
fn a_restore_does_not_wait_for_its_safety_snapshots_size() {
    let mut toy = Toy::new(PowerState::On);
    toy.tells_sizes = false;
    let it = until(&mut toy, operation(restore(Safety::Snapshot)), |it| it.steps[2].run().is_some());
    assert!(toy.now.duration_since(it.asked_at) < SignedDuration::from_mins(10));
    let done = toy.settle(it);
    assert_eq!(words(&toy), ["shutdown", "snapshot", "restore", "power_on"]);
    assert!(done.snapshot.is_some_and(|snapshot| snapshot.size_gigabytes.is_none()));
}

#[test]
fn a_failed_safety_snapshot_means_no_restore() {
    let mut toy = Toy::new(PowerState::On);
    let it = until(&mut toy, operation(restore(Safety::Snapshot)), |it| it.steps[1].run().is_some());
    toy.actions.last_mut().unwrap().errs = true;
    let done = toy.settle(it);
    assert_eq!(words(&toy), ["shutdown", "snapshot", "power_on"]);
    assert_eq!(done.outcome, Some(Outcome::Failed(Failure::ActionErrored)));
}

#[test]
fn a_restore_is_never_sent_again_once_the_droplet_was_seen_on() {
    let mut toy = Toy::new(PowerState::On);
    let mut it = operation(restore(Safety::None));
    while !matches!(next_command(&toy, &it), Some(Command::Restore { .. })) {
        it = toy.turn(it, Transit::Fine, 20);
    }
    it = toy.turn(it, Transit::Crash { executed: false }, 20);
    toy.power = PowerState::On;
    let done = toy.settle(it);
    assert_eq!(words(&toy), ["shutdown"]);
    assert_eq!(done.outcome, Some(Outcome::Failed(Failure::RestoreUnclear)));
}

#[test]
fn a_droplet_that_was_off_is_not_overwritten_once_somebody_turned_it_on() {
    let mut toy = Toy::new(PowerState::Off);
    let it = until(&mut toy, operation(restore(Safety::Snapshot)), |it| it.steps[1].run().is_some());
    toy.power = PowerState::On;
    let done = toy.settle(it);
    assert_eq!(words(&toy), ["snapshot"]);
    assert_eq!(done.outcome, Some(Outcome::Failed(Failure::ChangedMeanwhile)));
    assert_eq!(toy.power, PowerState::On);
}

#[test]
fn a_foreign_snapshot_is_not_taken_for_ours() {
    let mut toy = Toy::new(PowerState::On);
    let mut it = operation(take(Downtime::None, IfHung::Ask));
    while next_command(&toy, &it).is_none() {
        it = toy.turn(it, Transit::Fine, 20);
    }
    it = toy.turn(it, Transit::Crash { executed: false }, 20);
    toy.begin("snapshot", 60, Some("nightly".to_owned()));
    let done = toy.settle(it);
    assert_eq!(done.outcome, Some(Outcome::Completed));
    assert_eq!(done.snapshot.map(|snapshot| snapshot.name), Some(done.snapshot_name));
    assert_eq!(words(&toy), ["snapshot"]);
}

#[test]
fn a_newer_operation_takes_over_what_an_ended_one_still_owes() {
    let (mut toy, it) = hung(IfHung::Ask, Some(400));
    let it = until(&mut toy, it, |it| it.question.is_some());
    let it = toy.instruction(&it, Instruction::Cancel);
    let mut older = until(&mut toy, it, |it| it.ended.is_some());
    let mut newer = operation(take(Downtime::None, IfHung::Ask));
    assert!(older.may_hand_over());
    newer.inherit(&mut older);
    assert_eq!(older.next(&toy.rules, toy.now), Effect::Rest);
    let done = toy.settle(newer);
    assert_eq!(toy.power, PowerState::On);
    assert_eq!(done.outcome, Some(Outcome::Completed));
}

#[test]
fn an_unreadable_state_still_brings_power_back() {
    let mut toy = Toy::new(PowerState::Off);
    let request = super::super::NewOperation {
        id: super::super::ids::OperationId::from_random(5),
        kind: take(Downtime::PowerOff, IfHung::Ask),
        requester: operation(take(Downtime::None, IfHung::Ask)).requester,
        asked_at: toy.now,
        target: operation(take(Downtime::None, IfHung::Ask)).target,
        snapshot_name: None,
        typical: super::super::TypicalDurations::default(),
    };
    let done =
        toy.settle(Operation::rescue(request, Some(Owed { since: toy.now, late_until: None, earlier_until: None })));
    assert_eq!(words(&toy), ["power_on"]);
    assert_eq!(done.outcome, Some(Outcome::Failed(Failure::Internal)));
}

#[test]
fn a_destroyed_droplet_ends_everything_that_is_owed() {
    let mut toy = Toy::new(PowerState::On);
    let it = until(&mut toy, operation(take(Downtime::PowerOff, IfHung::Ask)), |it| it.steps[1].run().is_some());
    toy.gone = true;
    let done = toy.settle(it);
    assert_eq!(done.outcome, Some(Outcome::Failed(Failure::DropletGone)));
    assert_eq!(done.power.owed(), None);
}

#[test]
fn a_removed_tag_stops_the_forward_steps_only() {
    let mut toy = Toy::new(PowerState::On);
    toy.rules.droplet_tag = Some("bot".to_owned());
    let done = toy.settle(operation(take(Downtime::PowerOff, IfHung::Ask)));
    assert_eq!(done.outcome, Some(Outcome::Failed(Failure::TagRemoved { tag: "bot".to_owned() })));
    assert!(toy.sent.is_empty());
}

#[test]
fn an_observation_that_does_not_fit_is_refused_with_both_halves_named() {
    let toy = Toy::new(PowerState::On);
    let it = operation(take(Downtime::PowerOff, IfHung::Ask));
    let refused = it.apply(super::super::Observation::AnswerLost, &toy.rules, toy.now).unwrap_err();
    assert!(refused.state.contains("Waiting") && refused.observation.contains("AnswerLost"), "{refused}");
}

#[test]
fn every_task_but_delete_is_an_action_at_digitalocean() {
    assert_eq!(Task::Delete.action_kind(), None);
    assert_eq!(Task::ShutDown.action_kind(), Some("shutdown"));
    assert_eq!(DROPLET.to_string(), "7");
}

/// Plays a launch in which the new Droplet has this status and its create Action that one.
fn launched(status: &Status, create: ActionStatus) -> Operation {
    let (rules, mut now, made) = (super::rules(), super::noon(), DropletId(77));
    let droplet = NewDroplet {
        name: "copy".to_owned(),
        region: "nyc3".to_owned(),
        size: "s-1vcpu-1gb".to_owned(),
        image: SnapshotId(50),
        tags: Vec::new(),
        ssh_keys: Vec::new(),
    };
    let snapshot = SnapshotRef { id: SnapshotId(50), name: "good".to_owned() };
    let mut it = operation(Kind::Launch(Launch { snapshot, droplet }));
    for _ in 0..200 {
        let effect = it.next(&rules, now);
        let reading = DropletReading {
            id: made,
            name: Some("copy".to_owned()),
            status: status.clone(),
            locked: false,
            tags: Some(Vec::new()),
            address: None,
            monthly_cents: None,
            asked_at: None,
        };
        let action = ActionReading {
            id: ActionId(78),
            kind: "create".to_owned(),
            droplet: Some(made),
            status: create,
            started_at: Some(now),
        };
        let seen = match effect {
            Effect::Rest => return it,
            Effect::Sleep(until) => {
                now = until;
                Observation::Woke
            }
            Effect::Send(command) => {
                it = it.apply(Observation::Intended, &rules, now).unwrap();
                Observation::Answered(command, Answer::Droplets(vec![reading]))
            }
            Effect::Look(look @ Look::Actions(_)) => Observation::Seen(look, Answer::Actions(vec![action])),
            Effect::Look(look) => Observation::Seen(look, Answer::Droplet(reading)),
        };
        it = it.apply(seen, &rules, now).unwrap();
    }
    panic!("the launch never ends: {it:#?}");
}

#[test]
fn a_launch_whose_create_errs_says_so_instead_of_waiting_forever() {
    let done = launched(&Status::New, ActionStatus::Errored);
    assert_eq!(done.outcome, Some(Outcome::Failed(Failure::ActionErrored)));
}

#[test]
fn a_new_droplet_that_somebody_turned_off_at_once_is_made_all_the_same() {
    let done = launched(&Status::Settled(PowerState::Off), ActionStatus::Completed);
    assert_eq!(done.outcome, Some(Outcome::Completed));
}

#[test]
fn a_delete_whose_answer_was_lost_is_not_called_cancelled_while_it_may_still_happen() {
    let (rules, noon) = (super::rules(), super::noon());
    let snapshot = SnapshotRef { id: SnapshotId(50), name: "good".to_owned() };
    let listed = SnapshotReading { id: snapshot.id, name: "good".to_owned(), created_at: None, size_gigabytes: None };
    let (delete, look) = (Command::Delete(snapshot.id), Look::Snapshot(snapshot.id));
    let still_there = Observation::Seen(look.clone(), Answer::Snapshots(vec![listed]));
    let lost = Answer::Trouble(Trouble::Unclear { retry_at: noon });
    let cancel = Instructed { instruction: Instruction::Cancel, by: UserId(1), at: noon };
    let it = operation(Kind::Delete(Delete { snapshot }));
    let it = it.apply(Observation::Intended, &rules, noon).unwrap();
    let it = it.apply(Observation::Answered(delete, lost), &rules, noon).unwrap();
    let it = it.apply(Observation::Instructed(cancel), &rules, noon).unwrap();
    let soon = noon + rules.settle_time / 3;
    let it = it.apply(still_there.clone(), &rules, soon).unwrap();
    assert_eq!(it.outcome, None);
    let gone = Observation::Seen(look, Answer::Trouble(Trouble::NotFound));
    let once = it.apply(gone.clone(), &rules, noon + rules.settle_time / 3).unwrap();
    assert_eq!(once.outcome, None, "a lone answer proves nothing");
    assert_eq!(once.apply(gone, &rules, noon + rules.settle_time).unwrap().outcome, Some(Outcome::Completed));
    let settled = it.apply(still_there, &rules, noon + rules.settle_time).unwrap();
    assert_eq!(settled.outcome, Some(Outcome::Cancelled));
}

#[test]
fn a_delete_that_may_still_come_is_not_called_cancelled_either_by_who_cancels_after_a_look() {
    let (rules, noon) = (super::rules(), super::noon());
    let snapshot = SnapshotRef { id: SnapshotId(50), name: "good".to_owned() };
    let listed = SnapshotReading { id: snapshot.id, name: "good".to_owned(), created_at: None, size_gigabytes: None };
    let (delete, look) = (Command::Delete(snapshot.id), Look::Snapshot(snapshot.id));
    let still_there = Observation::Seen(look.clone(), Answer::Snapshots(vec![listed]));
    let lost = Answer::Trouble(Trouble::Unclear { retry_at: noon });
    let it = operation(Kind::Delete(Delete { snapshot }));
    let it = it.apply(Observation::Intended, &rules, noon).unwrap();
    let it = it.apply(Observation::Answered(delete, lost), &rules, noon).unwrap();
    let it = it.apply(still_there.clone(), &rules, noon).unwrap();
    let it = it
        .apply(
            Observation::Instructed(Instructed { instruction: Instruction::Cancel, by: UserId(1), at: noon }),
            &rules,
            noon,
        )
        .unwrap();
    assert_eq!(it.outcome, None);
    let gone = Observation::Seen(look, Answer::Trouble(Trouble::NotFound));
    let once = it.apply(gone.clone(), &rules, noon).unwrap();
    assert_eq!(once.apply(gone, &rules, noon + rules.settle_time / 3).unwrap().outcome, Some(Outcome::Completed));
    let it = it.apply(still_there.clone(), &rules, noon + rules.settle_time / 2).unwrap();
    let it = it.apply(still_there, &rules, noon + rules.settle_time).unwrap();
    assert_eq!(it.outcome, Some(Outcome::Cancelled));
}
