//! Commands that DigitalOcean carries out but also refuses: nothing is done twice, nothing stays off, and people are told the truth.

use super::super::{
    Instruction, Observation, Operation, Outcome,
    effect::{Answer, BackupPolicy, Command, Effect, Look},
    ids::{DropletId, SnapshotId},
    kinds::{Backups, BackupsChange, Delete, Downtime, IfHung, Kind, Restart, Safety, SnapshotRef},
    reading::{Failure, PowerState, Trouble},
};
use super::{
    launch, noon, operation, restore, rules,
    stories::{next_command, words},
    take,
    toy::{Refusal, Toy, Transit},
};

const ANSWERS: [Transit; 3] = [Transit::Twice(Refusal::Busy), Transit::Twice(Refusal::InWords), Transit::LostAfter];

fn kinds() -> Vec<Kind> {
    let policy = BackupPolicy { plan: "daily".to_owned(), weekday: None, hour: 4 };
    let backups = |change| Kind::Backups(Backups { change });
    vec![
        take(Downtime::PowerOff, IfHung::Ask),
        take(Downtime::None, IfHung::Ask),
        restore(Safety::Snapshot),
        restore(Safety::None),
        Kind::Restart(Restart {}),
        backups(BackupsChange::Enable(policy.clone())),
        backups(BackupsChange::Change(policy)),
        backups(BackupsChange::Disable { listed: Vec::new(), keep: None }),
    ]
}

/// Plays an operation whose command of this number is answered this way; `None` if it sends fewer commands.
fn played(kind: Kind, number: usize, answer: Transit) -> Option<(Toy, Operation)> {
    let (mut toy, mut it, mut sent) = (Toy::new(PowerState::On), operation(kind), 0);
    for _ in 0..5_000 {
        let sends = next_command(&toy, &it).is_some();
        if it.next(&toy.rules, toy.now) == Effect::Rest {
            return (sent > number).then_some((toy, it));
        }
        it = toy.turn(it, if sends && sent == number { answer } else { Transit::Fine }, 20);
        sent += usize::from(sends);
    }
    panic!("it does not come to rest: {it:#?}");
}

#[test]
fn what_was_carried_out_and_refused_is_done_once_and_said_to_be_done() {
    for kind in kinds() {
        let (toy, _) = played(kind.clone(), 0, Transit::Fine).unwrap();
        let commands = words(&toy);
        for (number, command) in commands.iter().enumerate() {
            for answer in ANSWERS {
                let (toy, done) = played(kind.clone(), number, answer).unwrap();
                let told = format!("{} {command} {answer:?}", kind.word());
                assert_eq!(words(&toy), commands, "{told}: {done:#?}");
                assert_eq!((toy.power, done.is_open()), (PowerState::On, false), "{told}");
                assert_eq!(done.outcome, Some(Outcome::Completed), "{told}");
                let was_off = commands.contains(&"power_on");
                assert_eq!(done.power.back().is_done(), was_off, "{told}: nobody else turned it on");
            }
        }
    }
}

/// A command is carried out and refused, or its answer is lost, and a person wants the Droplet on before anybody has looked for it.
#[test]
fn what_was_carried_out_and_refused_is_ours_when_a_person_wants_the_droplet_on() {
    for if_hung in [IfHung::Ask, IfHung::Force] {
        for number in 0..4 {
            for answer in ANSWERS {
                let mut toy = Toy::new(PowerState::On);
                let (mut it, mut sent) = (operation(take(Downtime::PowerOff, if_hung)), 0);
                for _ in 0..5_000 {
                    let command = next_command(&toy, &it);
                    let sends = command.is_some();
                    if it.next(&toy.rules, toy.now) == Effect::Rest {
                        break;
                    }
                    let hangs = if_hung == IfHung::Force && matches!(command, Some(Command::ShutDown(_)));
                    it = toy.turn(it, if sends && sent == number { answer } else { Transit::Fine }, 20);
                    if hangs {
                        toy.actions.last_mut().unwrap().takes_effect = None;
                    }
                    if sends && sent == number {
                        it = toy.instruction(&it, Instruction::TurnOn);
                    }
                    sent += usize::from(sends);
                }
                let told = format!("{if_hung:?}, command {number}, {answer:?}: {it:#?}");
                assert_eq!((toy.power, it.is_open()), (PowerState::On, false), "{told}");
            }
        }
    }
}

