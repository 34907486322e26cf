//! What an ending is judged by: the world, the memory, and what everybody in the channel sees.

use snapshot_bot::sandbox::digitalocean::droplet::Status;

use crate::stage::{Person, Stage};

/// How a telling ended.
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
    pings_of_asker: usize,
    pings: usize,
    buttons: usize,
}

impl Ending {
    pub(super) async fn of(stage: &Stage, asker: &Person, bystander: &Person) -> Self {
        asker.transcript();
        let web = stage.digitalocean.read(|world| {
            let web = world.droplet_named("web-1").map(|droplet| (droplet.id, droplet.status));
            web.map(|(id, status)| (status, world.snapshots_of(id).len()))
        });
        let actions = stage.digitalocean.read(|world| world.actions().map(|action| action.kind.as_str()).collect());
        let seen = bystander.seat.messages();
        Self {
            // Whether a message was edited or posted when all was over is nobody's business.
            transcript: bystander.transcript().replace(" (edited)", ""),
            actions,
            status: web.map(|(status, _)| status),
            snapshots: web.map_or(0, |(_, snapshots)| snapshots),
            droplets: stage.digitalocean.read(|world| world.droplets().count()),
            operations: stage.query("SELECT COUNT(*) AS n FROM operations").await,
            owed: stage.query("SELECT COUNT(*) AS n FROM power_owed").await,
            pings_of_asker: asker.seat.pings(),
            pings: stage.discord.world().pings().len(),
            buttons: seen.iter().map(|message| message.body.components.len()).sum(),
        }
    }

    /// What a person who compares two endings would say.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        (self != other).then(|| format!("--- wanted {self:#?}\n--- came {other:#?}\n{}", other.transcript))
    }
}
