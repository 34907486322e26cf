//! Translates between the domain and the client: which call a look or a command is, and what its answer means.
//!
//! Calls are data, so a simulation carries out exactly the same ones against a synchronous world.

use jiff::{SignedDuration, Timestamp};

use crate::{
    digitalocean::{
        backups,
        budget::Priority,
        call::Call,
        error::{Delivery, Error, Retry},
        model, mutations, queries,
    },
    operation::{
        LAUNCH_TAG, Operation,
        effect::{Answer, BackupPolicy, Command, CreatedAs, Look},
        ids::OperationId,
        launch_tag,
        reading::{
            ActionReading, ActionStatus, DropletReading, ImageReading, PowerState, SnapshotReading, Status, Trouble,
        },
    },
};

/// The pause before a request that met an outage is tried again.
const OUTAGE_PAUSE: SignedDuration = SignedDuration::from_secs(2);

/// How far DigitalOcean's clock may be behind ours.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(1);

/// The longest pause after a request. The budget handles longer silences: an operation that may not send yet is postponed again.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(2);

/// The call for a look of this operation; it skips Actions that existed before the operation's first command.
pub fn look_of(operation: &Operation, wanted: &Look) -> Call<Answer> {
    match (wanted, operation.baseline.highest()) {
        (Look::Actions(id), Some(known)) => queries::droplet_actions_since(*id, known)
            .map(|actions| Answer::Actions(actions.into_iter().map(action_reading).collect())),
        _ => look(wanted),
    }
}

/// The call for a look without any knowledge of earlier Actions.
pub fn look(look: &Look) -> Call<Answer> {
    match look {
        Look::Droplet(id) => queries::droplet(*id).map(|droplet| Answer::Droplet(droplet_reading(droplet))),
        Look::Action(id) => queries::action(*id).map(|action| Answer::Action(action_reading(action))),
        Look::Actions(id) => queries::droplet_actions(*id)
            .map(|actions| Answer::Actions(actions.into_iter().map(action_reading).collect())),
        Look::Snapshots(id) => queries::droplet_snapshots(*id)
            .map(|snapshots| Answer::Snapshots(snapshots.into_iter().map(snapshot_reading).collect())),
        Look::Snapshot(id) => {
            queries::snapshot(*id).map(|snapshot| Answer::Snapshots(vec![snapshot_reading(snapshot)]))
        }
        Look::Launched(operation) => queries::every_droplet(Some(&launch_tag(*operation)))
            .map(|droplets| Answer::Droplets(droplets.into_iter().map(droplet_reading).collect()))
            .with_priority(Priority::LookUp),
        Look::CreatedAs(wanted) => {
            let wanted = wanted.clone();
            queries::droplets_named(&wanted.name)
                .map(move |droplets| {
                    let found = droplets.into_iter().filter(|droplet| is_created_as(droplet, &wanted));
                    Answer::Droplets(found.map(droplet_reading).collect())
                })
                .with_priority(Priority::LookUp)
        }
        Look::Backups(id) => queries::every_droplet_backup(*id)
            .map(|backups| Answer::Snapshots(backups.into_iter().map(snapshot_reading).collect())),
        Look::Image(id) => backups::image(*id).map(|image| {
            let is_backup = image.kind == "backup";
            Answer::Image(ImageReading { snapshot: snapshot_reading(image.snapshot), is_backup })
        }),
        Look::Listed(id) => {
            let id = *id;
            queries::every_droplet(None).map(move |droplets| {
                let found = droplets.into_iter().filter(|droplet| droplet.id == id);
                Answer::Droplets(found.map(droplet_reading).collect())
            })
        }
    }
}

/// Whether a Droplet comes from a command whose answer was lost: it has the operation's tag, or was created since under its name, and
/// by no other operation. A Droplet of somebody else's that meets this was created under that name in that minute.
fn is_created_as(droplet: &model::Droplet, wanted: &CreatedAs) -> bool {
    let mut launched_by = droplet.tags.iter().flatten().filter(|tag| tag.starts_with(LAUNCH_TAG)).peekable();
    if launched_by.peek().is_some() {
        return launched_by.any(|tag| *tag == launch_tag(wanted.by));
    }
    droplet.created_at.is_some_and(|at| wanted.since.duration_since(at) <= CLOCKS_DIFFER)
        && droplet.name.eq_ignore_ascii_case(&wanted.name)
}

/// The operation whose Snapshot a look may find at the end of the list of all Snapshots, which other operations read too: one whose
/// Snapshot is completed and certainly its own, while its Droplet runs.
pub fn listed_for(operation: &Operation, look: &Look) -> Option<OperationId> {
    let run = operation.current().filter(|_| matches!(look, Look::Snapshots(_)))?.run()?;
    let is_sure = run.completed.is_some() && run.broken.is_none() && !run.presumed;
    (is_sure && !operation.power.is_owed()).then_some(operation.id)
}

