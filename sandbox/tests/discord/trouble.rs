//! Faults, gates and rate limits.

use std::time::Duration;

use serde_json::{Value, json};
use snapshot_bot_sandbox::{
    control::gate::Point,
    discord::fault::{Disturbance, Fault, Pattern},
};

use crate::sandbox_discord::SandboxDiscord;

const POSTS: &str = "POST /channels/*/messages";

fn posts() -> Pattern {
    POSTS.parse().expect("a pattern")
}

fn said(sandbox: &SandboxDiscord) -> usize {
    sandbox.seat(sandbox.ada).messages().len()
}

#[tokio::test]
async fn a_cut_before_leaves_nothing_and_a_cut_after_leaves_a_message() {
    let sandbox = SandboxDiscord::new().await;
    sandbox.discord.world().add_fault(Fault::once(posts(), Disturbance::CutBefore));
    assert_eq!(sandbox.post(json!({"content": "a"})).await.0, 0);
    assert_eq!(said(&sandbox), 0);
    sandbox.discord.world().add_fault(Fault::once(posts(), Disturbance::CutAfter));
    assert_eq!(sandbox.post(json!({"content": "a"})).await.0, 0);
    assert_eq!(said(&sandbox), 1);
    assert_eq!(sandbox.post(json!({"content": "a"})).await.0, 200);
    assert_eq!(sandbox.discord.world().complaints(), []);
    sandbox.finish().await;
}

#[tokio::test]
async fn faults_answer_as_discord_or_its_edge_would() {
    let sandbox = SandboxDiscord::new().await;
    let meet = |disturbance| sandbox.discord.world().add_fault(Fault::once(posts(), disturbance));
    meet(Disturbance::Refuse { status: 403, code: 50013, message: "Missing Permissions".to_owned() });
    assert_eq!(sandbox.post(json!({"content": "a"})).await.1["code"], 50013);
    meet(Disturbance::Down(502));
    assert_eq!(sandbox.post(json!({"content": "a"})).await, (502, Value::Null));
    meet(Disturbance::ThrottleGlobal(Duration::from_millis(1500)));
    let (status, answer) = sandbox.post(json!({"content": "a"})).await;
    assert_eq!((status, &answer["global"], &answer["retry_after"]), (429, &json!(true), &json!(1.5)));
    meet(Disturbance::Malform);
    assert_eq!(sandbox.post(json!({"content": "a"})).await, (200, Value::Null));
    assert_eq!(said(&sandbox), 1, "a malformed answer follows a request that was carried out");
    assert_eq!(sandbox.discord.world().complaints(), []);
    sandbox.finish().await;
}

#[tokio::test]
async fn a_held_request_is_executed_before_or_after_as_was_asked() {
    let sandbox = SandboxDiscord::new().await;
    for (point, while_held, after_cut) in [(Point::BeforeExecution, 0, 0), (Point::BeforeAnswer, 1, 1)] {
        let waiting = sandbox.discord.gate().hold(point, posts(), 0);
        let (answer, ()) = tokio::join!(sandbox.post(json!({"content": "a"})), async {
            let held = waiting.caught().await.expect("a request arrives");
            assert_eq!(said(&sandbox), while_held);
            held.cut();
        });
        assert_eq!((answer.0, said(&sandbox)), (0, after_cut));
    }
    let waiting = sandbox.discord.gate().hold(Point::BeforeExecution, posts(), 1);
    assert_eq!(sandbox.post(json!({"content": "let through"})).await.0, 200);
    let (answer, ()) = tokio::join!(sandbox.post(json!({"content": "held"})), async {
        waiting.caught().await.expect("the second request arrives").release();
    });
    assert_eq!(answer.0, 200);
    sandbox.finish().await;
}

#[tokio::test]
async fn a_held_request_does_not_keep_the_server_from_stopping() {
    let sandbox = SandboxDiscord::new().await;
    let waiting = sandbox.discord.gate().hold(Point::BeforeExecution, posts(), 0);
    let held = {
        let mut post = std::pin::pin!(sandbox.post(json!({"content": "a"})));
        tokio::select! {
            _ = &mut post => panic!("it is held"),
            held = waiting.caught() => held,
        }
    };
    assert!(held.is_some());
    // The client of the request is gone with its scope, and the request is never released.
    sandbox.finish().await;
}

#[tokio::test]
async fn the_sixth_message_in_a_row_is_throttled_for_its_channel_alone() {
    let sandbox = SandboxDiscord::new().await;
    for _ in 0..5 {
        assert_eq!(sandbox.post(json!({"content": "a"})).await.0, 200);
    }
    let (status, answer) = sandbox.post(json!({"content": "a"})).await;
    assert_eq!((status, &answer["global"]), (429, &json!(false)));
    let other = sandbox.discord.world().add_channel(sandbox.guild, "other");
    assert_eq!(sandbox.ask("POST", &format!("/channels/{other}/typing"), &Value::Null).await.0, 204);
    sandbox.advance(5);
    assert_eq!(sandbox.post(json!({"content": "a"})).await.0, 200);
    sandbox.finish().await;
}
