//! How the bot behaves on its way: what it had seen before each command, how often it sends requests, and whether people are called in
//! time.
//!
//! What a law cannot demand, because the bot could not know it, is documented with the law.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use snapshot_bot::operation::{
    Instruction, Operation, Outcome,
    effect::{Answer, Command, Effect},
    ids::{DropletId, OperationId},
    kinds::{Downtime, Kind, Take},
    power::Status,
    reading::{DropletReading, Failure, PowerState, Status as Seen},
    step::{State, Task},
};
use snapshot_bot_sandbox::digitalocean::action::{self, Progress};

use super::{Broken, Lawful, Simulation, TAG, ledger::OffBy, mood::Mood};

/// Before a command, the bot looks at the Droplet. That look was sent at most this long before the intent.
const OLDEST_LOOK: SignedDuration = SignedDuration::from_secs(15);
/// The maximum number of requests of one operation within a minute.
const REQUESTS_A_MINUTE: usize = 40;
/// After a longer gap without a process, nothing destructive is sent.
const LONGEST_GAP: SignedDuration = SignedDuration::from_mins(15);
/// People are called after a Droplet has been off, owed and without progress for this long.
const CALL_WITHIN: SignedDuration = SignedDuration::from_mins(11);
/// People who were called are not called again for this long.
pub(crate) const CALLED_LATELY: SignedDuration = SignedDuration::from_mins(31);
/// How long after its start a process may need before it can call people.
const WAKING_UP: SignedDuration = SignedDuration::from_mins(1);
/// If nothing goes wrong, a Droplet is on this long after what needed it off, in addition to DigitalOcean's own time and one poll.
const ON_WITHIN: SignedDuration = SignedDuration::from_mins(1);
/// How long the bot watches for a late power-off.
const LATE_OFF: SignedDuration = SignedDuration::from_mins(15);

/// The record of the bot's behavior.
pub(crate) struct Conduct {
    /// The last reading of its Droplet that each operation received, and when that look was sent.
    seen: BTreeMap<OperationId, (Timestamp, DropletReading)>,
    /// When the last reading of the Droplet's Actions was requested.
    actions_seen: BTreeMap<OperationId, Timestamp>,
    /// When each operation's requests of the last minute were sent.
    asked: BTreeMap<OperationId, VecDeque<Timestamp>>,
    /// Commands that were sent and not answered yet: the Droplet, when it was sent, and until when it counts.
    in_flight: Vec<(DropletId, Timestamp, Timestamp)>,
    /// For each Droplet with owed power, when a command that may turn it off was first and last sent.
    offs: BTreeMap<DropletId, (Timestamp, Timestamp)>,
    /// When such a command was last sent, whatever happened to the owed power.
    commanded: BTreeMap<DropletId, Timestamp>,
    /// The operation from which each one took over owed power.
    older: BTreeMap<OperationId, OperationId>,
    /// When each operation last sent a command.
    sent: BTreeMap<OperationId, Timestamp>,
    /// When each operation last sent a command other than a power-on.
    sent_but_power_on: BTreeMap<OperationId, Timestamp>,
    /// When each operation first sent a power-on.
    turned_on: BTreeMap<OperationId, Timestamp>,
    /// Operations that were unattended for longer than [`LONGEST_GAP`].
    left_alone: BTreeSet<OperationId>,
    /// Since when an operation has owed power to a Droplet that was not seen on since.
    owing_since: BTreeMap<OperationId, Timestamp>,
    /// When an operation learned that its Droplet is off.
    off_noticed: BTreeMap<OperationId, Timestamp>,
    /// When people were last called for it.
    called_at: BTreeMap<OperationId, Timestamp>,
    /// When the process's clock was last set.
    clock_set_at: Timestamp,
    /// When something last went wrong.
    troubled_at: Timestamp,
    /// When the living process took over.
    alive_since: Timestamp,
    /// When storing something last failed.
    unwritten_at: Timestamp,
    /// Operations with a command that was refused because another event was pending: the pending one may be taken for theirs.
    pub(crate) held_up: BTreeSet<OperationId>,
}

fn law<T>(broken: String) -> Lawful<T> {
    Err(Broken::Law(broken))
}

/// The Droplet that a command is about, if it exists already.
fn droplet_of(command: &Command) -> Option<DropletId> {
    match command {
        Command::ShutDown(droplet)
        | Command::PowerOff(droplet)
        | Command::PowerOn(droplet)
        | Command::Restart(droplet)
        | Command::TakeSnapshot { droplet, .. }
        | Command::Restore { droplet, .. }
        | Command::EnableBackups { droplet, .. }
        | Command::ChangeBackups { droplet, .. }
        | Command::DisableBackups(droplet) => Some(*droplet),
        Command::Create(_) | Command::Delete(_) | Command::KeepBackup(_) => None,
    }
}

