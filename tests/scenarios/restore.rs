//! `/snapshot restore`: the suggestions, the question, the safety Snapshot, the restore and its Undo.

use insta::assert_snapshot;

use crate::stage::{Role, Stage};

/// A Snapshot of `web-1`, with the Droplet's id.
fn snapshot_of(stage: &Stage, droplet: &str, name: &str) -> u64 {
    stage.digitalocean.world(|world| {
        let droplet = world.droplet_named(droplet).unwrap().id;
        world.add_snapshot(droplet, name, 2.0)
    })
}

#[tokio::test]
async fn a_restore_asks_first_keeps_what_was_there_and_can_be_undone() {
    let stage = Stage::new().await;
    snapshot_of(&stage, "web-1", "golden");
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot restore droplet:web-1 snapshot:golden").await;
    assert!(stage.commands().is_empty(), "nothing is sent before the confirmation");
    let question = rex.transcript();
    rex.press("Restore").await;
    stage.settle().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1", "restore web-1", "power_on web-1"]);
    assert_snapshot!(format!("{question}\n=== later\n{}", rex.transcript()));
    stage.finish().await;
}
