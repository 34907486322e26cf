//! `/snapshot take`: what people see, and what happens to the Droplet.

use insta::assert_snapshot;

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