fn may_turn_off(command: &Command) -> bool {
    matches!(command, Command::ShutDown(_) | Command::PowerOff(_) | Command::Restart(_) | Command::Restore { .. })
}

impl Conduct {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            seen: BTreeMap::new(),
            actions_seen: BTreeMap::new(),
            asked: BTreeMap::new(),
            in_flight: Vec::new(),
            offs: BTreeMap::new(),
            commanded: BTreeMap::new(),
            older: BTreeMap::new(),
            sent: BTreeMap::new(),
            sent_but_power_on: BTreeMap::new(),
            turned_on: BTreeMap::new(),
            left_alone: BTreeSet::new(),
            owing_since: BTreeMap::new(),
            off_noticed: BTreeMap::new(),
            called_at: BTreeMap::new(),
            clock_set_at: now,
            troubled_at: now,
            alive_since: now,
            unwritten_at: now,
            held_up: BTreeSet::new(),
        }
    }

    /// Records a fault for which the bot cannot be blamed.
    pub(crate) fn trouble_at(&mut self, now: Timestamp) {
        self.troubled_at = now;
    }

    /// Records a failed write: what cannot be stored cannot be posted either.
    pub(crate) fn writes_fail_at(&mut self, now: Timestamp) {
        self.unwritten_at = now;
    }

    /// Records that the clock was set, so it no longer tells how long a Droplet has been off.
    pub(crate) fn sets_the_clock(&mut self, now: Timestamp) {
        self.clock_set_at = now;
    }

    /// Records that a sleeping process continues.
    pub(crate) fn wakes(&mut self, now: Timestamp) {
        (self.alive_since, self.troubled_at) = (now, now);
    }

    /// When people were last called about an operation.
    pub(crate) fn called_at(&self, id: OperationId) -> Option<Timestamp> {
        self.called_at.get(&id).copied()
    }

    /// Records that a process takes over these operations after a gap.
    pub(crate) fn takes_over(&mut self, open: &[OperationId], gap: SignedDuration, now: Timestamp) {
        (self.alive_since, self.troubled_at) = (now, now);
        if gap > LONGEST_GAP {
            self.left_alone.extend(open);
        }
    }

    /// Records that an operation receives the answer to a look that was sent at this moment. It must not be from before its own last
    /// command.
    pub(crate) fn sees(&mut self, id: OperationId, answer: &Answer, left: Timestamp) -> Lawful {
        // Neither the list of Snapshots nor the Action that takes one depends on a power-on, and a power-on's own Action is never read
        // before the command was sent.
        let is_apart_from_power = matches!(answer, Answer::Snapshots(_) | Answer::Action(_));
        let sent = if is_apart_from_power { &self.sent_but_power_on } else { &self.sent };
        if sent.get(&id).is_some_and(|sent| left < *sent) {
            return law(format!("{id} is told what was true before its own command"));
        }
        match answer {
            Answer::Droplet(reading) => {
                self.seen.insert(id, (left, reading.clone()));
            }
            Answer::Actions(_) => {
                self.actions_seen.insert(id, left);
            }
            Answer::Action(_)
            | Answer::Snapshots(_)
            | Answer::Image(_)
            | Answer::Droplets(_)
            | Answer::Done
            | Answer::Trouble(_) => {}
        }
        Ok(())
    }

    /// Records that a command is sent, and that it is answered or given up at `until`.
    pub(crate) fn sends(&mut self, id: OperationId, command: &Command, now: Timestamp, until: Timestamp) {
        self.sent.insert(id, now);
        if !matches!(command, Command::PowerOn(_)) {
            self.sent_but_power_on.insert(id, now);
        }
        let Some(droplet) = droplet_of(command) else { return };
        self.in_flight.push((droplet, now, until));
        if may_turn_off(command) {
            self.offs.entry(droplet).or_insert((now, now)).1 = now;
            self.commanded.insert(droplet, now);
        }
        if matches!(command, Command::PowerOn(_)) {
            self.turned_on.entry(id).or_insert(now);
        }
    }

    /// Records what happened to an operation's power.
    pub(crate) fn notice(&mut self, before: Option<&Operation>, after: &Operation, now: Timestamp) {
        if after.power.is_owed() {
            self.owing_since.entry(after.id).or_insert(now);
        } else {
            self.owing_since.remove(&after.id);
        }
        if after.power.was_seen_off()
            && !before.is_some_and(|before| before.power.was_seen_off() && before.power.is_owed())
        {
            self.off_noticed.insert(after.id, now);
        }
        if after.power.calls() > before.map_or(0, |before| before.power.calls()) {
            self.called_at.insert(after.id, now);
        }
    }

    /// Records which operation took over owed power from which.
    pub(crate) fn note_heirs(
        &mut self,
        before: &BTreeMap<DropletId, OperationId>,
        owed: &BTreeMap<DropletId, OperationId>,
    ) {
        for (droplet, heir) in owed {
            if let Some(older) = before.get(droplet).filter(|older| *older != heir) {
                self.older.insert(*heir, *older);
            }
        }
    }

    /// An operation and those whose owed power it took over, newest first.
    fn line_of(&self, id: OperationId) -> impl Iterator<Item = OperationId> {
        std::iter::successors(Some(id), |id| self.older.get(id).copied())
    }

    /// Records that a person decided to cut the power, which also counts for an operation that no process attended to.
    pub(crate) fn note_decision(&mut self, id: OperationId, instruction: Instruction) {
        if instruction == Instruction::Force {
            self.left_alone.remove(&id);
        }
    }

    /// Forgets the commands for Droplets whose power is no longer owed.
    pub(crate) fn forget_paid(&mut self, owed: &BTreeMap<DropletId, OperationId>) {
        self.offs.retain(|droplet, _| owed.contains_key(droplet));
    }
}

