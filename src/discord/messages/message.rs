//! A message before it is delivered, as plain data: content, embeds, menus, buttons, a file, and the people it may ping.
//!
//! The reporter compares such messages by their digest; `delivery` converts them to requests. Messages built here respect Discord's limits.

use std::{borrow::Cow, collections::BTreeSet};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{super::press::Press, lengths, text::shorten};
use crate::operation::ids::{RoleId, UserId};

/// A message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Message {
    /// The text outside of the embeds. Only this text pings.
    pub content: String,
    /// The embeds.
    pub embeds: Vec<Embed>,
    /// The select menus, each in its own row above the buttons.
    pub menus: Vec<Menu>,
    /// The buttons, five in a row; at most five rows together with the menus.
    pub buttons: Vec<Button>,
    /// An attached file. It belongs to a new message; an edit leaves it as it is.
    pub file: Option<File>,
    /// The only people that this message may ping.
    pub pings: Vec<UserId>,
    /// The only role that it may ping, which its content mentions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleId>,
}

/// An embed of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Embed {
    /// The subject, with the most important fact first.
    pub title: String,
    /// The lines below.
    pub description: String,
    /// The footer. Discord renders neither markdown nor mentions here. May be empty.
    pub footer: String,
    /// The color of the edge. It is never the only sign.
    pub colour: Colour,
}

/// The colors of an embed, by their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Colour {
    /// An operation is under way.
    Working,
    /// A person must look.
    Asking,
    /// An operation succeeded.
    Done,
    /// An operation failed.
    Failed,
    /// An operation was stopped.
    Stopped,
}

impl Colour {
    /// The color from Discord's own palette, as red, green and blue.
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

/// A button, or a link out of Discord.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Button {
    /// The label.
    pub label: Cow<'static, str>,
    /// What it does.
    pub action: Action,
    /// Whether it is shown but cannot be pressed now.
    pub is_disabled: bool,
}

/// What a button does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Action {
    /// It sends this press to the bot.
    Press(Press, Style),
    /// It opens this address in the reader's browser. The bot does not learn of it.
    Open(String),
}

impl Button {
    /// A button that sends a press to the bot.
    pub fn new(label: impl Into<Cow<'static, str>>, style: Style, press: Press) -> Self {
        Self { label: fitting(label.into(), lengths::BUTTON), action: Action::Press(press, style), is_disabled: false }
    }

    /// A button that opens a page.
    pub fn link(label: impl Into<Cow<'static, str>>, address: impl Into<String>) -> Self {
        Self { label: fitting(label.into(), lengths::BUTTON), action: Action::Open(address.into()), is_disabled: false }
    }

    /// Disables the button if `is_disabled`.
    #[must_use]
    pub fn disabled_if(self, is_disabled: bool) -> Self {
        Self { is_disabled, ..self }
    }

    /// The press that it sends, if any.
    pub fn press(&self) -> Option<Press> {
        match self.action {
            Action::Press(press, _) => Some(press),
            Action::Open(_) => None,
        }
    }
}

/// A menu with one or several choices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Menu {
    /// The press that it sends, together with the choice.
    pub press: Press,
    /// The text before anything is chosen.
    pub placeholder: String,
    /// The options: 1 to 25, with distinct values.
    pub options: Vec<Choice>,
    /// Whether any number of them can be chosen, including none.
    pub is_multiple: bool,
}

impl Menu {
    /// A menu of the first 25 of these options; `None` if there are none. Discord refuses a message with duplicate values, so only the
    /// first of them stays.
    pub fn new(press: Press, placeholder: &str, options: impl IntoIterator<Item = Choice>) -> Option<Self> {
        let mut known = BTreeSet::new();
        let options = options.into_iter().filter(|choice| known.insert(choice.value.clone()));
        let options: Vec<Choice> = options.take(lengths::OPTIONS).collect();
        let placeholder = shorten(placeholder, lengths::PLACEHOLDER);
        (!options.is_empty()).then_some(Self { press, placeholder, options, is_multiple: false })
    }

    /// Allows any number of choices.
    #[must_use]
    pub fn multiple(self) -> Self {
        Self { is_multiple: true, ..self }
    }
}

/// An option of a menu. Discord renders neither markdown nor timestamps in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// The label.
    pub label: String,
    /// The line below the label; may be empty.
    pub description: String,
    /// The value that is sent. It comes back from the client and proves nothing.
    pub value: String,
    /// Whether it is already chosen.
    pub is_chosen: bool,
}

impl Choice {
    /// An option. The value must have 1 to 100 characters, as ids do.
    pub fn new(label: &str, description: &str, value: impl Into<String>) -> Self {
        Self {
            label: shorten(label, lengths::OPTION),
            description: shorten(description, lengths::OPTION),
            value: value.into(),
            is_chosen: false,
        }
    }

    /// Marks the option as already chosen if `is_chosen`.
    #[must_use]
    pub fn chosen_if(self, is_chosen: bool) -> Self {
        Self { is_chosen, ..self }
    }
}