/// The shutdown hangs, and cutting the power is carried out and refused. The next look that arrives already shows the Droplet off.
#[test]
fn a_power_cut_that_was_refused_and_over_before_the_next_look_is_ours() {
    for (answer, look) in ANSWERS.iter().flat_map(|answer| [(*answer, Transit::Fine), (*answer, Transit::Throttled)]) {
        let mut cut = false;
        let (mut toy, mut it) = (Toy::new(PowerState::On), operation(take(Downtime::PowerOff, IfHung::Force)));
        for _ in 0..5_000 {
            if it.next(&toy.rules, toy.now) == Effect::Rest {
                break;
            }
            match next_command(&toy, &it) {
                Some(Command::ShutDown(_)) => {
                    it = toy.turn(it, Transit::Fine, 20);
                    toy.actions.last_mut().unwrap().takes_effect = None;
                }
                Some(Command::PowerOff(_)) => (it, cut) = (toy.turn(it, answer, 0), true),
                _ => it = toy.turn(it, if std::mem::take(&mut cut) { look } else { Transit::Fine }, 20),
            }
        }
        assert_eq!(words(&toy), ["shutdown", "power_off", "snapshot", "power_on"], "{answer:?} {look:?}");
        assert_eq!((toy.power, it.is_open()), (PowerState::On, false), "{answer:?} {look:?}: {it:#?}");
    }
}

/// An operation whose command was refused with a message.
fn refused(it: &Operation, command: &Command) -> Operation {
    let it = it.apply(Observation::Intended, &rules(), noon()).unwrap();
    let answer = Answer::Trouble(Trouble::Refused { message: "No.".to_owned() });
    it.apply(Observation::Answered(command.clone(), answer), &rules(), noon()).unwrap()
}

fn seen(it: &Operation, look: Look, answer: Answer) -> Operation {
    assert_eq!(it.next(&rules(), noon()), Effect::Look(look.clone()));
    it.apply(Observation::Seen(look, answer), &rules(), noon()).unwrap()
}

fn no() -> Outcome {
    Outcome::Failed(Failure::Refused { message: "No.".to_owned() })
}

#[test]
fn a_droplet_that_was_made_and_refused_is_found() {
    let it = launch();
    let Effect::Send(command) = it.next(&rules(), noon()) else { panic!("{it:#?}") };
    let it = refused(&it, &command);
    let look = Look::Launched(it.id);
    let made = Toy::new(PowerState::On).droplet(DropletId(9));
    let found = seen(&it, look.clone(), Answer::Droplets(vec![made]));
    assert_eq!(found.launched.map(|launched| launched.droplet), Some(DropletId(9)));
    let untagged = seen(&it, look, Answer::Droplets(Vec::new()));
    assert_eq!(untagged.outcome, None, "the index of tags may be late");
    let by_name = untagged.next(&rules(), noon());
    let Effect::Look(look @ Look::CreatedAs(_)) = by_name else { panic!("{by_name:?}") };
    let made = Toy::new(PowerState::On).droplet(DropletId(9));
    let found = seen(&untagged, look.clone(), Answer::Droplets(vec![made]));
    assert_eq!(found.launched.map(|launched| launched.droplet), Some(DropletId(9)));
    assert_eq!(seen(&untagged, look, Answer::Droplets(Vec::new())).outcome, Some(no()));
}

#[test]
fn a_snapshot_that_was_deleted_and_refused_is_gone() {
    let snapshot = SnapshotRef { id: SnapshotId(50), name: "old".to_owned() };
    let it = operation(Kind::Delete(Delete { snapshot }));
    let it = refused(&it, &Command::Delete(SnapshotId(50)));
    let look = Look::Snapshot(SnapshotId(50));
    let gone = Observation::Seen(look.clone(), Answer::Trouble(Trouble::NotFound));
    let once = it.apply(gone.clone(), &rules(), noon()).unwrap();
    assert_eq!(once.outcome, None, "a lone answer proves nothing");
    let twice = once.apply(gone, &rules(), noon() + rules().settle_time).unwrap();
    assert_eq!(twice.outcome, Some(Outcome::Completed));
    assert_eq!(seen(&it, look, Answer::Snapshots(Vec::new())).outcome, Some(no()));
}

