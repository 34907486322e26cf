//! What others do to the account while the bot works: users of the control panel, other tools, DigitalOcean itself.

use jiff::SignedDuration;
use snapshot_bot_sandbox::digitalocean::{
    action::{Action, ActionKind, Progress},
    droplet::{Droplet, Status},
    http_types::{Method, Request},
    limits::Limits,
    world::{TOKEN, World},
};

use super::{Lawful, Simulation, TAG, mood::Mood, sabotage::Sabotage};

/// The maximum duration of an Action that ends on its own. A shutdown that errs later than this still turns nothing off.
const LONGEST_ACTION: SignedDuration = SignedDuration::from_mins(14);

/// Adds old Actions of every type that could be mistaken for ours.
pub(crate) fn give_a_past(world: &mut World, droplet: u64) {
    let image = world.snapshots_of(droplet).first().map_or(0, |image| image.id);
    let past = [
        ActionKind::PowerOn,
        ActionKind::Shutdown,
        ActionKind::PowerOff,
        ActionKind::PowerOn,
        ActionKind::Snapshot("nightly".to_owned()),
        ActionKind::Restore(image),
    ];
    for kind in past {
        // Some are refused in the Droplet's present state.
        if let Some(action) = world.start_foreign_action(droplet, kind) {
            world.finish_action(action, Progress::Completed);
        }
        world.advance(world.now() + SignedDuration::from_mins(5));
    }
}

impl Simulation {
    /// Lets something happen that the bot did not request.
    pub(crate) fn meddle(&mut self) {
        let Some(droplet) = self.somebodys_droplet() else { return };
        if self.sabotage == Some(Sabotage::Theirs) && self.dice.bool() {
            // Nothing else shows it.
            return self.begin_elsewhere(droplet, ActionKind::PowerOff);
        }
        match self.dice.u8(..32) {
            0..=9 => self.act_elsewhere(droplet),
            10..=12 => {
                self.world.turn_on(droplet);
                self.note(format!("somebody turns Droplet {droplet} on"));
            }
            13..=14 => {
                self.world.turn_off(droplet);
                self.ledger.turned_off_by_others(&self.world, droplet);
                self.note(format!("somebody turns Droplet {droplet} off"));
            }
            15..=18 => {
                let locked = self.dice.bool();
                self.world.set_locked(droplet, locked);
                self.note(format!("Droplet {droplet} is {}", if locked { "locked" } else { "unlocked" }));
            }
            19 => {
                let name = format!("renamed-{}", self.dice.u8(..));
                self.world.rename(droplet, &name);
                self.note(format!("somebody renames Droplet {droplet} to {name}"));
            }
            20 => {
                let tags: &[&str] = if self.dice.bool() { &[TAG] } else { &[] };
                self.world.set_tags(droplet, tags);
                self.note(format!("Droplet {droplet} now has the tags {tags:?}"));
            }
            21 if self.once_in(4) => {
                self.world.destroy(droplet);
                self.ledger.taken_away.insert(droplet);
                self.note(format!("somebody destroys Droplet {droplet}"));
            }
            22 => self.take_a_snapshot_away(),
            23..=26 => self.end_an_action(),
            _ => {}
        }
    }

    /// Any Droplet. Strangers choose those that the bot turned off as often as all others, since what they do there matters most.
    fn somebodys_droplet(&mut self) -> Option<u64> {
        let is_owed = self.moods.has(Mood::Strangers) && self.dice.bool();
        if is_owed && !self.owed.is_empty() {
            return self.owed.keys().nth(self.dice.usize(..self.owed.len())).map(|droplet| droplet.0);
        }
        let count = self.world.droplets().count();
        self.world.droplets().nth(self.dice.usize(..count.max(1))).map(|droplet| droplet.id)
    }

