//! An older operation's shutdown turns a Droplet off late, and the bot repairs that at once, whatever step a newer operation is in.

use jiff::{SignedDuration, Timestamp};

use super::super::{
    Instruction, Operation,
    effect::{BackupPolicy, Effect},
    ids::SnapshotId,
    kinds::{Backups, BackupsChange, Downtime, IfHung, Kind, Restart, Safety, SnapshotRef, TurnOn},
    power::LATE_OFF,
    reading::PowerState,
    step::Step,
};
use super::{
    launch, operation, restore,
    stories::{hung, until, words},
    take,
    toy::{Toy, Transit},
};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// Longer than the bot watches for a late off.
const LONG: i64 = 40 * 60;

fn backups(change: BackupsChange) -> Kind {
    Kind::Backups(Backups { change })
}

fn policy() -> BackupPolicy {
    BackupPolicy { plan: "daily".to_owned(), weekday: None, hour: 4 }
}

fn backup() -> SnapshotRef {
    SnapshotRef { id: SnapshotId(2), name: "nightly".to_owned() }
}

/// Every kind of operation that holds a Droplet, with what it does.
fn kinds() -> Vec<(&'static str, Kind)> {
    let disable = |keep| BackupsChange::Disable { listed: vec![backup()], keep };
    let kinds = vec![
        ("take", take(Downtime::PowerOff, IfHung::Ask)),
        ("take live", take(Downtime::None, IfHung::Ask)),
        ("restore", restore(Safety::Snapshot)),
        ("restore at once", restore(Safety::None)),
        ("turn on", Kind::TurnOn(TurnOn {})),
        ("restart", Kind::Restart(Restart {})),
        ("enable backups", backups(BackupsChange::Enable(policy()))),
        ("change backups", backups(BackupsChange::Change(policy()))),
        ("disable backups", backups(disable(None))),
        ("disable backups, keep one", backups(disable(Some(backup())))),
        ("keep a backup", backups(BackupsChange::Keep(backup()))),
    ];
    // These two hold no Droplet, so the older operation keeps watching.
    assert_eq!(launch().target.droplet, None);
    let without = ["launch", "delete"];
    for kind in <Kind as strum::IntoEnumIterator>::iter().filter(|kind| !without.contains(&kind.word())) {
        assert!(kinds.iter().any(|(_, known)| known.word() == kind.word()), "{} is missing", kind.word());
    }
    kinds
}

/// A newer operation of this kind that took over the watch from an older one whose shutdown hung.
fn heir(kind: Kind) -> (Toy, Operation) {
    let (mut toy, older) = hung(IfHung::Ask, None);
    let older = until(&mut toy, older, |it| it.question.is_some());
    let older = toy.instruction(&older, Instruction::Cancel);
    let mut older = until(&mut toy, older, |it| it.power.is_watched());
    assert!(older.may_hand_over());
    let mut heir = operation(kind);
    heir.asked_at = toy.now;
    heir.inherit(&mut older);
    (toy, heir)
}

/// The late off lands.
fn lands(toy: &mut Toy) -> Timestamp {
    toy.power = PowerState::Off;
    toy.now
}

/// Plays until the Droplet is on again. Returns when that is, and when people were first called.
fn made_good(toy: &mut Toy, mut it: Operation, lasts: i64) -> (Operation, Timestamp, Option<Timestamp>) {
    let mut called = None;
    for _ in 0..20_000 {
        called = called.or(it.power.stuck().map(|stuck| stuck.since));
        if toy.power == PowerState::On && !it.power.is_owed() || it.next(&toy.rules, toy.now) == Effect::Rest {
            return (it, toy.now, called);
        }
        it = toy.turn(it, Transit::Fine, lasts);
    }
    panic!("it stays off: {it:#?}");
}

