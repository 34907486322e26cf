//! What the real Discord refuses.

use serde_json::{Value, json};
use snapshot_bot_sandbox::discord::permission::Permissions;

use crate::sandbox_discord::SandboxDiscord;

#[tokio::test]
async fn a_wrong_token_is_refused_everywhere_but_at_the_gateways_address() {
    let sandbox = SandboxDiscord::new().await;
    sandbox.discord.world().accept_token(false);
    assert_eq!(sandbox.refused("GET", "/users/@me", &Value::Null).await, (401, 0));
    assert_eq!(sandbox.get("/gateway").await.0, 200);
    sandbox.finish().await;
}

#[tokio::test]
async fn what_a_bot_may_read_is_there_and_what_is_not_there_is_named() {
    let sandbox = SandboxDiscord::new().await;
    let (guild, channel, ada) = (sandbox.guild, sandbox.channel, sandbox.ada);
    let dm = json!({"recipient_id": ada});
    assert_eq!(sandbox.ask("POST", "/users/@me/channels", &dm).await.0, 200);
    for fine in [
        "/users/@me".to_owned(),
        "/users/@me/guilds".to_owned(),
        "/applications/@me".to_owned(),
        "/oauth2/applications/@me".to_owned(),
        "/gateway/bot".to_owned(),
        format!("/guilds/{guild}"),
        format!("/guilds/{guild}?with_counts=true"),
        format!("/guilds/{guild}/channels"),
        format!("/guilds/{guild}/roles"),
        format!("/guilds/{guild}/members/{ada}"),
        format!("/guilds/{guild}/members/search?query=ad"),
        format!("/channels/{channel}"),
        format!("/channels/{channel}/messages"),
    ] {
        assert_eq!(sandbox.get(&fine).await.0, 200, "{fine}");
    }
    assert_eq!(sandbox.refused("GET", "/channels/1", &Value::Null).await, (404, 10003));
    assert_eq!(sandbox.refused("GET", "/guilds/1", &Value::Null).await, (404, 10004));
    let message = format!("/channels/{channel}/messages/1");
    assert_eq!(sandbox.refused("GET", &message, &Value::Null).await, (404, 10008));
    sandbox.finish().await;
}

#[tokio::test]
async fn rights_are_asked_for_in_the_order_of_seeing_sending_embedding_and_replying() {
    let sandbox = SandboxDiscord::new().await;
    let deny = |permissions| sandbox.discord.world().deny_bot(sandbox.channel, permissions);
    let path = format!("/channels/{}/messages", sandbox.channel);
    let (_, first) = sandbox.post(json!({"content": "first"})).await;
    deny(Permissions::VIEW_CHANNEL);
    assert_eq!(sandbox.refused("POST", &path, &json!({"content": "a"})).await, (403, 50001));
    deny(Permissions::SEND_MESSAGES);
    assert_eq!(sandbox.refused("POST", &path, &json!({"content": "a"})).await, (403, 50013));
    deny(Permissions::EMBED_LINKS);
    assert_eq!(sandbox.refused("POST", &path, &json!({"embeds": [{"title": "a"}]})).await, (403, 50013));
    deny(Permissions::READ_MESSAGE_HISTORY);
    let reply = json!({"content": "a", "message_reference": {"message_id": first["id"]}});
    assert_eq!(sandbox.refused("POST", &path, &reply).await, (403, 160_002));
    assert_eq!(sandbox.get(&path).await, (200, json!([])), "the list is silently empty");
    deny(Permissions::NONE);
    assert_eq!(sandbox.get(&path).await.1.as_array().map(Vec::len), Some(1));
    sandbox.finish().await;
}

#[tokio::test]
async fn a_thread_asks_for_its_own_right_to_send() {
    let sandbox = SandboxDiscord::new().await;
    let thread = sandbox.discord.world().add_thread(sandbox.channel, "details");
    let path = format!("/channels/{thread}/messages");
    sandbox.discord.world().deny_bot(sandbox.channel, Permissions::SEND_MESSAGES);
    assert_eq!(sandbox.ask("POST", &path, &json!({"content": "a"})).await.0, 200);
    sandbox.discord.world().deny_bot(sandbox.channel, Permissions::SEND_MESSAGES_IN_THREADS);
    assert_eq!(sandbox.refused("POST", &path, &json!({"content": "a"})).await, (403, 50013));
    assert_eq!(sandbox.get(&format!("/channels/{thread}")).await.0, 200);
    sandbox.finish().await;
}

