//! What is busy, because of which operation, and the buttons that help.

use super::{
    super::{
        kinds::words,
        message::{Button, Style},
        text::name,
        units::link,
    },
    denied::any_of,
};
use crate::{
    discord::press::{Act, Press},
    operation::{
        ids::{ChannelId, GuildId, MessageId, OperationId, RoleId},
        kinds::Kind,
    },
};

/// What keeps something busy, limited to what the reader may see.
#[derive(Clone, Debug, PartialEq)]
pub enum Occupant {
    /// An operation of the same guild.
    Here {
        /// The operation.
        operation: OperationId,
        /// Its progress message.
        progress: Option<(GuildId, ChannelId, MessageId)>,
        /// Who may cancel it.
        cancel: MayCancel,
    },
    /// An operation of another guild, whose channel and requester stay private.
    Elsewhere {
        /// What it does.
        kind: Box<Kind>,
        /// Its id, if the reader may cancel it from here.
        may_cancel: Option<OperationId>,
    },
}

/// Who may cancel the operation that keeps something busy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MayCancel {
    /// The reader.
    Asker,
    /// Others: people with one of these roles, or the guild's administrators if there are no such roles.
    Others(Vec<RoleId>),
    /// It can no longer be cancelled.
    Nobody,
}

/// *Go there* and *Cancel it*.
pub(in crate::discord::messages) fn ways_on(by: &Occupant) -> Vec<Button> {
    let Occupant::Here { operation, progress, cancel } = by else { return Vec::new() };
    let there = progress.map(|(guild, channel, message)| Button::link("Go there", link(guild, channel, message)));
    let press = Press::Instruction { act: Act::Cancel, operation: *operation };
    let cancel = (*cancel == MayCancel::Asker).then(|| Button::new("Cancel it", Style::Danger, press));
    there.into_iter().chain(cancel).collect()
}

/// The operation that runs, limited to what the reader may see.
pub(in crate::discord::messages) fn by_what(by: &Occupant) -> String {
    match by {
        Occupant::Here { operation, progress, .. } => way(*operation, *progress),
        Occupant::Elsewhere { kind, .. } => format!("another server is {}", words(kind).with_droplet()),
    }
}

pub(super) fn tried_again(by: &Occupant) -> String {
    match by {
        Occupant::Here { operation, progress, .. } => {
            format!("Somebody has tried again already: {}.", way(*operation, *progress))
        }
        Occupant::Elsewhere { .. } => "Somebody has tried again already.".to_owned(),
    }
}

pub(super) fn busy(droplet: &str, by: &Occupant) -> String {
    let droplet = name(droplet);
    match by {
        Occupant::Here { operation, progress, cancel } => {
            let or_else = match cancel {
                MayCancel::Asker => ", or cancel it".to_owned(),
                MayCancel::Others(roles) if roles.is_empty() => ", or ask a server admin to cancel it".to_owned(),
                MayCancel::Others(roles) => format!(", or ask somebody with {} to cancel it", any_of(roles)),
                MayCancel::Nobody => String::new(),
            };
            let running = way(*operation, *progress);
            format!("{droplet} is busy: {running} is still running on it. Wait for it to finish{or_else}.")
        }
        Occupant::Elsewhere { kind, may_cancel } => {
            format!("{droplet} is busy: another server is {}. {}", words(kind).with_droplet(), cancel_it(*may_cancel))
        }
    }
}

pub(super) fn in_use(by: &Occupant) -> String {
    match by {
        Occupant::Here { operation, progress, .. } => format!(
            "Nothing started: {} still uses this Snapshot. Try again when that has ended.",
            way(*operation, *progress)
        ),
        Occupant::Elsewhere { kind, may_cancel } => {
            format!(
                "This Snapshot is in use: another server is {}. {}",
                words(kind).with_snapshot(),
                cancel_it(*may_cancel)
            )
        }
    }
}

pub(super) fn cancel_it(may_cancel: Option<OperationId>) -> String {
    match may_cancel {
        Some(operation) => {
            format!(
                "Wait until that has ended, or stop it with `/snapshot cancel operation:{operation}`. Nothing started."
            )
        }
        None => "Try again when that has ended. Nothing started.".to_owned(),
    }
}

pub(super) fn way(operation: OperationId, progress: Option<(GuildId, ChannelId, MessageId)>) -> String {
    match progress {
        Some((guild, channel, message)) => link(guild, channel, message),
        None => format!("operation `{operation}`"),
    }
}

pub(super) fn too_late(operation: OperationId, progress: Option<(GuildId, ChannelId, MessageId)>) -> String {
    let place = progress.map_or_else(
        || format!("`/snapshot status operation:{operation}`"),
        |(guild, channel, message)| link(guild, channel, message),
    );
    format!("Somebody already decided; {place} shows how it goes on.")
}
