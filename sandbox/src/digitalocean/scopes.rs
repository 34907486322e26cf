//! Tokens and their scopes, in DigitalOcean's own terms (`droplet:read`, `image:create`, …).

use std::{collections::BTreeSet, sync::Arc};

use super::limits::Usage;

/// The scopes of a token. Clones share the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scopes(Option<Arc<BTreeSet<String>>>);

impl Scopes {
    /// Full access.
    pub fn all() -> Self {
        Self(None)
    }

    /// Only these scopes.
    pub fn only<'a>(scopes: impl IntoIterator<Item = &'a str>) -> Self {
        Self(Some(Arc::new(scopes.into_iter().map(str::to_owned).collect())))
    }

    /// Whether the token has this scope.
    pub fn allow(&self, scope: &str) -> bool {
        self.0.as_ref().is_none_or(|scopes| scopes.contains(scope))
    }
}

/// A token of the account.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) scopes: Scopes,
    pub(super) usage: Usage,
}
