//! Messages, with their history; who sees them and whom they pinged.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    body::{Body, Draft, LOADING},
    component,
    mention::Mentions,
    snowflake::Snowflake,
};

/// A person who was pinged, by which Message, and in which Channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ping {
    /// The person.
    pub user: Snowflake,
    /// The Message.
    pub message: Snowflake,
    /// The Channel.
    pub channel: Snowflake,
}

/// The contents of a Message before an edit, and the time of that edit.
#[derive(Clone, Debug)]
pub struct Edit {
    /// When it was replaced.
    pub at: Timestamp,
    /// What it showed until then.
    pub before: Body,
}

/// The Interaction that a Message answers, as displayed above the Message.
#[derive(Clone, Debug)]
pub struct Occasion {
    /// The Interaction.
    pub interaction: Snowflake,
    /// The person who acted.
    pub user: Snowflake,
    /// The command; `None` if a component was pressed.
    pub command: Option<String>,
}

/// A Message.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its id.
    pub id: Snowflake,
    /// The Channel that it is in.
    pub channel: Snowflake,
    /// Its author.
    pub author: Snowflake,
    /// Its contents.
    pub body: Body,
    /// Its flags.
    pub flags: u64,
    /// The nonce it was sent with.
    pub nonce: Option<Value>,
    /// The Message to which it replies.
    pub reference: Option<Snowflake>,
    /// The Interaction it answers.
    pub occasion: Option<Occasion>,
    /// The one person who sees it, if it is ephemeral.
    pub only_for: Option<Snowflake>,
    /// When it was posted.
    pub at: Timestamp,
    /// Its history.
    pub edits: Vec<Edit>,
    /// Whether it was deleted; it is kept for its nonce.
    pub deleted: bool,
    pub(super) mentions: Mentions,
}

impl Message {
    /// Whether the bot is thinking.
    pub fn is_loading(&self) -> bool {
        self.flags & LOADING != 0
    }

    /// Its buttons and menus, in order, as Discord stores them.
    pub fn components(&self) -> impl Iterator<Item = &Value> {
        component::all(&self.body.components)
    }

    /// Whether everybody in the Channel can see it.
    pub fn is_public(&self) -> bool {
        self.only_for.is_none() && !self.deleted
    }

    /// Whether a person who can see the Channel sees this Message.
    pub fn is_seen_by(&self, user: Snowflake) -> bool {
        !self.deleted && self.only_for.is_none_or(|only| only == user)
    }
}

/// A Message to create.
#[derive(Debug)]
pub(super) struct NewMessage {
    pub(super) channel: Snowflake,
    pub(super) author: Snowflake,
    pub(super) draft: Draft,
    pub(super) only_for: Option<Snowflake>,
    pub(super) occasion: Option<Occasion>,
}
