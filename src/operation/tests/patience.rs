//! Steps that take too long or never end: how long the bot waits, whom it tells, and that time alone proves nothing.

use jiff::SignedDuration;

use super::super::{
    Instructed, Instruction, Observation, Operation, Outcome,
    effect::{Answer, Command, Effect, Look},
    ids::UserId,
    kinds::{Downtime, IfHung, Safety},
    power::Status,
    reading::{Failure, PowerState, Trouble},
    step::State,
};
use super::{
    DROPLET, operation, restore, rules,
    stories::{next_command, until, word, words},
    take,
    toy::{Toy, Transit},
};

/// A take whose Snapshot is done and whose Droplet is to be turned on next.
fn about_to_power_on() -> (Toy, Operation) {
    let mut toy = Toy::new(PowerState::On);
    let mut it = operation(take(Downtime::PowerOff, IfHung::Ask));
    while !matches!(next_command(&toy, &it), Some(Command::PowerOn(_))) {
        it = toy.turn(it, Transit::Fine, 20);
    }
    (toy, it)
}

/// A take whose shutdown hangs and whose power is cut next.
fn about_to_cut_the_power() -> (Toy, Operation) {
    let mut toy = Toy::new(PowerState::On);
    let it = until(&mut toy, operation(take(Downtime::PowerOff, IfHung::Force)), |it| it.steps[0].run().is_some());
    toy.actions.last_mut().unwrap().takes_effect = None;
    let mut it = until(&mut toy, it, |it| it.steps.len() == 3);
    while next_command(&toy, &it).is_none() {
        it = toy.turn(it, Transit::Fine, 20);
    }
    (toy, it)
}

/// Plays until people are called, with the given transit for every command. Returns how long that took.
fn until_stuck(toy: &mut Toy, it: Operation, transit: impl Fn(&mut Toy) -> Transit) -> (Operation, SignedDuration) {
    let since = it.power.got_on_at().unwrap();
    let mut it = it;
    for _ in 0..4_000 {
        if let Some(stuck) = it.power.last_call() {
            let took = stuck.since.duration_since(since);
            return (it, took);
        }
        let sends = next_command(toy, &it).is_some();
        let transit = if sends { transit(toy) } else { Transit::Fine };
        it = toy.turn(it, transit, 20);
    }
    panic!("nobody is ever called: {it:#?}");
}

#[test]
fn people_are_called_in_time_whatever_keeps_power_back_waiting() {
    let transits: [fn(&mut Toy) -> Transit; 5] = [
        |_| Transit::LostBefore,
        |_| Transit::NeverSent,
        |_| Transit::Throttled,
        |toy| Transit::ThrottledFor(if toy.pending() { 1 } else { 7_200 }),
        |toy| {
            // DigitalOcean refuses although no Action is seen in progress.
            toy.locked_until = toy.now + SignedDuration::from_millis(1);
            Transit::Fine
        },
    ];
    for (number, transit) in transits.into_iter().enumerate() {
        let (mut toy, it) = about_to_power_on();
        let (it, took) = until_stuck(&mut toy, it, transit);
        assert!(took <= SignedDuration::from_mins(11), "transit {number}: {took:?}");
        assert!(it.ended.is_none(), "stuck is not an end");
        toy.settle(it);
        assert_eq!(toy.power, PowerState::On);
    }
}

#[test]
fn a_power_on_that_never_ends_is_paid_once_the_droplet_is_seen_on() {
    let (mut toy, it) = about_to_power_on();
    let it = toy.turn(it, Transit::Fine, 1_000_000);
    toy.power = PowerState::On;
    let it = until(&mut toy, it, |it| it.ended.is_some());
    assert_eq!(it.outcome, Some(Outcome::Completed));
    assert_eq!(it.power.owed(), None);
    assert_eq!(it.power.last_call(), None);
}

#[test]
fn a_power_on_that_never_ends_calls_people_where_the_droplet_stays_off() {
    let (mut toy, it) = about_to_power_on();
    let it = toy.turn(it, Transit::Fine, 1_000_000);
    let (it, took) = until_stuck(&mut toy, it, |_| Transit::Fine);
    assert!(took <= SignedDuration::from_mins(11), "{took:?}");
    assert!(it.power.owed().is_some());
}

#[test]
fn a_power_off_that_never_ends_is_given_up_and_answered() {
    let (mut toy, it) = about_to_cut_the_power();
    let it = toy.turn(it, Transit::Fine, 1_000_000);
    toy.actions.last_mut().unwrap().takes_effect = None;
    let it = until(&mut toy, it, |it| it.ended.is_some());
    assert_eq!(it.outcome, Some(Outcome::Failed(Failure::Hung)));
    assert!(it.power.owed().is_some(), "what was sent may still turn it off");
}

