//! Faults, gates and rate limits.

use std::time::Duration;

use serde_json::{Value, json};
use snapshot_bot_sandbox::discord::{
    fault::{Fault, Route},
    gate::Point,
};

use crate::stage::Stage;

const POSTS: &str = "POST /channels/*/messages";

fn posts() -> Route {
    POSTS.parse().expect("a route")
}

fn said(stage: &Stage) -> usize {
    stage.seat(stage.ada).messages().len()
}

#[tokio::test]
async fn a_cut_before_leaves_nothing_and_a_cut_after_leaves_a_message() {
    let stage = Stage::new().await;
    stage.discord.world().inject(posts(), Fault::CutBefore, Some(1));
    assert_eq!(stage.post(json!({"content": "a"})).await.0, 0);
    assert_eq!(said(&stage), 0);
    stage.discord.world().inject(posts(), Fault::CutAfter, Some(1));
    assert_eq!(stage.post(json!({"content": "a"})).await.0, 0);
    assert_eq!(said(&stage), 1);
    assert_eq!(stage.post(json!({"content": "a"})).await.0, 200);
    assert_eq!(stage.discord.world().complaints(), []);
    stage.finish().await;
}

#[tokio::test]
async fn faults_answer_as_discord_or_its_edge_would() {
    let stage = Stage::new().await;
    let inject = |fault| stage.discord.world().inject(posts(), fault, Some(1));
    inject(Fault::Refuse { status: 403, code: 50013, message: "Missing Permissions".to_owned() });
    assert_eq!(stage.post(json!({"content": "a"})).await.1["code"], 50013);
    inject(Fault::Down(502));
    assert_eq!(stage.post(json!({"content": "a"})).await, (502, Value::Null));
    inject(Fault::ThrottleGlobal(Duration::from_millis(1500)));
    let (status, answer) = stage.post(json!({"content": "a"})).await;
    assert_eq!((status, &answer["global"], &answer["retry_after"]), (429, &json!(true), &json!(1.5)));
    inject(Fault::Malform);
    assert_eq!(stage.post(json!({"content": "a"})).await, (200, Value::Null));
    assert_eq!(said(&stage), 1, "a malformed answer follows a request that was carried out");
    assert_eq!(stage.discord.world().complaints(), []);
    stage.finish().await;
}

#[tokio::test]
async fn a_held_request_is_executed_before_or_after_as_was_asked() {
    let stage = Stage::new().await;
    for (point, while_held, after_cut) in [(Point::BeforeExecution, 0, 0), (Point::BeforeAnswer, 1, 1)] {
        let mut gate = stage.discord.world().hold(posts(), point, 0);
        let (answer, ()) = tokio::join!(stage.post(json!({"content": "a"})), async {
            let held = gate.arrival().await.expect("a request arrives");
            assert_eq!(said(&stage), while_held);
            held.cut();
        });
        assert_eq!((answer.0, said(&stage)), (0, after_cut));
    }
    let mut gate = stage.discord.world().hold(posts(), Point::BeforeExecution, 1);
    assert_eq!(stage.post(json!({"content": "let through"})).await.0, 200);
    let (answer, ()) = tokio::join!(stage.post(json!({"content": "held"})), async {
        gate.arrival().await.expect("the second request arrives").release();
    });
    assert_eq!(answer.0, 200);
    stage.finish().await;
}

#[tokio::test]
async fn a_held_request_does_not_keep_the_server_from_stopping() {
    let stage = Stage::new().await;
    let mut gate = stage.discord.world().hold(posts(), Point::BeforeExecution, 0);
    let held = {
        let mut post = std::pin::pin!(stage.post(json!({"content": "a"})));
        tokio::select! {
            _ = &mut post => panic!("it is held"),
            held = gate.arrival() => held,
        }
    };
    assert!(held.is_some());
    // The request's client went away with its scope, and nobody lets the request go.
    stage.finish().await;
}

#[tokio::test]
async fn the_sixth_message_in_a_row_is_throttled_for_its_channel_alone() {
    let stage = Stage::new().await;
    for _ in 0..5 {
        assert_eq!(stage.post(json!({"content": "a"})).await.0, 200);
    }
    let (status, answer) = stage.post(json!({"content": "a"})).await;
    assert_eq!((status, &answer["global"]), (429, &json!(false)));
    let other = stage.discord.world().add_channel(stage.guild, "other");
    assert_eq!(stage.ask("POST", &format!("/channels/{other}/typing"), &Value::Null).await.0, 204);
    stage.advance(5);
    assert_eq!(stage.post(json!({"content": "a"})).await.0, 200);
    stage.finish().await;
}
