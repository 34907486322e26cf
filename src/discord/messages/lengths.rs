//! Discord's limits: lengths in UTF-16 units, and counts. Longer text is cut between characters by [`shorten`](super::text::shorten).
//! Timestamps, mentions and markdown are rendered only in a message's content and in an embed's title and description.

/// A message's content.
pub const CONTENT: usize = 2000;
/// An embed's title.
pub const TITLE: usize = 256;
/// An embed's description.
pub const DESCRIPTION: usize = 4096;
/// All embeds of a message together.
pub const EMBEDS: usize = 6000;
/// A button's label.
pub const BUTTON: usize = 80;
/// A menu option's label, description and value, each.
pub const OPTION: usize = 100;
/// A menu's placeholder.
pub const PLACEHOLDER: usize = 150;
/// The maximum number of options of a menu or an autocomplete.
pub const OPTIONS: usize = 25;
/// The label of an autocomplete choice.
pub const CHOICE: usize = 100;
/// The maximum number of buttons in a row.
pub const ROW: usize = 5;
/// The title of a form.
pub const MODAL_TITLE: usize = 45;
/// The maximum number of inputs of a form.
pub const INPUTS: usize = 5;
/// The label of a form's input.
pub const INPUT_LABEL: usize = 45;
/// The placeholder of a form's input.
pub const INPUT_PLACEHOLDER: usize = 100;
/// The alt text of a file.
pub const ALT: usize = 1024;
