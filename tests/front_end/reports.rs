//! What the bot posts on its own, through deletions, refusals and outages.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use snapshot_bot::operation::{
    Decision, Instruction, Operation, Outcome, Question,
    ids::{OperationId, UserId},
    power::{Owed, Stuck},
    step::{State, Task},
};
use snapshot_bot_sandbox::discord::{
    fault::{Disturbance, Fault, Pattern},
    message::Message,
    permission::Permissions,
    snowflake::Snowflake,
};

use crate::{front_end::FrontEnd, rows::with_power};

fn is_progress(message: &Message) -> bool {
    !message.body.embeds.is_empty()
}

fn title(message: &Message) -> &str {
    message.body.embeds.first().and_then(|embed| embed["title"].as_str()).unwrap_or_default()
}

async fn begun(front_end: &FrontEnd) -> (OperationId, Message) {
    front_end.said_to("ada", "/snapshot take droplet:web-1").await;
    (front_end.running().await.id, front_end.posted(is_progress).await)
}

async fn complete(front_end: &FrontEnd, id: OperationId) {
    let now = front_end.clock.now();
    front_end
        .commit(id, |operation| {
            for step in &mut operation.steps {
                step.began = Some(now);
                step.state = State::Done { at: now };
            }
            operation.outcome = Some(Outcome::Completed);
            operation.ended = Some(now);
        })
        .await;
}

#[tokio::test]
async fn the_answer_is_a_reply_that_pings_who_asked_and_nobody_else() {
    let front_end = FrontEnd::new().await;
    let (id, progress) = begun(&front_end).await;
    complete(&front_end, id).await;
    let answer = front_end.posted(|message| message.body.content.contains("is ready")).await;
    assert_eq!(answer.reference, Some(progress.id));
    assert_eq!(front_end.seat("ada").pings(), 1);
    assert_eq!(front_end.seat("bob").pings(), 0);
    front_end.posted(|message| title(message).ends_with("· ready")).await;
    front_end.close().await;
}

#[tokio::test]
async fn a_deleted_progress_message_is_posted_anew() {
    let front_end = FrontEnd::new().await;
    let (id, progress) = begun(&front_end).await;
    front_end.discord.world().delete_message(progress.id);
    complete(&front_end, id).await;
    let anew = front_end.posted(|message| title(message).ends_with("· ready")).await;
    assert_ne!(anew.id, progress.id);
    assert_eq!(anew.nonce, Some(format!("{id}-p2").into()));
}

#[tokio::test]
async fn a_post_whose_answer_was_lost_is_not_said_twice() {
    let front_end = FrontEnd::new().await;
    let route = "POST /channels/*/messages".parse().unwrap();
    front_end.discord.world().add_fault(Fault::once(route, Disturbance::CutAfter));
    let (id, _) = begun(&front_end).await;
    complete(&front_end, id).await;
    front_end.posted(|message| title(message).ends_with("· ready")).await;
    front_end.posted(|message| message.body.content.contains("is ready")).await;
    let public = front_end.seat("ada").messages().into_iter().filter(Message::is_public).count();
    assert_eq!(public, 2, "one progress message and one answer");
    front_end.close().await;
}

#[tokio::test]
async fn an_outage_of_discord_delays_and_loses_nothing() {
    let front_end = FrontEnd::new().await;
    let route = "POST /channels/*/messages".parse().unwrap();
    front_end.discord.world().add_fault(Fault::always(route, Disturbance::Down(502)).times(2));
    let (id, _) = begun(&front_end).await;
    complete(&front_end, id).await;
    let answer = front_end.posted(|message| message.body.content.contains("is ready")).await;
    assert!(answer.reference.is_some(), "progress was said first");
    front_end.close().await;
}

#[tokio::test]
async fn without_the_right_to_read_history_the_answer_is_no_reply() {
    let front_end = FrontEnd::new().await;
    let (id, _) = begun(&front_end).await;
    front_end.discord.world().deny_bot(front_end.channel, Permissions::READ_MESSAGE_HISTORY);
    complete(&front_end, id).await;
    let answer = front_end.posted(|message| message.body.content.contains("is ready")).await;
    assert_eq!(answer.reference, None);
}