/// The call for a command.
pub fn command(command: &Command) -> Call<Answer> {
    let begun = |action| Answer::Action(action_reading(action));
    match command {
        Command::ShutDown(droplet) => mutations::shutdown(*droplet).map(begun),
        Command::PowerOff(droplet) => mutations::power_off(*droplet).map(begun),
        Command::PowerOn(droplet) => mutations::power_on(*droplet).map(begun),
        Command::Restart(droplet) => mutations::power_cycle(*droplet).map(begun),
        Command::TakeSnapshot { droplet, name } => mutations::take_snapshot(*droplet, name).map(begun),
        Command::Restore { droplet, snapshot } => mutations::restore(*droplet, *snapshot).map(begun),
        Command::Create(wanted) => {
            let wanted = mutations::CreateDroplet {
                name: wanted.name.clone(),
                region: wanted.region.clone(),
                size: wanted.size.clone(),
                image: wanted.image,
                tags: wanted.tags.clone(),
                ssh_keys: wanted.ssh_keys.clone(),
            };
            mutations::create_droplet(&wanted).map(|(droplet, _)| Answer::Droplets(vec![droplet_reading(droplet)]))
        }
        Command::Delete(snapshot) => mutations::delete_snapshot(*snapshot).map(|()| Answer::Done),
        Command::EnableBackups { droplet, policy } => backups::enable(*droplet, wanted(policy)).map(begun),
        Command::ChangeBackups { droplet, policy } => backups::change(*droplet, wanted(policy)).map(begun),
        Command::DisableBackups(droplet) => backups::disable(*droplet).map(begun),
        Command::KeepBackup(backup) => backups::convert(*backup).map(begun),
    }
}

fn wanted(policy: &BackupPolicy) -> backups::WantedPolicy<'_> {
    backups::WantedPolicy { plan: &policy.plan, weekday: policy.weekday.as_deref(), hour: policy.hour }
}

/// The meaning of an error for an operation.
pub fn trouble(error: &Error, now: Timestamp) -> Trouble {
    let retry_at = match error.retry() {
        Retry::At(moment) => moment.min(now + LONGEST_PAUSE),
        Retry::Soon | Retry::Never => now + OUTAGE_PAUSE,
    };
    match (error.delivery(), error) {
        (Delivery::NotSent, _) => Trouble::NotSent { retry_at },
        (Delivery::Refused, Error::Unauthorized { .. }) => Trouble::Unauthorized,
        (Delivery::Refused, Error::Forbidden { scopes, message, .. }) => {
            Trouble::Forbidden { scopes: scopes.join(", "), message: message.clone() }
        }
        (Delivery::Refused, Error::NotFound { .. }) => Trouble::NotFound,
        (Delivery::Refused, Error::Busy { .. }) => Trouble::Busy,
        (Delivery::Refused, Error::Throttled { until, .. }) => {
            Trouble::Throttled { until: (*until).min(now + LONGEST_PAUSE) }
        }
        (Delivery::Refused, Error::Refused { message, .. }) => Trouble::Refused { message: message.clone() },
        (Delivery::Ambiguous, _) | (_, Error::Unavailable { .. } | Error::Unreadable { .. }) => {
            Trouble::Unclear { retry_at }
        }
    }
}

/// A Droplet in the domain's terms.
pub fn droplet_reading(droplet: model::Droplet) -> DropletReading {
    let status = match droplet.status {
        model::DropletStatus::Active => Status::Settled(PowerState::On),
        model::DropletStatus::Off => Status::Settled(PowerState::Off),
        model::DropletStatus::New => Status::New,
        model::DropletStatus::Archive => Status::Other("archive".to_owned()),
        model::DropletStatus::Other(word) => Status::Other(word),
    };
    DropletReading {
        id: droplet.id,
        name: Some(droplet.name).filter(|name| *name != droplet.id.to_string()),
        status,
        locked: droplet.locked,
        tags: droplet.tags,
        address: droplet.public_ipv4.map(|address| address.to_string()),
        monthly_cents: droplet.price_monthly.and_then(cents),
        asked_at: None,
    }
}

/// The price in whole cents, so that readings can be compared; `None` if the price is not a valid number.
fn cents(dollars: f64) -> Option<u64> {
    jiff::SignedDuration::try_from_secs_f64(dollars).ok().and_then(|price| u64::try_from(price.as_millis() / 10).ok())
}

/// An Action in the domain's terms.
pub fn action_reading(action: model::Action) -> ActionReading {
    let status = match action.status {
        model::ActionStatus::InProgress | model::ActionStatus::Other(_) => ActionStatus::InProgress,
        model::ActionStatus::Completed => ActionStatus::Completed,
        model::ActionStatus::Errored => ActionStatus::Errored,
    };
    ActionReading { id: action.id, kind: action.kind, droplet: action.droplet, status, started_at: action.started_at }
}

/// A Snapshot in the domain's terms.
pub fn snapshot_reading(snapshot: model::Snapshot) -> SnapshotReading {
    SnapshotReading {
        id: snapshot.id,
        name: snapshot.name,
        created_at: snapshot.created_at,
        size_gigabytes: snapshot.size_gigabytes,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_droplet_is_taken_for_ours_by_its_name_and_time() {
        let since: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let by: OperationId = "7f3kq2xa".parse().unwrap();
        let wanted = CreatedAs { by, name: "web-2".to_owned(), since };
        let is_ours = |field: &str, value: Value| {
            let mut droplet = json!({
                "id": 9, "name": "web-2", "status": "new", "created_at": "2026-11-22T12:00:01Z", "tags": []
            });
            droplet[field] = value;
            is_created_as(&serde_json::from_value(droplet).unwrap(), &wanted)
        };
        for (field, value) in [
            ("status", json!("active")),
            ("name", json!("WEB-2")),
            ("created_at", json!("2026-11-22T11:59:30Z")),
            ("tags", Value::Null),
            ("tags", json!(["prod"])),
            ("tags", json!(["snapshot-bot-7f3kq2xa"])),
        ] {
            assert!(is_ours(field, value.clone()), "{field}: {value}");
        }
        for (field, value) in [
            ("name", json!("web-3")),
            ("created_at", json!("2026-11-22T11:58:59Z")),
            ("created_at", Value::Null),
            ("tags", json!(["snapshot-bot-0a7hw59b"])),
        ] {
            assert!(!is_ours(field, value.clone()), "{field}: {value}");
        }
    }
}
