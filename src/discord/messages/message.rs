//! A message before it is delivered: content, embed, buttons and whom it may ping, as plain data.
//!
//! The reporter compares such messages by their digest; `delivery` turns them into requests.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::super::press::Press;
use crate::operation::ids::{RoleId, UserId};

/// Something to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Text outside of the embed: what pings, and what a reply says.
    pub content: String,
    /// The framed parts.
    pub embeds: Vec<Embed>,
    /// One row of buttons at most.
    pub buttons: Vec<Button>,
    /// The only people whom this message may ping.
    pub pings: Vec<UserId>,
    /// The only role that it may ping, which its content mentions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleId>,
}

/// A framed part of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Embed {
    /// What it is about, with what matters first.
    pub title: String,
    /// The lines below.
    pub description: String,
    /// Small print; Discord renders neither markdown nor mentions here. May be empty.
    pub footer: String,
    /// The colour of the edge; never the only sign.
    pub colour: Colour,
}

/// The colours that an embed may have, by what they mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Colour {
    /// Going on.
    Working,
    /// Somebody has to look.
    Asking,
    /// All well.
    Done,
    /// Not well.
    Failed,
    /// Stopped.
    Stopped,
}

impl Colour {
    /// Discord's own palette, as red, green and blue.
    pub fn rgb(self) -> u32 {
        match self {
            Self::Working => 0x58_65_F2,
            Self::Asking => 0xFE_E7_5C,
            Self::Done => 0x57_F2_87,
            Self::Failed => 0xED_42_45,
            Self::Stopped => 0x99_AA_B5,
        }
    }
}

/// Something to press.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Button {
    /// What it says.
    pub label: &'static str,
    /// How it looks.
    pub style: Style,
    /// What it does.
    pub press: Press,
}

/// How a button looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Style {
    /// The way on.
    Primary,
    /// One way among several.
    Secondary,
    /// Something may be lost.
    Danger,
}

impl Message {
    /// A text alone, without pinging anyone.
    pub fn text(content: impl Into<String>) -> Self {
        Self { content: content.into(), ..Self::default() }
    }

    /// The same, calling this role too.
    #[must_use]
    pub fn calling(mut self, role: Option<RoleId>) -> Self {
        if let Some(role) = role {
            self.content = format!("<@&{role}> {}", self.content);
        }
        Self { role, ..self }
    }

    /// A digest of everything that a reader sees, so that an edit which changes nothing is not sent.
    pub fn digest(&self) -> String {
        let json = serde_json::to_vec(self).unwrap_or_default();
        hex(&Sha256::digest(json))
    }
}

/// The first 16 bytes, in hexadecimal: enough to tell versions of one message apart.
pub fn hex(digest: &[u8]) -> String {
    use std::fmt::Write;
    digest.iter().take(16).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_changes_with_what_is_seen() {
        let one = Message::text("a");
        assert_eq!(one.digest(), Message::text("a").digest());
        assert_ne!(one.digest(), Message::text("b").digest());
        assert_ne!(one.digest(), Message { pings: vec![UserId(1)], ..Message::text("a") }.digest());
        assert_eq!(one.digest().len(), 32);
    }
}
