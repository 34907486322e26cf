//! The common interface of everything that the inventory lists.

use std::{fmt::Display, hash::Hash, str::FromStr};

/// What can be listed: something with an id and a name.
pub(super) trait Listed {
    /// The type of its id.
    type Id: Copy + Eq + Hash + FromStr + Display;
    /// Its id.
    fn id(&self) -> Self::Id;
    /// Its name.
    fn name(&self) -> &str;
    /// Whether a text is its label in a choice.
    fn is_called(&self, text: &str) -> bool;
}
