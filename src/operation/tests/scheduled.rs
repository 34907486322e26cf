//! What differs for an operation that a schedule began: nobody is asked, it posts nothing, and it begins within its window.

use jiff::SignedDuration;

use super::super::{
    Observation, Operation, Outcome,
    ids::ScheduleId,
    kinds::{Downtime, IfHung},
    reading::{Failure, PowerState},
    report::ReportKind,
    step::State,
    trigger::Trigger,
};
use super::{
    noon, operation,
    stories::{until, words},
    take,
    toy::Toy,
};

fn scheduled(power: Downtime, if_hung: IfHung) -> Operation {
    let mut it = operation(take(power, if_hung));
    let until = noon() + SignedDuration::from_hours(4);
    it.trigger = Some(Trigger::Slot { schedule: ScheduleId::from_random(7), at: noon(), until });
    it
}

#[test]
fn a_hung_shutdown_asks_nobody() {
    for (if_hung, sent, outcome) in [
        (IfHung::Live, vec!["shutdown", "snapshot"], Outcome::Completed),
        (IfHung::Skip, vec!["shutdown"], Outcome::Failed(Failure::Hung)),
        (IfHung::Force, vec!["shutdown", "power_off", "snapshot", "power_on"], Outcome::Completed),
        // No schedule wants this, but a row may contain it.
        (IfHung::Ask, vec!["shutdown", "snapshot"], Outcome::Completed),
    ] {
        let mut toy = Toy::new(PowerState::On);
        let it = scheduled(Downtime::PowerOff, if_hung);
        let it = until(&mut toy, it, |it| it.steps[0].run().is_some());
        toy.actions.last_mut().unwrap().takes_effect = None;
        let done = toy.settle(it);
        assert_eq!((words(&toy), done.questions), (sent, 0), "{if_hung:?}");
        assert_eq!(done.outcome, Some(outcome), "{if_hung:?}");
        assert_eq!(toy.power, PowerState::On);
    }
}

#[test]
fn it_says_nothing_by_itself_but_calls_for_help() {
    let mut toy = Toy::new(PowerState::On);
    let done = toy.settle(scheduled(Downtime::PowerOff, IfHung::Live));
    for kind in [ReportKind::Progress, ReportKind::Answer, ReportKind::Notify, ReportKind::Question] {
        assert!(!done.calls_for(kind), "{kind:?}");
    }
    let mut asked = operation(take(Downtime::PowerOff, IfHung::Ask));
    asked.trigger =
        Some(Trigger::Run { schedule: ScheduleId::from_random(7), interaction: super::super::ids::InteractionId(1) });
    assert!(asked.calls_for(ReportKind::Progress), "a person waits for this one");
}

#[test]
fn it_may_begin_until_its_window_ends_and_not_after() {
    for (hours, begins) in [(3, true), (5, false)] {
        let mut toy = Toy::new(PowerState::On);
        toy.locked_until = noon() + SignedDuration::from_hours(hours);
        let done = toy.settle(scheduled(Downtime::None, IfHung::Live));
        assert_eq!(done.outcome == Some(Outcome::Completed), begins, "{:?}", done.outcome);
        if !begins {
            assert_eq!(done.outcome, Some(Outcome::Failed(Failure::TooOld)));
            assert!(done.steps.iter().all(|step| step.began.is_none()));
        }
    }
}

#[test]
fn a_restart_within_the_window_loses_no_run() {
    let toy = Toy::new(PowerState::On);
    let it = scheduled(Downtime::PowerOff, IfHung::Live);
    let now = noon() + SignedDuration::from_hours(3);
    let it = it.apply(Observation::Restarted(SignedDuration::from_hours(3)), &toy.rules, now).unwrap();
    assert_eq!(it.outcome, None);
    assert!(matches!(it.steps[0].state, State::Waiting(_)));
}
