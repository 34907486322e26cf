//! How the rules cope with a DigitalOcean that is silent, confused or slow, with people who act on their own, and with a long absence.

use jiff::SignedDuration;

use super::super::{
    Blocker, Instruction, Observation, Operation, Outcome,
    effect::{Answer, Command, Effect, Look},
    ids::{ActionId, SnapshotId},
    kinds::{Delete, Downtime, IfHung, Kind, Restore, Safety, SnapshotRef},
    power::{Status, Theirs},
    reading::{Failure, PowerState, Trouble},
    step::{State, Task},
};
use super::{
    DROPLET, operation, restore,
    stories::{next_command, until, word, words},
    take,
    toy::{Toy, Transit},
};

/// A take whose Droplet is off and whose Snapshot is in progress for this many seconds.
fn taking(lasts: i64) -> (Toy, Operation) {
    let mut toy = Toy::new(PowerState::On);
    let mut it = operation(take(Downtime::PowerOff, IfHung::Ask));
    while it.steps[1].run().is_none() {
        let snapshots = matches!(next_command(&toy, &it), Some(Command::TakeSnapshot { .. }));
        it = toy.turn(it, Transit::Fine, if snapshots { lasts } else { 20 });
    }
    (toy, it)
}

/// Lets every request fail for this long: looks bring nothing, and commands are lost before they arrive.
fn through_an_outage(toy: &mut Toy, mut it: Operation, lasts: SignedDuration) -> Operation {
    let until = toy.now + lasts;
    while toy.now < until {
        it = toy.turn(it, Transit::LostBefore, 20);
    }
    it
}

#[test]
fn an_outage_right_after_the_shutdown_calls_people_in_time_and_turns_the_droplet_on_blindly() {
    let mut toy = Toy::new(PowerState::On);
    let it = until(&mut toy, operation(take(Downtime::PowerOff, IfHung::Ask)), |it| it.steps[0].run().is_some());
    let began = toy.now;
    let mut it = it;
    let mut blind = Vec::new();
    while toy.now < began + SignedDuration::from_mins(27) {
        if matches!(next_command(&toy, &it), Some(Command::PowerOn(_))) {
            blind.push(toy.now.duration_since(began));
        }
        it = toy.turn(it, Transit::LostBefore, 20);
    }
    let minutes: Vec<_> = blind.iter().map(SignedDuration::as_mins).collect();
    assert!(matches!(minutes[..], [5 | 6, 15..=17, 25..=27]), "{minutes:?}");
    let called = it.power.last_call().unwrap().since.duration_since(began);
    assert!(called <= SignedDuration::from_mins(11), "{called:?}");
    let done = toy.settle(it);
    assert_eq!(toy.power, PowerState::On);
    assert_eq!(done.outcome, Some(Outcome::Failed(Failure::PowerFirst)), "nothing is begun after a power_on");
}

#[test]
fn an_outage_during_the_snapshot_ends_with_the_snapshot_kept_and_the_droplet_on() {
    let (mut toy, it) = taking(300);
    let it = through_an_outage(&mut toy, it, SignedDuration::from_mins(8));
    let done = toy.settle(it);
    assert_eq!(toy.power, PowerState::On);
    assert_eq!(done.outcome, Some(Outcome::Completed), "what ran is followed to its end");
    assert_eq!(words(&toy), ["shutdown", "snapshot", "power_on"]);
}

#[test]
fn a_request_to_come_back_tomorrow_keeps_no_droplet_off_for_more_than_a_minute_at_a_time() {
    let (toy, it) = taking(60);
    let Effect::Look(look) = it.next(&toy.rules, it.timer.moment().unwrap()) else { panic!("{it:#?}") };
    let tomorrow = Trouble::Throttled { until: toy.now + SignedDuration::from_hours(24) };
    let it = it.apply(Observation::Seen(look, Answer::Trouble(tomorrow)), &toy.rules, toy.now).unwrap();
    assert!(it.timer.moment().unwrap() <= toy.now + SignedDuration::from_mins(1));
}

#[test]
fn a_restore_in_progress_is_left_in_peace_for_longer() {
    let mut toy = Toy::new(PowerState::On);
    let mut it = operation(restore(Safety::None));
    while it.steps[1].run().is_none() {
        let restores = matches!(next_command(&toy, &it), Some(Command::Restore { .. }));
        it = toy.turn(it, Transit::Fine, if restores { 3_600 } else { 20 });
    }
    let began = toy.now;
    while next_command(&toy, &it).is_none() {
        it = toy.turn(it, Transit::LostBefore, 20);
    }
    assert!(toy.now.duration_since(began) >= SignedDuration::from_mins(30));
    assert_eq!(next_command(&toy, &it), Some(Command::PowerOn(DROPLET)));
}

#[test]
fn a_busy_droplet_has_been_looked_at() {
    let (mut toy, it) = taking(1_200);
    let it = through_an_outage(&mut toy, it, SignedDuration::from_mins(4));
    assert!(it.power.is_unseen());
    let busy = Answer::Trouble(Trouble::Busy);
    let it = it.apply(Observation::Seen(Look::Droplet(DROPLET), busy), &toy.rules, toy.now).unwrap();
    assert!(!it.power.is_unseen());
}

#[test]
fn a_shared_reading_is_as_old_as_it_is() {
    let mut toy = Toy::new(PowerState::On);
    let is_delivered = |it: &Operation| it.steps[0].run().is_some_and(|run| run.completed.is_some());
    let it = until(&mut toy, operation(take(Downtime::PowerOff, IfHung::Ask)), is_delivered);
    let off = |age| {
        let asked_at = toy.now - SignedDuration::from_secs(age);
        let answer = Answer::Droplet(toy.droplet(DROPLET)).asked_at(asked_at);
        let it = it.apply(Observation::Seen(Look::Droplet(DROPLET), answer), &toy.rules, toy.now).unwrap();
        assert!(it.steps[0].is_done());
        it.next(&toy.rules, toy.now)
    };
    assert!(matches!(off(2), Effect::Send(Command::TakeSnapshot { .. })));
    assert_eq!(off(43), Effect::Look(Look::Droplet(DROPLET)), "somebody may have turned it on since");
}