#[tokio::test]
async fn a_channel_that_is_gone_sends_the_answer_to_who_asked() {
    let front_end = FrontEnd::new().await;
    let (id, _) = begun(&front_end).await;
    let ada = front_end.seat("ada").user;
    let direct = front_end.discord.world().direct_channel(ada);
    front_end.discord.world().delete_channel(front_end.channel);
    complete(&front_end, id).await;
    front_end
        .until(|world| world.messages_in(direct).any(|message| message.body.content.contains("is ready")).then_some(()))
        .await;
}

#[tokio::test]
async fn a_question_is_a_new_message_that_pings_and_starts_its_clock_when_it_can_be_read() {
    let front_end = FrontEnd::new().await;
    let (id, progress) = begun(&front_end).await;
    let now = front_end.clock.now();
    front_end.commit(id, |operation| ask(operation, now)).await;
    let asked = front_end.posted(|message| message.body.content.contains(ASKED)).await;
    assert_eq!(asked.body.components.len(), 1);
    assert_eq!(asked.reference, Some(progress.id));
    assert_eq!(asked.nonce, Some(format!("{id}-q").into()));
    assert_eq!((front_end.seat("ada").pings(), front_end.seat("bob").pings()), (1, 0));
    front_end.until_shown(id).await;
    front_end.close().await;
}

#[tokio::test]
async fn a_question_waits_for_no_pause_between_edits() {
    let front_end = FrontEnd::new().await;
    let (id, progress) = begun(&front_end).await;
    // Discord accepts no more edits, so the next one waits for minutes, which do not pass here.
    let path = format!("{}/{}", history(front_end.channel), progress.id);
    let refuse = Disturbance::Refuse { status: 429, code: 30_046, message: "Too many edits".to_owned() };
    front_end.discord.world().add_fault(Fault::once(format!("PATCH {path}").parse().expect("a pattern"), refuse));
    let now = front_end.clock.now();
    front_end.clock.advance(SignedDuration::from_secs(2));
    front_end.commit(id, |operation| operation.steps[0].began = Some(now)).await;
    front_end.until_answered("PATCH", &path, 1).await;
    front_end.commit(id, |operation| ask(operation, now)).await;
    front_end.posted(|message| message.body.content.contains(ASKED)).await;
    assert_eq!(front_end.seat("ada").pings(), 1);
    let edits = front_end.discord.world().message(progress.id).map(|message| message.edits.len());
    assert_eq!(edits, Some(0), "the edit still waits");
    front_end.leave().await;
}

#[tokio::test]
async fn a_question_that_is_over_loses_its_buttons_and_says_what_was_chosen() {
    let front_end = FrontEnd::new().await;
    let (id, _) = begun(&front_end).await;
    let now = front_end.clock.now();
    front_end.commit(id, |operation| ask(operation, now)).await;
    let asked = front_end.posted(|message| message.body.content.contains(ASKED)).await;
    let by = Some(operation_user(&front_end));
    front_end
        .commit(id, |operation| {
            operation.question = None;
            operation.decision = Some(Decision { instruction: Instruction::Force, by, at: now });
        })
        .await;
    let over = front_end.posted(|message| message.body.content.contains("chose **Force power off**")).await;
    assert_eq!(over.id, asked.id, "it is edited");
    assert!(over.body.components.is_empty());
    assert_eq!(front_end.seat("ada").pings(), 1);
    front_end.close().await;
}

#[tokio::test]
async fn a_later_question_is_asked_again() {
    let front_end = FrontEnd::new().await;
    let (id, _) = begun(&front_end).await;
    let now = front_end.clock.now();
    front_end.commit(id, |operation| ask(operation, now)).await;
    let first = front_end.posted(|message| message.body.content.contains(ASKED)).await;
    front_end.commit(id, |operation| operation.question = None).await;
    front_end.posted(|message| message.id == first.id && message.body.components.is_empty()).await;
    front_end.commit(id, |operation| ask(operation, now)).await;
    let second = front_end.posted(|message| message.id != first.id && message.body.content.contains(ASKED)).await;
    assert_eq!(second.nonce, Some(format!("{id}-q2").into()));
    assert_eq!(front_end.seat("ada").pings(), 2);
    front_end.close().await;
}

