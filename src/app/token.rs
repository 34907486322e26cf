//! May this process look after the operations with its DigitalOcean token? Whether DigitalOcean takes it, and whether it is of the
//! account that the operations belong to.
//!
//! Reads only; `app` stores what was accepted, under the lease.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    digitalocean::{call::Call, client::Client, error::Error as CloudError, queries},
    http,
    store::{self, Account, Evidence, Store},
};

/// How long DigitalOcean may take to say whether it accepts a token; beyond that it counts as not answering.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many operations are asked for something that the token may see.
const OPERATIONS: usize = 20;
/// The longest pause between the two refusals that are believed, and before a refused token is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Whether another token than the one accepted last must prove whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It must.
    Demanded,
    /// The operator vouches for it, with `run --same-account`.
    Waived,
}

/// What DigitalOcean says to a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Accepted, and of which team, where the token may read that.
    Accepted(Option<String>),
    /// Refused.
    Refused,
    /// No usable answer.
    None,
}

/// Whether this process may look after the operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fitness {
    /// It may; what is new of the token is to be stored.
    Fit(Option<Accepted>),
    /// It must not.
    Unfit(Unfit),
}

/// A token that was not known before, and its team where that could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) team: Option<String>,
}

/// Why a token must not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// DigitalOcean refuses it.
    Refused,
    /// Nothing shows that it is of the account that the operations belong to.
    OtherAccount,
    /// DigitalOcean does not answer, so it is not known whose it is.
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

/// A token that was found to be of an account: an outage that comes later does not make that untrue.
#[derive(Clone)]
pub(super) struct Proven {
    token: SecretString,
    of: Option<Account>,
    accepted: Accepted,
}

/// The token that a client sends, and whom to ask about it.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) proof: Proof,
    pub(super) client: Client,
    pub(super) store: Arc<Store>,
    pub(super) settle_time: Duration,
    pub(super) proven: Arc<Mutex<Option<Proven>>>,
}

/// What a token sees of the account's things.
enum Sight {
    Seen,
    Nothing,
    Unclear,
}

impl Token {
    /// Whether this process may look after the operations. A token that was accepted last, or proved before to be of the same account,
    /// needs no answer of DigitalOcean.
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

    /// Whether the token is of the account that these things, and this team if it is known, belong to.
    async fn proof_by(&self, evidence: &Evidence, known_team: Option<String>) -> Fitness {
        let team = match (self.ask().await, self.proof) {
            (Answer::Refused, _) => return Fitness::Unfit(Unfit::Refused),
            (Answer::Accepted(team), Proof::Waived) => return Fitness::Fit(Some(Accepted { team })),
            (Answer::None, Proof::Waived) => return Fitness::Fit(Some(Accepted { team: None })),
            // What it sees may tell all the same.
            (Answer::None, Proof::Demanded) => None,
            (Answer::Accepted(team), Proof::Demanded) => team,
        };
        if let (Some(known), Some(team)) = (&known_team, &team) {
            return if known == team { Fitness::Fit(Some(Accepted { team: Some(team.clone()) })) } else { OTHER };
        }
        // A token that may not read its team is told of it by another one's reading.
        let team = team.or(known_team);
        match self.look_twice(evidence).await {
            Sight::Seen => Fitness::Fit(Some(Accepted { team })),
            Sight::Nothing => OTHER,
            Sight::Unclear => Fitness::Unfit(Unfit::Unproven),
        }
    }

    /// Asks DigitalOcean what it thinks of the token. A refusal is believed when it is repeated a while later.
    pub(super) async fn ask(&self) -> Answer {
        match self.ask_once().await {
            Answer::Refused => {
                tokio::time::sleep(self.pause()).await;
                self.ask_once().await
            }
            answer => answer,
        }
    }

    /// The same, believing the first answer.
    pub(super) async fn ask_once(&self) -> Answer {
        match tokio::time::timeout(PATIENCE, self.client.run(queries::team())).await {
            Ok(Ok(team)) => Answer::Accepted(team),
            Ok(Err(CloudError::Unauthorized { .. })) => Answer::Refused,
            // It lacks `account:read`, and is accepted all the same.
            Ok(Err(CloudError::Forbidden { .. })) => Answer::Accepted(None),
            Ok(Err(error)) => {
                tracing::warn!(%error, "could not learn whether DigitalOcean accepts the token");
                Answer::None
            }
            Err(_) => Answer::None,
        }
    }

    /// The pause between two tries: a third of the settle time, within reason.
    pub(super) fn pause(&self) -> Duration {
        (self.settle_time / 3).min(LONGEST_PAUSE)
    }

    /// That something is not there is believed when it is repeated a while later.
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
