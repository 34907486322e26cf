//! The warning before a Droplet goes down: who is warned, how long the shutdown waits, and what people read afterwards.

use jiff::{SignedDuration, Timestamp};

use super::super::{
    FirstAnswer, Instructed, Instruction, Observation, Operation, Outcome,
    announce::{Announce, Answering, Tell},
    effect::{Effect, Look},
    ids::{ChannelId, UserId},
    kinds::{Downtime, IfHung, Kind},
    reading::{Failure, PowerState},
    report::ReportKind,
    warning::{Warn, Warned},
};
use super::{DROPLET, operation, stories::words, take, toy::Toy, toy::Transit};

const FIVE: SignedDuration = SignedDuration::from_mins(5);

fn warned(kind: Kind) -> Operation {
    let mut it = operation(kind);
    let announce = Announce { tell: Tell::Ping, warn: Some(Warn { channel: ChannelId(8), minutes: 5 }) };
    it.answer_by(Answering { first: FirstAnswer::Taken, announce });
    it
}

/// A take that has seen its Droplet on and whose warning people can read from now on.
fn shown(toy: &mut Toy) -> Operation {
    let it = warned(take(Downtime::PowerOff, IfHung::Ask));
    let it = toy.turn(it, Transit::Fine, 20);
    assert!(it.calls_for(ReportKind::Warning) && matches!(it.warned(), Some(Warned::Ahead { at: None, .. })));
    toy.instruction(&it, Instruction::WarningShown)
}

fn begins(toy: &Toy, it: &Operation) -> Timestamp {
    match it.next(&toy.rules, toy.now) {
        Effect::Sleep(until) => until,
        other => panic!("it does not wait: {other:?}"),
    }
}

#[test]
fn the_shutdown_waits_from_when_people_can_read_it_and_looks_once_more() {
    let mut toy = Toy::new(PowerState::On);
    let it = shown(&mut toy);
    let until = toy.now + FIVE;
    assert_eq!((begins(&toy, &it), words(&toy)), (until, vec![]));
    assert_eq!(it.warned(), Some(Warned::Ahead { at: Some(until), may_be_postponed: true }));
    let it = toy.turn(it, Transit::Fine, 20);
    assert_eq!(toy.now, until);
    assert_eq!(it.next(&toy.rules, toy.now), Effect::Look(Look::Droplet(DROPLET)), "the look before is a new one");
    let done = toy.settle(it);
    assert_eq!(done.outcome, Some(Outcome::Completed));
    assert!(matches!(done.warned(), Some(Warned::Back(_))), "{:?}", done.warned());
}

#[test]
fn nobody_is_warned_of_what_stays_on_or_is_off() {
    for (power, downtime) in [(PowerState::On, Downtime::None), (PowerState::Off, Downtime::PowerOff)] {
        let mut toy = Toy::new(power);
        let done = toy.settle(warned(take(downtime, IfHung::Ask)));
        assert!(!done.calls_for(ReportKind::Warning), "{power:?}, {downtime:?}");
        assert_eq!(done.outcome, Some(Outcome::Completed));
    }
}

#[test]
fn it_can_be_postponed_three_times_and_not_once_it_has_begun() {
    let mut toy = Toy::new(PowerState::On);
    let mut it = shown(&mut toy);
    for times in 0..5 {
        let wanted = FIVE + SignedDuration::from_mins(10) * times.min(3);
        assert_eq!((begins(&toy, &it), it.may_be_postponed()), (toy.now + wanted, times < 3));
        it = toy.instruction(&it, Instruction::Postpone);
    }
    let done = toy.settle(it);
    assert_eq!(done.outcome, Some(Outcome::Completed), "an hour of waiting for people is no reason to give up");
    assert!(!done.may_be_postponed());
    let unchanged = toy.instruction(&done, Instruction::Postpone);
    assert_eq!(unchanged.warning, done.warning);
}

#[test]
fn whoever_is_called_off_in_time_turns_nothing_off() {
    let mut toy = Toy::new(PowerState::On);
    let it = shown(&mut toy);
    let it = toy.instruction(&it, Instruction::Cancel);
    assert_eq!((it.outcome.clone(), it.warned()), (Some(Outcome::Cancelled), Some(Warned::CalledOff)));
    assert_eq!(words(&toy), Vec::<&str>::new());
}

#[test]
fn after_a_restart_a_minute_is_left_at_least_and_no_clock_prolongs_it() {
    let mut toy = Toy::new(PowerState::On);
    let it = shown(&mut toy);
    let restarted = |it: &Operation, now| {
        it.apply(Observation::Restarted(SignedDuration::from_secs(9)), &toy.rules, now)
            .unwrap()
            .warning
            .unwrap()
            .begins()
    };
    let minute = SignedDuration::from_mins(1);
    let late = toy.now + SignedDuration::from_mins(30);
    assert_eq!(restarted(&it, late), Some(late + minute));
    let in_time = toy.now + minute;
    assert_eq!(restarted(&it, in_time), Some(toy.now + FIVE));
    let set_back = toy.now - SignedDuration::from_hours(9);
    assert_eq!(restarted(&it, set_back), Some(set_back + FIVE));
    // What was wanted hours ago may do harm now, however often the process has restarted since.
    let mut old = it;
    for minutes in [40, 80] {
        let now = toy.now + SignedDuration::from_mins(minutes);
        old = old.apply(Observation::Restarted(SignedDuration::from_secs(9)), &toy.rules, now).unwrap();
    }
    assert_eq!(old.outcome, Some(Outcome::Failed(Failure::TooOld)));
}

#[test]
fn without_a_warning_nothing_goes_down() {
    let mut toy = Toy::new(PowerState::On);
    let it = toy.turn(warned(take(Downtime::PowerOff, IfHung::Ask)), Transit::Fine, 20);
    let refused = Instructed { instruction: Instruction::WarningRefused, by: UserId(1), at: toy.now };
    let refused = it.apply(Observation::Instructed(refused), &toy.rules, toy.now).unwrap();
    assert_eq!(refused.outcome, Some(Outcome::Failed(Failure::NotWarned)));
    // Discord neither accepts nor refuses it.
    let done = toy.settle(it);
    assert_eq!(done.outcome, Some(Outcome::Failed(Failure::TooOld)));
    assert_eq!(words(&toy), Vec::<&str>::new());
}
