//! What determines an ending: the world, the database, and what everybody in the channel sees.
//!
//! A bot that dies while its first answer is under way cannot know whether the person was answered. Whatever is harmless continues all the
//! same; the rest is withdrawn, and the person asks again. So the notice of a withdrawal, and its row, are left out here. The Actions,
//! which must be the same, each once, prove that nothing was done for it.

use snapshot_bot_sandbox::{digitalocean::droplet::Status, discord::message::Message};

use super::case::WITHDRAWN;
use crate::stage::{Person, Stage};

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    /// The channel, as a bystander sees it.
    pub(super) transcript: String,
    /// The Actions that DigitalOcean began, in order.
    pub(super) actions: Vec<&'static str>,
    status: Option<Status>,
    snapshots: usize,
    droplets: usize,
    operations: i64,
    owed: i64,
    pings_of_requester: usize,
    pings: usize,
    buttons: usize,
}

impl Ending {
    pub(super) async fn of(stage: &Stage, requester: &Person, bystander: &Person) -> Self {
        requester.transcript();
        let web = stage.digitalocean.read(|world| {
            let web = world.droplet_named("web-1").map(|droplet| (droplet.id, droplet.status));
            web.map(|(id, status)| (status, world.snapshots_of(id).len()))
        });
        let actions = stage.digitalocean.read(|world| world.actions().map(|action| action.kind.as_str()).collect());
        let withdrawn: Vec<_> =
            bystander.seat.messages().iter().filter(|message| is_withdrawn(message)).map(|it| it.id).collect();
        for message in withdrawn {
            stage.discord.world().delete_message(message);
        }
        let seen = bystander.seat.messages();
        Self {
            // Whether a message was edited or posted at the end does not matter.
            transcript: bystander.transcript().replace(" (edited)", ""),
            actions,
            status: web.map(|(status, _)| status),
            snapshots: web.map_or(0, |(_, snapshots)| snapshots),
            droplets: stage.digitalocean.read(|world| world.droplets().count()),
            operations: stage.query("SELECT COUNT(*) AS n FROM operations").await - stage.query(WITHDRAWN).await,
            owed: stage.query("SELECT COUNT(*) AS n FROM power_owed").await,
            pings_of_requester: requester.seat.pings(),
            pings: stage.discord.world().pings().len(),
            buttons: seen.iter().map(|message| message.body.components.len()).sum(),
        }
    }

    /// The difference between two endings, as a person would describe it.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        (self != other).then(|| format!("--- wanted {self:#?}\n--- came {other:#?}\n{}", other.transcript))
    }
}

/// The progress message of an operation that did not begin.
fn is_withdrawn(message: &Message) -> bool {
    let title = |embed: &serde_json::Value| embed["title"].as_str().is_some_and(|title| title.contains("withdrawn"));
    message.body.embeds.iter().any(title)
}
