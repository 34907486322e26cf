//! Resolves what a person typed to exactly one thing, or to a refusal that explains why that is not possible.
//!
//! People can submit values that Discord never offered, so each value is looked up again.

use super::{messages::refusal::Refusal, state::AppState};
use crate::{
    inventory::Unresolved,
    operation::ids::{DropletId, SnapshotId},
    store,
};

/// The refusal for a text that names no permitted Droplet.
pub(super) fn no_droplet(text: &str, unresolved: Unresolved) -> Refusal {
    let text = text.to_owned();
    match unresolved {
        // Suggestions and buttons carry ids, so the Droplet existed.
        Unresolved::NotFound { .. } if text.parse::<DropletId>().is_ok() => Refusal::DropletGone { droplet: None },
        Unresolved::NotFound { nearest } => Refusal::UnknownDroplet { text, nearest },
        Unresolved::OfAnotherDroplet { .. } => Refusal::UnknownDroplet { text, nearest: Vec::new() },
        Unresolved::Ambiguous { name, labels } => Refusal::AmbiguousDroplet { text: name, labels },
        Unresolved::NotTagged { name, tag } => Refusal::UntaggedDroplet { name, tag },
        Unresolved::TokenRefused => Refusal::DigitalOceanTokenRefused,
        Unresolved::Forbidden { scopes, message } => {
            Refusal::DigitalOceanForbids { scopes: scopes.join(", "), message }
        }
        Unresolved::Unavailable(error) => down(&error),
        Unresolved::Late => Refusal::DigitalOceanDown,
    }
}

/// Adds the Droplet's name to a refusal that says that it is gone.
pub(super) fn called(refusal: Refusal, name: &str) -> Refusal {
    match refusal {
        Refusal::DropletGone { droplet: None } => Refusal::DropletGone { droplet: Some(name.to_owned()) },
        refusal => refusal,
    }
}

/// The refusal for a text that names no Snapshot, or none of this Droplet.
pub(super) fn no_snapshot(text: &str, droplet: Option<&str>, unresolved: Unresolved) -> Refusal {
    let (text, droplet) = (text.to_owned(), droplet.map(str::to_owned));
    match unresolved {
        Unresolved::NotFound { nearest } => match text.parse::<SnapshotId>() {
            Ok(id) => Refusal::SnapshotGone { id },
            Err(_) => Refusal::UnknownSnapshot { text, droplet, nearest },
        },
        Unresolved::OfAnotherDroplet { name } => {
            Refusal::ForeignSnapshot { snapshot: name, droplet: droplet.unwrap_or_default() }
        }
        Unresolved::Ambiguous { name, labels } => Refusal::AmbiguousSnapshot { text: name, labels },
        Unresolved::NotTagged { name, tag } => Refusal::UntaggedDroplet { name, tag },
        Unresolved::TokenRefused => Refusal::DigitalOceanTokenRefused,
        Unresolved::Forbidden { scopes, message } => {
            Refusal::DigitalOceanForbids { scopes: scopes.join(", "), message }
        }
        Unresolved::Unavailable(error) => down(&error),
        Unresolved::Late => Refusal::DigitalOceanDown,
    }
}

/// Adds, to a refusal about a Snapshot that the bot deleted, for whom it did so.
pub(super) async fn by_whom(state: &AppState, refusal: Refusal) -> Result<Refusal, store::Error> {
    let Refusal::SnapshotGone { id } = refusal else { return Ok(refusal) };
    let deletion = state.store.deletion_of(id).await?;
    Ok(deletion.map_or(refusal, |deletion| Refusal::SnapshotDeleted { by: deletion.by, at: deletion.at }))
}

fn down(error: &dyn std::error::Error) -> Refusal {
    tracing::warn!(%error, "could not look something up");
    Refusal::DigitalOceanDown
}
