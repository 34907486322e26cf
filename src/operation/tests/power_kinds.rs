//! Droplets that people turn on or restart.

use super::{
    super::{
        FirstAnswer, Observation, Operation, Outcome,
        effect::Effect,
        kinds::{Kind, Restart, TurnOn},
        power::Status,
        reading::{Failure, PowerState},
    },
    DROPLET, operation,
    stories::{next_command, until, words},
    toy::{Toy, Transit},
};

fn turn_on() -> Operation {
    operation(Kind::TurnOn(TurnOn {}))
}

fn restart() -> Operation {
    operation(Kind::Restart(Restart {}))
}

#[test]
fn what_somebody_else_turned_off_is_turned_on_when_a_person_wants_it() {
    let mut toy = Toy::new(PowerState::On);
    toy.begin("power_off", 5, None);
    toy.now += jiff::SignedDuration::from_secs(60);
    toy.catch_up();
    assert_eq!(toy.power, PowerState::Off);
    let done = toy.settle(turn_on());
    assert_eq!(words(&toy), ["power_on"]);
    assert_eq!((toy.power, &done.outcome), (PowerState::On, &Some(Outcome::Completed)));
    assert!(done.power.back().is_done() && done.ended.is_some() && done.power.owed().is_none());
}

#[test]
fn it_begins_a_duty_unless_it_takes_over_what_is_owed() {
    let mut toy = Toy::new(PowerState::On);
    let take = operation(super::take(super::Downtime::PowerOff, super::IfHung::Live));
    let older = until(&mut toy, take, |it| it.power.owed().is_some());
    let (mut heir, mut older) = (turn_on(), older);
    assert!(heir.begins_a_duty() && !restart().begins_a_duty());
    older.power.edit(|power| power.owed.as_mut().unwrap().since -= jiff::SignedDuration::from_secs(60));
    heir.inherit(&mut older);
    assert!(heir.power.owed().is_some() && !heir.begins_a_duty());
}

#[test]
fn what_is_on_already_is_told_nothing() {
    let mut toy = Toy::new(PowerState::On);
    let done = toy.settle(turn_on());
    assert!(words(&toy).is_empty());
    assert_eq!(done.outcome, Some(Outcome::Completed));
}

#[test]
fn a_lost_answer_turns_it_on_once() {
    for transit in [Transit::LostAfter, Transit::Crash { executed: true }, Transit::Crash { executed: false }] {
        let mut toy = Toy::new(PowerState::Off);
        let mut it = turn_on();
        while next_command(&toy, &it).is_none() {
            it = toy.turn(it, Transit::Fine, 20);
        }
        it = toy.turn(it, transit, 20);
        toy.settle(it);
        assert_eq!((words(&toy), toy.power), (vec!["power_on"], PowerState::On), "{transit:?}");
    }
}

#[test]
fn who_turns_it_off_again_meanwhile_keeps_it() {
    let mut toy = Toy::new(PowerState::Off);
    let it = until(&mut toy, turn_on(), |it| it.power.back().run().is_some());
    toy.actions.last_mut().unwrap().errs = true;
    let it = until(&mut toy, it, |it| it.power.back().run().is_none());
    toy.begin("power_off", 1, None);
    let done = toy.settle(it);
    assert!(matches!(done.power.status(), Status::Theirs(_)), "{:?}", done.power.status());
    assert_eq!(toy.power, PowerState::Off);
}

#[test]
fn nothing_is_turned_on_for_somebody_who_read_that_nobody_answered() {
    for (answer, sent) in [(FirstAnswer::Refused, 0), (FirstAnswer::Lost, 1), (FirstAnswer::Taken, 1)] {
        let mut toy = Toy::new(PowerState::Off);
        let mut it = turn_on();
        it.first_answer = FirstAnswer::Awaited;
        it = it.apply(Observation::Woke, &toy.rules, toy.now).unwrap();
        assert!(matches!(it.next(&toy.rules, toy.now), Effect::Sleep(_)) && it.outcome.is_none());
        it.hear_first_answer(answer);
        it = it.apply(Observation::Woke, &toy.rules, toy.now).unwrap();
        let done = toy.settle(it);
        assert_eq!(words(&toy).len(), sent, "{answer:?}");
        assert_eq!((done.is_withdrawn(), done.is_open()), (sent == 0, false), "{answer:?}");
    }
}

#[test]
fn a_restart_leaves_the_droplet_on() {
    let mut toy = Toy::new(PowerState::On);
    let done = toy.settle(restart());
    assert_eq!((words(&toy), toy.power), (vec!["power_cycle"], PowerState::On));
    assert_eq!((&done.outcome, done.is_open()), (&Some(Outcome::Completed), false));
}

#[test]
fn a_restart_that_stops_halfway_is_made_good() {
    let mut toy = Toy::new(PowerState::On);
    let it = until(&mut toy, restart(), |it| it.steps[0].run().is_some());
    toy.power = PowerState::Off;
    toy.actions.last_mut().unwrap().errs = true;
    let done = toy.settle(it);
    assert_eq!((words(&toy), toy.power), (vec!["power_cycle", "power_on"], PowerState::On));
    assert_eq!(done.outcome, Some(Outcome::Failed(Failure::ActionErrored)));
}

#[test]
fn a_lost_answer_restarts_it_once() {
    for transit in [Transit::LostAfter, Transit::Crash { executed: true }] {
        let mut toy = Toy::new(PowerState::On);
        let mut it = restart();
        while next_command(&toy, &it).is_none() {
            it = toy.turn(it, Transit::Fine, 20);
        }
        it = toy.turn(it, transit, 20);
        let done = toy.settle(it);
        assert_eq!((words(&toy), &done.outcome), (vec!["power_cycle"], &Some(Outcome::Completed)), "{transit:?}");
    }
}

#[test]
fn what_is_off_is_not_restarted() {
    let mut toy = Toy::new(PowerState::Off);
    let done = toy.settle(restart());
    assert!(words(&toy).is_empty() && done.target.droplet == Some(DROPLET));
    assert_eq!(toy.power, PowerState::Off);
}
