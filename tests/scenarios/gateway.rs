//! The gateway comes and goes. People are answered all the same, and a bot that cannot receive anything any more reports that and ends.

use insta::assert_snapshot;

use snapshot_bot_sandbox::{
    control::gate::Point,
    discord::fault::{Disturbance, Fault, Pattern},
};

use crate::stage::{Role, Stage};

const WHOLE: [&str; 3] = ["shutdown web-1", "snapshot web-1", "power_on web-1"];

/// Takes a Snapshot after the gateway had its trouble.
async fn still_hears(stage: Stage) {
    stage.until("the bot is online", |stage| stage.discord.world().is_bot_online()).await;
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.settle().await;
    assert_eq!(stage.commands(), WHOLE);
    assert!(ada.sees("is ready"));
    ada.transcript();
    stage.finish().await;
}

fn resumed(stage: &Stage) -> usize {
    stage.discord.world().sessions_begun_and_resumed().1
}

fn begun(stage: &Stage) -> usize {
    stage.discord.world().sessions_begun_and_resumed().0
}

#[tokio::test]
async fn asked_to_reconnect_it_resumes() {
    let stage = Stage::new().await;
    stage.discord.world().ask_to_reconnect();
    stage.until("it has resumed", |stage| resumed(stage) == 1).await;
    still_hears(stage).await;
}

#[tokio::test]
async fn after_a_close_that_allows_it_resumes() {
    let stage = Stage::new().await;
    stage.discord.world().close_gateway(4000);
    stage.until("it has resumed", |stage| resumed(stage) == 1).await;
    still_hears(stage).await;
}

#[tokio::test]
async fn what_was_asked_while_it_was_away_is_answered_after_the_resume() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    stage.discord.world().close_gateway(4000);
    ada.run("/snapshot take droplet:web-1").await;
    stage.settle().await;
    assert_eq!(stage.commands(), WHOLE);
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn after_an_invalid_session_it_begins_a_new_one() {
    let stage = Stage::new().await;
    stage.discord.world().invalidate_session(false);
    stage.until("a new session has begun", |stage| begun(stage) == 2).await;
    still_hears(stage).await;
}

#[tokio::test]
async fn after_a_close_that_ends_the_session_it_begins_a_new_one() {
    let stage = Stage::new().await;
    stage.discord.world().close_gateway(4009);
    stage.until("a new session has begun", |stage| begun(stage) == 2).await;
    still_hears(stage).await;
}

#[tokio::test]
async fn a_close_for_good_ends_the_bot_with_its_reason() {
    for (code, number) in [(4004, 1), (4014, 2)] {
        let mut stage = Stage::new().await;
        stage.discord.world().close_gateway(code);
        let words = stage.last_words().await;
        assert_snapshot!(format!("closed_for_good_{number}"), words);
        stage.finish().await;
    }
}

#[tokio::test]
async fn a_bot_that_is_kicked_and_invited_again_registers_its_commands_again() {
    let stage = Stage::new().await;
    let guild = stage.guild;
    let path = ["snapshot", "take"].map(str::to_owned);
    stage.discord.world().kick_bot(guild);
    assert!(stage.discord.world().registered(Some(guild), &path).is_none());
    stage.discord.world().invite_bot(guild);
    stage
        .until("they are registered again", |stage| stage.discord.world().registered(Some(guild), &path).is_some())
        .await;
    still_hears(stage).await;
}

#[tokio::test]
async fn commands_that_discord_does_not_take_are_offered_again_until_it_does() {
    let mut stage = Stage::dark().await;
    let route: Pattern = "PUT /applications/*/guilds/*/commands".parse().unwrap();
    stage.discord.world().add_fault(Fault::always(route, Disturbance::Down(503)).times(5));
    stage.start().await;
    still_hears(stage).await;
}

#[tokio::test]
async fn unchanged_commands_are_not_registered_again() {
    let mut stage = Stage::new().await;
    let writes = |stage: &Stage| {
        stage
            .discord
            .world()
            .journal()
            .iter()
            .filter(|entry| entry.request.method == "PUT" && entry.request.path.ends_with("/commands"))
            .count()
    };
    assert_eq!(writes(&stage), 1);
    stage.stop().await;
    stage.start().await;
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot help").await;
    assert_eq!(writes(&stage), 1);
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_stop_brings_the_take_to_a_point_where_the_next_start_goes_on() {
    let mut stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    let held = stage.digitalocean.gate().hold(Point::BeforeAnswer, Pattern::action("snapshot"), 0);
    ada.run("/snapshot take droplet:web-1").await;
    let held = held.caught().await.unwrap();
    tokio::join!(stage.stop(), async { held.release() });
    stage.start().await;
    stage.settle().await;
    assert_eq!(stage.commands(), WHOLE);
    assert_eq!(ada.seat.pings(), 1);
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn during_the_drain_people_get_a_kind_answer() {
    let mut stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    let bob = stage.seat("bob", Role::Operator);
    let held = stage.digitalocean.gate().hold(Point::BeforeAnswer, Pattern::action("snapshot"), 0);
    ada.run("/snapshot take droplet:web-1").await;
    let held = held.caught().await.unwrap();
    {
        let stopping = stage.stop();
        tokio::pin!(stopping);
        // The held request keeps the bot draining.
        let answered = async {
            while !bob.sees("being restarted") {
                // Until then it is only an unknown Droplet.
                bob.run("/snapshot take droplet:nonsense").await;
            }
        };
        tokio::select! {
            biased;
            () = &mut stopping => panic!("it did not wait for the request that is under way"),
            () = answered => {}
        }
        held.release();
        stopping.await;
    }
    let kind = "I'm being restarted, so nothing was started. Try again in a minute.";
    assert!(bob.transcript().contains(kind), "{}", bob.transcript());
    stage.start().await;
    stage.settle().await;
    ada.transcript();
    stage.finish().await;
}