#[test]
fn a_new_process_looks_before_it_turns_anything_on_blindly() {
    let (mut toy, it) = taking(1_200);
    let it = through_an_outage(&mut toy, it, SignedDuration::from_secs(280));
    let it = it.apply(Observation::Restarted(SignedDuration::ZERO), &toy.rules, toy.now).unwrap();
    toy.now += SignedDuration::from_mins(3);
    let it = it.apply(Observation::Woke, &toy.rules, toy.now).unwrap();
    assert!(matches!(it.next(&toy.rules, toy.now), Effect::Look(_)));
}

#[test]
fn whoever_waits_for_a_foreign_event_while_off_is_called() {
    let mut toy = Toy::new(PowerState::On);
    let mut it = operation(take(Downtime::PowerOff, IfHung::Ask));
    while !matches!(next_command(&toy, &it), Some(Command::TakeSnapshot { .. })) {
        it = toy.turn(it, Transit::Fine, 20);
    }
    toy.begin("enable_backups", 3_000, None);
    let since = toy.now;
    let it = until(&mut toy, it, |it| it.power.last_call().is_some());
    assert!(toy.now.duration_since(since) <= SignedDuration::from_mins(11));
    assert!(matches!(it.obstacle.map(|it| it.what), Some(Blocker::Event(_))));
}

#[test]
fn a_snapshot_that_takes_hours_calls_people_though_it_is_in_progress() {
    let (mut toy, it) = taking(40 * 3_600);
    let began = toy.now;
    let mut calls = Vec::new();
    let mut it = it;
    while toy.now < began + SignedDuration::from_hours(17) {
        let before = it.power.calls();
        it = toy.turn(it, Transit::Fine, 20);
        if it.power.calls() > before {
            calls.push(toy.now.duration_since(began).as_hours());
        }
    }
    assert_eq!(calls, [3, 9, 15]);
}

#[test]
fn what_is_turned_on_without_a_look_waits_for_its_turn() {
    let (mut toy, mut it) = taking(20_000);
    while next_command(&toy, &it).is_none() {
        it = toy.turn(it, Transit::LostBefore, 20);
    }
    let at = toy.now + SignedDuration::from_secs(40);
    let it = it.apply(Observation::Deferred(Blocker::Turn, at), &toy.rules, toy.now).unwrap();
    assert_eq!(it.next(&toy.rules, toy.now), Effect::Sleep(at));
    assert!(matches!(it.next(&toy.rules, at), Effect::Send(Command::PowerOn(_))));
    // However late the operation's turn is expected, the blind attempt does not wait longer than this.
    let hours = toy.now + SignedDuration::from_hours(6);
    let it = it.apply(Observation::Deferred(Blocker::Turn, hours), &toy.rules, toy.now).unwrap();
    let soon = toy.now + SignedDuration::from_mins(5);
    assert!(matches!(it.next(&toy.rules, soon), Effect::Send(Command::PowerOn(_))));
}

#[test]
fn who_waits_to_be_called_is_due_when_it_would_be_too_old_and_looks_once_it_is_called() {
    let toy = Toy::new(PowerState::On);
    let it = operation(take(Downtime::PowerOff, IfHung::Ask));
    let lapses = it.turn_lapses_at().unwrap();
    assert_eq!(lapses, it.asked_at + SignedDuration::from_hours(6));
    let waiting = it.apply(Observation::Deferred(Blocker::Turn, lapses), &toy.rules, toy.now).unwrap();
    let soon = toy.now + SignedDuration::from_mins(9);
    assert_eq!(waiting.next(&toy.rules, soon), Effect::Sleep(lapses));
    let woken = waiting.apply(Observation::Woke, &toy.rules, soon).unwrap();
    assert_eq!(woken.next(&toy.rules, soon), Effect::Sleep(lapses), "nobody called it");
    let called = waiting.apply(Observation::Called, &toy.rules, soon).unwrap();
    assert!(matches!(called.next(&toy.rules, soon), Effect::Look(_)));
    let late = waiting.apply(Observation::Called, &toy.rules, lapses).unwrap();
    assert_eq!(late.outcome, Some(Outcome::Failed(Failure::TooOld)));
}

#[test]
fn who_keeps_waiting_is_not_called_again_for_six_hours() {
    let (mut toy, it) = taking(40 * 3_600);
    let it = until(&mut toy, it, |it| it.power.stuck().is_some());
    toy.now += SignedDuration::from_hours(2);
    let answered = toy.now;
    let it = toy.instruction(&it, Instruction::KeepWaiting);
    let it = until(&mut toy, it, |it| it.power.calls() == 2);
    let waited = toy.now.duration_since(answered);
    assert!((6..7).contains(&waited.as_hours()), "{waited:#}");
    assert!(it.power.is_owed());
}

#[test]
fn who_wants_it_on_has_it_on_as_soon_as_digitalocean_lets_us() {
    let (mut toy, it) = taking(4 * 3_600);
    let ends = toy.now + SignedDuration::from_hours(4);
    let it = until(&mut toy, it, |it| it.power.stuck().is_some());
    let it = toy.instruction(&it, Instruction::TurnOn);
    assert!(matches!(it.next(&toy.rules, toy.now), Effect::Look(Look::Droplet(_))));
    let it = until(&mut toy, it, |it| it.power.came_back().is_some());
    assert!(toy.now <= ends + SignedDuration::from_mins(1), "refused while the Snapshot runs, it was tried again");
    assert_eq!(it.outcome, None, "what runs is followed to its end");
    let done = toy.settle(it);
    assert_eq!((done.outcome, toy.snapshots.len()), (Some(Outcome::Completed), 1));
    assert_eq!(done.taken_off, Some(true));
}

#[test]
fn a_droplet_that_is_turned_on_during_its_snapshot_is_said_to_run_for_it() {
    let (mut toy, it) = taking(4 * 3_600);
    let it = toy.instruction(&it, Instruction::TurnOn);
    toy.power = PowerState::On;
    let it = until(&mut toy, it, |it| it.power.came_back().is_some());
    let done = toy.settle(it);
    assert_eq!(done.taken_off, Some(false));
}

