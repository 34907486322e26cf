//! "Accepted means answered": what happens for somebody whom Discord let us answer, and for others.

use jiff::SignedDuration;

use super::super::{
    FirstAnswer, Instruction, Observation, Operation,
    effect::Effect,
    ids::SnapshotId,
    kinds::{Delete, Downtime, IfHung, Kind, Restart, Safety, SnapshotRef, TurnOn},
    reading::PowerState,
    report::ReportKind,
};
use super::{launch, operation, restore, stories::words, take, toy::Toy};

fn delete() -> Kind {
    Kind::Delete(Delete { snapshot: SnapshotRef { id: SnapshotId(50), name: "good".to_owned() } })
}

fn unanswered(kind: Kind) -> Operation {
    Operation { first_answer: FirstAnswer::Awaited, ..operation(kind) }
}

#[test]
fn until_the_person_was_answered_nothing_is_asked_of_digitalocean() {
    let mut toy = Toy::new(PowerState::On);
    let it = unanswered(take(Downtime::PowerOff, IfHung::Ask));
    assert!(matches!(it.next(&toy.rules, toy.now), Effect::Sleep(_)));
    let it = toy.instruction(&it, Instruction::AnswerTaken);
    let done = toy.settle(it);
    assert_eq!(words(&toy), ["shutdown", "snapshot", "power_on"]);
    assert_eq!((done.first_answer, done.is_withdrawn()), (FirstAnswer::Taken, false));
}

#[test]
fn whoever_was_surely_not_answered_gets_nothing_done() {
    for kind in [take(Downtime::PowerOff, IfHung::Ask), restore(Safety::Snapshot), delete()] {
        let mut toy = Toy::new(PowerState::On);
        let it = toy.instruction(&unanswered(kind), Instruction::AnswerRefused);
        assert!(it.is_withdrawn() && it.ended.is_some() && it.cancelled.is_none(), "{it:?}");
        assert_eq!(it.outcome(), Some("withdrawn"));
        assert!(!it.calls_for(ReportKind::Answer) && !it.calls_for(ReportKind::Notify));
        toy.settle(it);
        assert_eq!(words(&toy), [""; 0]);
    }
}

#[test]
fn without_a_word_on_the_answer_only_what_harms_nothing_is_done() {
    let cases = [
        (take(Downtime::None, IfHung::Ask), vec!["snapshot"]),
        (restore(Safety::None), Vec::new()),
        (delete(), Vec::new()),
    ];
    for (kind, wanted) in cases {
        // Reported, found out after a restart, or never reported.
        for how in 0..3 {
            let mut toy = Toy::new(PowerState::On);
            let it = unanswered(kind.clone());
            let it = match how {
                0 => toy.instruction(&it, Instruction::AnswerLost),
                1 => it.apply(Observation::Restarted(jiff::SignedDuration::ZERO), &toy.rules, toy.now).unwrap(),
                _ => {
                    toy.now += SignedDuration::from_secs(31);
                    it.apply(Observation::Woke, &toy.rules, toy.now).unwrap()
                }
            };
            assert_eq!(it.is_withdrawn(), wanted.is_empty());
            toy.settle(it);
            assert_eq!(words(&toy), wanted);
        }
    }
}

/// Otherwise its Droplet would stay reserved for it, should the report on the answer never come.
#[test]
fn whatever_is_said_before_the_answer_an_open_operation_has_something_to_wait_for() {
    let mut kinds =
        vec![Kind::TurnOn(TurnOn {}), Kind::Restart(Restart {}), delete(), launch().kind, restore(Safety::None)];
    kinds.extend([Downtime::PowerOff, Downtime::None].map(|power| take(power, IfHung::Ask)));
    let instructions = [
        Instruction::Cancel,
        Instruction::LeaveOff,
        Instruction::HandleIt,
        Instruction::TurnOn,
        Instruction::KeepWaiting,
        Instruction::Postpone,
    ];
    for (kind, instruction) in kinds.iter().flat_map(|kind| instructions.map(|instruction| (kind, instruction))) {
        let mut toy = Toy::new(PowerState::Off);
        let it = toy.instruction(&unanswered(kind.clone()), instruction);
        let waits = it.next(&toy.rules, toy.now) != Effect::Rest;
        assert!(waits || !it.is_open(), "{kind:?} {instruction:?}: {it:?}");
        toy.now += SignedDuration::from_secs(31);
        let it = it.apply(Observation::Woke, &toy.rules, toy.now).unwrap();
        let waits = it.next(&toy.rules, toy.now) != Effect::Rest;
        assert!(waits || !it.is_open(), "{kind:?} {instruction:?}: {it:?}");
    }
}

#[test]
fn only_the_first_word_on_an_answer_counts() {
    let mut toy = Toy::new(PowerState::On);
    let it = toy.instruction(&unanswered(restore(Safety::None)), Instruction::AnswerTaken);
    let it = toy.instruction(&it, Instruction::AnswerRefused);
    assert!(!it.is_withdrawn());
    let it = it.apply(Observation::Restarted(jiff::SignedDuration::ZERO), &toy.rules, toy.now).unwrap();
    assert_eq!(it.outcome, None);
    toy.settle(it);
}

#[test]
fn what_a_withdrawn_operation_inherited_is_still_turned_on() {
    let mut toy = Toy::new(PowerState::Off);
    let mut older = operation(take(Downtime::PowerOff, IfHung::Ask));
    older.power.note_before(PowerState::On);
    older.power.owe(toy.now, true);
    older.power.see_off(toy.now);
    older.ended = Some(toy.now);
    let mut it = unanswered(restore(Safety::None));
    it.inherit(&mut older);
    let it = toy.instruction(&it, Instruction::AnswerRefused);
    let done = toy.settle(it);
    assert_eq!(words(&toy), ["power_on"]);
    assert!(done.is_withdrawn());
}
