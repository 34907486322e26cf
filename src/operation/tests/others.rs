//! Somebody else turns the Droplet off while an operation works on it.

use jiff::SignedDuration;

use super::{
    super::{
        Observation, Operation, Outcome,
        effect::{Answer, Effect, Look},
        kinds::{Downtime, IfHung},
        power::Status,
        reading::{DropletReading, PowerState, Status as DropletStatus, Trouble},
    },
    operation,
    stories::{until, words},
    take,
    toy::{Toy, Transit},
};

/// A take whose shutdown DigitalOcean completed and the guest ignores.
fn ignored(if_hung: IfHung) -> (Toy, Operation) {
    let mut toy = Toy::new(PowerState::On);
    let it = until(&mut toy, operation(take(Downtime::PowerOff, if_hung)), |it| it.steps[0].run().is_some());
    toy.actions.last_mut().unwrap().takes_effect = None;
    toy.now += SignedDuration::from_secs(20);
    (toy, it)
}

fn kinds(toy: &Toy) -> Vec<&'static str> {
    toy.actions.iter().map(|action| action.kind).collect()
}

#[test]
fn an_off_by_somebody_else_before_ours_took_effect_is_not_undone() {
    let (mut toy, it) = ignored(IfHung::Ask);
    toy.begin("power_off", 4, None);
    let done = toy.settle(it);
    assert_eq!(kinds(&toy), ["shutdown", "power_off", "snapshot"]);
    assert_eq!((toy.power, done.outcome), (PowerState::Off, Some(Outcome::Completed)));
    assert!(matches!(done.power.status(), Status::Theirs(theirs) if theirs.kind == "power_off"));
}

#[test]
fn where_requests_are_scarce_the_droplet_is_turned_on_without_that_look() {
    let (mut toy, it) = ignored(IfHung::Ask);
    toy.rules.are_requests_scarce = true;
    toy.begin("power_off", 4, None);
    let done = toy.settle(it);
    assert_eq!(kinds(&toy), ["shutdown", "power_off", "snapshot", "power_on"]);
    assert_eq!((toy.power, done.outcome), (PowerState::On, Some(Outcome::Completed)));
}

#[test]
fn the_look_for_others_takes_the_place_of_another_look() {
    let looks = |are_requests_scarce| {
        let mut toy = Toy::new(PowerState::On);
        toy.rules.are_requests_scarce = are_requests_scarce;
        let mut it = operation(take(Downtime::PowerOff, IfHung::Ask));
        let mut looks = 0;
        while it.power.back().began.is_none() {
            looks += usize::from(matches!(it.next(&toy.rules, toy.now), Effect::Look(_)));
            it = toy.turn(it, Transit::Fine, 20);
        }
        looks
    };
    assert!(looks(false) <= looks(true));
}

#[test]
fn where_the_actions_cannot_be_read_the_snapshot_is_seen_to_end_all_the_same() {
    let mut toy = Toy::new(PowerState::On);
    let mut it = operation(take(Downtime::PowerOff, IfHung::Ask));
    let mut tried = 0;
    for _ in 0..2_000 {
        it = match it.next(&toy.rules, toy.now) {
            Effect::Look(look @ Look::Actions(_)) => {
                tried += 1;
                let trouble = Trouble::Unclear { retry_at: toy.now + SignedDuration::from_secs(2) };
                let seen = Observation::Seen(look, Answer::Trouble(trouble));
                it.apply(seen, &toy.rules, toy.now).unwrap()
            }
            _ => toy.turn(it, Transit::Fine, 20),
        };
    }
    assert_eq!(tried, 1);
    assert_eq!(words(&toy), ["shutdown", "snapshot", "power_on"]);
    assert_eq!((toy.power, it.outcome), (PowerState::On, Some(Outcome::Completed)));
}