    fn act_elsewhere(&mut self, droplet: u64) {
        let faces = if self.moods.has(Mood::Strangers) { 28 } else { 16 };
        let kind = match self.dice.u8(..faces) {
            0..=4 => ActionKind::Snapshot("nightly".to_owned()),
            5 | 6 => ActionKind::Backup,
            7 | 8 => ActionKind::Reboot,
            9 => ActionKind::PowerCycle,
            10 | 11 | 25 | 26 => ActionKind::PowerOn,
            12 | 24 => ActionKind::Shutdown,
            13 | 21..=23 => ActionKind::PowerOff,
            16..=18 => self.image_of(droplet).map_or(ActionKind::PowerOff, ActionKind::Restore),
            19 | 20 => self.image_of(droplet).map_or(ActionKind::PowerOff, ActionKind::Rebuild),
            _ => ActionKind::EnableIpv6,
        };
        self.begin_elsewhere(droplet, kind);
    }

    fn begin_elsewhere(&mut self, droplet: u64, kind: ActionKind) {
        let word = kind.as_str();
        if let Some(action) = self.world.start_foreign_action(droplet, kind) {
            self.note(format!("somebody begins {word} {action} on Droplet {droplet}"));
        }
    }

    fn image_of(&mut self, droplet: u64) -> Option<u64> {
        let images: Vec<u64> = self.world.snapshots_of(droplet).into_iter().map(|image| image.id).collect();
        self.dice.choice(&images).copied()
    }

    fn take_a_snapshot_away(&mut self) {
        let count = self.world.snapshots().count();
        if count == 0 {
            return;
        }
        let Some(image) = self.world.snapshots().nth(self.dice.usize(..count)).map(|image| image.id) else { return };
        self.world.delete_image(image);
        self.ledger.taken_away.insert(image);
        self.note(format!("somebody deletes Snapshot {image}"));
    }

    /// Ends a running Action with an error, or early.
    fn end_an_action(&mut self) {
        let running: Vec<u64> =
            self.world.actions().filter(|it| it.progress == Progress::InProgress).map(|it| it.id).collect();
        if running.is_empty() {
            return;
        }
        let action = running[self.dice.usize(..running.len())];
        let errs = self.dice.bool();
        self.world.finish_action(action, if errs { Progress::Errored } else { Progress::Completed });
        self.note(format!("Action {action} {}", if errs { "errs" } else { "completes early" }));
    }

    /// Another program uses the token.
    pub(crate) fn use_the_token(&mut self) -> Lawful {
        let times = self.dice.usize(..self.world.settings().limits.burst);
        let request = Request::new(Method::Get, "/v2/account").bearer(TOKEN);
        for _ in 0..times {
            self.world.handle(&request, self.now);
        }
        self.note(format!("others use the token {times} times"));
        self.conduct.trouble_at(self.now);
        self.judge_world()
    }

    /// Ends the faults: removes locks, and ends what would never end.
    pub(crate) fn make_peace(&mut self) {
        self.note("peace");
        self.troubled = false;
        self.spell = None;
        self.conduct.trouble_at(self.now);
        // A short budget slows the looks down; here it only saves events without effect.
        self.rules.poll_interval = SignedDuration::from_mins(2);
        self.world.settings_mut().limits = Limits::hourly(100_000);
        self.world.clear_faults();
        let droplets: Vec<u64> = self.world.droplets().map(|droplet| droplet.id).collect();
        for droplet in droplets {
            self.world.set_locked(droplet, false);
        }
    }

    /// After the faults, nothing runs forever, not even what is carried out late: Actions err, and half-created Droplets are removed.
    pub(crate) fn tidy_up(&mut self) {
        let too_old = self.now - LONGEST_ACTION;
        let is_endless = |it: &&Action| it.progress == Progress::InProgress && it.started_at <= too_old;
        let endless: Vec<u64> = self.world.actions().filter(is_endless).map(|it| it.id).collect();
        for action in endless {
            self.world.finish_action(action, Progress::Errored);
            self.note(format!("Action {action} errs at last"));
        }
        let is_half_made = |it: &&Droplet| it.status == Status::New && it.pending.is_none() && it.created_at <= too_old;
        let half_made: Vec<u64> = self.world.droplets().filter(is_half_made).map(|it| it.id).collect();
        for droplet in half_made {
            self.world.destroy(droplet);
            self.ledger.taken_away.insert(droplet);
            self.note(format!("somebody takes the half-made Droplet {droplet} away"));
        }
    }
}