#[test]
fn who_wants_it_on_begins_nothing_more() {
    let wanted = [Task::ShutDown, Task::Snapshot, Task::Restore];
    for stop in wanted {
        let mut toy = Toy::new(PowerState::On);
        let mut it = operation(restore(Safety::Snapshot));
        while it.current().is_none_or(|step| step.task() != stop) || !it.power.is_owed() {
            it = toy.turn(it, Transit::Fine, 20);
        }
        let sent = toy.sent.len();
        let it = toy.instruction(&it, Instruction::TurnOn);
        let done = toy.settle(it);
        let after: Vec<_> = toy.sent[sent..].iter().map(word).collect();
        assert!(after.iter().all(|sent| *sent == "power_on"), "{stop:?}: {after:?}");
        assert_eq!((toy.power, done.outcome), (PowerState::On, Some(Outcome::Cancelled)), "{stop:?}");
    }
}

#[test]
fn a_restore_that_runs_is_waited_for_by_who_wants_it_on() {
    let mut toy = Toy::new(PowerState::On);
    let running =
        |it: &Operation| it.current().is_some_and(|step| step.task() == Task::Restore && step.run().is_some());
    let it = until(&mut toy, operation(restore(Safety::None)), running);
    let it = toy.instruction(&it, Instruction::TurnOn);
    let done = toy.settle(it);
    assert_eq!((toy.power, done.outcome), (PowerState::On, Some(Outcome::Completed)));
}

#[test]
fn an_answer_that_is_missing_is_looked_for_before_it_is_turned_on() {
    let mut toy = Toy::new(PowerState::On);
    let mut it = operation(take(Downtime::PowerOff, IfHung::Ask));
    while !matches!(next_command(&toy, &it), Some(Command::TakeSnapshot { .. })) {
        it = toy.turn(it, Transit::Fine, 20);
    }
    it = toy.turn(it, Transit::LostAfter, 600);
    let it = toy.instruction(&it, Instruction::TurnOn);
    let done = toy.settle(it);
    assert_eq!((toy.power, toy.snapshots.len()), (PowerState::On, 1));
    assert!(done.snapshot.is_some());
}

#[test]
fn a_relapse_calls_again_but_not_before_it_got_on_for_a_while() {
    let (mut toy, it) = taking(20_000);
    let silent = |toy: &mut Toy, mut it: Operation, minutes| {
        let until = toy.now + SignedDuration::from_mins(minutes);
        while toy.now < until {
            // Even a blind `power_on` is refused, since the Snapshot is in progress.
            let sends = next_command(toy, &it).is_some();
            it = toy.turn(it, if sends { Transit::Fine } else { Transit::LostBefore }, 20);
        }
        it
    };
    let lively = |toy: &mut Toy, mut it: Operation, minutes| {
        let until = toy.now + SignedDuration::from_mins(minutes);
        while toy.now < until {
            it = toy.turn(it, Transit::Fine, 20);
        }
        it
    };
    let it = silent(&mut toy, it, 12);
    assert_eq!(it.power.calls(), 1);
    let it = lively(&mut toy, it, 3);
    let it = silent(&mut toy, it, 40);
    assert_eq!(it.power.calls(), 1, "three minutes are no recovery");
    let it = lively(&mut toy, it, 7);
    assert_eq!(it.power.last_call(), None);
    let it = silent(&mut toy, it, 12);
    assert_eq!(it.power.calls(), 2);
}

#[test]
fn a_look_is_too_old_after_a_wait() {
    for change in ["off", "tag"] {
        let mut toy = Toy::new(PowerState::On);
        toy.rules.droplet_tag = None;
        let mut it = operation(take(Downtime::PowerOff, IfHung::Ask));
        while next_command(&toy, &it).is_none() {
            it = toy.turn(it, Transit::Fine, 20);
        }
        let turn = toy.now + SignedDuration::from_mins(30);
        it = it.apply(Observation::Deferred(Blocker::Turn, turn), &toy.rules, toy.now).unwrap();
        match change {
            "off" => toy.power = PowerState::Off,
            _ => toy.rules.droplet_tag = Some("bot".to_owned()),
        }
        let done = toy.settle(it);
        if change == "off" {
            assert_eq!(words(&toy), ["snapshot"], "what somebody else turned off stays off");
            assert_eq!(toy.power, PowerState::Off);
        } else {
            assert!(words(&toy).is_empty());
            assert_eq!(done.outcome, Some(Outcome::Failed(Failure::TagRemoved { tag: "bot".to_owned() })));
        }
    }
}

#[test]
fn a_droplet_that_somebody_turned_off_just_before_our_shutdown_is_theirs() {
    let mut toy = Toy::new(PowerState::On);
    let mut it = operation(take(Downtime::PowerOff, IfHung::Ask));
    while next_command(&toy, &it).is_none() {
        it = toy.turn(it, Transit::Fine, 20);
    }
    toy.power = PowerState::Off;
    let done = toy.settle(it);
    assert_eq!(words(&toy), ["snapshot"]);
    assert_eq!((toy.power, done.power.owed()), (PowerState::Off, None));
    assert_eq!(done.outcome, Some(Outcome::Completed));
}

#[test]
fn a_lost_shutdown_and_somebody_elses_off_are_told_apart_by_the_actions() {
    for ours in [true, false] {
        let mut toy = Toy::new(PowerState::On);
        let mut it = operation(take(Downtime::PowerOff, IfHung::Ask));
        while next_command(&toy, &it).is_none() {
            it = toy.turn(it, Transit::Fine, 20);
        }
        it = toy.turn(it, if ours { Transit::LostAfter } else { Transit::LostBefore }, 5);
        toy.power = PowerState::Off;
        let done = toy.settle(it);
        let expected = if ours { PowerState::On } else { PowerState::Off };
        assert_eq!(toy.power, expected, "ours: {ours} {:?}", words(&toy));
        assert_eq!(done.outcome, Some(Outcome::Completed));
    }
}

#[test]
fn what_somebody_else_turned_off_after_us_is_left_off() {
    let (mut toy, it) = taking(30);
    let mut it = until(&mut toy, it, |it| it.power.back().run().is_some());
    toy.actions.last_mut().unwrap().errs = true;
    it = until(&mut toy, it, |it| it.power.failures() > 0);
    toy.begin("power_off", 1, None);
    toy.now += SignedDuration::from_secs(2);
    let done = toy.settle(it);
    assert_eq!(toy.power, PowerState::Off);
    assert!(matches!(done.power.status(), Status::Theirs(Theirs { kind, .. }) if kind == "power_off"));
    assert_eq!(done.outcome, Some(Outcome::Completed));
}

