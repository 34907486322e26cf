//! What the real Discord refuses.

use serde_json::{Value, json};
use snapshot_bot_sandbox::discord::permission::Permissions;

use crate::stage::Stage;

#[tokio::test]
async fn a_wrong_token_is_refused_everywhere_but_at_the_gateways_address() {
    let stage = Stage::new().await;
    stage.discord.world().accept_token(false);
    assert_eq!(stage.refused("GET", "/users/@me", &Value::Null).await, (401, 0));
    assert_eq!(stage.get("/gateway").await.0, 200);
    stage.finish().await;
}

#[tokio::test]
async fn what_a_bot_may_read_is_there_and_what_is_not_there_is_named() {
    let stage = Stage::new().await;
    let (guild, channel, ada) = (stage.guild, stage.channel, stage.ada);
    let dm = json!({"recipient_id": ada});
    assert_eq!(stage.ask("POST", "/users/@me/channels", &dm).await.0, 200);
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
        assert_eq!(stage.get(&fine).await.0, 200, "{fine}");
    }
    assert_eq!(stage.refused("GET", "/channels/1", &Value::Null).await, (404, 10003));
    assert_eq!(stage.refused("GET", "/guilds/1", &Value::Null).await, (404, 10004));
    let message = format!("/channels/{channel}/messages/1");
    assert_eq!(stage.refused("GET", &message, &Value::Null).await, (404, 10008));
    stage.finish().await;
}

#[tokio::test]
async fn rights_are_asked_for_in_the_order_of_seeing_sending_embedding_and_replying() {
    let stage = Stage::new().await;
    let deny = |permissions| stage.discord.world().deny_bot(stage.channel, permissions);
    let path = format!("/channels/{}/messages", stage.channel);
    let (_, first) = stage.post(json!({"content": "first"})).await;
    deny(Permissions::VIEW_CHANNEL);
    assert_eq!(stage.refused("POST", &path, &json!({"content": "a"})).await, (403, 50001));
    deny(Permissions::SEND_MESSAGES);
    assert_eq!(stage.refused("POST", &path, &json!({"content": "a"})).await, (403, 50013));
    deny(Permissions::EMBED_LINKS);
    assert_eq!(stage.refused("POST", &path, &json!({"embeds": [{"title": "a"}]})).await, (403, 50013));
    deny(Permissions::READ_MESSAGE_HISTORY);
    let reply = json!({"content": "a", "message_reference": {"message_id": first["id"]}});
    assert_eq!(stage.refused("POST", &path, &reply).await, (403, 160_002));
    assert_eq!(stage.get(&path).await, (200, json!([])), "the list is silently empty");
    deny(Permissions::NONE);
    assert_eq!(stage.get(&path).await.1.as_array().map(Vec::len), Some(1));
    stage.finish().await;
}

#[tokio::test]
async fn a_thread_asks_for_its_own_right_to_send() {
    let stage = Stage::new().await;
    let thread = stage.discord.world().add_thread(stage.channel, "details");
    let path = format!("/channels/{thread}/messages");
    stage.discord.world().deny_bot(stage.channel, Permissions::SEND_MESSAGES);
    assert_eq!(stage.ask("POST", &path, &json!({"content": "a"})).await.0, 200);
    stage.discord.world().deny_bot(stage.channel, Permissions::SEND_MESSAGES_IN_THREADS);
    assert_eq!(stage.refused("POST", &path, &json!({"content": "a"})).await, (403, 50013));
    assert_eq!(stage.get(&format!("/channels/{thread}")).await.0, 200);
    stage.finish().await;
}

#[tokio::test]
async fn a_person_may_close_their_direct_messages() {
    let stage = Stage::new().await;
    let (_, dm) = stage.ask("POST", "/users/@me/channels", &json!({"recipient_id": stage.ada})).await;
    let path = format!("/channels/{}/messages", dm["id"].as_str().expect("an id"));
    assert_eq!(stage.ask("POST", &path, &json!({"content": "hello"})).await.0, 200);
    stage.discord.world().close_dms(stage.ada, true);
    assert_eq!(stage.refused("POST", &path, &json!({"content": "hello"})).await, (403, 50007));
    stage.finish().await;
}

#[tokio::test]
async fn a_wrong_form_is_a_complaint_that_names_the_field() {
    let stage = Stage::new().await;
    let (status, answer) = stage.post(json!({"embeds": [{"title": "x".repeat(257)}]})).await;
    assert_eq!((status, &answer["code"]), (400, &json!(50035)));
    assert_eq!(answer["errors"]["embeds"]["0"]["title"]["_errors"][0]["code"], "BASE_TYPE_MAX_LENGTH");
    assert_eq!(stage.post(json!({"content": ""})).await.1["code"], 50006);
    let complaints = stage.discord.world().complaints();
    assert_eq!(complaints.len(), 2, "{complaints:?}");
    assert!(complaints[0].what.contains("50035"), "{complaints:?}");
    stage.finish().await;
}

#[tokio::test]
async fn commands_keep_their_ids_and_cost_a_creation_only_when_new() {
    let stage = Stage::with(|settings| settings.command_creates_a_day = 3).await;
    stage.register().await;
    let path = format!("/applications/{}/guilds/{}/commands", stage.bot(), stage.guild);
    let before = stage.get(&path).await.1;
    stage.register().await;
    let after = stage.get(&path).await.1;
    assert_eq!(before[0]["id"], after[0]["id"]);
    let new = |name: &str| json!({"name": name, "description": "d"});
    let (status, created) = stage.ask("POST", &path, &new("third")).await;
    assert_eq!(status, 201, "{created}");
    let one = format!("{path}/{}", created["id"].as_str().expect("an id"));
    let (status, changed) = stage.ask("PATCH", &one, &json!({"description": "other"})).await;
    assert_eq!((status, &changed["description"]), (200, &json!("other")));
    assert_eq!(stage.ask("DELETE", &one, &Value::Null).await.0, 204);
    assert_eq!(stage.refused("POST", &path, &new("fourth")).await, (400, 30034));
    stage.advance(24 * 60 * 60);
    assert_eq!(stage.ask("POST", &path, &new("fourth")).await.0, 201);
    assert_eq!(stage.refused("POST", &path, &new("Bad Name")).await, (400, 50035));
    let global = format!("/applications/{}/commands", stage.bot());
    assert_eq!(stage.ask("PUT", &global, &json!([new("everywhere")])).await.0, 200);
    stage.finish().await;
}

#[tokio::test]
async fn a_kicked_bot_loses_its_commands_and_its_access() {
    let stage = Stage::new().await;
    stage.register().await;
    stage.discord.world().kick_bot(stage.guild);
    let path = format!("/applications/{}/guilds/{}/commands", stage.bot(), stage.guild);
    assert_eq!(stage.refused("GET", &path, &Value::Null).await, (403, 50001));
    assert_eq!(stage.refused("GET", &format!("/channels/{}", stage.channel), &Value::Null).await, (403, 50001));
    stage.discord.world().invite_bot(stage.guild);
    assert_eq!(stage.get(&path).await, (200, json!([])));
    stage.finish().await;
}
