//! The DigitalOcean account that all operations of this database belong to.
//!
//! An operation's Droplets and Actions mean nothing in another account: there they look as if they were gone. So the store keeps a salted
//! digest of the last accepted token, and `app` demands proof that any other token belongs to the same account.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::{
    Error, Store,
    operation_row::{self, select_stored},
    row::{Row, without_nul},
};
use crate::operation::ids::{ActionId, DropletId, SnapshotId};

/// What is known about the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    salt: String,
    digest: String,
    /// DigitalOcean's id of the team, if a token could ever read it.
    pub team: Option<String>,
}

impl Account {
    /// Whether this token was the last one accepted.
    pub fn knows(&self, token: &SecretString) -> bool {
        self.digest == digest(&self.salt, token)
    }
}

/// Resources of the account that operations dealt with, the latest first. A token that can read one of them belongs to the account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The Droplets of these operations.
    pub droplets: Vec<DropletId>,
    /// The Actions of these operations.
    pub actions: Vec<ActionId>,
    /// The Snapshots of these operations.
    pub snapshots: Vec<SnapshotId>,
}

impl Store {
    /// What is known about the account; `None` before the first token was accepted.
    pub async fn account(&self) -> Result<Option<Account>, Error> {
        let row = sqlx::query("SELECT token_salt, token_digest, team FROM lease").fetch_optional(&self.pool).await?;
        // The row may have been deleted; the process that takes the lease creates it again.
        let Some(row) = &row else { return Ok(None) };
        let row = Row(row);
        let text = |column| row.text(column).map(str::to_owned);
        let (Some(salt), Some(digest)) = (text("token_salt"), text("token_digest")) else { return Ok(None) };
        Ok(Some(Account { salt, digest, team: text("team") }))
    }

    /// Records that this token belongs to the account, and the team if it could be read. Only for the owner of the lease.
    pub async fn accept_token(&self, token: &SecretString, team: Option<&str>) -> Result<(), Error> {
        let salt = format!("{:032x}", fastrand::u128(..));
        let mut transaction = self.begin_as_owner().await?;
        sqlx::query("UPDATE lease SET token_digest = $1, token_salt = $2, team = $3")
            .bind(digest(&salt, token))
            .bind(salt)
            .bind(team.map(without_nul))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await.map_err(Error::from)
    }

    /// Records the team that the account's token is known to belong to. Only for the owner of the lease.
    pub async fn remember_team(&self, team: &str) -> Result<(), Error> {
        let mut transaction = self.begin_as_owner().await?;
        sqlx::query("UPDATE lease SET team = $1").bind(without_nul(team)).execute(&mut *transaction).await?;
        transaction.commit().await.map_err(Error::from)
    }

    /// Resources by which a token can prove that it belongs to the account: the Droplets, Actions and Snapshots of the last `limit`
    /// operations, open ones first. `None` if there has been no operation yet: then any token is acceptable.
    pub async fn evidence(&self, limit: usize) -> Result<Option<Evidence>, Error> {
        let rows = sqlx::query(select_stored!("ORDER BY o.is_open DESC, o.asked_at DESC LIMIT $1"))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.pool)
            .await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let mut evidence = Evidence::default();
        for operation in operation_row::read_all(&rows).into_iter().map(|stored| stored.operation) {
            let launched = operation.launched.as_ref().map(|launched| launched.droplet);
            evidence.droplets.extend(operation.target.droplet.into_iter().chain(launched));
            let actions = operation.running_action().into_iter().chain(operation.baseline.highest());
            evidence.actions.extend(actions);
            let snapshots = operation.snapshot.iter().map(|snapshot| snapshot.id);
            evidence.snapshots.extend(snapshots.chain(operation.kind.snapshot().map(|snapshot| snapshot.id)));
        }
        let Evidence { droplets, actions, snapshots } = &mut evidence;
        droplets.dedup();
        actions.dedup();
        snapshots.dedup();
        Ok(Some(evidence))
    }
}

fn digest(salt: &str, token: &SecretString) -> String {
    format!("{:x}", Sha256::new().chain_update(salt).chain_update(token.expose_secret()).finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_token_has_another_digest_in_each_database() {
        let token = SecretString::from("dop_v1_abc");
        assert_eq!(digest("1", &token), digest("1", &token));
        assert_ne!(digest("1", &token), digest("2", &token));
        assert_ne!(digest("1", &token), digest("1", &SecretString::from("dop_v1_abd")));
        assert!(!digest("1", &token).contains("dop_v1"));
    }
}