#[test]
fn a_lone_refusal_of_the_token_is_not_believed_and_two_are() {
    for trouble in [Trouble::Unauthorized, Trouble::Forbidden { scopes: "x".to_owned(), message: "No.".to_owned() }] {
        let (mut toy, it) = taking(60);
        let action = it.running_action().unwrap();
        let refused = |it: &Operation, toy: &Toy| {
            let seen = Observation::Seen(Look::Action(action), Answer::Trouble(trouble.clone()));
            it.apply(seen, &toy.rules, toy.now).unwrap()
        };
        let once = refused(&it, &toy);
        assert_eq!(once.outcome, None);
        let soon = refused(&once, &toy);
        assert_eq!(soon.outcome, None, "said twice at once is said once");
        toy.now += toy.rules.settle_time;
        assert!(matches!(refused(&once, &toy).outcome, Some(Outcome::Failed(_))));
        let good = toy.turn(once, Transit::Fine, 20);
        toy.now += toy.rules.settle_time;
        assert_eq!(refused(&good, &toy).outcome, None, "a good answer in between starts over");
    }
}

#[test]
fn a_droplet_is_gone_only_if_the_whole_list_does_not_have_it() {
    let (mut toy, it) = taking(60);
    let lie = |it: Operation, toy: &Toy| match it.next(&toy.rules, toy.now) {
        Effect::Look(look @ (Look::Droplet(_) | Look::Actions(_) | Look::Snapshots(_))) => {
            it.apply(Observation::Seen(look, Answer::Trouble(Trouble::NotFound)), &toy.rules, toy.now).ok()
        }
        Effect::Look(_) | Effect::Send(_) | Effect::Sleep(_) | Effect::Rest => None,
    };
    let began = toy.now;
    let mut it = it;
    while toy.now < began + SignedDuration::from_mins(4) {
        it = match lie(it.clone(), &toy) {
            Some(denied) => denied,
            None => toy.turn(it, Transit::Fine, 20),
        };
        assert_ne!(it.power.status(), Status::Gone);
    }
    toy.settle(it);
    assert_eq!(toy.power, PowerState::On);
}

#[test]
fn an_action_that_is_unknown_for_a_moment_is_followed_on() {
    let (mut toy, it) = taking(60);
    let action = it.running_action().unwrap();
    let seen = Observation::Seen(Look::Action(action), Answer::Trouble(Trouble::NotFound));
    let it = it.apply(seen, &toy.rules, toy.now).unwrap();
    assert_eq!(it.steps[1].run().unwrap().broken, None);
    let done = toy.settle(it);
    assert_eq!(done.outcome, Some(Outcome::Completed));
}

#[test]
fn an_action_that_cannot_be_read_does_not_keep_a_droplet_off_that_can() {
    let (mut toy, it) = taking(60);
    let mut it = it;
    let began = toy.now;
    while it.power.came_back().is_none() {
        let effect = it.next(&toy.rules, toy.now);
        it = match effect {
            Effect::Look(look @ Look::Action(_))
                if it.running_action() == it.steps[1].run().and_then(|run| run.action) =>
            {
                let retry_at = toy.now + SignedDuration::from_secs(2);
                let unreadable = Answer::Trouble(Trouble::Unclear { retry_at });
                it.apply(Observation::Seen(look, unreadable), &toy.rules, toy.now).unwrap()
            }
            _ => toy.turn(it, Transit::Fine, 20),
        };
        assert!(toy.now < began + SignedDuration::from_mins(3), "{it:#?}");
    }
    assert_eq!(toy.settle(it).outcome, Some(Outcome::Completed));
}

#[test]
fn the_clock_set_back_keeps_nothing_waiting_after_a_restart() {
    let (mut toy, mut it) = taking(600);
    it = toy.turn(it, Transit::Fine, 20);
    let back = toy.now - SignedDuration::from_hours(2);
    let it = it.apply(Observation::Restarted(SignedDuration::ZERO), &toy.rules, back).unwrap();
    assert!(matches!(it.next(&toy.rules, back), Effect::Look(_)));
    let looked =
        it.apply(Observation::Seen(Look::Droplet(DROPLET), Answer::Droplet(toy.droplet(DROPLET))), &toy.rules, back);
    let looked = looked.unwrap();
    assert!(looked.timer.moment().unwrap() <= back + SignedDuration::from_mins(1), "{:?}", looked.timer.moment());
}

#[test]
fn nothing_destructive_is_begun_after_nobody_looked_after_it() {
    let days = SignedDuration::from_hours(72);
    for (kind, begun) in [(restore(Safety::Snapshot), false), (restore(Safety::Snapshot), true)] {
        let mut toy = Toy::new(PowerState::On);
        let mut it = operation(kind);
        if begun {
            it = until(&mut toy, it, |it| it.steps[1].run().is_some());
        }
        toy.now += days;
        it = it.apply(Observation::Restarted(days), &toy.rules, toy.now).unwrap();
        let done = toy.settle(it);
        assert!(!words(&toy).contains(&"restore"), "{:?}", words(&toy));
        assert_eq!(done.outcome, Some(Outcome::Failed(Failure::TooOld)));
        assert_eq!(toy.power, PowerState::On);
    }
    let delete = Kind::Delete(Delete { snapshot: SnapshotRef { id: SnapshotId(50), name: "good".to_owned() } });
    let it = operation(delete).apply(Observation::Restarted(days), &Toy::new(PowerState::On).rules, super::noon());
    assert_eq!(it.unwrap().outcome, Some(Outcome::Failed(Failure::TooOld)));
}

#[test]
fn a_take_from_last_week_shuts_nothing_down() {
    let mut toy = Toy::new(PowerState::On);
    let it = operation(take(Downtime::PowerOff, IfHung::Ask));
    toy.now += SignedDuration::from_hours(24 * 7);
    let done = toy.settle(it.apply(Observation::Woke, &toy.rules, toy.now).unwrap());
    assert!(words(&toy).is_empty());
    assert_eq!(done.outcome, Some(Outcome::Failed(Failure::TooOld)));
}

