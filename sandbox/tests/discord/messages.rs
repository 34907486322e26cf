//! Messages: nonces, replies, pings and edits.

use serde_json::{Value, json};

use crate::sandbox_discord::SandboxDiscord;

#[tokio::test]
async fn an_enforced_nonce_gives_the_first_message_and_unknown_message_once_that_is_gone() {
    let sandbox = SandboxDiscord::new().await;
    let said = json!({"content": "done", "nonce": "7f3kq2xa-a", "enforce_nonce": true});
    let (_, first) = sandbox.post(said.clone()).await;
    let (status, second) = sandbox.post(said.clone()).await;
    assert_eq!((status, &second["id"]), (200, &first["id"]));
    let id = first["id"].as_str().expect("an id").parse().expect("a snowflake");
    sandbox.discord.world().delete_message(id);
    let (status, gone) = sandbox.post(said.clone()).await;
    assert_eq!((status, &gone["code"]), (404, &json!(10008)));
    sandbox.advance(5 * 60 + 1);
    let (status, anew) = sandbox.post(said).await;
    assert_eq!(status, 200);
    assert_ne!(anew["id"], first["id"], "a nonce is remembered for some minutes only");
    sandbox.finish().await;
}

#[tokio::test]
async fn a_reply_to_a_deleted_message_fails_unless_it_says_otherwise() {
    let sandbox = SandboxDiscord::new().await;
    let (_, first) = sandbox.post(json!({"content": "first"})).await;
    let reply = |extra: bool| json!({"content": "r", "message_reference": {"message_id": first["id"], "fail_if_not_exists": extra}});
    let (_, fine) = sandbox.post(reply(true)).await;
    assert_eq!(fine["referenced_message"]["id"], first["id"]);
    sandbox.discord.world().delete_message(first["id"].as_str().expect("an id").parse().expect("a snowflake"));
    let (status, refused) = sandbox.post(reply(true)).await;
    assert_eq!((status, &refused["code"]), (400, &json!(50035)));
    assert_eq!(refused["errors"]["message_reference"]["_errors"][0]["code"], "REPLIES_UNKNOWN_MESSAGE");
    assert_eq!(sandbox.post(reply(false)).await.0, 200);
    assert_eq!(sandbox.discord.world().complaints(), [], "what an operator deleted is not the bot's fault");
    sandbox.finish().await;
}

#[tokio::test]
async fn only_allowed_mentions_in_new_content_ping() {
    let sandbox = SandboxDiscord::new().await;
    let (ada, gil) = (sandbox.seat(sandbox.ada), sandbox.seat(sandbox.gil));
    let both = format!("<@{}> <@{}> @everyone", sandbox.ada, sandbox.gil);
    let to_ada = json!({"parse": [], "users": [sandbox.ada]});
    let embed = json!({"description": both});
    let (_, message) = sandbox.post(json!({"content": both, "allowed_mentions": to_ada, "embeds": [embed]})).await;
    assert_eq!((ada.pings(), gil.pings()), (1, 0));
    assert_eq!(message["mentions"].as_array().map(Vec::len), Some(1));
    let path = format!("/channels/{}/messages/{}", sandbox.channel, message["id"].as_str().expect("an id"));
    let edit = json!({"content": both, "allowed_mentions": {"parse": ["users"]}});
    assert_eq!(sandbox.ask("PATCH", &path, &edit).await.0, 200);
    assert_eq!((ada.pings(), gil.pings()), (1, 0), "an edit pings nobody");
    sandbox.finish().await;
}

#[tokio::test]
async fn without_allowed_mentions_everything_pings_and_that_is_a_complaint() {
    let sandbox = SandboxDiscord::new().await;
    let path = format!("/channels/{}/messages", sandbox.channel);
    let content = format!("<@&{}> and <@{}>", sandbox.operators, sandbox.gil);
    assert_eq!(sandbox.ask("POST", &path, &json!({"content": content})).await.0, 200);
    assert_eq!(sandbox.seat(sandbox.gil).pings(), 1);
    assert_eq!(sandbox.seat(sandbox.ada).pings(), 0, "the Role is not mentionable");
    assert_eq!(sandbox.discord.world().complaints().len(), 1);
    sandbox.finish().await;
}

#[tokio::test]
async fn many_edits_of_an_old_message_are_too_many() {
    let sandbox = SandboxDiscord::with(|settings| {
        settings.old_edits_an_hour = 2;
        settings.rate_limits.enforced = false;
    })
    .await;
    let (_, message) = sandbox.post(json!({"content": "0"})).await;
    let path = format!("/channels/{}/messages/{}", sandbox.channel, message["id"].as_str().expect("an id"));
    sandbox.advance(60 * 60 + 1);
    for fine in ["1", "2"] {
        assert_eq!(sandbox.ask("PATCH", &path, &json!({"content": fine})).await.0, 200);
    }
    assert_eq!(sandbox.refused("PATCH", &path, &json!({"content": "3"})).await, (429, 30046));
    assert_eq!(sandbox.ask("DELETE", &path, &Value::Null).await.0, 204);
    sandbox.finish().await;
}

#[tokio::test]
async fn messages_are_listed_newest_first_before_and_after() {
    let sandbox = SandboxDiscord::with(|settings| settings.rate_limits.enforced = false).await;
    let mut ids = Vec::new();
    for text in ["a", "b", "c", "d"] {
        ids.push(sandbox.post(json!({"content": text})).await.1["id"].as_str().expect("an id").to_owned());
    }
    let texts = |list: Value| -> String {
        list.as_array()
            .into_iter()
            .flatten()
            .map(|message| message["content"].as_str().unwrap_or("?").to_owned())
            .collect()
    };
    let path = format!("/channels/{}/messages", sandbox.channel);
    assert_eq!(texts(sandbox.get(&path).await.1), "dcba");
    assert_eq!(texts(sandbox.get(&format!("{path}?limit=2")).await.1), "dc");
    assert_eq!(texts(sandbox.get(&format!("{path}?before={}", ids[2])).await.1), "ba");
    assert_eq!(texts(sandbox.get(&format!("{path}?after={}&limit=1", ids[1])).await.1), "c");
    assert_eq!(texts(sandbox.get(&format!("{path}?around={}&limit=2", ids[1])).await.1), "cba");
    sandbox.finish().await;
}
