//! What people type, and the answers.

use snapshot_bot::{
    discord::intake::IntakeState,
    operation::{
        Instruction,
        ids::OperationId,
        kinds::{Downtime, Kind, Take},
    },
};
use snapshot_bot_sandbox::discord::{message::Message, permission::Permissions};

use crate::front_end::FrontEnd;

#[tokio::test]
async fn a_take_is_accepted_once_it_is_durable_and_links_to_its_progress() {
    let front_end = FrontEnd::new().await;
    let answer = front_end.said_to("ada", "/snapshot take droplet:web-1").await;
    let operation = front_end.running().await;
    assert!(matches!(operation.kind, Kind::Take(Take { power: Downtime::PowerOff, .. })));
    let progress = front_end.posted(|message| !message.body.embeds.is_empty()).await;
    let link = format!("https://discord.com/channels/{}/{}/{}", front_end.guild, front_end.channel, progress.id);
    assert_eq!(answer, format!("On it: taking a Snapshot of `web-1`. Follow it at {link}"));
    assert_eq!(progress.nonce, Some(format!("{}-p", operation.id).into()));
    let transcript = front_end.seat("ada").transcript();
    let transcript = transcript.replace(&link, "[link]").replace(&operation.id.to_string(), "[id]");
    insta::assert_snapshot!(transcript);
    front_end.close().await;
}

#[tokio::test]
async fn suggestions_are_the_droplets_best_first_and_none_for_who_may_not() {
    let front_end = FrontEnd::new().await;
    let choices = front_end.seat("ada").autocomplete("snapshot take", "droplet", "we", &[]).await.unwrap();
    let names: Vec<_> = choices.iter().map(|choice| choice.name.split(' ').next().unwrap_or_default()).collect();
    assert_eq!(names, ["web-1", "web-2"]);
    let why = front_end.seat("gil").autocomplete("snapshot take", "droplet", "we", &[]).await.unwrap();
    assert_eq!(why.len(), 1);
    assert_eq!(why[0].name, "You need @operators to take Snapshots");
    front_end.close().await;
}

#[tokio::test]
async fn who_may_not_is_told_which_role_would_do() {
    let front_end = FrontEnd::new().await;
    let answer = front_end.said_to("gil", "/snapshot take droplet:web-1").await;
    assert_eq!(answer, format!("You need <@&{}> to take Snapshots. Ask a server admin.", front_end.takers()));
    assert!(front_end.store.running().await.unwrap().is_empty());
    front_end.close().await;
}

#[tokio::test]
async fn a_droplet_that_is_not_there_is_answered_with_the_nearest_names() {
    let front_end = FrontEnd::new().await;
    let answer = front_end.said_to("ada", "/snapshot take droplet:valhiem").await;
    assert!(answer.starts_with("There is no Droplet `valhiem`."), "{answer}");
    front_end.close().await;
}

#[tokio::test]
async fn a_busy_droplet_is_refused_with_the_way_to_what_runs() {
    let front_end = FrontEnd::new().await;
    front_end.said_to("ada", "/snapshot take droplet:web-1").await;
    let progress = front_end.posted(|message| !message.body.embeds.is_empty()).await;
    let answer = front_end.said_to("bob", "/snapshot take droplet:web-1 power:live").await;
    let link = format!("https://discord.com/channels/{}/{}/{}", front_end.guild, front_end.channel, progress.id);
    assert_eq!(
        answer,
        format!(
            "`web-1` is busy: {link} is still running on it. Wait for it to finish, or ask a server admin to cancel it."
        )
    );
    front_end.close().await;
}

#[tokio::test]
async fn an_interaction_that_arrives_twice_does_one_thing() {
    let front_end = FrontEnd::new().await;
    front_end.discord.world().dispatch_next_twice();
    front_end.said_to("ada", "/snapshot take droplet:web-1").await;
    front_end.said_to("ada", "/snapshot help").await;
    assert_eq!(front_end.store.running().await.unwrap().len(), 1);
    let progress = front_end.seat("ada").messages().into_iter().filter(Message::is_public).count();
    assert_eq!(progress, 1);
    let callbacks =
        front_end.discord.world().journal().iter().filter(|sent| sent.request.path.ends_with("/callback")).count();
    assert_eq!(callbacks, 2, "one for each command");
    front_end.close().await;
}

