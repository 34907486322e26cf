//! The laws, over random worlds: a duty to turn a Droplet on does not end before the Droplet is back on or a person has said so; there are
//! never two Snapshots; a restore never happens without its safety Snapshot; and every operation comes to rest.

use jiff::SignedDuration;

use super::super::{
    Instruction, Operation,
    effect::{Command, Effect},
    kinds::{Downtime, IfHung, Kind, Restore, Safety},
    reading::PowerState,
};
use super::{
    operation, restore, take,
    toy::{Toy, Transit},
};

const WORLDS: u64 = 4_000;
const TROUBLED_TURNS: usize = 120;

fn random_kind(dice: &mut fastrand::Rng) -> Kind {
    let if_hung = [IfHung::Ask, IfHung::Force, IfHung::Live][dice.usize(..3)];
    match dice.u8(..4) {
        0 => take(Downtime::None, if_hung),
        1 => restore(Safety::Snapshot),
        2 => restore(Safety::None),
        _ => take(Downtime::PowerOff, if_hung),
    }
}

fn random_transit(dice: &mut fastrand::Rng) -> Transit {
    match dice.u8(..24) {
        0 => Transit::NeverSent,
        1 => Transit::LostBefore,
        2 => Transit::LostAfter,
        3 => Transit::Throttled,
        4 => Transit::Crash { executed: true },
        5 => Transit::Crash { executed: false },
        6 => Transit::LostUntil(dice.i64(1..30)),
        7 if dice.u8(..4) == 0 => Transit::Unauthorized,
        _ => Transit::Fine,
    }
}

/// Makes something happen that nobody asked the bot about.
fn random_event(dice: &mut fastrand::Rng, toy: &mut Toy, it: Operation) -> Operation {
    match dice.u8(..60) {
        0 => toy.locked_until = toy.now + SignedDuration::from_secs(dice.i64(1..200)),
        1 if !toy.pending() => {
            toy.begin("snapshot", dice.i64(1..300), Some("nightly".to_owned()));
        }
        2 if !toy.pending() => toy.power = PowerState::On,
        3 => {
            let late = toy.now + SignedDuration::from_secs(dice.i64(1..700));
            if let Some(action) = toy.actions.last_mut().filter(|action| !action.applied && action.kind == "shutdown") {
                action.takes_effect = dice.bool().then_some(late);
            }
        }
        4 => {
            if let Some(action) = toy.actions.last_mut().filter(|action| !action.applied) {
                action.errs = true;
            }
        }
        5 => return toy.instruction(&it, Instruction::Cancel),
        6 => return toy.instruction(&it, Instruction::Force),
        7 => return toy.instruction(&it, Instruction::Live),
        8 => return toy.instruction(&it, Instruction::QuestionShown),
        9 => toy.listing_delay = SignedDuration::from_secs(dice.i64(0..900)),
        _ => {}
    }
    it
}

fn check(toy: &Toy, it: &Operation, seed: u64) {
    let ours = toy.actions.iter().filter(|action| action.name.as_deref() == Some(&it.snapshot_name));
    let good = ours.filter(|action| !action.errs).count();
    assert!(good <= 1, "seed {seed}: {good} Snapshots\n{it:#?}");
    let restores = toy.sent.iter().filter(|command| matches!(command, Command::Restore { .. })).count();
    let wants_safety = matches!(it.kind, Kind::Restore(Restore { safety: Safety::Snapshot, .. }));
    assert!(!wants_safety || restores == 0 || it.snapshot.is_some(), "seed {seed}: restored without a safety Snapshot");
    let turned_off = toy.sent.iter().any(|it| matches!(it, Command::ShutDown(_) | Command::PowerOff(_)));
    if turned_off && it.ended.is_some() && it.power.owed().is_none() && it.power.released_at().is_none() {
        let pending_off = toy.actions.iter().any(|action| !action.applied && action.takes_effect.is_some());
        assert!(toy.power == PowerState::On || pending_off, "seed {seed}: left off\n{it:#?}");
    }
}

#[test]
fn the_laws_hold_in_every_world() {
    for seed in 0..WORLDS {
        let mut dice = fastrand::Rng::with_seed(seed);
        let mut toy = Toy::new(if dice.u8(..5) == 0 { PowerState::Off } else { PowerState::On });
        let mut it = operation(random_kind(&mut dice));
        for _ in 0..TROUBLED_TURNS {
            if it.next(&toy.rules, toy.now) == Effect::Rest {
                break;
            }
            it = random_event(&mut dice, &mut toy, it);
            let transit = random_transit(&mut dice);
            it = toy.turn(it, transit, dice.i64(1..400));
            check(&toy, &it, seed);
        }
        let it = toy.settle(it);
        check(&toy, &it, seed);
        assert!(it.ended.is_some() && it.outcome.is_some(), "seed {seed}");
        let text = serde_json::to_string(&it).unwrap();
        assert_eq!(
            serde_json::from_str::<Operation>(&text).unwrap(),
            it,
            "seed {seed}: state does not survive the store"
        );
    }
}
