//! How people hear about an operation, as the requester chose: with a mention, without one, or by a direct message.

use snapshot_bot_sandbox::digitalocean::fault::{Fault, Pattern, Quirk};

use crate::stage::{Person, Role, Stage};

/// The direct messages that a person reads.
fn direct(stage: &Stage, person: &Person) -> Person {
    let channel = stage.discord.world().direct_channel(person.seat.user);
    stage.sit(person.seat.user, channel)
}

#[tokio::test]
async fn a_silent_announcement_mentions_nobody_and_a_failure_does_all_the_same() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1 tell:silent").await;
    stage.settle().await;
    assert!(ada.sees("is ready: 2.4 GB"), "{}", ada.transcript());
    assert_eq!(ada.seat.pings(), 0, "{}", ada.transcript());
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::Err));
    ada.run("/snapshot take droplet:web-1 tell:silent").await;
    stage.settle().await;
    assert_eq!(ada.seat.pings(), 1, "{}", ada.transcript());
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_direct_message_leads_to_the_announcement_and_names_nothing() {
    let mut stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    let directly = direct(&stage, &ada);
    ada.run("/snapshot take droplet:web-1 tell:dm").await;
    stage.settle().await;
    assert_eq!(ada.seat.pings(), 0, "{}", ada.transcript());
    assert!(directly.sees("Done: "), "{}", directly.transcript());
    let content = directly.seat.messages()[0].body.content.clone();
    assert!(!content.contains("web-1"), "{content}");
    // Once, whatever happens to the process.
    stage.kill().await;
    stage.start().await;
    stage.settle().await;
    assert_eq!(directly.seat.messages().len(), 1, "{}", directly.transcript());
    ada.transcript();
    directly.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn who_takes_no_direct_messages_is_mentioned_in_the_channel() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    stage.discord.world().close_dms(ada.seat.user, true);
    ada.run("/snapshot take droplet:web-1 tell:dm").await;
    stage.settle().await;
    assert!(ada.sees("You don't take direct messages from me"), "{}", ada.transcript());
    assert_eq!(ada.seat.pings(), 1, "{}", ada.transcript());
    ada.transcript();
    stage.finish().await;
}