#[tokio::test]
async fn a_person_may_close_their_direct_messages() {
    let sandbox = SandboxDiscord::new().await;
    let (_, dm) = sandbox.ask("POST", "/users/@me/channels", &json!({"recipient_id": sandbox.ada})).await;
    let path = format!("/channels/{}/messages", dm["id"].as_str().expect("an id"));
    assert_eq!(sandbox.ask("POST", &path, &json!({"content": "hello"})).await.0, 200);
    sandbox.discord.world().close_dms(sandbox.ada, true);
    assert_eq!(sandbox.refused("POST", &path, &json!({"content": "hello"})).await, (403, 50007));
    sandbox.finish().await;
}

#[tokio::test]
async fn a_wrong_form_is_a_complaint_that_names_the_field() {
    let sandbox = SandboxDiscord::new().await;
    let (status, answer) = sandbox.post(json!({"embeds": [{"title": "x".repeat(257)}]})).await;
    assert_eq!((status, &answer["code"]), (400, &json!(50035)));
    assert_eq!(answer["errors"]["embeds"]["0"]["title"]["_errors"][0]["code"], "BASE_TYPE_MAX_LENGTH");
    assert_eq!(sandbox.post(json!({"content": ""})).await.1["code"], 50006);
    let complaints = sandbox.discord.world().complaints();
    assert_eq!(complaints.len(), 2, "{complaints:?}");
    assert!(complaints[0].what.contains("50035"), "{complaints:?}");
    sandbox.finish().await;
}

#[tokio::test]
async fn commands_keep_their_ids_and_cost_a_creation_only_when_new() {
    let sandbox = SandboxDiscord::with(|settings| settings.command_creates_a_day = 3).await;
    sandbox.register().await;
    let path = format!("/applications/{}/guilds/{}/commands", sandbox.bot(), sandbox.guild);
    let before = sandbox.get(&path).await.1;
    sandbox.register().await;
    let after = sandbox.get(&path).await.1;
    assert_eq!(before[0]["id"], after[0]["id"]);
    let new = |name: &str| json!({"name": name, "description": "d"});
    let (status, created) = sandbox.ask("POST", &path, &new("third")).await;
    assert_eq!(status, 201, "{created}");
    let one = format!("{path}/{}", created["id"].as_str().expect("an id"));
    let (status, changed) = sandbox.ask("PATCH", &one, &json!({"description": "other"})).await;
    assert_eq!((status, &changed["description"]), (200, &json!("other")));
    assert_eq!(sandbox.ask("DELETE", &one, &Value::Null).await.0, 204);
    assert_eq!(sandbox.refused("POST", &path, &new("fourth")).await, (400, 30034));
    sandbox.advance(24 * 60 * 60);
    assert_eq!(sandbox.ask("POST", &path, &new("fourth")).await.0, 201);
    assert_eq!(sandbox.refused("POST", &path, &new("Bad Name")).await, (400, 50035));
    let global = format!("/applications/{}/commands", sandbox.bot());
    assert_eq!(sandbox.ask("PUT", &global, &json!([new("everywhere")])).await.0, 200);
    sandbox.finish().await;
}

#[tokio::test]
async fn a_kicked_bot_loses_its_commands_and_its_access() {
    let sandbox = SandboxDiscord::new().await;
    sandbox.register().await;
    sandbox.discord.world().kick_bot(sandbox.guild);
    let path = format!("/applications/{}/guilds/{}/commands", sandbox.bot(), sandbox.guild);
    assert_eq!(sandbox.refused("GET", &path, &Value::Null).await, (403, 50001));
    assert_eq!(sandbox.refused("GET", &format!("/channels/{}", sandbox.channel), &Value::Null).await, (403, 50001));
    sandbox.discord.world().invite_bot(sandbox.guild);
    assert_eq!(sandbox.get(&path).await, (200, json!([])));
    sandbox.finish().await;
}