/// A file that is posted with a message.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct File {
    /// Its name, with an extension for its type.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// The alt text, for people who do not see it.
    pub alt: String,
}

impl File {
    /// A file with an alt text.
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>, alt: &str) -> Self {
        Self { name: name.into(), bytes: bytes.into(), alt: shorten(alt, lengths::ALT) }
    }
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "File({}, {} bytes)", self.name, self.bytes.len())
    }
}

/// A form that opens after a press. What is typed comes back as one interaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modal {
    /// The press that it sends when it is submitted.
    pub press: Press,
    /// The title.
    pub title: String,
    /// The inputs, at most five.
    pub inputs: Vec<Input>,
}

/// An input of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The label.
    pub label: String,
    /// The initial value; may be empty.
    pub value: String,
    /// An example that is shown while the input is empty; may be empty.
    pub placeholder: String,
    /// The maximum length, up to 4,000.
    pub longest: u16,
    /// Whether it must be filled in.
    pub is_required: bool,
}

impl Modal {
    /// A form with these inputs. Discord shows at most five.
    pub fn new(press: Press, title: &str, inputs: impl IntoIterator<Item = Input>) -> Self {
        let fit = |input: Input| Input {
            label: shorten(&input.label, lengths::INPUT_LABEL),
            placeholder: shorten(&input.placeholder, lengths::INPUT_PLACEHOLDER),
            value: shorten(&input.value, usize::from(input.longest)),
            ..input
        };
        let inputs = inputs.into_iter().take(lengths::INPUTS).map(fit).collect();
        Self { press, title: shorten(title, lengths::MODAL_TITLE), inputs }
    }
}

fn fitting(text: Cow<'static, str>, longest: usize) -> Cow<'static, str> {
    if crate::text::length(&text) <= longest { text } else { Cow::Owned(shorten(&text, longest)) }
}

/// The style of a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Style {
    /// The main action.
    Primary,
    /// One of several actions.
    Secondary,
    /// An action that may lose something.
    Danger,
}

impl Message {
    /// A message with only this text, which pings nobody.
    pub fn text(content: impl Into<String>) -> Self {
        Self { content: content.into(), ..Self::default() }
    }

    /// Adds this role to the message, which then pings it.
    #[must_use]
    pub fn calling(mut self, role: Option<RoleId>) -> Self {
        if let Some(role) = role {
            self.content = format!("<@&{role}> {}", self.content);
        }
        Self { role, ..self }
    }

    /// Removes the role, for a place that has no roles.
    #[must_use]
    pub fn calling_nobody_else(self) -> Self {
        let mention = self.role.map(|role| format!("<@&{role}> "));
        let content = mention.and_then(|mention| self.content.strip_prefix(&mention).map(str::to_owned));
        Self { content: content.unwrap_or(self.content), role: None, ..self }
    }

    /// A digest of everything that a reader sees. An edit that changes nothing is not sent.
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
    use crate::{operation::ids::SnapshotId, text::length};

    #[test]
    fn what_is_made_fits_what_discord_takes() {
        let (long, press) = ("🇺🇦".repeat(2000), Press::Delete(SnapshotId(5)));
        let button = Button::new(long.clone(), Style::Primary, press);
        assert!(length(&button.label) <= 80 && button.label.ends_with("🇺🇦…"), "{}", button.label);
        let choices = (0..30).map(|id| Choice::new(&long, &long, id.to_string()));
        let menu = Menu::new(press, &long, choices).expect("a menu");
        assert_eq!((menu.options.len(), menu.options[24].value.as_str()), (25, "24"));
        let twice = Menu::new(press, "", ["7", "8", "7"].map(|id| Choice::new("web-1", "", id))).expect("a menu");
        assert_eq!(twice.options.iter().map(|choice| choice.value.as_str()).collect::<Vec<_>>(), ["7", "8"]);
        assert!(length(&menu.options[0].label) <= 100 && length(&menu.options[0].description) <= 100);
        assert!(length(&menu.placeholder) <= 150);
        assert_eq!(Menu::new(press, "nothing", []), None);
        assert!(length(&File::new("a.csv", "a", &long).alt) <= 1024);
        let (label, value, placeholder) = (long.clone(), long.clone(), long.clone());
        let input = Input { label, value, placeholder, longest: 255, is_required: true };
        let modal = Modal::new(press, &long, std::iter::repeat_n(input, 6));
        assert_eq!(modal.inputs.len(), 5);
        let [input, ..] = &modal.inputs[..] else { panic!("no line") };
        assert!(length(&modal.title) <= 45 && length(&input.label) <= 45);
        assert!(length(&input.placeholder) <= 100 && length(&input.value) <= 255);
    }

    #[test]
    fn the_digest_changes_with_what_is_seen() {
        let one = Message::text("a");
        assert_eq!(one.digest(), Message::text("a").digest());
        assert_ne!(one.digest(), Message::text("b").digest());
        assert_ne!(one.digest(), Message { pings: vec![UserId(1)], ..Message::text("a") }.digest());
        assert_eq!(one.digest().len(), 32);
    }
}