#[test]
fn an_operation_that_waits_for_its_turn_may_wait_for_hours() {
    let mut toy = Toy::new(PowerState::On);
    let mut it = operation(take(Downtime::PowerOff, IfHung::Ask));
    for _ in 0..20 {
        let turn = toy.now + SignedDuration::from_mins(15);
        it = it.apply(Observation::Deferred(Blocker::Turn, turn), &toy.rules, toy.now).unwrap();
        toy.now = turn;
    }
    assert_eq!(toy.settle(it).outcome, Some(Outcome::Completed));
}

#[test]
fn a_database_put_back_from_a_copy_does_not_restore_over_newer_data() {
    let mut toy = Toy::new(PowerState::On);
    let mut it = operation(restore(Safety::Snapshot));
    while !matches!(next_command(&toy, &it), Some(Command::Restore { .. })) {
        it = toy.turn(it, Transit::Fine, 20);
    }
    let copy = it.clone();
    toy.settle(it);
    toy.power = PowerState::Off;
    toy.now += SignedDuration::from_mins(2);
    let it = copy.apply(Observation::Restarted(SignedDuration::from_mins(2)), &toy.rules, toy.now).unwrap();
    let done = toy.settle(it);
    assert_eq!(words(&toy).iter().filter(|word| **word == "restore").count(), 1);
    assert_eq!(done.outcome, Some(Outcome::Failed(Failure::ChangedMeanwhile)));
}

#[test]
fn a_restore_asks_again_where_somebody_turned_the_droplet_on_since_its_safety_snapshot() {
    let mut toy = Toy::new(PowerState::On);
    let mut it = operation(restore(Safety::Snapshot));
    while !matches!(next_command(&toy, &it), Some(Command::Restore { .. })) {
        it = toy.turn(it, Transit::Fine, 20);
    }
    toy.power = PowerState::On;
    toy.now += SignedDuration::from_secs(30);
    let done = toy.settle(it);
    assert!(!words(&toy).contains(&"restore"));
    assert_eq!(done.outcome, Some(Outcome::Failed(Failure::ChangedMeanwhile)));
}

#[test]
fn what_somebody_turned_on_and_off_again_during_our_snapshot_stays_off() {
    for kind in [take(Downtime::PowerOff, IfHung::Ask), restore(Safety::Snapshot)] {
        let mut toy = Toy::new(PowerState::On);
        let it = operation(kind.clone());
        let taking = |it: &Operation| it.steps.iter().any(|step| step.task() == Task::Snapshot && step.run().is_some());
        let it = until(&mut toy, it, taking);
        toy.begin("power_on", 1, None);
        let it = until(&mut toy, it, |it| it.power.last_seen() == Some(PowerState::On));
        assert!(taking(&it), "the Snapshot still runs");
        toy.begin("power_off", 1, None);
        toy.now += SignedDuration::from_secs(1);
        let done = toy.settle(it);
        assert_eq!(toy.power, PowerState::Off, "{kind:?} {:?}", words(&toy));
        assert!(matches!(done.power.status(), Status::Theirs(Theirs { kind, .. }) if kind == "power_off"), "{kind:?}");
    }
}

#[test]
fn a_state_from_before_our_off_does_not_leave_the_droplet_off() {
    let (mut toy, it) = taking(30);
    let it = until(&mut toy, it, |it| it.steps[1].run().is_some_and(|run| run.completed.is_some()));
    toy.power = PowerState::On;
    let it = toy.turn(it, Transit::Fine, 20);
    toy.power = PowerState::Off;
    let done = toy.settle(it);
    assert_eq!((toy.power, words(&toy)), (PowerState::On, vec!["shutdown", "snapshot", "power_on"]));
    assert!(done.power.downtime().is_some());
}

#[test]
fn what_somebody_turned_on_during_our_downtime_is_not_turned_on_again() {
    let (mut toy, it) = taking(30);
    toy.begin("power_on", 20, None);
    toy.now += SignedDuration::from_secs(40);
    let done = toy.settle(it);
    assert_eq!((toy.power, words(&toy)), (PowerState::On, vec!["shutdown", "snapshot"]));
    assert_eq!(done.power.owed(), None);
}

#[test]
fn force_waits_for_nothing_but_the_refusal() {
    let mut toy = Toy::new(PowerState::On);
    let mut it = operation(take(Downtime::PowerOff, IfHung::Ask));
    while it.steps[0].run().is_none() {
        it = toy.turn(it, Transit::Fine, 7_200);
    }
    toy.actions.last_mut().unwrap().takes_effect = None;
    toy.locked_until = toy.now + SignedDuration::from_hours(2);
    let it = until(&mut toy, it, |it| it.question.is_some());
    let mut it = toy.instruction(&it, Instruction::Force);
    let pressed = toy.now;
    let mut tries = 0;
    while toy.now < pressed + SignedDuration::from_mins(2) {
        tries += u32::from(next_command(&toy, &it) == Some(Command::PowerOff(DROPLET)));
        it = toy.turn(it, Transit::Fine, 20);
    }
    assert!(tries >= 3, "it is tried again and again: {tries}");
    assert!(matches!(it.obstacle.as_ref().map(|it| &it.what), Some(Blocker::Event(_))), "and the wait is shown");
    toy.locked_until = toy.now;
    toy.actions.last_mut().unwrap().ends = toy.now;
    let done = toy.settle(it);
    assert_eq!(words(&toy), ["shutdown", "power_off", "snapshot", "power_on"]);
    assert_eq!(done.outcome, Some(Outcome::Completed));
}

#[test]
fn a_force_that_somebody_chose_after_a_long_absence_counts_and_one_chosen_before_does_not() {
    let absence = Observation::Restarted(SignedDuration::from_mins(20));
    for fresh in [true, false] {
        let mut toy = Toy::new(PowerState::On);
        let it = until(&mut toy, operation(take(Downtime::PowerOff, IfHung::Ask)), |it| it.steps[0].run().is_some());
        toy.actions.last_mut().unwrap().takes_effect = None;
        let it = until(&mut toy, it, |it| it.question.is_some());
        let gone = |it: &Operation| it.apply(absence.clone(), &toy.rules, toy.now).unwrap();
        let it = if fresh {
            toy.instruction(&gone(&it), Instruction::Force)
        } else {
            gone(&toy.instruction(&it, Instruction::Force))
        };
        let done = toy.settle(it);
        assert_eq!(words(&toy).contains(&"power_off"), fresh, "{:?}", done.outcome);
    }
}

