//! `/snapshot cancel`: who may stop what, and what DigitalOcean cannot stop.

use insta::assert_snapshot;
use snapshot_bot::sandbox::digitalocean::fault::{Fault, Pattern, Quirk};

use crate::stage::{Role, Stage};

#[tokio::test]
async fn what_cannot_be_stopped_is_told_and_waited_for() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::NeverFinish));
    ada.run("/snapshot take droplet:web-1").await;
    stage.snapshot_begins("web-1").await;
    stage.shows(&ada, "Taking the Snapshot").await;
    let suggestions = ada.suggestions("snapshot cancel", "operation", "web").await;
    assert_eq!(suggestions.len(), 1, "{suggestions:?}");
    ada.run("/snapshot cancel operation:web-1").await;
    stage.complete_action("web-1");
    stage.settle().await;
    assert!(stage.is_on("web-1"));
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn a_restore_that_is_stopped_in_time_leaves_the_disk_as_it_was() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.add_snapshot(web, "golden", 2.0));
    let rex = stage.seat("rex", Role::Restorer);
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::NeverFinish));
    rex.run("/snapshot restore droplet:web-1 snapshot:golden").await;
    rex.press("Restore").await;
    stage.snapshot_begins("web-1").await;
    stage.shows(&rex, "Taking the safety Snapshot").await;
    rex.run("/snapshot cancel operation:web-1").await;
    stage.complete_action("web-1");
    stage.settle().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    assert_snapshot!(rex.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn others_operations_take_the_restore_right() {
    let stage = Stage::new().await;
    let (ada, bob, rex) =
        (stage.seat("ada", Role::Operator), stage.seat("bob", Role::Operator), stage.seat("rex", Role::Restorer));
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::NeverFinish));
    ada.run("/snapshot take droplet:web-1 power:live").await;
    stage.snapshot_begins("web-1").await;
    stage.shows(&ada, "Taking the Snapshot").await;
    assert_eq!(bob.suggestions("snapshot cancel", "operation", "").await, Vec::<String>::new());
    bob.run("/snapshot cancel operation:web-1").await;
    assert!(bob.sees("Somebody else asked for this"));
    rex.run("/snapshot cancel operation:web-1").await;
    stage.shows(&rex, "too late to stop").await;
    rex.run("/snapshot cancel operation:web-1").await;
    rex.run("/snapshot cancel operation:db-1").await;
    stage.complete_action("web-1");
    stage.settle().await;
    for person in [&ada, &bob] {
        person.transcript();
    }
    assert_snapshot!(rex.transcript());
    stage.finish().await;
}
