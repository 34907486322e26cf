//! Several Droplets that stay off for one reason: people are called once, and see in one message which ones came back.

use std::time::Duration;

use jiff::SignedDuration;
use snapshot_bot_sandbox::digitalocean::{
    droplet::Blueprint,
    fault::{Disturbance, Fault, Pattern},
};

use crate::stage::{Person, Role, Stage};

const DROPLETS: [&str; 5] = ["web-1", "db-1", "node-1", "node-2", "node-3"];

/// The calls that a person sees.
fn calls(person: &Person) -> Vec<String> {
    let seen = person.seat.messages().into_iter().map(|message| message.body.content);
    seen.filter(|content| content.contains("· power")).collect()
}

#[tokio::test]
async fn five_droplets_that_an_outage_keeps_off_are_one_call_which_a_crash_does_not_repeat() {
    let mut stage = Stage::new().await;
    stage.digitalocean.world(|world| {
        world.add_droplets(&Blueprint::named("node"), 3);
        world.mark_power();
    });
    let ada = stage.seat("ada", Role::Operator);
    stage.fault(Fault::always(Pattern::action("power_on"), Disturbance::Down).named("down"));
    for droplet in DROPLETS {
        ada.run(&format!("/snapshot take droplet:{droplet}")).await;
    }
    let is_tried = |stage: &Stage, droplet: &str| stage.commands().contains(&format!("power_on {droplet}"));
    stage.until("power on is tried for all", |stage| DROPLETS.iter().all(|droplet| is_tried(stage, droplet))).await;
    stage.fault(Fault::always(Pattern::any(), Disturbance::Down).named("down"));
    while !ada.sees("5 Droplets are off") {
        let asked = stage.digitalocean.journal().len();
        stage.clock.advance(SignedDuration::from_mins(1));
        stage
            .until("it is asked again", |stage| {
                stage.digitalocean.journal().len() > asked || ada.sees("5 Droplets are off")
            })
            .await;
    }
    let list = calls(&ada);
    assert_eq!(list.len(), 1, "{list:#?}");
    assert!(DROPLETS.iter().all(|droplet| list[0].contains(&format!("- `{droplet}` · shut down"))), "{}", list[0]);
    assert_eq!(ada.seat.pings(), 1, "{}", stage.conversation());
    assert!(ada.button("Keep waiting for all").is_some());
    stage.kill().await;
    stage.digitalocean.world(|world| world.end_fault("down"));
    stage.start().await;
    stage.until_later("all are on again", |stage| DROPLETS.iter().all(|droplet| stage.is_on(droplet))).await;
    stage.settled_within(Duration::from_secs(90), "all have settled", |_| false).await;
    let list = calls(&ada);
    assert_eq!(list.len(), 1, "{list:#?}");
    assert!(list[0].contains("✅ **All 5 Droplets are on again:**"), "{}", list[0]);
    assert_eq!(ada.seat.pings(), 1 + DROPLETS.len(), "the call, and an answer for each");
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn the_status_of_one_that_is_off_offers_its_reader_what_they_may_press() {
    let stage = Stage::new().await;
    let refused = Disturbance::Refuse { status: 422, id: "unprocessable_entity".to_owned(), message: "no".to_owned() };
    stage.fault(Fault::always(Pattern::action("power_on"), refused).named("power"));
    let (ada, rex) = (stage.seat("ada", Role::Operator), stage.seat("rex", Role::Restorer));
    ada.run("/snapshot take droplet:web-1").await;
    stage.shows(&ada, "[I'll handle it]").await;
    for (person, is_offered) in [(&ada, false), (&rex, true)] {
        person.run("/snapshot status operation:web-1").await;
        let answer = person.seat.messages().pop().unwrap();
        let buttons = serde_json::to_string(&answer.body.components).unwrap();
        assert_eq!(buttons.contains("I'll handle it"), is_offered, "{buttons}");
    }
    stage.digitalocean.world(|world| world.end_fault("power"));
    stage.until_later("it is on again", |stage| stage.is_on("web-1")).await;
    stage.settle().await;
    ada.transcript();
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn the_failure_role_is_pinged_by_the_call_and_by_nothing_else() {
    let mut stage = Stage::dark().await;
    let role = stage.environment["VIEW_ROLES"].clone();
    stage.discord.world().set_mentionable(role.parse().unwrap());
    stage.environment.insert("FAILURE_ROLE", role.clone());
    stage.start().await;
    let refused = Disturbance::Refuse { status: 422, id: "unprocessable_entity".to_owned(), message: "no".to_owned() };
    stage.fault(Fault::always(Pattern::action("power_on"), refused).named("power"));
    let (ada, vic) = (stage.seat("ada", Role::Operator), stage.seat("vic", Role::Viewer));
    ada.run("/snapshot take droplet:web-1").await;
    stage.shows(&ada, "[I'll handle it]").await;
    let call = vic.seat.messages().into_iter().map(|message| message.body.content);
    let call = call.filter(|content| content.contains(&format!("<@&{role}>"))).collect::<Vec<_>>();
    assert_eq!(call.len(), 1, "{}", stage.conversation());
    assert_eq!((ada.seat.pings(), vic.seat.pings()), (1, 1), "{}", stage.conversation());
    stage.digitalocean.world(|world| world.end_fault("power"));
    stage.until_later("it is on again", |stage| stage.is_on("web-1")).await;
    stage.settle().await;
    assert_eq!((ada.seat.pings(), vic.seat.pings()), (2, 1), "the answer is for who asked");
    let named = vic.seat.messages().into_iter().filter(|message| message.body.content.contains("<@&"));
    assert_eq!(named.count(), 0, "once it is on again, nobody is named");
    ada.transcript();
    vic.transcript();
    stage.finish().await;
}