impl Simulation {
    /// No operation sends more requests than it can use.
    pub(crate) fn judge_pace(&mut self, id: OperationId) -> Lawful {
        let now = self.now;
        let asked = self.conduct.asked.entry(id).or_default();
        asked.retain(|at| now.duration_since(*at) < SignedDuration::from_mins(1));
        asked.push_back(now);
        if asked.len() > REQUESTS_A_MINUTE {
            return law(format!("{id} sends {} requests within a minute", asked.len()));
        }
        Ok(())
    }

    /// Each Droplet has one command at a time, whichever operation sends it.
    pub(crate) fn judge_commands(&mut self) -> Lawful {
        let now = self.now;
        self.conduct.in_flight.retain(|(_, _, until)| *until > now);
        let mut busy = BTreeSet::new();
        for (droplet, left, _) in &self.conduct.in_flight {
            // No process waits for what a dead process sent: the next one looks before it acts.
            if *left >= self.conduct.alive_since && !busy.insert(*droplet) {
                return law(format!("two commands are under way to Droplet {droplet}"));
            }
        }
        Ok(())
    }

    /// The intent of a command was just committed. What was known at that moment must allow the command.
    pub(crate) fn judge_intent(&self, operation: &Operation, effect: &Effect) -> Lawful {
        let Effect::Send(command) = effect else { return Ok(()) };
        let id = operation.id;
        let is_destructive = matches!(
            command,
            Command::Restore { .. }
                | Command::Delete(_)
                | Command::PowerOff(_)
                | Command::Restart(_)
                | Command::DisableBackups(_)
        );
        if is_destructive && self.conduct.left_alone.contains(&id) {
            return law(format!("{id} sends {command:?} although nobody looked after it for long"));
        }
        let Some(droplet) = droplet_of(command) else { return Ok(()) };
        let turns_on = matches!(command, Command::PowerOn(_));
        // If nothing needs it off, it was turned on because an older operation's power-off came late.
        if !turns_on && operation.kind.may_turn_off() && self.conduct.turned_on.contains_key(&id) {
            return law(format!("{id} goes forward with {command:?} after it turned the Droplet on"));
        }
        if turns_on {
            self.judge_turning_on(operation, droplet)?;
            // A Droplet that cannot be read is turned on all the same.
            if operation.power.turned_on_blind_at() == Some(self.wall()) {
                return Ok(());
            }
        }
        let fresh = self.conduct.seen.get(&id).filter(|(left, _)| self.now.duration_since(*left) <= OLDEST_LOOK);
        let Some((_, reading)) = fresh else {
            return law(format!("{id} sends {command:?} without a fresh look"));
        };
        // Cutting the power waits only for a refusal by DigitalOcean, and a lock alone keeps no Droplet off.
        let may_be_locked = match command {
            Command::PowerOff(_) | Command::PowerOn(_) => true,
            Command::TakeSnapshot { .. } => operation.power.is_owed(),
            Command::ShutDown(_)
            | Command::Restart(_)
            | Command::Restore { .. }
            | Command::Create(_)
            | Command::Delete(_)
            | Command::EnableBackups { .. }
            | Command::ChangeBackups { .. }
            | Command::DisableBackups(_)
            | Command::KeepBackup(_) => false,
        };
        if reading.locked && !may_be_locked {
            return law(format!("{id} sends {command:?} to a Droplet that it saw locked"));
        }
        let wants = match command {
            Command::ShutDown(_) | Command::PowerOff(_) | Command::Restart(_) => Some(PowerState::On),
            // That a Droplet is on which read off before is doubted until somebody's Action, or a refusal, shows it.
            Command::PowerOn(_) if operation.power.was_seen_off() => None,
            Command::PowerOn(_) => Some(PowerState::Off),
            _ => None,
        };
        if !matches!(reading.status, Seen::Settled(power) if wants.is_none_or(|wanted| wanted == power)) {
            return law(format!("{id} sends {command:?} to a Droplet that it saw {:?}", reading.status));
        }
        // Turning on requires only that the Droplet is off.
        let may_touch = self.rules.droplet_tag.is_none() || turns_on;
        if !may_touch && !reading.tags.as_ref().is_some_and(|tags| tags.iter().any(|tag| tag == TAG)) {
            return law(format!("{id} sends {command:?} to a Droplet without its tag"));
        }
        Ok(())
    }