#[tokio::test]
async fn a_question_whose_post_was_not_answered_is_asked_once() {
    let front_end = FrontEnd::new().await;
    let (id, _) = begun(&front_end).await;
    let now = front_end.clock.now();
    front_end.discord.world().add_fault(Fault::once(posts(front_end.channel).containing(ASKED), Disturbance::CutAfter));
    front_end.commit(id, |operation| ask(operation, now)).await;
    front_end.until_shown(id).await;
    front_end.leave().await;
    assert_eq!(front_end.count(front_end.channel, ASKED), 1);
    assert_eq!(front_end.seat("ada").pings(), 1);
}

#[tokio::test]
async fn a_deleted_question_is_asked_again_while_it_is_open_and_not_afterwards() {
    let front_end = FrontEnd::new().await;
    let (id, _) = begun(&front_end).await;
    let now = front_end.clock.now();
    front_end.commit(id, |operation| ask(operation, now)).await;
    let asked = front_end.posted(|message| message.body.content.contains(ASKED)).await;
    front_end.discord.world().delete_message(asked.id);
    front_end.commit(id, |operation| show(operation, now + SignedDuration::from_mins(1))).await;
    let again = front_end.posted(|message| message.body.content.contains(ASKED)).await;
    assert_ne!(again.id, asked.id);
    front_end.discord.world().delete_message(again.id);
    front_end.commit(id, |operation| operation.question = None).await;
    let path = format!("{}/{}", history(front_end.channel), again.id);
    front_end.until_answered_later("PATCH", &path, 1).await;
    front_end.leave().await;
    assert_eq!(front_end.count(front_end.channel, "· question"), 0);
}

#[tokio::test]
async fn a_question_that_is_over_before_it_could_be_asked_is_not_asked() {
    let front_end = FrontEnd::new().await;
    let (id, _) = begun(&front_end).await;
    front_end
        .commit(id, |operation| {
            operation.questions = 1;
            end(operation);
        })
        .await;
    front_end.posted(|message| message.body.content.contains(READY)).await;
    front_end.leave().await;
    assert_eq!(front_end.count(front_end.channel, "· question"), 0);
}

const ASKED: &str = "What should I do?";

/// The shutdown hangs.
fn ask(operation: &mut Operation, now: Timestamp) {
    operation.steps[0].began = Some(now);
    operation.question = Some(Question { opened_at: now, shown_at: None });
    operation.questions += 1;
    operation.decision = None;
}

fn show(operation: &mut Operation, now: Timestamp) {
    operation.question = Some(Question { opened_at: now, shown_at: Some(now) });
}

fn operation_user(front_end: &FrontEnd) -> UserId {
    UserId(front_end.seat("ada").user.get())
}

/// Everything is done except turning the Droplet on, which fails.
pub(crate) fn stick(operation: &mut Operation, since: Timestamp) {
    for step in operation.steps.iter_mut().filter(|step| step.task() != Task::PowerOn) {
        step.began = Some(since);
        step.state = State::Done { at: since };
    }
    *operation = with_power(operation, |power| {
        power["seen_off"] = json!(true);
        power["owed"] = json!(Owed { since, late_until: None, earlier_until: None });
        power["stuck"] = json!(Stuck { since, why: None });
    });
}

#[tokio::test]
async fn a_call_for_help_pings_and_offers_a_button() {
    let front_end = FrontEnd::new().await;
    let (id, progress) = begun(&front_end).await;
    let now = front_end.clock.now();
    front_end.commit(id, |operation| stick(operation, now)).await;
    let call = front_end.posted(|message| message.body.content.contains("I couldn't turn")).await;
    assert_eq!(call.reference, Some(progress.id));
    assert_eq!(front_end.seat("ada").pings(), 1);
    front_end.close().await;
}

/// Longer than Discord remembers a nonce.
const LONG: SignedDuration = SignedDuration::from_mins(10);
const READY: &str = "is ready";

