//! The lengths that Discord takes, in UTF-16 units, and how many of a thing. Whatever is longer is cut between characters by
//! [`shorten`](super::text::shorten). Timestamps, mentions and markdown are rendered in a message's text and an embed's title and description, and in none of the others.

/// A message's text.
pub const CONTENT: usize = 2000;
/// An embed's title.
pub const TITLE: usize = 256;
/// An embed's description.
pub const DESCRIPTION: usize = 4096;
/// All embeds of a message together.
pub const EMBEDS: usize = 6000;
/// A button's label.
pub const BUTTON: usize = 80;
/// What can be chosen in a menu: its label, its description and its value.
pub const OPTION: usize = 100;
/// What a menu says before anything is chosen.
pub const PLACEHOLDER: usize = 150;
/// How much a menu, or autocomplete, offers at most.
pub const OPTIONS: usize = 25;
/// The label of a choice that autocomplete offers.
pub const CHOICE: usize = 100;
/// How many buttons a row has.
pub const ROW: usize = 5;
/// The title of a form.
pub const MODAL_TITLE: usize = 45;
/// How many inputs a form has.
pub const INPUTS: usize = 5;
/// The label of a form's input.
pub const INPUT_LABEL: usize = 45;
/// What a form's input shows while it is empty.
pub const INPUT_PLACEHOLDER: usize = 100;
/// The text that stands for a file.
pub const ALT: usize = 1024;
