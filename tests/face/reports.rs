//! What the bot says by itself, through deletions, refusals and outages.

use snapshot_bot::{
    operation::{Question, Verdict, Wish, ids::OperationId, power::Stuck, step::State},
    sandbox::discord::{fault::Fault, message::Message, permission::Permissions},
};

use crate::stage::Stage;

fn is_progress(message: &Message) -> bool {
    !message.body.embeds.is_empty()
}

fn title(message: &Message) -> &str {
    message.body.embeds.first().and_then(|embed| embed["title"].as_str()).unwrap_or_default()
}

async fn begun(stage: &Stage) -> (OperationId, Message) {
    stage.said_to("ada", "/snapshot take droplet:web-1").await;
    (stage.running().await.id, stage.posted(is_progress).await)
}

async fn complete(stage: &Stage, id: OperationId) {
    let now = stage.clock.now();
    stage
        .commit(id, |operation| {
            for step in &mut operation.steps {
                step.began = Some(now);
                step.state = State::Done { at: now };
            }
            operation.verdict = Some(Verdict::Completed);
            operation.ended = Some(now);
        })
        .await;
}

#[tokio::test]
async fn the_answer_is_a_reply_that_pings_who_asked_and_nobody_else() {
    let stage = Stage::new().await;
    let (id, progress) = begun(&stage).await;
    complete(&stage, id).await;
    let answer = stage.posted(|message| message.body.content.contains("is ready")).await;
    assert_eq!(answer.reference, Some(progress.id));
    assert_eq!(stage.seat("ada").pings(), 1);
    assert_eq!(stage.seat("bob").pings(), 0);
    stage.posted(|message| title(message).ends_with("· ready")).await;
    stage.close().await;
}

#[tokio::test]
async fn a_deleted_progress_message_is_posted_anew() {
    let stage = Stage::new().await;
    let (id, progress) = begun(&stage).await;
    stage.discord.world().delete_message(progress.id);
    complete(&stage, id).await;
    let anew = stage.posted(|message| title(message).ends_with("· ready")).await;
    assert_ne!(anew.id, progress.id);
    assert_eq!(anew.nonce, Some(format!("{id}-p2").into()));
}

#[tokio::test]
async fn a_post_whose_answer_was_lost_is_not_said_twice() {
    let stage = Stage::new().await;
    let route = "POST /channels/*/messages".parse().unwrap();
    stage.discord.world().inject(route, Fault::CutAfter, Some(1));
    let (id, _) = begun(&stage).await;
    complete(&stage, id).await;
    stage.posted(|message| title(message).ends_with("· ready")).await;
    stage.posted(|message| message.body.content.contains("is ready")).await;
    let public = stage.seat("ada").messages().into_iter().filter(Message::is_public).count();
    assert_eq!(public, 2, "one progress message and one answer");
    stage.close().await;
}

#[tokio::test]
async fn an_outage_of_discord_delays_and_loses_nothing() {
    let stage = Stage::new().await;
    let route = "POST /channels/*/messages".parse().unwrap();
    stage.discord.world().inject(route, Fault::Down(502), Some(2));
    let (id, _) = begun(&stage).await;
    complete(&stage, id).await;
    let answer = stage.posted(|message| message.body.content.contains("is ready")).await;
    assert!(answer.reference.is_some(), "progress was said first");
    stage.close().await;
}

#[tokio::test]
async fn without_the_right_to_read_history_the_answer_is_no_reply() {
    let stage = Stage::new().await;
    let (id, _) = begun(&stage).await;
    stage.discord.world().deny_bot(stage.channel, Permissions::READ_MESSAGE_HISTORY);
    complete(&stage, id).await;
    let answer = stage.posted(|message| message.body.content.contains("is ready")).await;
    assert_eq!(answer.reference, None);
}

#[tokio::test]
async fn a_channel_that_is_gone_sends_the_answer_to_who_asked() {
    let stage = Stage::new().await;
    let (id, _) = begun(&stage).await;
    let ada = stage.seat("ada").user;
    let direct = stage.discord.world().direct_channel(ada);
    stage.discord.world().delete_channel(stage.channel);
    complete(&stage, id).await;
    stage
        .discord
        .until(|world| world.messages_in(direct).any(|message| message.body.content.contains("is ready")).then_some(()))
        .await;
}

#[tokio::test]
async fn a_question_starts_its_clock_when_it_can_be_read() {
    let stage = Stage::new().await;
    let (id, _) = begun(&stage).await;
    let now = stage.clock.now();
    stage
        .commit(id, |operation| {
            operation.steps[0].began = Some(now);
            operation.question = Some(Question { opened_at: now, shown_at: None });
        })
        .await;
    let asked = stage.posted(|message| title(message).ends_with("the shutdown hangs")).await;
    assert_eq!(asked.body.components.len(), 1);
    loop {
        let wishes = stage.store.load(id).await.unwrap().unwrap().wishes;
        if wishes.iter().any(|(_, wished)| wished.wish == Wish::QuestionShown) {
            break;
        }
        stage.store.changes().worker.notified().await;
    }
    stage.close().await;
}

#[tokio::test]
async fn a_call_for_help_pings_and_offers_a_button() {
    let stage = Stage::new().await;
    let (id, progress) = begun(&stage).await;
    let now = stage.clock.now();
    stage.commit(id, |operation| operation.power.stuck = Some(Stuck { since: now, why: None })).await;
    let call = stage.posted(|message| message.body.content.contains("could not be turned on again")).await;
    assert_eq!(call.reference, Some(progress.id));
    assert_eq!(stage.seat("ada").pings(), 1);
    stage.close().await;
}