#[test]
fn what_was_refused_and_not_carried_out_is_said_to_be_refused() {
    for kind in kinds() {
        let (mut toy, mut it) = (Toy::new(PowerState::On), operation(kind.clone()));
        while next_command(&toy, &it).is_none() {
            it = toy.turn(it, Transit::Fine, 20);
        }
        let command = next_command(&toy, &it).unwrap();
        it = it.apply(Observation::Intended, &toy.rules, toy.now).unwrap();
        let answer = Answer::Trouble(Trouble::Refused { message: "No.".to_owned() });
        it = it.apply(Observation::Answered(command, answer), &toy.rules, toy.now).unwrap();
        let done = toy.settle(it);
        assert_eq!((done.outcome, toy.power, toy.sent.len()), (Some(no()), PowerState::On, 0), "{}", kind.word());
    }
}

#[test]
fn an_event_that_a_command_was_refused_for_is_waited_for_without_another_try() {
    for kind in kinds() {
        let (mut toy, mut it) = (Toy::new(PowerState::On), operation(kind.clone()));
        while next_command(&toy, &it).is_none() {
            it = toy.turn(it, Transit::Fine, 20);
        }
        toy.begin("migrate", 600, None);
        let mut tries = 0;
        while toy.pending() {
            tries += usize::from(next_command(&toy, &it).is_some());
            it = toy.turn(it, Transit::Fine, 20);
        }
        assert_eq!(tries, 1, "{}", kind.word());
        assert_eq!(toy.settle(it).outcome, Some(Outcome::Completed), "{}", kind.word());
    }
}

/// A process sends a command and dies. The next one may not use its token, or meets a bug of ours: the operation fails before anybody learns
/// what became of the command. Once all is well again, what the command turned off is still ours.
#[test]
fn what_a_failed_operation_may_have_turned_off_is_turned_on() {
    for kind in kinds() {
        for is_a_bug in [false, true] {
            let mut number = 0;
            while let Some((toy, it)) = failed_after(kind.clone(), number, is_a_bug) {
                let told = format!("{} command {number}: {:?}\n{it:#?}", kind.word(), words(&toy));
                assert_eq!((toy.power, it.is_open()), (PowerState::On, false), "{told}");
                number += 1;
            }
            assert!(number > 0);
        }
    }
}

/// Plays an operation whose command of this number is carried out while its process dies, and that then fails for another reason.
fn failed_after(kind: Kind, number: usize, is_a_bug: bool) -> Option<(Toy, Operation)> {
    let (mut toy, mut it, mut sent) = (Toy::new(PowerState::On), operation(kind), 0);
    while sent < number || next_command(&toy, &it).is_none() {
        if it.next(&toy.rules, toy.now) == Effect::Rest {
            return None;
        }
        sent += usize::from(next_command(&toy, &it).is_some());
        it = toy.turn(it, Transit::Fine, 20);
    }
    let command = next_command(&toy, &it)?;
    it = it.apply(Observation::Intended, &toy.rules, toy.now).unwrap();
    toy.execute(&command, 20);
    toy.now += jiff::SignedDuration::from_secs(5);
    it = if is_a_bug { it.halt(toy.now) } else { it.apply(Observation::TokenRefused, &toy.rules, toy.now).unwrap() };
    let it = toy.settle(it);
    Some((toy, it))
}

/// The answer to our first shutdown is lost. While the bot looks for it, somebody else's power-on is in progress, and then fails.
#[test]
fn somebody_elses_power_on_that_fails_does_not_make_our_off_theirs() {
    for errs_after in [1, 40, 400] {
        let (mut toy, mut it) = (Toy::new(PowerState::On), operation(take(Downtime::PowerOff, IfHung::Ask)));
        while next_command(&toy, &it).is_none() {
            it = toy.turn(it, Transit::Fine, 20);
        }
        it = toy.turn(it, Transit::LostAfter, 1);
        toy.now += jiff::SignedDuration::from_secs(5);
        toy.begin("power_on", errs_after, None);
        toy.actions.last_mut().unwrap().errs = true;
        let done = toy.settle(it);
        assert_eq!((toy.power, done.is_open()), (PowerState::On, false), "{errs_after} s: {done:#?}");
        assert_eq!(words(&toy).last(), Some(&"power_on"), "{errs_after} s");
    }
}