#[tokio::test]
async fn where_the_bot_may_not_post_it_names_the_right_and_begins_nothing() {
    let front_end = FrontEnd::new().await;
    front_end.discord.world().deny_bot(front_end.channel, Permissions::EMBED_LINKS);
    let answer = front_end.said_to("ada", "/snapshot take droplet:web-1").await;
    assert!(answer.contains("I lack **Embed Links** in this channel"), "{answer}");
    assert!(front_end.store.running().await.unwrap().is_empty());
    front_end.close().await;
}

#[tokio::test]
async fn before_a_stop_nothing_new_begins() {
    let front_end = FrontEnd::new().await;
    front_end.intake.set(IntakeState::Draining);
    let answer = front_end.said_to("ada", "/snapshot take droplet:web-1").await;
    assert!(answer.starts_with("I'm being restarted"), "{answer}");
    front_end.close().await;
}

#[tokio::test]
async fn help_and_status_are_answered() {
    let front_end = FrontEnd::new().await;
    let help = front_end.said_to("gil", "/snapshot help").await;
    assert!(help.contains("</snapshot status:") && !help.contains("</snapshot take:"), "{help}");
    assert_eq!(front_end.said_to("gil", "/snapshot status").await, "**Nothing is running.**");
    front_end.said_to("ada", "/snapshot take droplet:web-1").await;
    front_end.said_to("gil", "/snapshot status").await;
    let status = front_end.seat("gil").transcript();
    assert!(status.contains("Running now") && status.contains("**Snapshot of `web-1`** for @ada"), "{status}");
    let id = front_end.running().await.id;
    front_end.said_to("gil", &format!("/snapshot status operation:{id}")).await;
    let detail = front_end.seat("gil").transcript();
    assert!(detail.contains("Requested by @ada"), "{detail}");
    let unknown = front_end.said_to("gil", "/snapshot status operation:nonsense").await;
    assert!(unknown.starts_with("There is no operation `nonsense`."), "{unknown}");
    front_end.close().await;
}

#[tokio::test]
async fn a_press_counts_for_people_with_the_right_and_is_refused_to_others() {
    let front_end = FrontEnd::new().await;
    front_end.said_to("ada", "/snapshot take droplet:web-1").await;
    let progress = front_end.posted(|message| !message.body.embeds.is_empty()).await;
    let id = front_end.running().await.id;
    let cancel = format!("cancel:{id}");
    let refused = front_end.seat("bob").press(progress.id, &cancel).await.unwrap();
    assert!(front_end.read(&refused).await.starts_with("Somebody else asked for this."));
    assert_eq!(presses(&front_end, id).await, []);
    let heard = front_end.seat("ada").press(progress.id, &cancel).await.unwrap();
    assert!(front_end.read(&heard).await.starts_with("Stopping the Snapshot"));
    assert_eq!(presses(&front_end, id).await, [Instruction::Cancel]);
    let late = front_end.seat("ada").forge_press(progress.id, &format!("force:{id}")).await.unwrap();
    assert!(front_end.read(&late).await.starts_with("Somebody already decided;"));
    let old = front_end.seat("ada").forge_press(progress.id, "explode:everything").await.unwrap();
    assert!(front_end.read(&old).await.starts_with("This button is from an older version"));
    front_end.close().await;
}

/// People's instructions for an operation. The bot itself records that they were answered.
async fn presses(front_end: &FrontEnd, id: OperationId) -> Vec<Instruction> {
    let loaded = front_end.store.load(id).await.ok().flatten();
    let instructions = loaded.map(|loaded| loaded.instructions).unwrap_or_default();
    instructions
        .iter()
        .map(|(_, instructed)| instructed.instruction)
        .filter(|instruction| *instruction != Instruction::AnswerTaken)
        .collect()
}
