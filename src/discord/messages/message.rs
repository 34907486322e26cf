//! A message before it is delivered: content, embeds, menus, buttons, a file and whom it may ping, as plain data.
//!
//! The reporter compares such messages by their digest; `delivery` turns them into requests. What is made here fits Discord's limits.

use std::{borrow::Cow, collections::BTreeSet};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{super::press::Press, lengths, text::shorten};
use crate::operation::ids::{RoleId, UserId};

/// Something to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Text outside of the embed: what pings, and what a reply says.
    pub content: String,
    /// The framed parts.
    pub embeds: Vec<Embed>,
    /// The select menus, each in a row of its own above the buttons.
    pub menus: Vec<Menu>,
    /// The buttons, five a row; together with the menus at most five rows.
    pub buttons: Vec<Button>,
    /// A file next to the text. It belongs to a new message: an edit leaves it as it is.
    pub file: Option<File>,
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

/// Something to press, or a way out of Discord.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Button {
    /// What it says.
    pub label: Cow<'static, str>,
    /// What it does.
    pub action: Action,
    /// It is shown, and cannot be pressed now.
    pub is_disabled: bool,
}

/// What a button does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Action {
    /// It tells us.
    Press(Press, Style),
    /// It opens this address in the reader's browser, and nobody hears of it.
    Open(String),
}

impl Button {
    /// A button that tells us.
    pub fn new(label: impl Into<Cow<'static, str>>, style: Style, press: Press) -> Self {
        Self { label: fitting(label.into(), lengths::BUTTON), action: Action::Press(press, style), is_disabled: false }
    }

    /// A button that opens a page.
    pub fn link(label: impl Into<Cow<'static, str>>, address: impl Into<String>) -> Self {
        Self { label: fitting(label.into(), lengths::BUTTON), action: Action::Open(address.into()), is_disabled: false }
    }

    /// The same, shown as one that cannot be pressed now.
    #[must_use]
    pub fn disabled_if(self, is_disabled: bool) -> Self {
        Self { is_disabled, ..self }
    }

    /// What we hear when it is pressed, if anything.
    pub fn press(&self) -> Option<Press> {
        match self.action {
            Action::Press(press, _) => Some(press),
            Action::Open(_) => None,
        }
    }
}

/// Something to choose from: one thing, or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Menu {
    /// What is heard when something was chosen; the choice comes next to it.
    pub press: Press,
    /// What it says before anything is chosen.
    pub placeholder: String,
    /// What can be chosen: 1 to 25, no value twice.
    pub options: Vec<Choice>,
    /// Whether any number of them can be chosen, none included.
    pub is_multiple: bool,
}

impl Menu {
    /// A menu of the first 25 of these; none if there is nothing to choose. Discord refuses a message in which a value stands twice, so
    /// only the first of two stays.
    pub fn new(press: Press, placeholder: &str, options: impl IntoIterator<Item = Choice>) -> Option<Self> {
        let mut known = BTreeSet::new();
        let options = options.into_iter().filter(|choice| known.insert(choice.value.clone()));
        let options: Vec<Choice> = options.take(lengths::OPTIONS).collect();
        let placeholder = shorten(placeholder, lengths::PLACEHOLDER);
        (!options.is_empty()).then_some(Self { press, placeholder, options, is_multiple: false })
    }

    /// The same, from which any number can be chosen.
    #[must_use]
    pub fn multiple(self) -> Self {
        Self { is_multiple: true, ..self }
    }
}

/// One thing in a menu. Discord renders neither markdown nor timestamps in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// What people read first.
    pub label: String,
    /// What stands below; may be empty.
    pub description: String,
    /// What we are told. It comes back from the client and proves nothing.
    pub value: String,
    /// Whether it is chosen already.
    pub is_chosen: bool,
}

impl Choice {
    /// One thing; the value must be of 1 to 100 characters, as ids are.
    pub fn new(label: &str, description: &str, value: impl Into<String>) -> Self {
        Self {
            label: shorten(label, lengths::OPTION),
            description: shorten(description, lengths::OPTION),
            value: value.into(),
            is_chosen: false,
        }
    }

    /// The same, chosen already.
    #[must_use]
    pub fn chosen_if(self, is_chosen: bool) -> Self {
        Self { is_chosen, ..self }
    }
}

/// A file that is posted with a message.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct File {
    /// Its name, with an extension that says what it is.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
    /// What it says, for those who do not see it.
    pub alt: String,
}

impl File {
    /// A file with a text that stands for it.
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>, alt: &str) -> Self {
        Self { name: name.into(), bytes: bytes.into(), alt: shorten(alt, lengths::ALT) }
    }
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "File({}, {} bytes)", self.name, self.bytes.len())
    }
}

/// A form that opens over the channel when something was pressed. What is typed comes back as one interaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modal {
    /// What is heard when it was sent.
    pub press: Press,
    /// What it is about.
    pub title: String,
    /// The lines to fill in, at most five.
    pub inputs: Vec<Input>,
}

/// A line to fill in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// What is asked for.
    pub label: String,
    /// What stands there already; may be empty.
    pub value: String,
    /// An example, shown while nothing is typed; may be empty.
    pub placeholder: String,
    /// How many characters it takes at most, up to 4,000.
    pub longest: u16,
    /// Whether it may not be left empty.
    pub is_required: bool,
}

impl Modal {
    /// A form with these lines, of which Discord shows no more than five.
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

    /// The same without the role: for a place that has none.
    #[must_use]
    pub fn calling_nobody_else(self) -> Self {
        let mention = self.role.map(|role| format!("<@&{role}> "));
        let content = mention.and_then(|mention| self.content.strip_prefix(&mention).map(str::to_owned));
        Self { content: content.unwrap_or(self.content), role: None, ..self }
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
