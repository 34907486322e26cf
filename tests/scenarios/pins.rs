//! `/snapshot pin`, `unpin`: what must stay says so before it is deleted.

use insta::assert_snapshot;

use crate::stage::{Role, Stage};

#[tokio::test]
async fn whoever_deletes_a_pinned_snapshot_reads_who_wants_it_kept_and_why() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| {
        world.add_snapshot(web, "golden", 2.0);
        world.add_snapshot(web, "other", 2.0);
    });
    let (rex, ada, ben) =
        (stage.seat("rex", Role::Restorer), stage.seat("ada", Role::Operator), stage.seat("ben", Role::Operator));
    ada.run("/snapshot pin snapshot:golden reason:before-the-upgrade").await;
    ben.run("/snapshot pin snapshot:golden").await;
    ben.run("/snapshot unpin snapshot:golden").await;
    rex.run("/snapshot delete snapshot:golden").await;
    rex.press("Never mind").await;
    assert!(stage.commands().is_empty());
    assert_eq!(ada.suggestions("snapshot unpin", "snapshot", "").await, ["golden · before-the-upgrade"]);
    rex.run("/snapshot unpin snapshot:golden").await;
    rex.run("/snapshot unpin snapshot:golden").await;
    let (rex, ada, ben) = (rex.transcript(), ada.transcript(), ben.transcript());
    assert_snapshot!(format!("{rex}\n=== ada\n{ada}\n=== ben\n{ben}"));
    stage.finish().await;
}

#[tokio::test]
async fn what_was_pinned_since_the_question_is_asked_about_again() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| {
        world.add_snapshot(web, "golden", 2.0);
        world.add_snapshot(web, "other", 2.0);
    });
    let (rex, ada) = (stage.seat("rex", Role::Restorer), stage.seat("ada", Role::Operator));
    rex.run("/snapshot delete snapshot:golden").await;
    ada.run("/snapshot pin snapshot:golden").await;
    rex.press("Delete").await;
    assert!(stage.commands().is_empty() && rex.sees("It is pinned"), "{}", rex.transcript());
    rex.press("Delete").await;
    stage.settle().await;
    assert_eq!(stage.digitalocean.read(|world| world.snapshots().count()), 1);
    rex.transcript();
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn who_may_not_pin_and_what_is_not_there_is_refused() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.add_snapshot(web, "golden", 2.0));
    let (ada, vic) = (stage.seat("ada", Role::Operator), stage.seat("vic", Role::Viewer));
    vic.run("/snapshot pin snapshot:golden").await;
    ada.run("/snapshot pin snapshot:glden").await;
    ada.run("/snapshot unpin snapshot:golden").await;
    assert_eq!(vic.suggestions("snapshot unpin", "snapshot", "").await, Vec::<String>::new());
    assert_snapshot!(format!("{}\n=== vic\n{}", ada.transcript(), vic.transcript()));
    stage.finish().await;
}
