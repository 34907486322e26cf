//! `/snapshot list`: pages, totals, and what is marked.

use insta::assert_snapshot;

use crate::stage::{Role, Stage};

#[tokio::test]
async fn ten_a_page_with_buttons_that_work_after_a_restart() {
    let mut stage = Stage::new().await;
    let (web, db) = (stage.droplet("web-1"), stage.droplet("db-1"));
    stage.digitalocean.world(|world| {
        for number in 1..=12 {
            world.add_snapshot(if number % 6 == 0 { db } else { web }, &format!("snap-{number:02}"), f64::from(number));
        }
    });
    let vic = stage.seat("vic", Role::Viewer);
    vic.run("/snapshot list").await;
    let first = vic.transcript();
    stage.kill().await;
    stage.start().await;
    vic.press("Next").await;
    let second = vic.transcript();
    vic.press("Previous").await;
    assert!(vic.sees("Page 1 of 2"));
    assert_snapshot!(format!("{first}\n=== Next\n{second}"));
    assert!(stage.commands().is_empty());
    vic.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn orphans_and_safety_snapshots_are_marked_and_takers_named() {
    let stage = Stage::new().await;
    let (web, db) = (stage.droplet("web-1"), stage.droplet("db-1"));
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot take droplet:web-1 power:live name:before").await;
    stage.settle().await;
    stage.digitalocean.world(|world| {
        world.add_snapshot(db, "left behind", 3.0);
        world.add_snapshot(web, "web-1-safety-20261122-1740-7f3kq2xa", 1.0);
        world.destroy(db);
    });
    rex.transcript();
    rex.run("/snapshot list droplet:web-1").await;
    // What others do at DigitalOcean is seen after a minute, when somebody asks.
    stage.clock.advance(jiff::SignedDuration::from_secs(61));
    rex.run("/snapshot list").await;
    rex.run("/snapshot list").await;
    // Made within one second, they may come in any order; DigitalOcean's moments are whole seconds.
    let seen = rex.transcript();
    for said in
        ["⚠️ its Droplet is gone", "of `web-1` · safety Snapshot", "of `web-1` · taken by @rex", "3 Snapshots · 6.4 GB"]
    {
        assert!(seen.contains(said), "{said}\n{seen}");
    }
    stage.finish().await;
}

#[tokio::test]
async fn an_empty_list_says_so_and_a_guest_sees_none() {
    let stage = Stage::new().await;
    let (vic, gus) = (stage.seat("vic", Role::Viewer), stage.seat("gus", Role::Guest));
    vic.run("/snapshot list").await;
    gus.run("/snapshot list").await;
    assert_snapshot!(format!("{}\n=== gus\n{}", vic.transcript(), gus.transcript()));
    stage.finish().await;
}
