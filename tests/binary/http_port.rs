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
    process::{ask, until_answered},
    stage::{Stage, free_address},
};

#[tokio::test]
async fn the_door_tells_life_readiness_and_numbers() {
    let stage = Stage::new().await;
    let waiting = stage.discord.gate().hold(Point::BeforeAnswer, "GET /gateway".parse().unwrap(), 0);
    let address = free_address();
    let bot = stage.start_with("bot", &[("HTTP_ADDR", address.clone())]);
    let held = waiting.caught().await.unwrap();
    assert_eq!(ask(&address, "/healthz").await, Some((200, "alive\n".to_owned())));
    assert_eq!(ask(&address, "/readyz").await, Some((503, "gateway: not connected\n".to_owned())));
    held.release();
    until_answered(&address, "/readyz", 200, "ready").await;
    let answered = "snapshot_bot_requests_total{service=\"digitalocean\",status=\"200\"}";
    until_answered(&address, "/metrics", 200, answered).await;
    stage.discord.world().accept_token(true);
    stage.stop(bot).await;
    assert_eq!(ask(&address, "/healthz").await, None);
}

#[tokio::test]
async fn every_metric_that_is_described_is_seen_where_prometheus_looks() {
    let stage = Stage::new().await;
    let odd = Disturbance::Malform { how: Malformation::WrongTypes };
    let busy = Disturbance::Throttle { retry_after: Some(1) };
    stage.digitalocean.world(|world| {
        world.add_fault(Fault::once(Pattern::of(Method::Get, "/v2/snapshots"), odd));
        world.add_fault(Fault::once(Pattern::action("shutdown"), busy));
    });
    let (bot, address) = stage.ready("bot").await;
    stage.ada.run("/snapshot take droplet:web-1").await.unwrap();
    stage.reads("is ready").await;
    stage.ada.run("/snapshot list").await.unwrap();
    stage.ada.forge_presses(stage.ada.messages().last().unwrap().id, "forged", 1);
    for metric in METRICS {
        until_answered(&address, "/metrics", 200, &format!("\n{}", metric.name)).await;
    }
    stage.stop(bot).await;
}

#[tokio::test]
async fn the_numbers_tell_of_a_take() {
    let stage = Stage::new().await;
    let (bot, address) = stage.ready("bot").await;
    stage.ada.run("/snapshot take droplet:web-1").await.unwrap();
    stage.reads("is ready").await;
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
    stage.stop(bot).await;
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let stage = Stage::new().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = stage.start_with("bot", &[("HTTP_ADDR", address.clone())]).end().await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains(&format!("could not listen on HTTP_ADDR {address}")), "{}", ended.stderr);
}
