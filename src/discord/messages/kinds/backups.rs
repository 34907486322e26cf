//! The texts of a change to DigitalOcean's own Backups.

use super::{Advice, Words};
use crate::{
    discord::messages::{Wording, backups::when, cost, text::name},
    operation::{
        Operation,
        kinds::{Backups, BackupsChange, SnapshotRef},
    },
};

/// What to do next if the Backups are not as they were.
const SEE_THE_BACKUPS: &str = "`/backups show` shows how it is now.";

impl Words for Backups {
    fn called(&self, target: &str, shown: &dyn Fn(&str) -> String) -> String {
        let of = shown(target);
        match &self.change {
            BackupsChange::Enable(_) => format!("turning on Backups of {of}"),
            BackupsChange::Change(_) => format!("changing Backups of {of}"),
            BackupsChange::Disable { .. } => format!("turning off Backups of {of}"),
            BackupsChange::Keep(_) => format!("keeping a Backup of {of}"),
        }
    }

    fn article(&self) -> &'static str {
        ""
    }

    fn titled(&self, target: &str, shown: &dyn Fn(&str) -> String) -> String {
        let of = shown(target);
        match &self.change {
            BackupsChange::Keep(_) => format!("Backup of {of}"),
            BackupsChange::Enable(_) | BackupsChange::Change(_) | BackupsChange::Disable { .. } => {
                format!("Backups of {of}")
            }
        }
    }

    fn declined(&self, target: &str) -> String {
        format!("Backups of {target} stay as they are")
    }

    fn doing(&self, target: &str, shown: &dyn Fn(&str) -> String) -> String {
        let of = shown(target);
        match &self.change {
            BackupsChange::Enable(_) => format!("Turning on Backups of {of}"),
            BackupsChange::Change(_) => format!("Changing Backups of {of}"),
            BackupsChange::Disable { .. } => format!("Turning off Backups of {of}"),
            BackupsChange::Keep(_) => format!("Keeping a Backup of {of}"),
        }
    }

    fn done(&self) -> &'static str {
        match &self.change {
            BackupsChange::Enable(_) => "on",
            BackupsChange::Change(_) => "changed",
            BackupsChange::Disable { .. } => "off",
            BackupsChange::Keep(_) => "kept",
        }
    }

    fn completed(&self, operation: &Operation, wording: &Wording) -> Vec<String> {
        let droplet = name(&operation.target.name);
        match &self.change {
            BackupsChange::Enable(policy) | BackupsChange::Change(policy) => {
                vec![format!("DigitalOcean now backs {droplet} up {}.", when(policy))]
            }
            BackupsChange::Disable { listed, keep } => {
                let gone = listed.len().saturating_sub(usize::from(keep.is_some()));
                let deleted = match gone {
                    0 => String::new(),
                    1 => ", and DigitalOcean deleted 1 Backup".to_owned(),
                    gone => format!(", and DigitalOcean deleted {gone} Backups"),
                };
                let off = format!("Backups of {droplet} are off{deleted}.");
                std::iter::once(off).chain(self.kept(operation, wording)).collect()
            }
            BackupsChange::Keep(_) => self.kept(operation, wording).into_iter().collect(),
        }
    }

    fn undone(&self, operation: &Operation) -> Option<String> {
        // A kept Backup is mentioned separately.
        operation.snapshot.is_none().then(|| "Nothing was changed.".to_owned())
    }

    fn kept(&self, operation: &Operation, wording: &Wording) -> Option<String> {
        operation.snapshot.as_ref()?;
        let SnapshotRef { name: backup, .. } = match &self.change {
            BackupsChange::Keep(backup) | BackupsChange::Disable { keep: Some(backup), .. } => backup,
            BackupsChange::Enable(_) | BackupsChange::Change(_) | BackupsChange::Disable { keep: None, .. } => {
                return None;
            }
        };
        Some(format!(
            "Backup {} is a Snapshot now{}. It stays until somebody deletes it.",
            name(backup),
            cost(operation, wording)
        ))
    }

    fn droplet_gone(&self, operation: &Operation) -> Advice {
        Advice {
            what: format!("{} is gone, and its Backups went with it.", name(&operation.target.name)),
            next: "`/snapshot launch` makes a new Droplet from one of its Snapshots, if it has any left.".to_owned(),
        }
    }

    fn snapshot_gone(&self, operation: &Operation) -> Advice {
        let nothing_else = match self.change {
            BackupsChange::Disable { .. } => " Nothing else was deleted.",
            BackupsChange::Enable(_) | BackupsChange::Change(_) | BackupsChange::Keep(_) => "",
        };
        let backup = match operation.kind.snapshot() {
            // The Backup that became a Snapshot is not the one that is gone.
            Some(_) if operation.snapshot.is_some() => "Another Backup".to_owned(),
            Some(backup) => format!("Backup {}", name(&backup.name)),
            None => "That Backup".to_owned(),
        };
        Advice {
            what: format!("{backup} is gone: DigitalOcean rotates them.{nothing_else}"),
            next: SEE_THE_BACKUPS.to_owned(),
        }
    }

    fn changed_meanwhile(&self, operation: &Operation) -> Advice {
        let droplet = name(&operation.target.name);
        let what = match self.change {
            BackupsChange::Disable { .. } => format!(
                "{droplet} has a Backup that you weren't asked about, or its disk was replaced in the meantime, so no Backup was \
                 deleted."
            ),
            BackupsChange::Enable(_) | BackupsChange::Change(_) | BackupsChange::Keep(_) => {
                format!("{droplet} changed meanwhile, so I changed nothing.")
            }
        };
        Advice { what, next: format!("{SEE_THE_BACKUPS} Ask again if you still want it.") }
    }

    fn not_listed(&self) -> &'static str {
        "DigitalOcean said that it was done, but still doesn't show it after 30 minutes."
    }

    fn look_first(&self, _operation: &Operation) -> String {
        format!("{SEE_THE_BACKUPS} Try again if it is not what you want.")
    }

    fn facts(&self, taken: Option<String>) -> Vec<String> {
        match &self.change {
            BackupsChange::Enable(policy) | BackupsChange::Change(policy) => vec![format!("Backups {}", when(policy))],
            BackupsChange::Keep(backup) => {
                vec![
                    taken.map_or_else(|| format!("Backup {}", name(&backup.name)), |taken| format!("Snapshot {taken}")),
                ]
            }
            BackupsChange::Disable { .. } => taken.map(|taken| format!("Kept: {taken}")).into_iter().collect(),
        }
    }

    fn with_droplet(&self) -> &'static str {
        "changing its Backups"
    }

    fn with_snapshot(&self) -> &'static str {
        "making a Snapshot of it"
    }
}
