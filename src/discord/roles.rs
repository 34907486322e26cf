//! What the roles of the guilds are called, for places where Discord renders no mentions. Learnt from the gateway, in memory only.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use serenity::model::guild::Role;

use crate::operation::ids::RoleId;

/// Names by role.
#[derive(Debug, Default)]
pub(super) struct RoleNames(Mutex<HashMap<RoleId, String>>);

impl RoleNames {
    /// Remembers what a role is called now.
    pub(super) fn learn<'r>(&self, roles: impl IntoIterator<Item = &'r Role>) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.extend(roles.into_iter().map(|role| (RoleId(role.id.get()), role.name.clone())));
    }

    /// What a role is called, if that is known.
    pub(super) fn name(&self, role: RoleId) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&role).cloned()
    }
}
