//! Which operation took a Snapshot, found by the operation's id at the end of its name, and whether it has been restored since.
//!
//! The Discord front end uses this to show who took a Snapshot. A name alone proves nothing, since anybody can give a Snapshot any name.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use sqlx::AssertSqlSafe;

use super::{
    Error, Store, history,
    operation_row::{self, select_stored},
    row::{Row, bits, places},
};
use crate::operation::{
    Operation,
    ids::{DropletId, OperationId, ScheduleId, SnapshotId, UserId},
    trigger::Trigger,
};

/// A deletion that the bot carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// Who requested it.
    pub by: Deleter,
    /// When it was done.
    pub at: Timestamp,
}

/// Who requested the deletion of a Snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleter {
    /// A person requested it.
    Person(UserId),
    /// The rules of this schedule no longer kept it.
    Schedule(ScheduleId),
}

/// How many names one statement looks up; both databases accept many more parameters.
const AT_ONCE: usize = 200;

impl Store {
    /// The operations that took Snapshots with these names. The whole name must match, not only its end. For pruned operations only the
    /// plain facts remain: who requested it, where, when, for which Droplet.
    pub async fn origins<'n>(
        &self,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<HashMap<String, Operation>, Error> {
        let ids: BTreeSet<OperationId> = names.into_iter().filter_map(operation_in).collect();
        let ids: Vec<_> = ids.into_iter().collect();
        let mut found = HashMap::new();
        for ids in ids.chunks(AT_ONCE) {
            let statement = format!("{} ({})", select_stored!("WHERE o.id IN"), places(ids.len()));
            let mut query = sqlx::query(AssertSqlSafe(statement));
            for id in ids {
                query = query.bind(id.to_string());
            }
            let rows = query.fetch_all(&self.pool).await?;
            let operations =
                rows.iter().filter_map(|row| operation_row::read(Row(row))).map(|(stored, _)| stored.operation);
            let known = operations.chain(history::pruned(self, ids).await?);
            found.extend(known.map(|operation| (operation.snapshot_name.clone(), operation)));
        }
        Ok(found)
    }

    /// Who had the bot delete this Snapshot, and when; `None` if the bot did not, or no longer knows.
    pub async fn deletion_of(&self, snapshot: SnapshotId) -> Result<Option<Deletion>, Error> {
        let keyed =
            sqlx::query(select_stored!("WHERE o.deletes = $1 AND o.outcome = 'completed' ORDER BY o.ended_at DESC"));
        let mut rows = keyed.bind(bits(snapshot.0)).fetch_all(&self.pool).await?;
        if rows.is_empty() {
            // Rows of older versions lack the column. A state that only contains the same digits is filtered out below.
            let older = sqlx::query(select_stored!(
                "WHERE o.deletes IS NULL AND o.is_running = 0 AND o.kind = 'delete' AND o.outcome = 'completed' \
                 AND o.state LIKE $1 ORDER BY o.ended_at DESC"
            ));
            rows = older.bind(format!("%{snapshot}%")).fetch_all(&self.pool).await?;
        }
        let deletions = operation_row::read_all(&rows).into_iter().map(|stored| stored.operation);
        let found = deletions
            .filter(|deletion| deletion.kind.snapshot().is_some_and(|deleted| deleted.id == snapshot))
            .find_map(|deletion| Some(Deletion { by: deleter(&deletion), at: deletion.ended? }));
        Ok(found)
    }

    /// Whether a restore that completed since then restored this Snapshot onto the Droplet.
    pub async fn was_put_back(
        &self,
        snapshot: SnapshotId,
        droplet: DropletId,
        since: Timestamp,
    ) -> Result<bool, Error> {
        let rows = sqlx::query(select_stored!(
            "WHERE o.is_running = 0 AND o.ended_at >= $1 AND o.droplet_id = $2 AND o.kind = 'restore' \
             AND o.outcome = 'completed'"
        ))
        .bind(since.as_millisecond())
        .bind(bits(droplet.0))
        .fetch_all(&self.pool)
        .await?;
        let restores = operation_row::read_all(&rows);
        Ok(restores.iter().any(|stored| stored.operation.kind.snapshot().is_some_and(|back| back.id == snapshot)))
    }
}

fn deleter(deletion: &Operation) -> Deleter {
    match deletion.trigger {
        Some(Trigger::Prune { schedule, .. }) => Deleter::Schedule(schedule),
        _ => Deleter::Person(deletion.requester.user),
    }
}

/// The operation id at the end of a name that the bot gave.
fn operation_in(name: &str) -> Option<OperationId> {
    name.rsplit_once('-')?.1.parse().ok()
}