#[test]
fn somebody_elses_snapshot_that_was_taken_for_ours_is_not_made_up_for_with_the_droplet_running() {
    let mut toy = Toy::new(PowerState::On);
    let mut it = operation(take(Downtime::PowerOff, IfHung::Ask));
    while !matches!(next_command(&toy, &it), Some(Command::TakeSnapshot { .. })) {
        it = toy.turn(it, Transit::Fine, 20);
    }
    it = toy.turn(it, Transit::LostBefore, 20);
    toy.begin("snapshot", 20, Some("nightly".to_owned()));
    let done = toy.settle(it);
    assert_eq!(toy.power, PowerState::On);
    assert_eq!(words(&toy), ["shutdown", "power_on"], "nothing that needs it off is begun after a power_on");
    assert_eq!(done.outcome, Some(Outcome::Failed(Failure::PowerFirst)));
}

#[test]
fn a_snapshot_that_ended_with_the_droplet_on_is_not_called_consistent() {
    for somebody in [false, true] {
        let (mut toy, it) = taking(120);
        if somebody {
            toy.power = PowerState::On;
        }
        let done = toy.settle(it);
        assert_eq!(done.outcome, Some(Outcome::Completed));
        assert_eq!(done.may_have_been_taken_live(), somebody);
    }
}

#[test]
fn a_lost_power_on_after_inheriting_does_not_adopt_the_oldest_one_ever() {
    let mut toy = Toy::new(PowerState::Off);
    toy.begin("power_on", 1, None);
    toy.now += SignedDuration::from_hours(1);
    toy.catch_up();
    toy.power = PowerState::Off;
    let mut older = operation(take(Downtime::PowerOff, IfHung::Ask));
    older.power.note_before(PowerState::On);
    older.power.owe(toy.now, true);
    older.ended = Some(toy.now);
    let mut it = older.clone();
    while !matches!(next_command(&toy, &it), Some(Command::PowerOn(_))) {
        it = toy.turn(it, Transit::Fine, 20);
    }
    it = toy.turn(it, Transit::LostBefore, 20);
    let done = toy.settle(it);
    assert_eq!(toy.power, PowerState::On);
    assert_ne!(done.power.back().run().and_then(|run| run.action), Some(ActionId(101)));
    assert_eq!(words(&toy), ["power_on"]);
}

#[test]
fn a_new_droplet_that_is_unknown_for_a_moment_is_not_called_destroyed() {
    // Its id is known from the answer, but DigitalOcean says 404 for twenty seconds.
    let mut toy = Toy::new(PowerState::On);
    let mut it = super::launch();
    while next_command(&toy, &it).is_none() {
        it = toy.turn(it, Transit::Fine, 20);
    }
    let made = Answer::Droplets(vec![toy.droplet(DROPLET)]);
    let command = next_command(&toy, &it).unwrap();
    it = it.apply(Observation::Intended, &toy.rules, toy.now).unwrap();
    it = it.apply(Observation::Answered(command, made), &toy.rules, toy.now).unwrap();
    let known_from = toy.now + SignedDuration::from_secs(90);
    toy.gone = true;
    for _ in 0..200 {
        toy.gone = toy.now < known_from;
        if it.next(&toy.rules, toy.now) == Effect::Rest {
            break;
        }
        it = toy.turn(it, Transit::Fine, 20);
    }
    assert_eq!(it.outcome, Some(Outcome::Completed));
    assert!(it.steps.iter().all(|step| step.task() == Task::Create && matches!(step.state, State::Done { .. })));
}

#[test]
fn a_droplet_that_lost_its_tag_while_it_was_shut_down_is_touched_no_more() {
    let mut toy = Toy::new(PowerState::On);
    let mut it = operation(take(Downtime::PowerOff, IfHung::Ask));
    it = until(&mut toy, it, |it| it.steps[0].run().is_some());
    // The toy's Droplet has no tag at all.
    toy.rules.droplet_tag = Some("bot".to_owned());
    let done = toy.settle(it);
    assert_eq!(words(&toy), ["shutdown", "power_on"], "what is owed is paid all the same");
    assert_eq!(done.outcome, Some(Outcome::Failed(Failure::TagRemoved { tag: "bot".to_owned() })));
    assert_eq!(toy.power, PowerState::On);
}

#[test]
fn a_shutdown_that_was_lost_is_not_followed_by_a_command_without_a_look() {
    for kind in [take(Downtime::PowerOff, IfHung::Ask), restore(Safety::None)] {
        for lost in [Transit::LostBefore, Transit::LostAfter] {
            let mut toy = Toy::new(PowerState::On);
            let mut it = operation(kind.clone());
            while next_command(&toy, &it).is_none() {
                it = toy.turn(it, Transit::Fine, 20);
            }
            it = toy.turn(it, lost, 5);
            toy.now += SignedDuration::from_secs(6);
            toy.power = PowerState::Off;
            toy.locked_until = toy.now + SignedDuration::from_secs(40);
            let mut free_at = None;
            while next_command(&toy, &it).is_none() {
                let looks = matches!(it.next(&toy.rules, toy.now), Effect::Look(Look::Droplet(_)));
                it = toy.turn(it, Transit::Fine, 20);
                free_at = if looks && toy.now >= toy.locked_until { Some(toy.now) } else { free_at };
            }
            let looked = free_at.unwrap_or_else(|| panic!("{lost:?}: the Droplet was never seen free"));
            assert!(toy.now.duration_since(looked) < SignedDuration::from_secs(10), "{lost:?}: the look is old");
        }
    }
}

#[test]
fn the_power_of_a_droplet_that_is_off_is_not_cut() {
    let mut toy = Toy::new(PowerState::On);
    let mut it = operation(take(Downtime::PowerOff, IfHung::Ask));
    it = until(&mut toy, it, |it| it.steps[0].run().is_some());
    toy.actions.last_mut().unwrap().takes_effect = None;
    let it = until(&mut toy, it, |it| it.question.is_some());
    let it = toy.instruction(&toy.instruction(&it, Instruction::Force), Instruction::LeaveOff);
    toy.power = PowerState::Off;
    let done = toy.settle(it);
    assert_eq!(words(&toy), ["shutdown", "snapshot"]);
    assert_eq!((done.outcome, toy.power), (Some(Outcome::Completed), PowerState::Off));
}

