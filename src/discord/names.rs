//! What people are called, for places where Discord renders no mentions: learnt from whoever speaks to us, and asked for otherwise.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use serenity::{http::Http, model::id::UserId as DiscordUser, model::user::User};

use super::wire;
use crate::operation::ids::UserId;

/// A suggestion must be there in a moment, with or without names.
const PATIENCE: Duration = Duration::from_millis(700);
/// Beyond so many people we begin anew.
const MOST: usize = 10_000;

/// Names by user, in memory only.
#[derive(Debug, Default)]
pub(super) struct Names(Mutex<HashMap<UserId, String>>);

impl Names {
    /// Remembers how somebody is called who just spoke to us.
    pub(super) fn learn(&self, user: &User) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= MOST {
            names.clear();
        }
        names.insert(UserId(user.id.get()), user.display_name().to_owned());
    }

    /// The names of these people, as far as they can be had at once.
    pub(super) async fn of(&self, http: &Http, users: impl IntoIterator<Item = UserId>) -> HashMap<UserId, String> {
        let mut unknown = Vec::new();
        let mut known = HashMap::new();
        {
            let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            for user in users {
                match names.get(&user) {
                    Some(name) => drop(known.insert(user, name.clone())),
                    None if !unknown.contains(&user) => unknown.push(user),
                    None => {}
                }
            }
        }
        let asked = join_all(unknown.into_iter().map(|user| async move {
            let found = http.get_user(DiscordUser::new(user.0.max(1))).await;
            wire::count(&found);
            found.ok()
        }));
        for user in tokio::time::timeout(PATIENCE, asked).await.unwrap_or_default().into_iter().flatten() {
            self.learn(&user);
            known.insert(UserId(user.id.get()), user.display_name().to_owned());
        }
        known
    }
}
