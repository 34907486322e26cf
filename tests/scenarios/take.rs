//! `/snapshot take`: what people see, and what happens to the Droplet.

use insta::assert_snapshot;
use jiff::SignedDuration;
use snapshot_bot_sandbox::{
    control::gate::Point,
    digitalocean::{
        fault::{Fault, Pattern, Quirk},
        image::SizeShown,
    },
};

use crate::stage::{Role, Stage};

#[tokio::test]
async fn a_take_is_seen_from_the_first_step_to_the_announcement() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.settle().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    assert_snapshot!(ada.transcript());
    assert_eq!(ada.seat.pings(), 1);
    stage.finish().await;
}

#[tokio::test]
async fn while_the_snapshot_is_taken_everybody_sees_how_far_it_is() {
    let stage = Stage::new().await;
    let (ada, bob) = (stage.seat("ada", Role::Operator), stage.seat("bob", Role::Guest));
    let held = stage.digitalocean.gate().hold(Point::BeforeAnswer, Pattern::action("snapshot"), 0);
    ada.run("/snapshot take droplet:web-1").await;
    let held = held.caught().await.unwrap();
    stage.shows(&bob, "Taking the Snapshot").await;
    assert_snapshot!(bob.transcript());
    held.release();
    stage.settle().await;
    ada.transcript();
    assert_eq!(bob.seat.pings(), 0);
    stage.finish().await;
}

#[tokio::test]
async fn when_all_is_done_digitalocean_is_left_alone() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.settle().await;
    let asked = stage.digitalocean.journal().len();
    stage.clock.advance(SignedDuration::from_hours(12));
    // Every loop has had its turn by the time that these are answered.
    for _ in 0..3 {
        ada.run("/snapshot status").await;
        ada.run("/snapshot help").await;
    }
    assert_eq!(stage.digitalocean.journal().len(), asked);
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_live_take_only_takes_the_snapshot_and_says_what_live_means() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1 power:live").await;
    stage.settle().await;
    assert_eq!(stage.commands(), ["snapshot web-1"]);
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn a_droplet_that_was_off_stays_off() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| {
        world.turn_off(web);
        world.mark_power();
    });
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.settle().await;
    assert_eq!(stage.commands(), ["snapshot web-1"]);
    assert!(!stage.is_on("web-1"));
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn a_snapshot_that_errs_is_told_and_the_droplet_comes_back() {
    let stage = Stage::new().await;
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::Err));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.settle().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    assert!(stage.is_on("web-1"));
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn a_completed_shutdown_counts_only_when_the_droplet_reads_off() {
    let stage = Stage::new().await;
    stage.digitalocean.world(|world| world.settings_mut().off_lag = SignedDuration::from_millis(200));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.settle().await;
    let asked_while_on =
        stage.digitalocean.journal().iter().any(|entry| {
            String::from_utf8_lossy(&entry.request.body).contains("snapshot") && entry.status() != Some(201)
        });
    assert!(!asked_while_on, "{}", stage.conversation());
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn power_comes_back_before_a_snapshot_that_is_listed_late() {
    let stage = Stage::new().await;
    let late = Quirk::ListedLate { after: Some(SignedDuration::from_millis(1500)) };
    stage.fault(Fault::once(Pattern::action("snapshot"), late));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.settle().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    let back_before = stage.digitalocean.journal().iter().rposition(|entry| entry.request.path.ends_with("/snapshots"))
        > stage
            .digitalocean
            .journal()
            .iter()
            .position(|entry| String::from_utf8_lossy(&entry.request.body).contains("power_on"));
    assert!(back_before, "nobody stays off for a list\n{}", stage.conversation());
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn a_snapshot_that_is_never_listed_is_not_called_ready() {
    let stage = Stage::new().await;
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::ListedLate { after: None }));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.shows(&ada, "waiting for DigitalOcean to list it").await;
    assert_snapshot!("waiting_for_the_list", ada.transcript());
    stage.until("it is on again", |stage| stage.is_on("web-1")).await;
    stage.clock.advance(SignedDuration::from_mins(31));
    stage.settle().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn the_size_is_waited_for() {
    let stage = Stage::new().await;
    let until = Some(SignedDuration::from_millis(400));
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::Sizeless { shown: SizeShown::Zero, until }));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.settle().await;
    assert!(ada.sees("is ready: 2.4 GB, $0.14/mo"), "{}", ada.transcript());
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_snapshot_whose_size_stays_unknown_is_announced_all_the_same() {
    let stage = Stage::new().await;
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::Sizeless { shown: SizeShown::Null, until: None }));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.shows(&ada, "waiting for DigitalOcean to list it").await;
    stage.until("it is on again", |stage| stage.is_on("web-1")).await;
    // Less than the half hour for which a Snapshot may be missing from the list, because this one is listed.
    stage.clock.advance(SignedDuration::from_secs(61));
    stage.settle().await;
    assert!(ada.sees("is ready; size not known yet."), "{}", ada.transcript());
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn a_name_is_kept_and_ends_in_the_operations_id() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1 power:live name:before-the-upgrade").await;
    stage.settle().await;
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn history_tells_how_long_it_will_take() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.settle().await;
    ada.transcript();
    let held = stage.digitalocean.gate().hold(Point::BeforeAnswer, Pattern::action("shutdown"), 0);
    let bob = stage.seat("bob", Role::Operator);
    bob.run("/snapshot take droplet:web-1").await;
    let held = held.caught().await.unwrap();
    stage.shows(&bob, "offline ≈ 1 min").await;
    held.release();
    stage.settle().await;
    bob.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn cancelled_before_the_snapshot_nothing_is_taken_and_power_comes_back() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    let held = stage.digitalocean.gate().hold(Point::BeforeAnswer, Pattern::action("shutdown"), 0);
    ada.run("/snapshot take droplet:web-1").await;
    let held = held.caught().await.unwrap();
    ada.press("Cancel").await;
    held.release();
    stage.settle().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "power_on web-1"]);
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn a_snapshot_that_runs_cannot_be_cancelled_and_is_kept() {
    let stage = Stage::new().await;
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::NeverFinish));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.shows(&ada, "Taking the Snapshot — started").await;
    ada.press("Cancel").await;
    stage.shows(&ada, "too late to stop").await;
    assert_snapshot!("cancelled_too_late_meanwhile", ada.transcript());
    stage.complete_action("web-1");
    stage.settle().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn a_droplet_is_left_off_for_who_may_restore() {
    let stage = Stage::new().await;
    let (ada, rex) = (stage.seat("ada", Role::Operator), stage.seat("rex", Role::Restorer));
    let held = stage.digitalocean.gate().hold(Point::BeforeAnswer, Pattern::action("snapshot"), 0);
    ada.run("/snapshot take droplet:web-1").await;
    let held = held.caught().await.unwrap();
    stage.shows(&ada, "[Leave it off]").await;
    // The requester may not, with only the right to take.
    ada.press("Leave it off").await;
    rex.press("Leave it off").await;
    rex.transcript();
    held.release();
    stage.settle().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1"]);
    assert_snapshot!(ada.transcript());
    stage.digitalocean.world(snapshot_bot_sandbox::digitalocean::world::World::mark_power);
    stage.finish().await;
}
