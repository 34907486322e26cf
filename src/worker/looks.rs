//! How the run loop reads DigitalOcean: looks shared by many operations, and individual looks.

use std::{fmt::Debug, time::Duration};

use jiff::Timestamp;

use super::{Claimed, translate};
use crate::{
    clock::Clock,
    digitalocean::{
        client::Client,
        error::Error,
        readings,
        watcher::{SharedLook, Watcher},
    },
    operation::effect::{Answer, Look},
};

/// Performs the looks that operations ask for.
pub(super) struct Looks {
    client: Client,
    watcher: Watcher,
    clock: Clock,
}

/// The result of a look.
pub(super) enum Looked {
    /// DigitalOcean's answer.
    Answer(Answer),
    /// Nothing was sent; a reading will be available at this time.
    Later(Timestamp),
}

impl Looks {
    /// Performs looks, for which a shared reading younger than `interval` is recent enough.
    pub(super) fn new(client: Client, interval: Duration, clock: Clock) -> Self {
        Self { watcher: Watcher::new(client.clone(), interval), client, clock }
    }

    /// Performs a look. What other operations look at too is read once and shared.
    pub(super) async fn look(&self, claimed: &Claimed, look: &Look, fresh: readings::Look) -> Looked {
        if let Some(of) = translate::listed_for(claimed.operation(), look) {
            match self.watcher.snapshot(of, fresh).await {
                Ok(Some(SharedLook::Later(moment))) => return Looked::Later(moment),
                Ok(Some(SharedLook::Seen(seen))) if seen.value.name == claimed.operation().snapshot_name => {
                    return Looked::Answer(Answer::Snapshots(vec![translate::snapshot_reading(seen.value)]));
                }
                Ok(Some(SharedLook::Seen(_)) | None) => {}
                Err(error) => return Looked::Answer(self.or_trouble(look, Err(error))),
            }
        }
        let seen = match look {
            Look::Droplet(id) => match self.watcher.droplet(*id, fresh).await {
                Ok(SharedLook::Later(moment)) => return Looked::Later(moment),
                Ok(SharedLook::Seen(seen)) => {
                    Ok(Answer::Droplet(translate::droplet_reading(seen.value)).asked_at(seen.at))
                }
                Err(error) => Err(error),
            },
            Look::Action(id) => match self.watcher.action(*id, fresh).await {
                Ok(SharedLook::Later(moment)) => return Looked::Later(moment),
                Ok(SharedLook::Seen(seen)) => Ok(Answer::Action(translate::action_reading(seen.value))),
                Err(error) => Err(error),
            },
            Look::Actions(_)
            | Look::Snapshots(_)
            | Look::Snapshot(_)
            | Look::Launched(_)
            | Look::CreatedAs(_)
            | Look::Listed(_)
            | Look::Backups(_)
            | Look::Image(_) => {
                self.client.run(translate::look_of(claimed.operation(), look).with_priority(fresh.priority)).await
            }
        };
        Looked::Answer(self.or_trouble(look, seen))
    }

    /// The answer, or the meaning of an error for the operation.
    pub(super) fn or_trouble(&self, asked: &impl Debug, answer: Result<Answer, Error>) -> Answer {
        answer.unwrap_or_else(|error| {
            tracing::info!(?asked, %error, "DigitalOcean did not do as asked");
            Answer::Trouble(translate::trouble(&error, self.clock.now()))
        })
    }
}
