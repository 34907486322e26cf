//! Messages, with their history; who sees them and whom they pinged.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    body::{Body, Draft, LOADING},
    mention::Mentions,
    snowflake::Snowflake,
};

/// A person who was pinged, by which Message, where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ping {
    /// Who.
    pub user: Snowflake,
    /// By what.
    pub message: Snowflake,
    /// Where.
    pub channel: Snowflake,
}

/// What a Message showed before an edit, and when that edit came.
#[derive(Clone, Debug)]
pub struct Edit {
    /// When it was replaced.
    pub at: Timestamp,
    /// What it showed until then.
    pub before: Body,
}

/// The Interaction that a Message answers, as people see it above the Message.
#[derive(Clone, Debug)]
pub struct Occasion {
    /// The Interaction.
    pub interaction: Snowflake,
    /// Who acted.
    pub user: Snowflake,
    /// The command; none when a component was pressed.
    pub command: Option<String>,
}

/// A Message.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its id.
    pub id: Snowflake,
    /// Where it stands.
    pub channel: Snowflake,
    /// Who said it.
    pub author: Snowflake,
    /// What it shows.
    pub body: Body,
    /// Its flags.
    pub flags: u64,
    /// The nonce it was sent with.
    pub nonce: Option<Value>,
    /// The Message it answers.
    pub reference: Option<Snowflake>,
    /// The Interaction it answers.
    pub occasion: Option<Occasion>,
    /// The one person who sees it, if it is ephemeral.
    pub only_for: Option<Snowflake>,
    /// When it was said.
    pub at: Timestamp,
    /// Its history.
    pub edits: Vec<Edit>,
    /// Whether it was deleted; it is remembered for its nonce.
    pub deleted: bool,
    pub(super) mentions: Mentions,
}

impl Message {
    /// Whether the bot is thinking.
    pub fn is_loading(&self) -> bool {
        self.flags & LOADING != 0
    }

    /// Whether it stands in the Channel for all to see.
    pub fn is_public(&self) -> bool {
        self.only_for.is_none() && !self.deleted
    }

    /// Whether this person sees it, who can see the Channel.
    pub fn is_seen_by(&self, user: Snowflake) -> bool {
        !self.deleted && self.only_for.is_none_or(|only| only == user)
    }
}

/// A Message to be made.
#[derive(Debug)]
pub(super) struct NewMessage {
    pub(super) channel: Snowflake,
    pub(super) author: Snowflake,
    pub(super) draft: Draft,
    pub(super) only_for: Option<Snowflake>,
    pub(super) occasion: Option<Occasion>,
}
