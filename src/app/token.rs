//! Whether this process may handle the operations with its DigitalOcean token: whether DigitalOcean accepts it, and whether it
//! belongs to the account of the operations.
//!
//! Reads only; `app` stores an accepted token, under the lease.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    digitalocean::{call::Call, client::Client, error::Error as CloudError, queries},
    http,
    store::{self, Account, Evidence, Store},
};

/// How long DigitalOcean may take to answer whether it accepts a token; after that it counts as not answering.
const PATIENCE: Duration = Duration::from_secs(5);
/// The number of operations from which the evidence is taken.
const OPERATIONS: usize = 20;
/// The longest pause between the two refusals that are required, and before a refused token is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Whether a token other than the last accepted one must prove which account it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It must prove that.
    Demanded,
    /// The operator vouches for it, with `run --same-account`.
    Waived,
}

/// DigitalOcean's answer about a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The token is accepted; with its team, if the token may read that.
    Accepted(Option<String>),
    /// The token is refused.
    Refused,
    /// DigitalOcean gave no usable answer.
    None,
}

/// Whether this process may handle the operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fitness {
    /// It may. Contains what was learned about the token, to be stored.
    Fit(Option<Accepted>),
    /// It must not.
    Unfit(Unfit),
}

/// A token that was not known before, and its team if that could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) team: Option<String>,
}

/// Why a token must not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// DigitalOcean refuses the token.
    Refused,
    /// Nothing shows that the token belongs to the account of the operations.
    OtherAccount,
    /// DigitalOcean does not answer, so the token's account is unknown.
    Unproven,
}

impl From<Unfit> for http::Token {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Refused => Self::Refused,
            Unfit::OtherAccount => Self::OtherAccount,
            Unfit::Unproven => Self::Unproven,
        }
    }
}

/// A token that was proved to belong to an account, which remains true during a later outage.
#[derive(Clone)]
pub(super) struct Proven {
    token: SecretString,
    of: Option<Account>,
    accepted: Accepted,
}

/// The token that a client uses, and what is needed to test it.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) proof: Proof,
    pub(super) client: Client,
    pub(super) store: Arc<Store>,
    pub(super) settle_time: Duration,
    pub(super) proven: Arc<Mutex<Option<Proven>>>,
}

/// Whether a token can read resources of the account.
enum Sight {
    Seen,
    Nothing,
    Unclear,
}

impl Token {
    /// Whether this process may handle the operations. The last accepted token, or one that has already proved to belong to the same
    /// account, needs no answer from DigitalOcean.
    pub(super) async fn fitness(&self) -> Result<Fitness, store::Error> {
        let (token, known) = (self.client.token(), self.store.account().await?);
        if known.as_ref().is_some_and(|account| account.knows(&token)) {
            return Ok(Fitness::Fit(None));
        }
        if let Some(accepted) = self.proved_before(&token, known.as_ref()) {
            return Ok(Fitness::Fit(Some(accepted)));
        }
        let Some(evidence) = self.store.evidence(OPERATIONS).await? else {
            return Ok(Fitness::Fit(Some(Accepted { team: None })));
        };
        let fitness = self.proof_by(&evidence, known.as_ref().and_then(|account| account.team.clone())).await;
        if let Fitness::Fit(Some(accepted)) = &fitness {
            let proven = Proven { token, of: known, accepted: accepted.clone() };
            *self.proven.lock() = Some(proven);
        }
        Ok(fitness)
    }

    fn proved_before(&self, token: &SecretString, known: Option<&Account>) -> Option<Accepted> {
        let proven = self.proven.lock();
        let proven = proven.as_ref().filter(|proven| proven.of.as_ref() == known)?;
        (proven.token.expose_secret() == token.expose_secret()).then(|| proven.accepted.clone())
    }

    /// Whether the token belongs to the same account as these resources, and to this team if known.
    async fn proof_by(&self, evidence: &Evidence, known_team: Option<String>) -> Fitness {
        let team = match (self.ask().await, self.proof) {
            (Answer::Refused, _) => return Fitness::Unfit(Unfit::Refused),
            (Answer::Accepted(team), Proof::Waived) => return Fitness::Fit(Some(Accepted { team })),
            (Answer::None, Proof::Waived) => return Fitness::Fit(Some(Accepted { team: None })),
            // What it can read may still prove the account.
            (Answer::None, Proof::Demanded) => None,
            (Answer::Accepted(team), Proof::Demanded) => team,
        };
        if let (Some(known), Some(team)) = (&known_team, &team) {
            return if known == team { Fitness::Fit(Some(Accepted { team: Some(team.clone()) })) } else { OTHER };
        }
        // If the token may not read its team, use the team that another token read.
        let team = team.or(known_team);
        match self.look_twice(evidence).await {
            Sight::Seen => Fitness::Fit(Some(Accepted { team })),
            Sight::Nothing => OTHER,
            Sight::Unclear => Fitness::Unfit(Unfit::Unproven),
        }
    }

    /// Asks DigitalOcean whether it accepts the token. A refusal is believed if it is repeated after a while.
    pub(super) async fn ask(&self) -> Answer {
        match self.ask_once().await {
            Answer::Refused => {
                tokio::time::sleep(self.pause()).await;
                self.ask_once().await
            }
            answer => answer,
        }
    }

    /// Asks as [`ask`](Self::ask) does, but believes the first answer.
    pub(super) async fn ask_once(&self) -> Answer {
        match tokio::time::timeout(PATIENCE, self.client.run(queries::team())).await {
            Ok(Ok(team)) => Answer::Accepted(team),
            Ok(Err(CloudError::Unauthorized { .. })) => Answer::Refused,
            // It lacks `account:read`, but is accepted.
            Ok(Err(CloudError::Forbidden { .. })) => Answer::Accepted(None),
            Ok(Err(error)) => {
                tracing::warn!(%error, "could not learn whether DigitalOcean accepts the token");
                Answer::None
            }
            Err(_) => Answer::None,
        }
    }

    /// The pause between two attempts: a third of the settle time, up to a limit.
    pub(super) fn pause(&self) -> Duration {
        (self.settle_time / 3).min(LONGEST_PAUSE)
    }

    /// Reads the evidence. The result that nothing can be read is believed only if it is repeated after a while.
    async fn look_twice(&self, evidence: &Evidence) -> Sight {
        match self.look(evidence).await {
            Sight::Nothing => {
                tokio::time::sleep(self.pause()).await;
                self.look(evidence).await
            }
            sight => sight,
        }
    }

    async fn look(&self, evidence: &Evidence) -> Sight {
        for droplet in &evidence.droplets {
            match self.sees(queries::droplet(*droplet)).await {
                Sight::Nothing => {}
                sight => return sight,
            }
        }
        for action in &evidence.actions {
            match self.sees(queries::action(*action)).await {
                Sight::Nothing => {}
                sight => return sight,
            }
        }
        for snapshot in &evidence.snapshots {
            match self.sees(queries::snapshot(*snapshot)).await {
                Sight::Nothing => {}
                sight => return sight,
            }
        }
        Sight::Nothing
    }

    async fn sees<T: 'static>(&self, call: Call<T>) -> Sight {
        match self.client.run(call).await {
            Ok(_) => Sight::Seen,
            Err(CloudError::NotFound { .. } | CloudError::Forbidden { .. }) => Sight::Nothing,
            Err(error) => {
                tracing::warn!(%error, "could not learn whether the token is of the same account");
                Sight::Unclear
            }
        }
    }
}

const OTHER: Fitness = Fitness::Unfit(Unfit::OtherAccount);
