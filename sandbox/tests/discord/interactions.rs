//! Interactions: their first response, what follows, and what a person's client permits.

use serde_json::{Value, json};
use snapshot_bot_sandbox::discord::{interaction::Response, refused::Refused};

use crate::sandbox_discord::SandboxDiscord;

fn message(content: &str, flags: u64) -> Value {
    json!({"type": 4, "data": {"content": content, "flags": flags, "allowed_mentions": {"parse": []}}})
}

#[tokio::test]
async fn a_first_response_is_seen_and_a_second_is_refused() {
    let sandbox = SandboxDiscord::new().await;
    sandbox.register().await;
    let ada = sandbox.seat(sandbox.ada);
    let (seen, path) = tokio::join!(ada.run("/ping"), async {
        let path = format!("{}?with_response=true", sandbox.callback().await);
        let (status, answer) = sandbox.ask("POST", &path, &message("pong", 0)).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["resource"]["message"]["content"], "pong");
        path
    });
    assert!(matches!(seen, Ok(Response::Message(_))));
    assert_eq!(sandbox.refused("POST", &path, &message("again", 0)).await, (400, 40060));
    insta::assert_snapshot!(ada.transcript(), @r"
    ada used /ping
    snapshot-bot: pong
    ");
    sandbox.finish().await;
}

#[tokio::test]
async fn after_three_seconds_the_token_is_dead() {
    let sandbox = SandboxDiscord::new().await;
    sandbox.register().await;
    let ada = sandbox.seat(sandbox.ada);
    let (seen, answer) = tokio::join!(ada.run("/ping"), async {
        let path = sandbox.callback().await;
        sandbox.advance(3);
        sandbox.refused("POST", &path, &message("late", 0)).await
    });
    assert_eq!(answer, (404, 10062));
    assert_eq!(seen, Err(Refused::DidNotRespond));
    sandbox.finish().await;
}