#[test]
fn a_shutdown_whose_action_cannot_be_read_is_over_when_the_droplet_is_off() {
    let mut toy = Toy::new(PowerState::On);
    let mut it = operation(take(Downtime::PowerOff, IfHung::Ask));
    it = until(&mut toy, it, |it| it.steps[0].run().is_some());
    let began = toy.now;
    while it.steps[0].run().is_some() {
        it = match it.next(&toy.rules, toy.now) {
            Effect::Look(look @ Look::Action(_)) => {
                let retry_at = toy.now + SignedDuration::from_secs(2);
                let unreadable = Answer::Trouble(Trouble::Unclear { retry_at });
                it.apply(Observation::Seen(look, unreadable), &toy.rules, toy.now).unwrap()
            }
            _ => toy.turn(it, Transit::Fine, 20),
        };
        assert!(toy.now < began + SignedDuration::from_mins(3), "{it:#?}");
    }
    assert_eq!(toy.settle(it).outcome, Some(Outcome::Completed));
    assert_eq!((words(&toy), toy.power), (vec!["shutdown", "snapshot", "power_on"], PowerState::On));
}

#[test]
fn the_clock_set_back_does_not_prolong_the_doubt_about_a_droplet_that_is_gone() {
    let (mut toy, mut it) = taking(600);
    toy.gone = true;
    it = until(&mut toy, it, |it| it.missing.is_some());
    toy.now -= SignedDuration::from_hours(2);
    let restarted = toy.now;
    it = it.apply(Observation::Restarted(SignedDuration::ZERO), &toy.rules, toy.now).unwrap();
    let done = toy.settle(it);
    assert_eq!(done.power.status(), Status::Gone);
    assert!(done.ended.unwrap() < restarted + SignedDuration::from_mins(5), "{:?}", done.ended);
}

#[test]
fn a_droplet_that_was_turned_on_before_a_lost_snapshot_began_makes_it_a_live_one() {
    let mut toy = Toy::new(PowerState::On);
    let mut it = operation(take(Downtime::PowerOff, IfHung::Ask));
    while !matches!(next_command(&toy, &it), Some(Command::TakeSnapshot { .. })) {
        it = toy.turn(it, Transit::Fine, 20);
    }
    it = toy.turn(it, Transit::LostUntil(20), 20);
    toy.power = PowerState::On;
    let done = toy.settle(it);
    assert_eq!(words(&toy), ["shutdown", "snapshot"]);
    assert!(done.may_have_been_taken_live());
}

#[test]
fn a_restore_that_was_lost_is_not_sent_again_after_nobody_looked_after_it() {
    let mut toy = Toy::new(PowerState::On);
    let mut it = operation(restore(Safety::None));
    while !matches!(next_command(&toy, &it), Some(Command::Restore { .. })) {
        it = toy.turn(it, Transit::Fine, 20);
    }
    it = toy.turn(it, Transit::Crash { executed: false }, 20);
    let hours = SignedDuration::from_hours(3);
    toy.now += hours;
    it = it.apply(Observation::Restarted(hours), &toy.rules, toy.now).unwrap();
    let done = toy.settle(it);
    assert!(!words(&toy).contains(&"restore"), "{:?}", words(&toy));
    assert_eq!(done.outcome, Some(Outcome::Failed(Failure::TooOld)));
    assert_eq!(toy.power, PowerState::On);
}

#[test]
fn a_droplet_that_somebody_turned_off_while_our_shutdown_could_not_be_sent_is_theirs() {
    for transit in [Transit::Throttled, Transit::NeverSent] {
        let mut toy = Toy::new(PowerState::On);
        let mut it = operation(take(Downtime::PowerOff, IfHung::Ask));
        while next_command(&toy, &it).is_none() {
            it = toy.turn(it, Transit::Fine, 20);
        }
        it = toy.turn(it, transit, 20);
        toy.power = PowerState::Off;
        let done = toy.settle(it);
        assert_eq!(words(&toy), ["snapshot"], "{transit:?}");
        assert_eq!((toy.power, done.outcome), (PowerState::Off, Some(Outcome::Completed)));
    }
}

#[test]
fn a_power_on_that_is_refused_again_and_again_calls_people_once_within_half_an_hour() {
    let (mut toy, mut it) = taking(30);
    let began = toy.now;
    let mut tries = 0;
    while toy.now < began + SignedDuration::from_mins(25) {
        it = match it.next(&toy.rules, toy.now) {
            Effect::Send(command @ Command::PowerOn(_)) => {
                tries += 1;
                let sent = it.apply(Observation::Intended, &toy.rules, toy.now).unwrap();
                let refused = Answer::Trouble(Trouble::Refused { message: "Not now.".to_owned() });
                sent.apply(Observation::Answered(command, refused), &toy.rules, toy.now).unwrap()
            }
            _ => toy.turn(it, Transit::Fine, 20),
        };
        assert!(it.power.calls() <= 1, "{it:#?}");
    }
    assert!(tries > 8, "it is tried on: {tries}");
    assert_eq!(it.power.calls(), 1);
}

#[test]
fn an_action_is_ours_by_its_date_where_its_number_is_lower_than_older_ones() {
    for lost in ["shutdown", "snapshot", "power_on"] {
        let mut toy = Toy::new(PowerState::On);
        toy.ids_fall = true;
        for kind in ["shutdown", "power_on", "snapshot"] {
            toy.begin(kind, 0, Some("older".to_owned()));
            toy.now += SignedDuration::from_mins(5);
        }
        toy.catch_up();
        let past = toy.actions.len();
        let mut it = operation(take(Downtime::PowerOff, IfHung::Ask));
        for _ in 0..2_000 {
            let is_lost = next_command(&toy, &it).is_some_and(|command| word(&command) == lost);
            it = toy.turn(it, if is_lost { Transit::LostAfter } else { Transit::Fine }, 30);
        }
        let kinds: Vec<_> = toy.actions[past..].iter().map(|action| action.kind).collect();
        assert_eq!(kinds, ["shutdown", "snapshot", "power_on"], "lost: {lost}");
        assert_eq!((toy.power, it.outcome), (PowerState::On, Some(Outcome::Completed)), "lost: {lost}");
    }
}

