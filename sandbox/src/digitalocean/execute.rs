//! Starting an Action: which ones the real API refuses, and how long the others take.

use jiff::SignedDuration;

use super::{
    action::{Action, ActionKind, Progress},
    catalogue::find_size,
    droplet::{Droplet, Status},
    due::Due,
    fault::{HungAction, Quirk},
    image::Origin,
    refusal::Refusal,
    world::World,
};

/// Observed for create and restore alike.
const INVALID_IMAGE: &str = "You specified an invalid image for Droplet creation.";

impl World {
    /// Starts an Action that a client requested, and returns its number.
    pub(super) fn begin(&mut self, droplet: u64, kind: ActionKind, quirk: Option<Quirk>) -> Result<u64, Refusal> {
        let found = self.droplets.get(&droplet).ok_or_else(Refusal::not_found)?;
        self.allow(found, &kind)?;
        Ok(self.start(droplet, kind, quirk))
    }

    /// Whether an Action may start. Terraform's source shows that "already powered on" and "off" are 422 with these
    /// words; the order of the checks is not known.
    pub(super) fn allow(&self, droplet: &Droplet, kind: &ActionKind) -> Result<(), Refusal> {
        if droplet.pending.is_some() {
            return Err(Refusal::pending_event());
        }
        if droplet.locked {
            return Err(Refusal::unprocessable("This Droplet is locked."));
        }
        let off = droplet.status == Status::Off;
        match kind {
            ActionKind::Shutdown | ActionKind::PowerOff | ActionKind::PowerCycle | ActionKind::Reboot if off => {
                Err(Refusal::unprocessable("Droplet is already powered off"))
            }
            ActionKind::PowerOn if droplet.status == Status::Active => {
                Err(Refusal::unprocessable("Droplet is already powered on"))
            }
            ActionKind::Restore(image) => self.allow_restore(droplet, *image),
            ActionKind::Rebuild(image) => match self.images.get(image).filter(|image| image.is_listed(self.now)) {
                Some(image) if image.min_disk_size <= droplet.size.disk => self.allow_disk_write(droplet),
                Some(_) | None => Err(Refusal::unprocessable(INVALID_IMAGE)),
            },
            ActionKind::Resize(slug) => match find_size(slug) {
                None => Err(Refusal::malformed("You specified an invalid size for Droplet creation.")),
                Some(_) if !off => Err(Refusal::unprocessable("Droplet must be powered off.")),
                Some(_) => Ok(()),
            },
            // It is a guess that these are refused, and with which words.
            ActionKind::EnableBackups(_) if droplet.backups.is_some() => {
                Err(Refusal::unprocessable("Backups are already enabled for this Droplet."))
            }
            ActionKind::DisableBackups | ActionKind::ChangeBackupPolicy(_) if droplet.backups.is_none() => {
                Err(Refusal::unprocessable("Backups are not enabled for this Droplet."))
            }
            ActionKind::Shutdown
            | ActionKind::PowerOff
            | ActionKind::PowerCycle
            | ActionKind::Reboot
            | ActionKind::PowerOn
            | ActionKind::Snapshot(_)
            | ActionKind::Rename(_)
            | ActionKind::EnableBackups(_)
            | ActionKind::DisableBackups
            | ActionKind::ChangeBackupPolicy(_)
            | ActionKind::PasswordReset
            | ActionKind::EnableIpv6
            | ActionKind::Convert(_)
            | ActionKind::Create
            | ActionKind::Backup => Ok(()),
        }
    }

    /// The image must be a Snapshot or backup of this same Droplet.
    fn allow_restore(&self, droplet: &Droplet, image: u64) -> Result<(), Refusal> {
        let image = self.images.get(&image).filter(|image| image.is_listed(self.now));
        let own = image.filter(|image| image.origin != Origin::Base && image.droplet == Some(droplet.id));
        match own {
            Some(image) if image.min_disk_size <= droplet.size.disk => self.allow_disk_write(droplet),
            Some(_) | None => Err(Refusal::unprocessable(INVALID_IMAGE)),
        }
    }

