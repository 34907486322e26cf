//! Refusals: expected, kind, seen by one person only. Each says what, why, and what to do next.

use super::{
    text::{name, quote},
    units::link,
};
use crate::{
    access::{Denial, Right},
    operation::ids::{ChannelId, GuildId, MessageId, OperationId},
};

/// Why a person does not get what they asked for. Closed: there is no variant that holds any text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// They may not.
    Denied(Denial),
    /// What they typed is no Droplet of ours.
    UnknownDroplet {
        /// What was typed.
        text: String,
        /// The nearest names, best first.
        nearest: Vec<String>,
    },
    /// Several Droplets have this name.
    AmbiguousDroplet {
        /// The name.
        text: String,
        /// How they differ.
        labels: Vec<String>,
    },
    /// The Droplet lacks the tag that lets us touch it.
    UntaggedDroplet {
        /// Its name.
        name: String,
        /// The tag.
        tag: String,
    },
    /// DigitalOcean could not be asked about the Droplet.
    DigitalOceanDown,
    /// Another operation runs on the Droplet.
    Busy {
        /// The Droplet's name.
        droplet: String,
        /// Which operation.
        operation: OperationId,
        /// Where its progress is.
        progress: Option<(GuildId, ChannelId, MessageId)>,
    },
    /// The bot may not post where it was asked.
    CannotPost {
        /// The rights that it lacks there, in Discord's words.
        missing: Vec<&'static str>,
    },
    /// The bot is about to stop.
    Draining,
    /// Another copy of the bot is at work.
    Standby,
    /// The name cannot be a Snapshot's.
    BadSnapshotName(BadName),
    /// No such operation.
    UnknownOperation {
        /// What was typed.
        text: String,
    },
    /// The operation has ended.
    AlreadyEnded(OperationId),
    /// The question is not open any more, or the moment has passed.
    TooLate,
    /// The operation is somebody else's, and their right is not enough for that.
    NotYours(Denial),
    /// The button is none of ours, or an old one.
    UnknownButton,
    /// The command is not one of ours, or an old one.
    UnknownCommand,
}

/// What is wrong with a Snapshot's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadName {
    /// Nothing but space.
    Empty,
    /// Longer than we take.
    TooLong,
    /// Holds characters that cannot be seen.
    Invisible,
}

/// The longest name that a person may give a Snapshot.
pub const LONGEST_SNAPSHOT_NAME: usize = 100;

impl Refusal {
    /// The words.
    pub fn words(&self) -> String {
        match self {
            Self::Denied(denial) => denied(denial),
            Self::UnknownDroplet { text, nearest } => unknown_droplet(text, nearest),
            Self::AmbiguousDroplet { text, labels } => format!(
                "{} Droplets are called {}: {}. Choose one from the list that appears while you type.",
                labels.len(),
                name(text),
                listed(labels)
            ),
            Self::UntaggedDroplet { name: droplet, tag } => format!(
                "{} is there, but without the tag {}, and this bot touches no Droplet that lacks it. Add the tag at DigitalOcean, \
                 then try again.",
                name(droplet),
                name(tag)
            ),
            Self::DigitalOceanDown => {
                "DigitalOcean does not answer, so the Droplet could not be looked up. Nothing was done; try again in a minute."
                    .to_owned()
            }
            Self::Busy { droplet, operation, progress } => busy(droplet, *operation, *progress),
            Self::CannotPost { missing } => format!(
                "This bot may not show its progress here: it lacks {} in this channel. Nothing was done. Ask somebody who runs \
                 the server to grant that, or use another channel.",
                missing.iter().map(|right| format!("**{right}**")).collect::<Vec<_>>().join(" and ")
            ),
            Self::Draining => "This bot is being restarted and begins nothing new. Nothing was done; try again in a minute.".to_owned(),
            Self::Standby => {
                "This copy of the bot only stands by, and another is at work. Nothing was done; try again in a minute.".to_owned()
            }
            Self::BadSnapshotName(bad) => bad_name(*bad),
            Self::UnknownOperation { text } => {
                format!("There is no operation {}. `/snapshot status` lists what is running and what ended last.", name(text))
            }
            Self::AlreadyEnded(operation) => format!("Operation `{operation}` has ended already, so there is nothing left to do."),
            Self::TooLate => "That is decided already. The message shows how it goes on.".to_owned(),
            Self::NotYours(denial) => format!("Somebody else asked for this. {}", denied(denial)),
            Self::UnknownButton => "This button is from an older version and does nothing any more. `/snapshot status` shows what runs.".to_owned(),
            Self::UnknownCommand => {
                "This command has changed meanwhile. Reload Discord, then try again; `/snapshot help` lists what there is.".to_owned()
            }
        }
    }
}

