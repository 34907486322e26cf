//! `/snapshot cancel`: who may stop what, and what DigitalOcean cannot stop.

use insta::assert_snapshot;
use snapshot_bot_sandbox::digitalocean::{
    action::Progress,
    droplet::Blueprint,
    fault::{Fault, Pattern, Quirk},
};

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
async fn a_droplet_that_is_called_like_an_operation_can_be_named() {
    let stage = Stage::new().await;
    stage.digitalocean.world(|world| world.add_droplet(&Blueprint::named("7f3kq2xa")));
    stage.digitalocean.world(snapshot_bot_sandbox::digitalocean::world::World::mark_power);
    let ada = stage.seat("ada", Role::Operator);
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::NeverFinish));
    ada.run("/snapshot take droplet:7f3kq2xa power:live").await;
    stage.snapshot_begins("7f3kq2xa").await;
    stage.shows(&ada, "Taking the Snapshot").await;
    ada.run("/snapshot cancel operation:nonsense").await;
    assert!(ada.sees("Nothing runs on `nonsense`. Running now: `7f3kq2xa`."));
    ada.run("/snapshot cancel operation:7f3kq2xa").await;
    stage.shows(&ada, "too late to stop").await;
    stage.complete_action("7f3kq2xa");
    stage.settle().await;
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn of_two_that_run_under_one_name_one_must_be_chosen() {
    let stage = Stage::new().await;
    let second = stage.digitalocean.world(|world| world.add_droplet(&Blueprint::named("web-1").region("fra1")));
    stage.digitalocean.world(snapshot_bot_sandbox::digitalocean::world::World::mark_power);
    let ada = stage.seat("ada", Role::Operator);
    stage.fault(Fault::always(Pattern::action("snapshot"), Quirk::NeverFinish));
    let first = stage.droplet("web-1");
    for droplet in [first, second] {
        let take = ada.seat.slash("snapshot take").with("droplet", droplet.to_string());
        take.with("power", "live").send().await.unwrap();
    }
    let pending = |stage: &Stage, id| stage.digitalocean.read(|world| world.droplet(id).unwrap().pending);
    stage.until("both have begun", |stage| [first, second].iter().all(|id| pending(stage, *id).is_some())).await;
    ada.run("/snapshot cancel operation:web-1").await;
    assert!(ada.sees("2 operations run on `web-1`"), "{}", ada.transcript());
    for droplet in [first, second] {
        let action = pending(&stage, droplet).unwrap();
        stage.digitalocean.world(|world| world.finish_action(action, Progress::Completed));
    }
    stage.settle().await;
    ada.transcript();
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
    // A person who may stop nothing must not learn the names of what runs.
    for (name, role) in [("eve", Role::Guest), ("vic", Role::Viewer)] {
        let nosy = stage.seat(name, role);
        let before = nosy.seat.messages().len();
        nosy.run("/snapshot cancel operation:x").await;
        let told: Vec<_> =
            nosy.seat.messages().split_off(before).into_iter().map(|message| message.body.content).collect();
        assert!(!told.is_empty() && told.iter().all(|text| !text.contains("web-1")), "{told:?}");
        nosy.transcript();
    }
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