pub(crate) fn posts(channel: Snowflake) -> Pattern {
    format!("POST {}", history(channel)).parse().expect("a pattern")
}

fn lists() -> Pattern {
    "GET /channels/*/messages".parse().expect("a pattern")
}

pub(crate) fn history(channel: Snowflake) -> String {
    format!("/channels/{channel}/messages")
}

/// Commits a change whose announcement arrives, but the bot learns of it only after Discord has forgotten its nonce.
async fn arrives_unheard(
    front_end: &FrontEnd,
    id: OperationId,
    (channel, text): (Snowflake, &str),
    change: impl FnOnce(&mut Operation),
) {
    front_end.discord.world().add_fault(Fault::once(posts(channel).containing(text), Disturbance::CutAfter));
    front_end.commit(id, change).await;
    front_end.posted_in(channel, |message| message.body.content.contains(text)).await;
    front_end.clock.advance(LONG);
}

fn end(operation: &mut Operation) {
    operation.outcome = Some(Outcome::Completed);
    operation.ended = Some(operation.asked_at);
}

#[tokio::test]
async fn what_discord_no_longer_remembers_is_found_by_its_small_print_although_the_words_changed() {
    let front_end = FrontEnd::new().await;
    let (id, _) = begun(&front_end).await;
    arrives_unheard(&front_end, id, (front_end.channel, READY), end).await;
    front_end.commit(id, |operation| operation.outcome = Some(Outcome::Cancelled)).await;
    front_end.until_answered_later("GET", &history(front_end.channel), 1).await;
    front_end.leave().await;
    assert_eq!(front_end.count(front_end.channel, &format!("-# operation {id}")), 1);
}

#[tokio::test]
async fn every_kind_of_announcement_is_found_again() {
    type Change = fn(&mut Operation);
    let stuck: Change = |operation| {
        let since = operation.asked_at;
        stick(operation, since);
    };
    let repaired: Change = |operation| {
        let at = operation.asked_at;
        *operation = with_power(operation, |power| power["repaired"] = json!(at));
    };
    for (is_notified, text, change) in
        [(false, "· power", stuck), (false, "· late shutdown", repaired), (true, "· outcome", end)]
    {
        let front_end = FrontEnd::new().await;
        let (id, _) = begun(&front_end).await;
        let channel = if is_notified { front_end.notified } else { front_end.channel };
        arrives_unheard(&front_end, id, (channel, text), change).await;
        front_end.until_answered_later("GET", &history(channel), 1).await;
        front_end.leave().await;
        assert_eq!(front_end.count(channel, text), 1, "{text}");
    }
}

#[tokio::test]
async fn a_look_that_fails_for_the_moment_proves_nothing() {
    let front_end = FrontEnd::new().await;
    let (id, _) = begun(&front_end).await;
    front_end.discord.world().add_fault(Fault::once(lists(), Disturbance::Down(502)));
    arrives_unheard(&front_end, id, (front_end.channel, READY), end).await;
    front_end.until_answered_later("GET", &history(front_end.channel), 2).await;
    front_end.leave().await;
    assert_eq!(front_end.count(front_end.channel, READY), 1);
}

#[tokio::test]
async fn in_a_busy_channel_the_look_goes_back_to_the_first_try() {
    let front_end = FrontEnd::new().await;
    let (id, _) = begun(&front_end).await;
    let bob = front_end.seat("bob").user;
    front_end.discord.world().add_fault(Fault::once(posts(front_end.channel).containing(READY), Disturbance::CutAfter));
    front_end.commit(id, end).await;
    front_end.posted(|message| message.body.content.contains(READY)).await;
    for _ in 0..250 {
        front_end.discord.world().say(front_end.channel, bob, "and another thing");
    }
    front_end.clock.advance(LONG);
    front_end.until_answered_later("GET", &history(front_end.channel), 3).await;
    front_end.leave().await;
    assert_eq!(front_end.count(front_end.channel, READY), 1);
}