#[test]
fn a_shutdown_has_its_whole_time_however_long_it_was_refused_before() {
    for if_hung in [IfHung::Ask, IfHung::Force] {
        let mut toy = Toy::new(PowerState::On);
        let mut it = operation(take(Downtime::PowerOff, if_hung));
        for _ in 0..2 {
            while next_command(&toy, &it).is_none() {
                it = toy.turn(it, Transit::Fine, 20);
            }
            it = toy.turn(it, Transit::ThrottledFor(3_600), 20);
        }
        let done = toy.settle(it);
        assert_eq!(words(&toy), ["shutdown", "snapshot", "power_on"]);
        assert!(matches!(done.steps[0].state, State::Done { .. }), "{:?}", done.steps[0]);
        let (took, downtime) = (done.steps[0].took().unwrap(), done.power.downtime().unwrap());
        assert!(took < SignedDuration::from_mins(1), "waiting is no part of a shutdown: {took:?}");
        assert!(downtime < SignedDuration::from_mins(5), "waiting is no downtime: {downtime:?}");
    }
}

#[test]
fn an_answer_in_time_counts_however_late_it_is_heard() {
    let mut toy = Toy::new(PowerState::On);
    let it = until(&mut toy, operation(take(Downtime::PowerOff, IfHung::Ask)), |it| it.steps[0].run().is_some());
    toy.actions.last_mut().unwrap().takes_effect = None;
    let it = until(&mut toy, it, |it| it.question.is_some());
    let opened = toy.now;
    toy.now += SignedDuration::from_mins(50);
    // A look that was in flight all that time.
    let late = Answer::Droplet(toy.droplet(DROPLET));
    let mut it = it.apply(Observation::Seen(Look::Droplet(DROPLET), late), &rules(), toy.now).unwrap();
    for instruction in [Instruction::QuestionShown, Instruction::Force] {
        it = it
            .apply(Observation::Instructed(Instructed { instruction, by: UserId(9), at: opened }), &rules(), toy.now)
            .unwrap();
    }
    let it = it.apply(Observation::Woke, &rules(), toy.now).unwrap();
    assert_eq!(it.outcome, None);
    let done = toy.settle(it);
    assert_eq!(words(&toy), ["shutdown", "power_off", "snapshot", "power_on"]);
    assert_eq!(done.outcome, Some(Outcome::Completed));
}

#[test]
fn a_vanished_action_says_nothing_of_the_snapshot_which_is_looked_for_by_name() {
    let mut toy = Toy::new(PowerState::On);
    let it = until(&mut toy, operation(take(Downtime::PowerOff, IfHung::Ask)), |it| it.steps[1].run().is_some());
    let action = it.steps[1].run().and_then(|run| run.action).unwrap();
    let unknown = Observation::Seen(Look::Action(action), Answer::Trouble(Trouble::NotFound));
    let done = toy.settle(it.apply(unknown, &toy.rules, toy.now).unwrap());
    assert_eq!(done.outcome, Some(Outcome::Completed));
    assert_eq!(words(&toy), ["shutdown", "snapshot", "power_on"]);
}

#[test]
fn a_snapshot_whose_action_is_gone_for_good_fails_soon_and_is_never_taken_twice() {
    let mut toy = Toy::new(PowerState::On);
    let it = until(&mut toy, operation(take(Downtime::PowerOff, IfHung::Ask)), |it| it.steps[1].run().is_some());
    toy.actions.retain(|action| action.kind != "snapshot");
    let vanished = toy.now;
    let it = until(&mut toy, it, |it| it.outcome.is_some());
    assert_eq!(it.outcome, Some(Outcome::Failed(Failure::ActionVanished)));
    assert!(toy.now.duration_since(vanished) < SignedDuration::from_mins(3));
    toy.settle(it);
    assert_eq!(words(&toy), ["shutdown", "snapshot", "power_on"]);
}

#[test]
fn a_restore_whose_answer_was_lost_is_not_sent_to_a_droplet_that_somebody_uses_again() {
    let mut toy = Toy::new(PowerState::On);
    let mut it = operation(restore(Safety::None));
    while !matches!(next_command(&toy, &it), Some(Command::Restore { .. })) {
        it = toy.turn(it, Transit::Fine, 20);
    }
    it = toy.turn(it, Transit::Crash { executed: false }, 20);
    while !matches!(next_command(&toy, &it), Some(Command::Restore { .. })) {
        it = toy.turn(it, Transit::Fine, 20);
    }
    it = toy.turn(it, Transit::ThrottledFor(1_200), 20);
    toy.power = PowerState::On;
    let done = toy.settle(it);
    assert_eq!(words(&toy), ["shutdown"]);
    assert_eq!(done.outcome, Some(Outcome::Failed(Failure::RestoreUnclear)));
}