#[tokio::test]
async fn an_ephemeral_message_is_seen_by_one_person_and_by_nobodys_list() {
    let sandbox = SandboxDiscord::new().await;
    sandbox.register().await;
    let (ada, gil) = (sandbox.seat(sandbox.ada), sandbox.seat(sandbox.gil));
    let (seen, _) = tokio::join!(ada.run("/ping"), sandbox.respond(message("only you", 64)));
    let Ok(Response::Message(id)) = seen else { panic!("{seen:?}") };
    insta::assert_snapshot!(ada.transcript(), @r"
    ada used /ping
    snapshot-bot: only you
      Only you can see this
    ");
    assert_eq!(gil.transcript(), "");
    let path = format!("/channels/{}/messages", sandbox.channel);
    assert_eq!(sandbox.get(&path).await.1, json!([]));
    assert_eq!(sandbox.refused("PATCH", &format!("{path}/{id}"), &json!({"content": "b"})).await, (404, 10008));
    assert_eq!(gil.press(id, "a").await, Err(Refused::UnknownMessage));
    sandbox.finish().await;
}

#[tokio::test]
async fn thinking_is_filled_by_the_original_or_by_the_first_follow_up() {
    let sandbox = SandboxDiscord::new().await;
    sandbox.register().await;
    let ada = sandbox.seat(sandbox.ada);
    let hook = format!("/webhooks/{}", sandbox.bot());
    let (seen, token) = tokio::join!(ada.run("/ping"), async {
        let (_, token) = sandbox.waiting().await;
        let early =
            sandbox.refused("PATCH", &format!("{hook}/{token}/messages/@original"), &json!({"content": "a"})).await;
        assert_eq!(early, (404, 10015), "before the first response there is no webhook");
        assert_eq!(sandbox.respond(json!({"type": 5})).await.0, 204);
        token
    });
    assert!(matches!(seen, Ok(Response::Thinking(_))));
    assert!(ada.transcript().contains("snapshot-bot is thinking…"));
    let say = |text: &str| json!({"content": text, "allowed_mentions": {"parse": []}});
    let (status, filled) = sandbox.ask("POST", &format!("{hook}/{token}"), &say("first")).await;
    assert_eq!((status, &filled["edited_timestamp"]), (200, &Value::Null));
    let (_, further) = sandbox.ask("POST", &format!("{hook}/{token}"), &say("second")).await;
    assert_ne!(filled["id"], further["id"]);
    let original = format!("{hook}/{token}/messages/@original");
    assert_eq!(sandbox.get(&original).await.1["content"], "first");
    assert_eq!(sandbox.ask("PATCH", &original, &say("changed")).await.0, 200);
    let second = format!("{hook}/{token}/messages/{}", further["id"].as_str().expect("an id"));
    assert_eq!(sandbox.ask("DELETE", &second, &Value::Null).await.0, 204);
    insta::assert_snapshot!(ada.transcript(), @r"
    ada used /ping
    snapshot-bot: changed (edited)
    ");
    sandbox.advance(15 * 60);
    assert_eq!(sandbox.refused("PATCH", &original, &say("late")).await, (401, 50027));
    sandbox.finish().await;
}

#[tokio::test]
async fn a_button_changes_its_message_and_only_buttons_that_are_there_can_be_pressed() {
    let sandbox = SandboxDiscord::new().await;
    let ada = sandbox.seat(sandbox.ada);
    let button = |id: &str, disabled: bool| json!({"type": 2, "style": 4, "label": "Cancel", "custom_id": id, "disabled": disabled});
    let row = json!([{"type": 1, "components": [button("cancel:1", false), button("cancel:2", true)]}]);
    let (_, posted) =
        sandbox.post(json!({"embeds": [{"title": "Snapshot", "color": 5_763_719}], "components": row})).await;
    let id = posted["id"].as_str().expect("an id").parse().expect("a snowflake");
    assert_eq!(ada.press(id, "cancel:2").await, Err(Refused::UnknownComponent("cancel:2".to_owned())));
    assert_eq!(ada.press(id, "cancel:3").await, Err(Refused::UnknownComponent("cancel:3".to_owned())));
    let update = json!({"type": 7, "data": {"content": "Cancelled.", "components": []}});
    let (seen, answer) = tokio::join!(ada.press(id, "cancel:1"), sandbox.respond(update));
    assert_eq!((seen, answer.0), (Ok(Response::Updated(id)), 204));
    insta::assert_snapshot!(ada.transcript(), @r"
    snapshot-bot: Cancelled. (edited)
      ┃ (green)
      ┃ **Snapshot**
    ");
    let (forged, answer) = tokio::join!(ada.forge_press(id, "cancel:9"), sandbox.respond(json!({"type": 6})));
    assert_eq!((forged, answer.0), (Ok(Response::WillUpdate(id)), 204));
    sandbox.finish().await;
}

#[tokio::test]
async fn autocomplete_takes_25_choices_and_not_one_more() {
    let sandbox = SandboxDiscord::new().await;
    sandbox.register().await;
    let ada = sandbox.seat(sandbox.ada);
    let choices = |count: usize| {
        let choice = |at: usize| json!({"name": format!("web-{at}"), "value": format!("{at}")});
        json!({"type": 8, "data": {"choices": (0..count).map(choice).collect::<Vec<_>>()}})
    };
    let ((seen, refused), ()) = tokio::join!(
        async { (ada.autocomplete("snapshot take", "droplet", "we", &[("power", "live".into())]).await, ()) },
        async {
            let path = sandbox.callback().await;
            assert_eq!(sandbox.refused("POST", &path, &choices(26)).await, (400, 50035));
            assert_eq!(sandbox.ask("POST", &path, &choices(25)).await.0, 204);
        }
    );
    let () = refused;
    let seen = seen.expect("an answer");
    assert_eq!((seen.len(), seen[7].name.as_str()), (25, "web-7"));
    sandbox.finish().await;
}

#[tokio::test]
async fn the_client_refuses_what_was_never_registered_or_does_not_fit() {
    let sandbox = SandboxDiscord::new().await;
    sandbox.register().await;
    let ada = sandbox.seat(sandbox.ada);
    assert!(matches!(ada.run("/snapshot destroy").await, Err(Refused::UnknownCommand(_))));
    assert_eq!(ada.run("/snapshot take").await, Err(Refused::MissingOption("droplet".to_owned())));
    let wrong = ada.run("/snapshot take droplet:1 power:hibernate").await;
    assert!(matches!(wrong, Err(Refused::BadValue { .. })), "{wrong:?}");
    let unknown = ada.slash("snapshot take").with("droplet", "1").with("colour", "red").send().await;
    assert_eq!(unknown, Err(Refused::UnknownOption("colour".to_owned())));
    let forged = ada.slash("snapshot take").with("power", "hibernate").forged();
    let (seen, _) = tokio::join!(forged.send(), sandbox.respond(message("no", 64)));
    assert!(seen.is_ok(), "a forged request reaches the bot: {seen:?}");
    sandbox.finish().await;
}
