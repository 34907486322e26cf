//! DigitalOcean's own Backups: queries, commands, and how their answers are read.
//!
//! The inventory calls the queries; the worker calls the commands after it has committed the intent. Plans are text in DigitalOcean's
//! words, since it sells plans that its specification does not know.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    budget::Priority,
    call::Call,
    http_types::Method,
    lenient::{Fields, Mismatch, Whole},
    model::{Action, BackupWindow, Snapshot, backup_window},
    mutations::start,
    queries::same,
};
use crate::operation::ids::{DropletId, SnapshotId};

/// When a Droplet is backed up.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Fields")]
pub struct BackupPolicy {
    /// DigitalOcean's word for the plan, such as `daily`.
    pub plan: String,
    /// The day of a weekly plan, such as `SUN`.
    pub weekday: Option<String>,
    /// The hour at which its window opens, in UTC.
    pub hour: Option<u64>,
    /// How long a window is open, in hours.
    pub window_hours: Option<u64>,
    /// How many days a Backup is kept.
    pub retention_days: Option<u64>,
}

/// Whether a Droplet is backed up, and how.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Fields")]
pub struct BackupRecord {
    /// The Droplet.
    pub droplet: DropletId,
    /// Whether it is backed up.
    pub enabled: bool,
    /// The policy, if the Droplet is backed up and DigitalOcean states it.
    pub policy: Option<BackupPolicy>,
    /// When the next Backup may begin.
    pub next_window: Option<BackupWindow>,
}

/// A policy that a Droplet can have.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Fields")]
pub struct SupportedPolicy {
    /// DigitalOcean's word for the plan.
    pub plan: String,
    /// The hours at which its window may open, in UTC.
    pub hours: Vec<u64>,
    /// The days on which it can run; empty if it runs every day.
    pub days: Vec<String>,
    /// How long a window is open, in hours.
    pub window_hours: Option<u64>,
    /// How many days a Backup is kept.
    pub retention_days: Option<u64>,
}

/// A Snapshot or a Backup, as DigitalOcean lists images.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Fields")]
pub struct Image {
    /// DigitalOcean's word for its type: `snapshot`, `backup` or another one.
    pub kind: String,
    /// Its other properties, without its Droplet, which this list does not state.
    pub snapshot: Snapshot,
}

/// A policy to request: a plan and its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WantedPolicy<'a> {
    /// DigitalOcean's word for the plan.
    pub plan: &'a str,
    /// The day, for a weekly plan.
    pub weekday: Option<&'a str>,
    /// The hour at which the window opens, in UTC.
    pub hour: u8,
}

/// The backup policy of one Droplet.
pub fn policy(droplet: DropletId) -> Call<BackupRecord> {
    Call::single(Method::Get, format!("/v2/droplets/{droplet}/backups/policy"), move |wire| {
        let record: BackupRecord = wire.decisive("policy")?;
        same("policy.droplet_id", &droplet, &record.droplet)?;
        Ok(record)
    })
    .scopes(&["droplet:read"])
}

/// The backup policies of all Droplets of the account, except those that cannot be read.
pub fn policies() -> Call<Vec<BackupRecord>> {
    Call::paged("/v2/droplets/backups/policies".to_owned(), "policies", |record: &BackupRecord| record.droplet)
        .with_priority(Priority::Inventory)
        .scopes(&["droplet:read"])
}

/// The policies that DigitalOcean offers, except those that cannot be read.
pub fn supported_policies() -> Call<Vec<SupportedPolicy>> {
    Call::single(Method::Get, "/v2/droplets/backups/supported_policies".to_owned(), |wire| {
        let listed: Option<Vec<SupportedPolicy>> = wire.known_list("supported_policies");
        listed.ok_or_else(|| Mismatch::at("supported_policies", "nothing in it can be read"))
    })
    .scopes(&["droplet:read"])
}

/// One image. Only this request shows whether it is still a Backup.
pub fn image(id: SnapshotId) -> Call<Image> {
    Call::single(Method::Get, format!("/v2/images/{id}"), move |wire| {
        let image: Image = wire.decisive("image")?;
        same("image.id", &id, &image.snapshot.id)?;
        Ok(image)
    })
    .scopes(&["image:read"])
}