    /// The bot does not turn on what someone else turned off.
    ///
    /// An off whose cause cannot be determined counts as ours. That is so if an answer was lost, to this operation or to one whose owed
    /// power it took over, if the Actions could not be read, and if no Action shows it (a shutdown inside the guest). The first power-on is
    /// judged by the off that it was owed for, unless an older operation left that.
    fn judge_turning_on(&self, operation: &Operation, droplet: DropletId) -> Lawful {
        let Some(off) = self.ledger.is_off(&self.world, droplet.0) else { return Ok(()) };
        if operation.kind.owes_power() {
            // A person wants on what someone else turned off.
            return Ok(());
        }
        let id = operation.id;
        let mut line = self.conduct.line_of(id).filter_map(|id| self.operations.get(&id));
        let lost = line.any(|it| it.steps.iter().any(|step| step.answer_lost));
        let first_off = self.conduct.offs.get(&droplet).map(|(first, _)| *first);
        if first_off.is_none_or(|first| off.at < first) && !lost {
            return law(format!(
                "{id} turns Droplet {droplet} on, which was off before anything of ours turned it off"
            ));
        }
        let last_off = self.conduct.offs.get(&droplet).map(|(_, last)| *last);
        let again = self.conduct.turned_on.contains_key(&id)
            || operation.ended.is_some()
            || operation.inherited_what_is_known();
        let OffBy::Them(began) = off.by else { return Ok(()) };
        let knew = self.conduct.actions_seen.get(&id).is_some_and(|seen| *seen > off.at && *seen > began);
        let is_blind = operation.power.turned_on_blind_at() == Some(self.wall());
        if again && !lost && knew && !is_blind && last_off.is_some_and(|ours| began > ours) {
            return law(format!("{id} turns Droplet {droplet} on, which somebody else turned off"));
        }
        Ok(())
    }

    /// The texts of a commit must be true.
    pub(crate) fn judge_words(&self, operation: &Operation) -> Lawful {
        let is_there = |droplet: DropletId| self.world.droplet(droplet.0).is_some();
        let said_gone = operation.power.status() == Status::Gone
            || operation.outcome == Some(Outcome::Failed(Failure::DropletGone));
        let launched = operation.launched.as_ref().map(|launched| launched.droplet);
        if said_gone && launched.or(operation.target.droplet).is_some_and(is_there) {
            return law(format!("{} says that its Droplet is gone, but it is there", operation.id));
        }
        Ok(())
    }

    /// People are called if a Droplet is off, owed and without progress. If nothing goes wrong, it is on in time.
    pub(crate) fn judge_waiting(&self) -> Lawful {
        for (droplet, id) in &self.owed {
            let Some(operation) = self.operations.get(id) else { continue };
            let Some(off) = self.ledger.is_off(&self.world, droplet.0) else { continue };
            if self.takes_over || self.asleep_since.is_some() {
                continue;
            }
            // While the last reading is on, the bot does not know that it is off, and a newer operation has its own ten minutes.
            let Some(owing_since) = self.conduct.owing_since.get(id) else { continue };
            let last_off = self.conduct.offs.get(droplet).map_or(Timestamp::MIN, |(_, last)| *last);
            // A shutdown whose effect is seen at last is progress.
            let noticed = self.conduct.off_noticed.get(id).copied().unwrap_or(Timestamp::MIN);
            let mut getting_on = off
                .at
                .max(*owing_since)
                .max(last_off)
                .max(noticed)
                .max(self.conduct.clock_set_at)
                .max(self.conduct.unwritten_at);
            for action in self.ledger.actions_of(&self.world, *id) {
                if matches!(action.kind, action::ActionKind::Snapshot(_) | action::ActionKind::Restore(_)) {
                    getting_on = getting_on.max(action.completed_at.unwrap_or(self.now));
                }
            }
            let calls = self.conduct.called_at.get(id).copied().unwrap_or(Timestamp::MIN);
            let knows = operation.power.last_call().is_some()
                || self.now < calls.saturating_add(CALLED_LATELY).unwrap_or(calls);
            let is_awake = self.now.duration_since(self.conduct.alive_since) > WAKING_UP;
            if self.now.duration_since(getting_on) > CALL_WITHIN && is_awake && !knows {
                return law(format!("Droplet {droplet} is off by {id} and does not get on, and nobody is called"));
            }
            self.judge_comeback(operation, *droplet)?;
        }
        Ok(())
    }