/// Why somebody may not, and who could change that.
pub fn denied(denial: &Denial) -> String {
    match denial {
        Denial::NotInGuild => {
            "This bot works in a server's channels, not in direct messages. Use the command there.".to_owned()
        }
        Denial::ForeignGuild => {
            "This bot does not serve this server. Whoever runs it can add the server to `DISCORD_GUILD_ID`.".to_owned()
        }
        Denial::MissingRole { right, roles } => {
            let roles: Vec<String> = roles.iter().take(10).map(|role| format!("<@&{role}>")).collect();
            format!(
                "You need {} {} to {}. Somebody who runs this server can give it to you.",
                one_of(&roles),
                roles.join(", "),
                doing(*right)
            )
        }
        Denial::NobodyConfigured { right } => format!(
            "Only members with **Administrator** or **Manage Server** may {}, because no role is configured for it. Whoever runs \
             this bot can set `{}`.",
            doing(*right),
            variable(*right)
        ),
    }
}

fn one_of(roles: &[String]) -> &'static str {
    if roles.len() == 1 { "the role" } else { "one of the roles" }
}

fn doing(right: Right) -> &'static str {
    match right {
        Right::View => "see Snapshots and what is running",
        Right::Take => "take Snapshots",
        Right::Restore => "restore and delete, or decide about what others asked for",
    }
}

fn variable(right: Right) -> &'static str {
    match right {
        Right::View => "VIEW_ROLES",
        Right::Take => "TAKE_ROLES",
        Right::Restore => "RESTORE_ROLES",
    }
}

fn unknown_droplet(text: &str, nearest: &[String]) -> String {
    if nearest.is_empty() {
        return format!("There is no Droplet {}. Choose one from the list that appears while you type.", quote(text));
    }
    let nearest: Vec<String> = nearest.iter().map(|near| name(near)).collect();
    format!("There is no Droplet {}. Did you mean {}?", quote(text), alternatives(&nearest))
}

fn alternatives(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

fn listed(labels: &[String]) -> String {
    labels.iter().take(10).map(|label| name(label)).collect::<Vec<_>>().join(", ")
}

fn busy(droplet: &str, operation: OperationId, progress: Option<(GuildId, ChannelId, MessageId)>) -> String {
    let droplet = name(droplet);
    let way = match progress {
        Some((guild, channel, message)) => link(guild, channel, message),
        None => format!("operation `{operation}`"),
    };
    format!("{droplet} is busy: {way} is still running on it. Wait until that has ended, or cancel it there.")
}

fn bad_name(bad: BadName) -> String {
    match bad {
        BadName::Empty => "A Snapshot's name needs something to read. Leave `name` out to have one made up.".to_owned(),
        BadName::TooLong => format!(
            "A Snapshot's name may have at most {LONGEST_SNAPSHOT_NAME} characters here, since the operation's id is added to it. Choose a shorter one."
        ),
        BadName::Invisible => {
            "A Snapshot's name may hold no line breaks and no characters that cannot be seen. Type it anew.".to_owned()
        }
    }
}
