//! The operators' HTTP port of a real process.

use snapshot_bot::telemetry::METRICS;
use snapshot_bot_sandbox::{
    control::gate::Point,
    digitalocean::{
        corrupt::Malformation,
        fault::{Disturbance, Fault, Pattern},
        http_types::Method,
    },
};

use super::{
    installation::{Installation, free_address},
    process::{ask, until_answered},
};

#[tokio::test]
async fn the_door_tells_life_readiness_and_numbers() {
    let installation = Installation::new().await;
    let waiting = installation.discord.gate().hold(Point::BeforeAnswer, "GET /gateway".parse().unwrap(), 0);
    let address = free_address();
    let bot = installation.start_with("bot", &[("HTTP_ADDR", address.clone())]);
    let held = waiting.caught().await.unwrap();
    assert_eq!(ask(&address, "/healthz").await, Some((200, "alive\n".to_owned())));
    assert_eq!(ask(&address, "/readyz").await, Some((503, "gateway: not connected\n".to_owned())));
    held.release();
    until_answered(&address, "/readyz", 200, "ready").await;
    let answered = "snapshot_bot_requests_total{service=\"digitalocean\",status=\"200\"}";
    until_answered(&address, "/metrics", 200, answered).await;
    installation.discord.world().accept_token(true);
    installation.stop(bot).await;
    assert_eq!(ask(&address, "/healthz").await, None);
}

#[tokio::test]
async fn every_metric_that_is_described_is_seen_where_prometheus_looks() {
    let installation = Installation::new().await;
    let odd = Disturbance::Malform { how: Malformation::WrongTypes };
    let busy = Disturbance::Throttle { retry_after: Some(1) };
    installation.digitalocean.world(|world| {
        world.add_fault(Fault::once(Pattern::of(Method::Get, "/v2/snapshots"), odd));
        world.add_fault(Fault::once(Pattern::action("shutdown"), busy));
    });
    let (bot, address) = installation.ready("bot").await;
    installation.ada.run("/snapshot take droplet:web-1").await.unwrap();
    installation.reads("is ready").await;
    installation.ada.run("/snapshot list").await.unwrap();
    installation.ada.forge_presses(installation.ada.messages().last().unwrap().id, "forged", 1);
    for metric in METRICS {
        until_answered(&address, "/metrics", 200, &format!("\n{}", metric.name)).await;
    }
    installation.stop(bot).await;
}

#[tokio::test]
async fn the_numbers_tell_of_a_take() {
    let installation = Installation::new().await;
    let (bot, address) = installation.ready("bot").await;
    installation.ada.run("/snapshot take droplet:web-1").await.unwrap();
    installation.reads("is ready").await;
    for line in [
        r#"snapshot_bot_operations_total{kind="take",outcome="completed"} 1"#,
        r#"snapshot_bot_operation_seconds_count{kind="take",outcome="completed"} 1"#,
        r#"snapshot_bot_steps_total{kind="take",step="snapshot",outcome="done"} 1"#,
        r#"snapshot_bot_requests_total{service="discord",status="ok"}"#,
        "snapshot_bot_power_owed 0",
        "snapshot_bot_budget_left ",
    ] {
        until_answered(&address, "/metrics", 200, line).await;
    }
    installation.stop(bot).await;
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let installation = Installation::new().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = installation.start_with("bot", &[("HTTP_ADDR", address.clone())]).end().await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains(&format!("could not listen on HTTP_ADDR {address}")), "{}", ended.stderr);
}