#[test]
fn what_an_inherited_duty_finds_off_is_snapshotted_only_after_its_actions_are_known() {
    let mut toy = Toy::new(PowerState::Off);
    toy.begin("snapshot", 1, Some("nightly".to_owned()));
    toy.now += SignedDuration::from_mins(5);
    let mut older = operation(take(Downtime::PowerOff, IfHung::Ask));
    older.power.note_before(PowerState::On);
    older.power.owe(toy.now, true);
    older.ended = Some(toy.now);
    let mut it = operation(take(Downtime::PowerOff, IfHung::Ask));
    it.inherit(&mut older);
    while next_command(&toy, &it).is_none() {
        it = toy.turn(it, Transit::Fine, 20);
    }
    assert!(it.baseline.contains(&toy.read(&toy.actions[0])), "the old Snapshot's Action could be taken for ours");
    let it = toy.turn(it, Transit::LostAfter, 20);
    let done = toy.settle(it);
    assert_eq!(done.snapshot.map(|snapshot| snapshot.name), Some(done.snapshot_name));
    assert_eq!(toy.power, PowerState::On);
}

#[test]
fn a_lost_power_off_may_come_late_and_is_made_good_all_the_same() {
    let (mut toy, it) = about_to_cut_the_power();
    let it = toy.turn(it, Transit::LostBefore, 20);
    // The hung shutdown takes effect, the lost command does not yet.
    toy.power = PowerState::Off;
    let it = until(&mut toy, it, |it| it.steps[1].is_over());
    let owed = it.power.owed().unwrap();
    assert!(owed.late_until.is_some_and(|until| until > owed.since), "{owed:?}");
}

#[test]
fn nobody_is_called_for_a_droplet_that_was_last_seen_on() {
    let mut toy = Toy::new(PowerState::On);
    let it = until(&mut toy, operation(take(Downtime::PowerOff, IfHung::Live)), |it| it.steps[0].run().is_some());
    toy.actions.last_mut().unwrap().takes_effect = None;
    let mut it = until(&mut toy, it, |it| it.ended.is_some());
    assert!(it.power.is_watched());
    while it.power.owed().is_some_and(|owed| owed.late_until.is_some_and(|until| toy.now < until)) {
        assert_eq!(it.power.last_call(), None);
        let looks = matches!(it.next(&toy.rules, toy.now), Effect::Look(_));
        it = toy.turn(it, if looks { Transit::Unauthorized } else { Transit::Fine }, 20);
    }
}

#[test]
fn a_new_token_is_tried_as_soon_as_the_bot_is_started_with_it() {
    let (mut toy, it) = about_to_power_on();
    let mut it = toy.turn(it, Transit::Unauthorized, 20);
    assert_eq!(it.power.last_call(), None, "a lone refusal is not believed");
    while it.power.last_call().is_none() {
        let sends = next_command(&toy, &it).is_some();
        it = toy.turn(it, if sends { Transit::Unauthorized } else { Transit::Fine }, 20);
    }
    assert!(matches!(it.next(&toy.rules, toy.now), Effect::Sleep(_)));
    let it = it.apply(Observation::Restarted(SignedDuration::ZERO), &toy.rules, toy.now).unwrap();
    assert!(matches!(it.next(&toy.rules, toy.now), Effect::Look(_)), "{:?}", it.next(&toy.rules, toy.now));
}

#[test]
fn one_404_about_a_droplet_is_not_believed() {
    let kinds = [Look::Droplet(DROPLET), Look::Actions(DROPLET), Look::Snapshots(DROPLET)];
    for denied in 0..60 {
        let (mut toy, mut looks) = (Toy::new(PowerState::On), 0);
        let mut it = operation(take(Downtime::PowerOff, IfHung::Ask));
        while it.ended.is_none() {
            let effect = it.next(&toy.rules, toy.now);
            let is_denied = matches!(&effect, Effect::Look(look) if kinds.contains(look)) && looks == denied;
            looks += usize::from(matches!(&effect, Effect::Look(_)));
            it = match effect {
                Effect::Look(look) if is_denied => {
                    let nobody = Answer::Trouble(Trouble::NotFound);
                    it.apply(Observation::Seen(look, nobody), &toy.rules, toy.now).unwrap()
                }
                _ => toy.turn(it, Transit::Fine, 20),
            };
        }
        let done = toy.settle(it);
        assert_eq!(done.outcome, Some(Outcome::Completed), "look {denied}");
        assert_eq!(words(&toy), ["shutdown", "snapshot", "power_on"], "look {denied}");
        assert_eq!(toy.power, PowerState::On, "look {denied}");
    }
}

