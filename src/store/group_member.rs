//! A member of a group's run as a row.

use jiff::Timestamp;
use sqlx::{AnyConnection, any::AnyRow};

use super::{
    Error,
    row::{Row, bits, without_nul},
};
use crate::{
    operation::ids::{DropletId, RunId},
    schedule::{
        group::Excluded,
        run::{Lost, Member, Phase},
    },
};

pub(super) async fn insert(
    connection: &mut AnyConnection,
    run: RunId,
    position: i64,
    member: &Member,
) -> Result<(), Error> {
    let written = Written::of(member.phase);
    sqlx::query(
        "INSERT INTO group_members (run, droplet_id, position, name, phase, why, is_good) \
         VALUES ($1, $2, $3, $4, $5, $6, 0) ON CONFLICT DO NOTHING",
    )
    .bind(run.to_string())
    .bind(bits(member.droplet.0))
    .bind(position)
    .bind(without_nul(&member.name))
    .bind(written.phase)
    .bind(written.why)
    .execute(connection)
    .await?;
    Ok(())
}

/// A phase as columns.
pub(super) struct Written {
    pub(super) phase: &'static str,
    pub(super) why: &'static str,
    pub(super) is_good: bool,
    pub(super) since: Option<Timestamp>,
}

impl Written {
    pub(super) fn of(phase: Phase) -> Self {
        let is_good = phase.is_good();
        let (phase, why, since) = match phase {
            Phase::Waiting => ("waiting", "", None),
            Phase::Taking => ("taking", "", None),
            Phase::Returning { since, .. } => ("returning", "", Some(since)),
            Phase::Done { at, .. } => ("done", "", Some(at)),
            Phase::Lost { why: Lost::NotActive, .. } => ("lost", "not active", None),
            Phase::Lost { why: Lost::Check, .. } => ("lost", "check", None),
            Phase::Left => ("left", "", None),
            Phase::Excluded(why) => ("excluded", why.word(), None),
        };
        Self { phase, why, is_good, since }
    }
}

pub(super) fn read(row: &AnyRow) -> Option<Member> {
    use strum::IntoEnumIterator as _;
    let row = Row(row);
    let is_good = row.number("is_good") == Some(1);
    let since = row.at("since").unwrap_or_default();
    let why = row.text("why").unwrap_or_default();
    let phase = match row.text("phase").unwrap_or_default() {
        "waiting" => Phase::Waiting,
        "taking" => Phase::Taking,
        "returning" => Phase::Returning { is_good, since },
        "done" => Phase::Done { is_good, at: since },
        "left" => Phase::Left,
        "excluded" => Phase::Excluded(Excluded::iter().find(|known| known.word() == why).unwrap_or(Excluded::Own)),
        // An unknown word stops the run, which does no harm.
        _ if why == "check" => Phase::Lost { is_good, why: Lost::Check },
        _ => Phase::Lost { is_good, why: Lost::NotActive },
    };
    Some(Member {
        droplet: DropletId(row.id("droplet_id")?),
        name: row.text("name").unwrap_or_default().to_owned(),
        phase,
        operation: row.text("operation").and_then(|id| id.parse().ok()),
    })
}