    fn allow_disk_write(&self, droplet: &Droplet) -> Result<(), Refusal> {
        if self.settings.restore_wants_off && droplet.status != Status::Off {
            return Err(Refusal::unprocessable("Droplet must be powered off."));
        }
        Ok(())
    }

    /// Starts an Action without checking whether it may start.
    pub(super) fn start(&mut self, droplet: u64, kind: ActionKind, quirk: Option<Quirk>) -> u64 {
        let (id, started_at) = (self.new_id(), self.now);
        let duration = self.duration(droplet, &kind);
        let hang = match (&kind, &quirk) {
            (ActionKind::Shutdown, Some(Quirk::ShutdownHangs { action, off_after })) => Some((*action, *off_after)),
            _ => None,
        };
        let ends_after = match hang {
            Some((HungAction::InProgress, off_after)) => off_after,
            None if quirk == Some(Quirk::NeverFinish) => None,
            Some((HungAction::Completes | HungAction::Errs, _)) | None => Some(duration),
        };
        if let Some((_, Some(off_after))) = hang {
            self.turn_off_after(droplet, off_after);
        }
        if let Some(after) = ends_after {
            self.plan(self.after(after), Due::ActionEnds(id));
        }
        let mut region = String::new();
        if let Some(droplet) = self.droplets.get_mut(&droplet) {
            droplet.pending = Some(id);
            droplet.actions.push(id);
            droplet.region.slug.clone_into(&mut region);
        }
        let progress = Progress::InProgress;
        let action = Action { id, kind, progress, droplet, region, started_at, completed_at: None, quirk };
        self.actions.insert(id, action);
        id
    }

    /// Starts the conversion of a Backup. It is an Action of the image, so the Droplet is not busy.
    pub(super) fn start_conversion(&mut self, image: u64, quirk: Option<Quirk>) -> u64 {
        let (id, started_at) = (self.new_id(), self.now);
        let source = self.images.get(&image);
        let droplet = source.and_then(|image| image.droplet).unwrap_or_default();
        let region = source.and_then(|image| image.regions.first().cloned()).unwrap_or_default();
        if quirk != Some(Quirk::NeverFinish) {
            self.plan(self.after(self.settings.durations.other), Due::ActionEnds(id));
        }
        let (kind, progress) = (ActionKind::Convert(image), Progress::InProgress);
        let action = Action { id, kind, progress, droplet, region, started_at, completed_at: None, quirk };
        self.actions.insert(id, action);
        id
    }

    fn duration(&self, droplet: u64, kind: &ActionKind) -> SignedDuration {
        let durations = &self.settings.durations;
        match kind {
            ActionKind::Shutdown => durations.shutdown,
            ActionKind::PowerOff => durations.power_off,
            ActionKind::PowerOn => durations.power_on,
            ActionKind::Reboot | ActionKind::PowerCycle => durations.reboot,
            ActionKind::Snapshot(_) | ActionKind::Backup => {
                let used = self.droplets.get(&droplet).map_or(0.0, |droplet| droplet.used_gigabytes);
                let per_gigabyte = durations.snapshot_per_gigabyte.as_secs_f64();
                let growing = SignedDuration::try_from_secs_f64(per_gigabyte * used).unwrap_or_default();
                durations.snapshot.saturating_add(growing)
            }
            ActionKind::Restore(_) | ActionKind::Rebuild(_) => durations.restore,
            ActionKind::Create => durations.create,
            ActionKind::Rename(_)
            | ActionKind::Resize(_)
            | ActionKind::EnableBackups(_)
            | ActionKind::DisableBackups
            | ActionKind::ChangeBackupPolicy(_)
            | ActionKind::Convert(_)
            | ActionKind::PasswordReset
            | ActionKind::EnableIpv6 => durations.other,
        }
    }
}