#[test]
fn a_command_that_finds_nobody_fails_alone_where_the_droplet_is_there() {
    for denied in ["shutdown", "snapshot", "power_on"] {
        let mut toy = Toy::new(PowerState::On);
        let mut it = operation(take(Downtime::PowerOff, IfHung::Ask));
        let mut times = 0;
        while it.ended.is_none() {
            it = match next_command(&toy, &it) {
                Some(command) if times < 2 && word(&command) == denied => {
                    times += 1;
                    let sent = it.apply(Observation::Intended, &toy.rules, toy.now).unwrap();
                    let nobody = Answer::Trouble(Trouble::NotFound);
                    sent.apply(Observation::Answered(command, nobody), &toy.rules, toy.now).unwrap()
                }
                _ => toy.turn(it, Transit::Fine, 20),
            };
        }
        let done = toy.settle(it);
        assert_eq!(toy.power, PowerState::On, "{denied}");
        assert_ne!(done.power.status(), Status::Gone, "{denied}");
        let expected = if denied == "power_on" { Outcome::Completed } else { Outcome::Failed(Failure::NotKnown) };
        assert_eq!(done.outcome, Some(expected), "{denied}");
    }
}

#[test]
fn a_refused_shutdown_does_not_void_what_an_older_one_may_still_do() {
    let mut toy = Toy::new(PowerState::On);
    let mut older = operation(take(Downtime::PowerOff, IfHung::Ask));
    older.power.note_before(PowerState::On);
    older.power.owe(toy.now, true);
    older.ended = Some(toy.now);
    let late = older.power.owed().unwrap().late_until;
    let mut it = operation(take(Downtime::PowerOff, IfHung::Ask));
    it.inherit(&mut older);
    for transit in [Transit::ThrottledFor(5), Transit::NeverSent] {
        while next_command(&toy, &it).is_none() {
            it = toy.turn(it, Transit::Fine, 20);
        }
        it = toy.turn(it, transit, 20);
        assert_eq!(it.power.owed().unwrap().late_until, late, "{transit:?}");
    }
    while next_command(&toy, &it).is_none() {
        it = toy.turn(it, Transit::Fine, 20);
    }
    let sent = it.apply(Observation::Intended, &toy.rules, toy.now).unwrap();
    let refused = Answer::Trouble(Trouble::Refused { message: "No.".to_owned() });
    let it = sent.apply(Observation::Answered(Command::ShutDown(DROPLET), refused), &toy.rules, toy.now).unwrap();
    let it = until(&mut toy, it, |it| it.outcome.is_some());
    assert_eq!(it.power.owed().unwrap().late_until, late);
}

#[test]
fn nobody_is_asked_about_a_shutdown_that_has_turned_the_droplet_off() {
    for is_locked in [true, false] {
        let mut toy = Toy::new(PowerState::On);
        let began = toy.now;
        let mut it =
            until(&mut toy, operation(take(Downtime::PowerOff, IfHung::Ask)), |it| it.steps[0].run().is_some());
        // The guest goes off at once, and DigitalOcean holds the Droplet for twenty more minutes.
        let action = toy.actions.last_mut().unwrap();
        action.takes_effect = Some(action.started + SignedDuration::from_secs(5));
        action.ends = action.started + SignedDuration::from_mins(20);
        if is_locked {
            toy.locked_until = action.ends;
        }
        let mut called = None;
        for _ in 0..2_000 {
            it = toy.turn(it, Transit::Fine, 20);
            assert_eq!(it.question, None, "locked: {is_locked}");
            called = called.or(it.power.stuck().map(|stuck| stuck.since.duration_since(began)));
        }
        assert_eq!(words(&toy), ["shutdown", "snapshot", "power_on"], "locked: {is_locked}");
        assert!(called.is_some_and(|after| after <= SignedDuration::from_mins(11)), "locked: {is_locked}: {called:?}");
        assert_eq!(toy.power, PowerState::On);
    }
}

#[test]
fn who_cancels_what_is_off_and_held_waits_only_for_power() {
    let mut toy = Toy::new(PowerState::On);
    let mut it = until(&mut toy, operation(take(Downtime::PowerOff, IfHung::Ask)), |it| it.steps[0].run().is_some());
    let action = toy.actions.last_mut().unwrap();
    action.takes_effect = Some(action.started + SignedDuration::from_secs(5));
    (action.ends, toy.locked_until) = (action.started, action.started + SignedDuration::from_mins(8));
    it = until(&mut toy, it, |it| it.obstacle.is_some());
    let instructed = Instructed { instruction: Instruction::Cancel, by: UserId(2), at: toy.now };
    it = it.apply(Observation::Instructed(instructed), &toy.rules, toy.now).unwrap();
    let done = toy.settle(it);
    assert_eq!(words(&toy), ["shutdown", "power_on"]);
    assert_eq!((done.outcome, toy.power), (Some(Outcome::Cancelled), PowerState::On));
}
