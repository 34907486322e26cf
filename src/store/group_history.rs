//! Facts around groups: which Droplets are busy, when each was last taken, and how long runs are kept.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use sqlx::AssertSqlSafe;

use super::{Error, Store, row::Row};
use crate::operation::ids::{DropletId, RunId};

impl Store {
    /// The Droplets on which an operation runs, or may still take effect.
    pub async fn busy_droplets(&self) -> Result<BTreeSet<DropletId>, Error> {
        let rows = sqlx::query("SELECT droplet_id FROM operations WHERE is_open = 1 AND droplet_id IS NOT NULL")
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.iter().filter_map(|row| Row(row).id("droplet_id")).map(DropletId).collect())
    }

    /// When the bot took the latest good Snapshot of each Droplet.
    pub async fn latest_good_takes(&self) -> Result<HashMap<DropletId, Timestamp>, Error> {
        let rows = sqlx::query(
            "SELECT droplet_id, MAX(taken_at) AS taken_at FROM ( \
             SELECT droplet_id, planned_at AS taken_at FROM schedule_snapshots WHERE state = 'listed' \
             UNION ALL SELECT droplet_id, asked_at AS taken_at FROM operations \
             WHERE kind = 'take' AND outcome = 'completed' AND droplet_id IS NOT NULL) AS taken GROUP BY droplet_id",
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows
            .iter()
            .filter_map(|row| Some((DropletId(Row(row).id("droplet_id")?), Row(row).at("taken_at")?)))
            .collect())
    }

    /// Whether some Snapshots of the run's finished members are not yet recorded for its schedule. A member that did not come back may
    /// never finish.
    pub async fn is_being_settled(&self, run: RunId) -> Result<bool, Error> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS taking FROM group_members m JOIN schedule_snapshots s ON s.operation = m.operation \
             WHERE m.run = $1 AND m.phase = 'done' AND s.state = 'taking'",
        )
        .bind(run.to_string())
        .fetch_one(&self.pool)
        .await?;
        Ok(Row(&row).number("taking").is_some_and(|taking| taking > 0))
    }

    /// Prunes runs that ended before `before`. The latest of each schedule stays, since it tells which Droplets' Snapshots the schedule
    /// manages.
    pub async fn prune_runs(&self, before: Timestamp) -> Result<(), Error> {
        let mut transaction = self.begin_as_owner().await?;
        let old = "SELECT r.id FROM group_runs r WHERE r.ended_at < $1 AND NOT (r.schedule IS NOT NULL AND r.planned_at = \
            (SELECT MAX(l.planned_at) FROM group_runs l WHERE l.schedule = r.schedule))";
        for statement in [
            format!("DELETE FROM group_messages WHERE run IN ({old})"),
            format!("DELETE FROM group_members WHERE run IN ({old})"),
            format!("DELETE FROM group_runs WHERE id IN ({old})"),
        ] {
            sqlx::query(AssertSqlSafe(statement)).bind(before.as_millisecond()).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