/// A take whose shutdown was ignored, after its Snapshot was taken with the Droplet on. Meanwhile somebody else did this.
fn taken_live(theirs: &[&'static str]) -> (Toy, Operation) {
    let (mut toy, it) = ignored(IfHung::Live);
    for kind in theirs {
        toy.begin(kind, 1, None);
        if matches!(*kind, "shutdown" | "power_on") {
            // It turns nothing off yet, and the Droplet is on.
            toy.actions.last_mut().unwrap().takes_effect = None;
        }
        toy.now += SignedDuration::from_secs(5);
    }
    let it = until(&mut toy, it, |it| it.ended.is_some());
    assert!(it.power.is_watched());
    (toy, it)
}

#[test]
fn a_shutdown_by_somebody_else_that_lands_after_a_live_snapshot_is_theirs() {
    let (mut toy, it) = taken_live(&["shutdown"]);
    toy.power = PowerState::Off;
    let done = toy.settle(it);
    assert_eq!(kinds(&toy), ["shutdown", "shutdown", "snapshot"]);
    assert_eq!(toy.power, PowerState::Off);
    assert!(matches!(done.power.status(), Status::Theirs(theirs) if theirs.kind == "shutdown"));
}

#[test]
fn a_shutdown_by_somebody_who_turned_the_droplet_on_again_is_not_theirs_any_more() {
    for theirs in [&["shutdown", "power_on"][..], &["power_on"], &[]] {
        let (mut toy, it) = taken_live(theirs);
        toy.power = PowerState::Off;
        toy.settle(it);
        assert_eq!(kinds(&toy).last(), Some(&"power_on"), "{theirs:?}");
        assert_eq!(toy.power, PowerState::On, "{theirs:?}");
    }
}

/// Something on the way may send a command twice, and DigitalOcean may carry out both copies.
#[test]
fn a_copy_of_our_own_shutdown_is_nobody_elses() {
    let mut toy = Toy::new(PowerState::On);
    let it = until(&mut toy, operation(take(Downtime::PowerOff, IfHung::Ask)), |it| it.steps[0].run().is_some());
    let lasts = toy.actions[0].ends.duration_since(toy.now).as_secs();
    toy.begin("shutdown", lasts, None);
    toy.actions.last_mut().unwrap().started = toy.actions[0].started;
    let it = until(&mut toy, it, |it| it.power.back().run().is_some());
    let first = toy.actions.last_mut().unwrap();
    (first.errs, first.takes_effect) = (true, None);
    let done = toy.settle(it);
    assert_eq!(kinds(&toy), ["shutdown", "shutdown", "snapshot", "power_on", "power_on"]);
    assert_eq!((toy.power, done.outcome), (PowerState::On, Some(Outcome::Completed)));
}

/// A node of DigitalOcean's that lags behind shows the Droplet as it was before its shutdown, while our power-on fails.
#[test]
fn an_old_answer_does_not_hide_a_power_on_that_fails() {
    // How long the old answers come, after the end of the power-on.
    // In the last one, earlier power-ons fail for minutes.
    for (errs, takes_effect, lag, minutes) in
        [(true, false, 0, 0), (true, false, 12, 0), (false, false, 0, 0), (false, true, 0, 0), (true, false, 0, 5)]
    {
        let mut toy = Toy::new(PowerState::On);
        let it = operation(take(Downtime::PowerOff, IfHung::Ask));
        let mut it = until(&mut toy, it, |it| it.power.back().run().is_some());
        let began = toy.now;
        while toy.now < began + SignedDuration::from_mins(minutes) {
            let failing = toy.actions.last_mut().unwrap();
            (failing.errs, failing.takes_effect) = (true, None);
            it = until(&mut toy, it, |it| it.power.back().run().is_none());
            it = until(&mut toy, it, |it| it.power.back().run().is_some());
        }
        let first = toy.actions.last_mut().unwrap();
        first.errs = errs;
        if !takes_effect {
            first.takes_effect = None;
        }
        let fresh = first.ends + SignedDuration::from_secs(lag);
        while it.is_running() {
            it = match it.next(&toy.rules, toy.now) {
                Effect::Look(look @ Look::Droplet(id)) if toy.now < fresh => {
                    let shown = Answer::Droplet(DropletReading {
                        status: DropletStatus::Settled(PowerState::On),
                        ..toy.droplet(id)
                    });
                    toy.now += SignedDuration::from_secs(1);
                    it.apply(Observation::Seen(look, shown), &toy.rules, toy.now).unwrap()
                }
                _ => toy.turn(it, Transit::Fine, 20),
            };
        }
        let it = toy.settle(it);
        assert_eq!((toy.power, it.outcome), (PowerState::On, Some(Outcome::Completed)), "{errs} {takes_effect} {lag}");
        assert!(it.power.was_told_to_turn_on() && it.power.owed().is_none());
    }
}
