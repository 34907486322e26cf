//! Events that happen without a request: Actions end, Droplets go on and off, postponed requests are executed.
//!
//! All of them wait in one queue ordered by time; reading the world at some time first executes everything that was due by then.

use jiff::{SignedDuration, Timestamp};

use super::{
    action::{ActionKind, Progress},
    droplet::{Disk, Status},
    due::Due,
    fault::{HungAction, Quirk},
    image::{Image, Origin},
    settings::PowerAfterRestore,
    world::World,
};

impl World {
    /// Executes everything that was due until `now`. A time in the past changes nothing.
    pub fn advance(&mut self, now: Timestamp) {
        while let Some(entry) = self.due.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((at, ticket), due) = entry.remove_entry();
            self.now = self.now.max(at);
            self.happen(due, ticket);
        }
        self.now = self.now.max(now);
    }

    /// When the next event happens without a request.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.keys().next().map(|(at, _)| *at)
    }

    /// The time after this duration from now, saturating. Durations come from faults, so they may be absurd.
    pub(super) fn after(&self, duration: SignedDuration) -> Timestamp {
        self.now.checked_add(duration).unwrap_or(Timestamp::MAX)
    }

    /// Adds an event to the queue and returns its ticket.
    pub(super) fn plan(&mut self, at: Timestamp, due: Due) -> u64 {
        self.decided += 1;
        self.due.insert((at, self.decided), due);
        self.decided
    }

    fn happen(&mut self, due: Due, ticket: u64) {
        match due {
            Due::ActionEnds(id) => self.end_action(id),
            Due::TurnsOff { droplet, boots } => {
                if let Some(droplet) = self.droplets.get_mut(&droplet)
                    && droplet.boots == boots
                    && droplet.status == Status::Active
                {
                    droplet.status = Status::Off;
                }
            }
            Due::TurnsOn { droplet } => self.boot(droplet),
            Due::Execute { request, quirk } => {
                let answer = self.execute(&request, quirk);
                self.keep_postponed(ticket, answer);
            }
            Due::Appears => {}
        }
    }

    pub(super) fn boot(&mut self, id: u64) {
        if let Some(droplet) = self.droplets.get_mut(&id) {
            droplet.status = Status::Active;
            droplet.boots += 1;
        }
    }

    fn end_action(&mut self, id: u64) {
        let Some(action) = self.actions.get(&id).filter(|action| action.progress == Progress::InProgress) else {
            return;
        };
        match &action.quirk {
            Some(Quirk::Err | Quirk::ShutdownHangs { action: HungAction::Errs, .. }) => {
                self.finish_action(id, Progress::Errored);
            }
            Some(
                Quirk::NeverFinish | Quirk::ShutdownHangs { .. } | Quirk::Sizeless { .. } | Quirk::ListedLate { .. },
            )
            | None => self.finish_action(id, Progress::Completed),
        }
    }

    /// Ends an Action now, including its effects if it completes. Operators can also use this to end an Action that would never end.
    pub fn finish_action(&mut self, id: u64, progress: Progress) {
        let now = self.now;
        let Some(action) = self.actions.get_mut(&id).filter(|action| action.progress == Progress::InProgress) else {
            return;
        };
        action.progress = progress;
        action.completed_at = Some(now);
        let (droplet, kind, quirk) = (action.droplet, action.kind.clone(), action.quirk.clone());
        if let Some(droplet) = self.droplets.get_mut(&droplet).filter(|droplet| droplet.pending == Some(id)) {
            droplet.pending = None;
        }
        match progress {
            Progress::Completed => self.take_effect(id, droplet, kind, quirk.as_ref()),
            Progress::Errored => self.leave_unsound(droplet, &kind),
            Progress::InProgress => {}
        }
    }

    fn take_effect(&mut self, action: u64, id: u64, kind: ActionKind, quirk: Option<&Quirk>) {
        let now = self.now;
        match kind {
            ActionKind::Shutdown if matches!(quirk, Some(Quirk::ShutdownHangs { .. })) => {}
            ActionKind::Shutdown | ActionKind::PowerOff => self.turn_off_after(id, self.settings.off_lag),
            ActionKind::PowerOn => {
                self.plan(self.after(self.settings.on_lag), Due::TurnsOn { droplet: id });
            }
            ActionKind::PowerCycle | ActionKind::Reboot | ActionKind::Create => self.boot(id),
            ActionKind::Snapshot(name) => self.make_image(action, name, Origin::Snapshot, quirk),
            ActionKind::Backup => {
                let name = self.droplets.get(&id).map(|droplet| format!("{} {now:.0}", droplet.name));
                self.make_image(action, name.unwrap_or_default(), Origin::Backup, quirk);
            }
            ActionKind::Restore(image) | ActionKind::Rebuild(image) => self.write_disk(id, image),
            ActionKind::Rename(name) => self.change(id, |droplet| droplet.name = name),
            ActionKind::Resize(slug) => {
                if let Some(size) = super::catalogue::find_size(&slug) {
                    self.change(id, |droplet| droplet.size = size);
                }
            }
            ActionKind::EnableBackups(policy) | ActionKind::ChangeBackupPolicy(policy) => {
                self.change(id, |droplet| droplet.backups = Some(policy));
            }
            ActionKind::DisableBackups => {
                self.back_up(id, None);
            }
            ActionKind::Convert(image) => {
                if let Some(image) = self.images.get_mut(&image) {
                    image.origin = Origin::Snapshot;
                }
            }
            ActionKind::PasswordReset | ActionKind::EnableIpv6 => {}
        }
    }

    pub(super) fn change(&mut self, id: u64, change: impl FnOnce(&mut super::droplet::Droplet)) {
        if let Some(droplet) = self.droplets.get_mut(&id) {
            change(droplet);
        }
    }

    pub(super) fn turn_off_after(&mut self, id: u64, lag: SignedDuration) {
        if let Some(droplet) = self.droplets.get(&id) {
            let boots = droplet.boots;
            self.plan(self.after(lag), Due::TurnsOff { droplet: id, boots });
        }
    }

    fn write_disk(&mut self, id: u64, image: u64) {
        self.change(id, |droplet| {
            droplet.disk = Disk { image, generation: droplet.disk.generation + 1, sound: true };
        });
        match self.settings.power_after_restore {
            PowerAfterRestore::AsBefore => {}
            PowerAfterRestore::On => self.boot(id),
            PowerAfterRestore::Off => self.change(id, |droplet| droplet.status = Status::Off),
        }
    }

    fn leave_unsound(&mut self, id: u64, kind: &ActionKind) {
        if matches!(kind, ActionKind::Restore(_) | ActionKind::Rebuild(_)) {
            self.change(id, |droplet| {
                droplet.disk.generation += 1;
                droplet.disk.sound = false;
            });
        }
    }

    fn make_image(&mut self, action: u64, name: String, origin: Origin, quirk: Option<&Quirk>) {
        let Some(made_by) = self.actions.get(&action) else { return };
        let (droplet, created_at) = (made_by.droplet, made_by.started_at);
        let listed_at = match quirk {
            Some(Quirk::ListedLate { after }) => after.map(|after| self.after(after)),
            _ => Some(self.after(self.settings.listing_delay)),
        };
        let sizeless = match (quirk, listed_at) {
            (Some(Quirk::Sizeless { shown, until }), Some(listed)) => {
                let until = until.map(|until| listed.checked_add(until).unwrap_or(Timestamp::MAX));
                Some((*shown, until))
            }
            _ => None,
        };
        for moment in [listed_at, sizeless.and_then(|(_, until)| until)].into_iter().flatten() {
            self.plan(moment, Due::Appears);
        }
        let id = self.new_id();
        let Some(source) = self.droplets.get_mut(&droplet) else { return };
        source.images.push(id);
        let image = Image {
            id,
            name,
            origin,
            slug: None,
            droplet: Some(droplet),
            action: Some(action),
            created_at,
            listed_at,
            regions: vec![source.region.slug.to_owned()],
            min_disk_size: source.size.disk,
            size_gigabytes: source.used_gigabytes,
            sizeless,
            tags: Vec::new(),
        };
        self.images.insert(id, image);
    }
}