#[test]
fn before_anything_was_sent_it_is_made_good_at_once_or_used() {
    for (word, kind) in kinds() {
        for looked in [false, true] {
            let (mut toy, mut it) = heir(kind.clone());
            if looked {
                it = toy.turn(it, Transit::Fine, 20);
            }
            let off = lands(&mut toy);
            let (it, on, _) = made_good(&mut toy, it, 20);
            assert!(toy.power == PowerState::On && on <= off + MINUTE * 2, "{word}: {:?}: {it:#?}", on - off);
            let done = toy.settle(it);
            assert_eq!((toy.power, done.is_open()), (PowerState::On, false), "{word}");
        }
    }
}

#[test]
fn while_something_long_runs_it_is_made_good_as_soon_as_digitalocean_lets_us() {
    for (word, kind) in kinds().into_iter().filter(|(_, kind)| !kind.may_turn_off() && !kind.owes_power()) {
        let (mut toy, mut it) = heir(kind);
        while !it.steps.iter().any(|step| step.run().is_some()) {
            it = toy.turn(it, Transit::Fine, LONG);
        }
        toy.now += MINUTE;
        let off = lands(&mut toy);
        // An Action on the Droplet itself keeps it from being turned on.
        let free = toy.actions.iter().filter(|action| action.kind != "convert").map(|action| action.ends).max();
        let free = free.unwrap_or(off).max(off);
        let (it, on, called) = made_good(&mut toy, it, 20);
        assert!(toy.power == PowerState::On && on <= free + MINUTE * 2, "{word}: {:?}: {it:#?}", on - free);
        if word != "take live" && free > off + MINUTE * 12 {
            assert!(called.is_some_and(|at| at <= off + MINUTE * 11), "{word}: {called:?}");
        }
        let done = toy.settle(it);
        assert!(toy.power == PowerState::On && done.steps.iter().all(Step::is_done), "{word}: {done:#?}");
    }
}

#[test]
fn while_somebody_elses_action_is_waited_for_people_hear_of_it() {
    for (word, kind) in kinds().into_iter().filter(|(_, kind)| !kind.owes_power()) {
        let (mut toy, it) = heir(kind);
        toy.begin("migrate", LONG, None);
        toy.locked_until = toy.now + SignedDuration::from_secs(LONG);
        let free = toy.locked_until;
        let it = (0..6).fold(it, |it, _| toy.turn(it, Transit::Fine, 20));
        let off = lands(&mut toy);
        let (it, on, called) = made_good(&mut toy, it, 20);
        assert!(toy.power == PowerState::On && on <= free + MINUTE * 3, "{word}: {:?}: {it:#?}", on - free);
        assert!(called.is_some_and(|at| at <= off + MINUTE * 12), "{word}: {called:?}");
    }
}

#[test]
fn what_stays_on_is_watched_for_as_long_as_it_may_go_off() {
    for (word, kind) in kinds() {
        let (mut toy, mut it) = heir(kind);
        let until = toy.now + LATE_OFF;
        while it.next(&toy.rules, toy.now) != Effect::Rest && toy.now < until {
            it = toy.turn(it, Transit::Fine, 20);
        }
        let done = toy.settle(it);
        assert!(toy.power == PowerState::On && !done.is_open(), "{word}");
        let offs = words(&toy).iter().filter(|word| **word == "power_on").count();
        assert!(offs <= 1, "{word}: {:?}", words(&toy));
    }
}

/// While the bot waits for its own Snapshot to be listed, the Droplet runs, and its own hung shutdown may still land.
#[test]
fn while_its_snapshot_is_not_listed_its_own_late_off_is_made_good() {
    let (mut toy, it) = hung(IfHung::Live, None);
    toy.listing_delay = SignedDuration::from_mins(20);
    let it = until(&mut toy, it, |it| it.power.is_watched());
    assert!(it.ended.is_none());
    let off = lands(&mut toy);
    let (it, on, _) = made_good(&mut toy, it, 20);
    assert!(toy.power == PowerState::On && on <= off + MINUTE, "{:?}: {it:#?}", on - off);
    assert!(toy.settle(it).snapshot.is_some());
}