#[tokio::test]
async fn where_nothing_can_be_read_a_doubled_announcement_is_better_than_a_lost_one() {
    let front_end = FrontEnd::new().await;
    let (id, _) = begun(&front_end).await;
    arrives_unheard(&front_end, id, (front_end.channel, READY), end).await;
    front_end.discord.world().deny_bot(front_end.channel, Permissions::READ_MESSAGE_HISTORY);
    let channel = front_end.channel;
    let doubled = |message: &&Message| message.body.content.contains(READY);
    front_end.until(|world| (world.messages_in(channel).filter(doubled).count() == 2).then_some(())).await;
}

/// The channel is gone, and Discord fails for the fallback too.
fn nobody_to_tell(front_end: &FrontEnd) -> Snowflake {
    let ada = front_end.seat("ada").user;
    let mut world = front_end.discord.world();
    world.delete_channel(front_end.channel);
    world.add_fault(
        Fault::always("POST /users/@me/channels".parse().expect("a pattern"), Disturbance::Down(502)).times(2),
    );
    world.direct_channel(ada)
}

#[tokio::test]
async fn an_answer_that_cannot_be_given_directly_at_once_is_given_later() {
    let front_end = FrontEnd::new().await;
    let (id, _) = begun(&front_end).await;
    let direct = nobody_to_tell(&front_end);
    front_end.commit(id, end).await;
    front_end.posted_later(direct, READY).await;
    front_end.posted_in(front_end.notified, |message| message.body.content.contains(READY)).await;
}

#[tokio::test]
async fn a_call_for_help_that_cannot_be_heard_at_once_is_heard_later() {
    let front_end = FrontEnd::new().await;
    let (id, _) = begun(&front_end).await;
    let direct = nobody_to_tell(&front_end);
    front_end.discord.world().delete_channel(front_end.notified);
    let now = front_end.clock.now();
    front_end.commit(id, |operation| stick(operation, now)).await;
    front_end.posted_later(direct, "I couldn't turn").await;
}

#[tokio::test]
async fn a_call_for_help_waits_for_the_notify_channel() {
    let front_end = FrontEnd::new().await;
    let (id, _) = begun(&front_end).await;
    front_end.discord.world().delete_channel(front_end.channel);
    let now = front_end.clock.now();
    front_end.discord.world().add_fault(Fault::always(posts(front_end.notified), Disturbance::Down(502)).named("down"));
    front_end.commit(id, |operation| stick(operation, now)).await;
    front_end.until_answered("POST", &history(front_end.notified), 1).await;
    front_end.discord.world().end_fault("down");
    front_end.posted_later(front_end.notified, "I couldn't turn").await;
}

#[tokio::test]
async fn an_answer_that_discord_refuses_for_good_reaches_who_asked_directly() {
    let front_end = FrontEnd::new().await;
    let (id, _) = begun(&front_end).await;
    let ada = front_end.seat("ada").user;
    let direct = front_end.discord.world().direct_channel(ada);
    let refuse = Disturbance::Refuse { status: 400, code: 0, message: "no".to_owned() };
    front_end.discord.world().add_fault(Fault::always(posts(front_end.channel), refuse));
    front_end.commit(id, end).await;
    front_end.posted_later(direct, READY).await;
}

#[tokio::test]
async fn while_discord_limits_the_whole_bot_nothing_is_posted_anywhere() {
    let front_end = FrontEnd::new().await;
    let bob = front_end.seat("bob").user;
    let elsewhere = front_end.discord.world().add_channel(front_end.guild, "elsewhere");
    let hour = Duration::from_hours(1);
    front_end.discord.world().add_fault(Fault::once(posts(front_end.channel), Disturbance::ThrottleGlobal(hour)));
    front_end.said_to("ada", "/snapshot take droplet:web-1").await;
    let seat = front_end.discord.as_user(bob, elsewhere);
    // The answer waits a moment for the progress message, to link to it.
    let accepted = front_end.read(&seat.run("/snapshot take droplet:web-2").await.unwrap()).await;
    assert!(accepted.starts_with("On it"), "{accepted}");
    assert!(!front_end.discord.world().messages_in(elsewhere).any(is_progress));
    front_end.clock.advance(SignedDuration::from_hours(1));
    front_end.posted_in(elsewhere, is_progress).await;
}