/// Enables backups of a Droplet.
pub fn enable(droplet: DropletId, wanted: WantedPolicy<'_>) -> Call<Action> {
    start(droplet, "enable_backups", json!({ "backup_policy": in_json(wanted) })).with_priority(Priority::Person)
}

/// Changes the policy of a Droplet that is backed up.
pub fn change(droplet: DropletId, wanted: WantedPolicy<'_>) -> Call<Action> {
    start(droplet, "change_backup_policy", json!({ "backup_policy": in_json(wanted) })).with_priority(Priority::Person)
}

/// Disables backups of a Droplet. DigitalOcean deletes all of its Backups.
pub fn disable(droplet: DropletId) -> Call<Action> {
    start(droplet, "disable_backups", json!({})).with_priority(Priority::Person)
}

/// Converts a Backup into a Snapshot, which leaves the rotation and keeps its id. The Action belongs to the image.
pub fn convert(backup: SnapshotId) -> Call<Action> {
    Call::single(Method::Post, format!("/v2/images/{backup}/actions"), move |wire| {
        // DigitalOcean's schema shows the Action at the top level, its examples show it under `action`.
        let action: Action = if wire.has_value("action") { wire.decisive("action")? } else { wire.whole()? };
        if action.kind == "convert" { Ok(action) } else { Err(Mismatch::at("action.type", "asked for convert")) }
    })
    .body(json!({ "type": "convert" }))
    .scopes(&["image:update"])
}

fn in_json(wanted: WantedPolicy<'_>) -> Value {
    let mut policy = json!({ "plan": wanted.plan, "hour": wanted.hour });
    if let Some(weekday) = wanted.weekday {
        policy["weekday"] = weekday.into();
    }
    policy
}

impl TryFrom<Fields> for BackupPolicy {
    type Error = Mismatch;

    fn try_from(wire: Fields) -> Result<Self, Mismatch> {
        Ok(Self {
            plan: wire.decisive("backup_policy.plan")?,
            weekday: wire.known("backup_policy.weekday"),
            hour: number(&wire, "backup_policy.hour"),
            window_hours: number(&wire, "backup_policy.window_length_hours"),
            retention_days: number(&wire, "backup_policy.retention_period_days"),
        })
    }
}

impl TryFrom<Fields> for BackupRecord {
    type Error = Mismatch;

    fn try_from(wire: Fields) -> Result<Self, Mismatch> {
        let Whole(droplet) = wire.decisive("policy.droplet_id")?;
        let window: Option<Fields> = wire.known("policy.next_backup_window");
        Ok(Self {
            droplet: DropletId(droplet),
            enabled: wire.decisive("policy.backup_enabled")?,
            policy: wire.known("policy.backup_policy"),
            next_window: window.and_then(|window| backup_window(&window)),
        })
    }
}

impl TryFrom<Fields> for SupportedPolicy {
    type Error = Mismatch;

    fn try_from(wire: Fields) -> Result<Self, Mismatch> {
        let hours: Option<Vec<Whole>> = wire.known_list("supported_policies.possible_window_starts");
        Ok(Self {
            plan: wire.decisive("supported_policies.name")?,
            hours: hours.unwrap_or_default().into_iter().map(|Whole(hour)| hour).collect(),
            days: wire.known_list("supported_policies.possible_days").unwrap_or_default(),
            window_hours: number(&wire, "supported_policies.window_length_hours"),
            retention_days: number(&wire, "supported_policies.retention_period_days"),
        })
    }
}

impl TryFrom<Fields> for Image {
    type Error = Mismatch;

    fn try_from(wire: Fields) -> Result<Self, Mismatch> {
        Ok(Self { kind: wire.decisive("image.type")?, snapshot: Snapshot::try_from(wire)? })
    }
}

fn number(wire: &Fields, place: &'static str) -> Option<u64> {
    wire.known(place).map(|Whole(number)| number)
}

#[cfg(test)]
mod tests;
