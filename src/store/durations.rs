//! How long steps usually take: the median of the last few durations of the same Droplet.
//!
//! The worker's commits record how long steps took. A new operation stores the estimates, and the Discord front end shows them.

use sqlx::{AnyConnection, any::AnyRow};
use strum::VariantArray;

use super::{Error, Store, row::Row, row::bits};
use crate::operation::{
    Operation, TypicalDurations,
    ids::{DropletId, OperationId},
    step::{Step, Task},
};

/// How many of the last durations count: enough for a median, few enough to adapt to a Droplet that grows.
const REMEMBERED: i64 = 5;

/// The latest durations of each task, of the rows that meet a condition.
macro_rules! latest {
    ($condition:literal) => {
        concat!(
            "SELECT task, millis FROM (SELECT task, millis, ROW_NUMBER() OVER (PARTITION BY task ORDER BY ended_at DESC) AS place \
             FROM durations WHERE ",
            $condition,
            ") AS latest WHERE place <= $1"
        )
    };
}

impl Store {
    /// How long steps usually take for this Droplet or, without one, for Droplets yet to be created.
    pub async fn typical(&self, droplet: Option<DropletId>) -> Result<TypicalDurations, Error> {
        let mut connection = self.pool.acquire().await?;
        typical(&mut connection, droplet).await
    }
}

/// The estimates of [`Store::usual`], inside a transaction.
pub(super) async fn typical(
    connection: &mut AnyConnection,
    droplet: Option<DropletId>,
) -> Result<TypicalDurations, Error> {
    // The last ones of each task: a Droplet that is taken every night must not crowd out the restore of last spring.
    let rows: Vec<AnyRow> = match droplet {
        Some(droplet) => {
            sqlx::query(latest!("droplet_id = $2")).bind(REMEMBERED).bind(bits(droplet.0)).fetch_all(connection).await?
        }
        None => sqlx::query(latest!("droplet_id IS NULL")).bind(REMEMBERED).fetch_all(connection).await?,
    };
    let mut millis = Vec::new();
    for task in Task::VARIANTS.iter().copied() {
        let of_task = rows.iter().map(Row).filter(|row| row.text("task") == Some(task.word()));
        let mut last: Vec<i64> = of_task.filter_map(|row| row.number("millis")).collect();
        last.sort_unstable();
        if let Some(median) = last.get(last.len() / 2) {
            millis.push((task, *median));
        }
    }
    Ok(TypicalDurations { millis })
}

/// The durations of the steps that were completed between two states of an operation.
pub(super) fn between(before: &Operation, after: &Operation) -> Vec<(Task, i64)> {
    let was_done = |step: &Step| {
        let mut earlier = before.steps.iter().chain(std::iter::once(before.power.back()));
        earlier.any(|known| known.task() == step.task() && known.is_done())
    };
    let done = after.steps.iter().chain(std::iter::once(after.power.back())).filter(|step| !was_done(step));
    done.filter_map(|step| Some((step.task(), i64::try_from(step.took()?.as_millis()).ok()?))).collect()
}

/// Records the duration of a step.
pub(super) async fn remember(
    connection: &mut AnyConnection,
    operation: OperationId,
    droplet: Option<DropletId>,
    (task, millis): (Task, i64),
    ended_at: i64,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO durations (operation, task, droplet_id, millis, ended_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT DO NOTHING",
    )
    .bind(operation.to_string())
    .bind(task.word())
    .bind(droplet.map(|droplet| bits(droplet.0)))
    .bind(millis)
    .bind(ended_at)
    .execute(connection)
    .await?;
    Ok(())
}
