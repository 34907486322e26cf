//! People's names, for places where Discord renders no mentions. They are learned from interactions, and looked up otherwise.

use std::{collections::HashMap, time::Duration};

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serenity::{http::Http, model::id::UserId as DiscordUser, model::user::User};

use super::wire;
use crate::operation::ids::UserId;

/// How long a suggestion waits for names.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long a user is not looked up again after a failure, as for deleted users or a slow Discord.
const PAUSE: SignedDuration = SignedDuration::from_mins(5);
/// When more names than this are recorded, all are forgotten.
const MOST: usize = 10_000;

/// Names by user id, in memory only.
#[derive(Debug, Default)]
pub(super) struct Names(Mutex<HashMap<UserId, Known>>);

#[derive(Clone, Debug)]
enum Known {
    Called(String),
    AskedAbout(Timestamp),
}

impl Names {
    /// Remembers the name of a person who used the bot.
    pub(super) fn learn(&self, user: &User) {
        self.remember(UserId(user.id.get()), Known::Called(user.display_name().to_owned()));
    }

    /// The names of these people, as far as they can be read within a moment.
    pub(super) async fn of(
        &self,
        http: &Http,
        users: impl IntoIterator<Item = UserId>,
        now: Timestamp,
    ) -> HashMap<UserId, String> {
        let ask = |user: UserId| async move {
            let found = http.get_user(DiscordUser::new(user.0.max(1))).await;
            wire::count(&found);
            found.ok().map(|user| user.display_name().to_owned())
        };
        self.ask(users.into_iter().collect(), now, ask).await
    }

    /// The names of these people that are known without asking Discord.
    pub(super) fn known(&self, users: impl IntoIterator<Item = UserId>) -> HashMap<UserId, String> {
        users.into_iter().filter_map(|user| Some((user, self.called(user)?))).collect()
    }

    async fn ask<F: Future<Output = Option<String>>>(
        &self,
        users: Vec<UserId>,
        now: Timestamp,
        ask: impl Fn(UserId) -> F,
    ) -> HashMap<UserId, String> {
        let unknown: Vec<UserId> = users.iter().copied().filter(|user| self.claim(*user, now)).collect();
        let info = unknown.into_iter().map(|user| {
            let answer = ask(user);
            async move {
                if let Some(name) = answer.await {
                    self.remember(user, Known::Called(name));
                }
            }
        });
        // After the timeout, the names that arrived in time still count.
        let _ = tokio::time::timeout(PATIENCE, join_all(info)).await;
        self.known(users)
    }

    /// Whether to look up this user now. If so, no other call looks them up.
    fn claim(&self, user: UserId, now: Timestamp) -> bool {
        let known = self.0.lock().get(&user).cloned();
        let is_due = match known {
            Some(Known::Called(_)) => false,
            Some(Known::AskedAbout(at)) => now.duration_since(at) >= PAUSE,
            None => true,
        };
        if is_due {
            self.remember(user, Known::AskedAbout(now));
        }
        is_due
    }

    fn called(&self, user: UserId) -> Option<String> {
        match self.0.lock().get(&user)? {
            Known::Called(name) => Some(name.clone()),
            Known::AskedAbout(_) => None,
        }
    }

    fn remember(&self, user: UserId, known: Known) {
        let mut names = self.0.lock();
        if names.len() >= MOST {
            names.clear();
        }
        names.insert(user, known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_is_slow_takes_nobody_elses_name_away_and_is_not_waited_for_twice() {
        let (names, now) = (Names::default(), Timestamp::UNIX_EPOCH);
        let (quick, slow, gone) = (UserId(1), UserId(2), UserId(3));
        let info = Mutex::new(Vec::new());
        let ask = |user: UserId| {
            info.lock().push(user);
            async move {
                if user == slow {
                    std::future::pending::<()>().await;
                }
                (user == quick).then(|| "ada".to_owned())
            }
        };
        for _ in 0..2 {
            let found = names.ask(vec![slow, gone, quick, quick], now, ask).await;
            assert_eq!(found, HashMap::from([(quick, "ada".to_owned())]));
            assert_eq!(*info.lock(), [slow, gone, quick], "each is asked about once");
        }
        names.ask(vec![gone], now + PAUSE, ask).await;
        assert_eq!(info.lock().len(), 4, "later they are asked about again");
    }
}