    /// When the last thing was completed that an operation needed its Droplet off for, if nothing has gone wrong since.
    pub(crate) fn came_to_its_end_well(&self, operation: &Operation) -> Option<Timestamp> {
        let ours = || self.ledger.actions_of(&self.world, operation.id);
        let completed = |is_last: fn(&action::ActionKind) -> bool| {
            let last = ours().filter(|it| is_last(&it.kind) && it.progress == Progress::Completed);
            last.filter_map(|it| it.completed_at).max()
        };
        let over = match operation.kind {
            Kind::Take { .. } => completed(|kind| matches!(kind, action::ActionKind::Snapshot(_))),
            Kind::Restore { .. } => completed(|kind| matches!(kind, action::ActionKind::Restore(_))),
            Kind::Restart { .. } => completed(|kind| matches!(kind, action::ActionKind::PowerCycle)),
            Kind::Launch { .. } | Kind::Delete { .. } | Kind::TurnOn { .. } | Kind::Backups { .. } => None,
        }?;
        // A panic in one row does not affect the others.
        let is_well = self.troubled && self.conduct.troubled_at < over && !self.panicked.contains(&operation.id);
        is_well.then_some(over)
    }

    /// With a healthy DigitalOcean, a Droplet is on within a minute after the end of what needed it off.
    fn judge_comeback(&self, operation: &Operation, droplet: DropletId) -> Lawful {
        let Some(over) = self.came_to_its_end_well(operation) else { return Ok(()) };
        let settings = self.world.settings();
        let own_time = settings.durations.power_on + settings.on_lag + self.rules.poll_interval;
        // Requests also take time.
        let within = ON_WITHIN + own_time + SignedDuration::from_secs(15);
        if self.now.duration_since(over) > within {
            let late = self.now.duration_since(over).as_secs();
            return law(format!(
                "Droplet {droplet} is still off {late} s after what {} needed it off for",
                operation.id
            ));
        }
        Ok(())
    }

    /// A Snapshot that was meant to be taken off was taken off, or the message says that it may not have been.
    ///
    /// This is required only if the Droplet's power did not change from the Action's end to the operation's: no look shows a Droplet that
    /// is on for a moment between two looks.
    pub(crate) fn judge_consistency(&self, operation: &Operation) -> Lawful {
        let is_wanted_off = matches!(operation.kind, Kind::Take(Take { power: Downtime::PowerOff, .. }));
        if !is_wanted_off || operation.outcome != Some(Outcome::Completed) {
            return Ok(());
        }
        // A shutdown that was given up is reported as such.
        let was_shut_down = operation.steps.iter().any(|step| {
            matches!(step.task(), Task::ShutDown | Task::PowerOff) && matches!(step.state, State::Done { .. })
        });
        let mut ours = self.ledger.actions_of(&self.world, operation.id);
        let ran = ours.any(|action| {
            matches!(action.kind, action::ActionKind::Snapshot(_))
                && action.progress == Progress::Completed
                && self.ledger.was_on_throughout(action.id)
        });
        if was_shut_down && ran && !operation.may_have_been_taken_live() {
            return law(format!("{} took its Snapshot of a running Droplet, and does not say so", operation.id));
        }
        Ok(())
    }

    /// Whether a late power-off comes later than the bot watches for it.
    pub(crate) fn is_too_late(&self, droplet: u64) -> bool {
        let is_off_since = self.ledger.is_off(&self.world, droplet).map(|off| off.at);
        let sent = self.conduct.commanded.get(&DropletId(droplet)).copied();
        let late = |off: Timestamp| sent.is_some_and(|sent| off.duration_since(sent) > LATE_OFF);
        self.moods.has(Mood::LateOffs) && is_off_since.is_some_and(late)
    }
}