#[test]
fn a_lock_that_ends_before_its_action_costs_one_refusal() {
    let mut toy = Toy::new(PowerState::On);
    let mut it = operation(take(Downtime::PowerOff, IfHung::Ask));
    it = until(&mut toy, it, |it| it.steps[1].run().is_some());
    let action = toy.actions.last_mut().unwrap();
    toy.locked_until = toy.now + SignedDuration::from_secs(30);
    let over = action.started + SignedDuration::from_mins(10);
    (action.ends, action.takes_effect) = (over, Some(over));
    let mut refused = 0;
    for _ in 0..2_000 {
        if !it.is_running() {
            break;
        }
        let sends = matches!(next_command(&toy, &it), Some(Command::PowerOn(_)));
        refused += u32::from(sends && toy.pending());
        it = toy.turn(it, Transit::Fine, 20);
    }
    assert_eq!(words(&toy), ["shutdown", "snapshot", "power_on"]);
    assert_eq!((toy.power, it.outcome, refused), (PowerState::On, Some(Outcome::Completed), 1));
    assert!(it.snapshot.is_some());
}

/// An operation that took over the watch for a late off from an older one that had read the Droplet's Actions. The Droplet is off now.
fn heir(toy: &mut Toy, kind: &'static str) -> super::Operation {
    toy.begin("shutdown", 1, None);
    toy.now += SignedDuration::from_mins(2);
    toy.catch_up();
    toy.power = PowerState::On;
    let mut older = operation(take(Downtime::PowerOff, IfHung::Ask));
    older.power.note_before(PowerState::On);
    older.power.owe(toy.now, true);
    older.baseline.raise(toy.actions.iter().map(|action| toy.read(action)).collect::<Vec<_>>().iter());
    older.ended = Some(toy.now);
    let mut it = operation(take(Downtime::PowerOff, IfHung::Ask));
    it.inherit(&mut older);
    if !kind.is_empty() {
        toy.now += SignedDuration::from_secs(10);
        toy.begin(kind, 1, None);
        toy.now += SignedDuration::from_secs(10);
        toy.catch_up();
    }
    toy.power = PowerState::Off;
    it
}

#[test]
fn an_inherited_late_off_that_is_a_strangers_stays_off() {
    let mut toy = Toy::new(PowerState::On);
    let it = heir(&mut toy, "power_off");
    let done = toy.settle(it);
    assert_eq!(toy.power, PowerState::Off);
    assert_eq!(done.outcome, Some(Outcome::Completed));
    assert_eq!(done.power.owed(), None);
}

#[test]
fn an_inherited_late_off_that_is_ours_is_made_good() {
    let mut toy = Toy::new(PowerState::On);
    let it = heir(&mut toy, "");
    let done = toy.settle(it);
    assert_eq!(toy.power, PowerState::On);
    assert_eq!(done.outcome, Some(Outcome::Completed));
}

#[test]
fn an_inherited_off_whose_answer_was_lost_is_not_taken_for_a_strangers() {
    let mut toy = Toy::new(PowerState::On);
    let mut older = operation(take(Downtime::PowerOff, IfHung::Ask));
    older.power.note_before(PowerState::On);
    older.power.owe(toy.now, true);
    older.baseline.raise(std::iter::empty());
    older.steps[0].answer_lost = true;
    older.ended = Some(toy.now);
    let mut it = operation(take(Downtime::PowerOff, IfHung::Ask));
    it.inherit(&mut older);
    toy.begin("shutdown", 1, None);
    toy.now += SignedDuration::from_secs(10);
    toy.catch_up();
    toy.power = PowerState::Off;
    let row = serde_json::to_string(&it).unwrap();
    let done = toy.settle(serde_json::from_str(&row).unwrap());
    assert_eq!(toy.power, PowerState::On);
    assert_eq!(done.outcome, Some(Outcome::Completed));
}

#[test]
fn by_a_clock_that_is_ahead_people_and_a_late_shutdown_have_their_whole_time() {
    let ahead = SignedDuration::from_mins(20);
    let mut toy = Toy::new(PowerState::On);
    let it = until(&mut toy, operation(take(Downtime::PowerOff, IfHung::Live)), |it| it.steps[0].run().is_some());
    toy.actions.last_mut().unwrap().takes_effect = None;
    let mut it = until(&mut toy, it, |it| it.ended.is_some());
    assert!(it.power.is_watched());
    toy.now += ahead;
    it = it.apply(Observation::Restarted(ahead), &toy.rules, toy.now).unwrap();
    for _ in 0..20 {
        it = toy.turn(it, Transit::Fine, 20);
    }
    toy.power = PowerState::Off;
    toy.settle(it);
    assert_eq!(toy.power, PowerState::On);

    let mut toy = Toy::new(PowerState::On);
    let it = until(&mut toy, operation(take(Downtime::PowerOff, IfHung::Ask)), |it| it.steps[0].run().is_some());
    toy.actions.last_mut().unwrap().takes_effect = None;
    let it = until(&mut toy, it, |it| it.question.is_some());
    toy.now += ahead;
    let it = it.apply(Observation::Restarted(ahead), &toy.rules, toy.now).unwrap();
    let it = toy.turn(it, Transit::Fine, 20);
    assert!(it.question.is_some());
}

/// Somebody agrees to lose the disk that they were shown, not the one that exists when they confirm.
#[test]
fn a_disk_that_was_rewritten_after_the_question_is_not_overwritten() {
    for (shown, is_rebuilt_after) in [(true, true), (true, false), (false, false)] {
        for safety in [Safety::Snapshot, Safety::None] {
            let mut toy = Toy::new(PowerState::On);
            let earlier = toy.begin("restore", 1, None);
            toy.now += SignedDuration::from_secs(30);
            if is_rebuilt_after {
                toy.begin("rebuild", 1, None);
                toy.now += SignedDuration::from_secs(30);
            }
            toy.catch_up();
            let Kind::Restore(asked) = restore(safety) else { unreachable!() };
            let mut it = operation(Kind::Restore(Restore { rewrites: shown.then(|| vec![earlier]), ..asked }));
            it.asked_at = toy.now;
            let done = toy.settle(it);
            let expected =
                if is_rebuilt_after { Outcome::Failed(Failure::ChangedMeanwhile) } else { Outcome::Completed };
            assert_eq!(done.outcome, Some(expected), "{shown} {safety:?}");
            assert_eq!(words(&toy).contains(&"restore"), !is_rebuilt_after, "{shown} {safety:?}");
        }
    }
}
