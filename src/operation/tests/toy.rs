//! A toy DigitalOcean: one Droplet, its Actions and Snapshots, and the faults that an operation must survive.

use jiff::{SignedDuration, Timestamp};

use super::super::{
    Instructed, Instruction, Observation, Operation, Rules,
    effect::{Answer, Command, Effect, Look},
    ids::{ActionId, DropletId, SnapshotId, UserId},
    reading::{
        ActionReading, ActionStatus, DropletReading, ImageReading, PowerState, SnapshotReading, Status, Trouble,
    },
};
use super::{DROPLET, noon, rules};

pub(super) struct Action {
    pub(super) id: ActionId,
    pub(super) kind: &'static str,
    pub(super) started: Timestamp,
    pub(super) ends: Timestamp,
    pub(super) errs: bool,
    /// For a shutdown: when the Droplet really goes off, if ever.
    pub(super) takes_effect: Option<Timestamp>,
    pub(super) name: Option<String>,
    pub(super) applied: bool,
}

/// What happens to one command on its way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Transit {
    Fine,
    NeverSent,
    LostBefore,
    LostAfter,
    /// The connection broke, and DigitalOcean carries the command out some seconds later.
    LostUntil(i64),
    Throttled,
    /// DigitalOcean asks to retry after this many seconds.
    ThrottledFor(i64),
    Crash {
        executed: bool,
    },
    Unauthorized,
    /// It is carried out but also refused: something on the way sent it twice.
    Twice(Refusal),
}

/// How DigitalOcean refuses a command that it has carried out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Refusal {
    /// Another event is pending.
    Busy,
    /// With a message of its own.
    InWords,
}

pub(super) struct Toy {
    pub(super) now: Timestamp,
    pub(super) power: PowerState,
    pub(super) gone: bool,
    pub(super) locked_until: Timestamp,
    pub(super) actions: Vec<Action>,
    pub(super) snapshots: Vec<(SnapshotReading, Timestamp)>,
    pub(super) sent: Vec<Command>,
    pub(super) listing_delay: SignedDuration,
    pub(super) tells_sizes: bool,
    /// DigitalOcean numbers Actions downwards: it documents no order.
    pub(super) ids_fall: bool,
    pub(super) rules: Rules,
    /// Commands whose answers are lost but that are still to be carried out.
    late: Vec<(Timestamp, Command, i64)>,
    next_id: u64,
}

impl Toy {
    pub(super) fn new(power: PowerState) -> Self {
        Self {
            now: noon(),
            power,
            gone: false,
            locked_until: noon(),
            actions: Vec::new(),
            snapshots: Vec::new(),
            sent: Vec::new(),
            listing_delay: SignedDuration::from_secs(20),
            tells_sizes: true,
            ids_fall: false,
            rules: rules(),
            late: Vec::new(),
            next_id: 100,
        }
    }

    pub(super) fn begin(&mut self, kind: &'static str, lasts: i64, name: Option<String>) -> ActionId {
        self.next_id += 1;
        let ends = self.now + SignedDuration::from_secs(lasts);
        let id = ActionId(if self.ids_fall { 1_000_000 - self.next_id } else { self.next_id });
        let takes_effect = Some(ends);
        self.actions.push(Action {
            id,
            kind,
            started: self.now,
            ends,
            errs: false,
            takes_effect,
            name,
            applied: false,
        });
        id
    }

    /// The guest ignores this Action.
    pub(super) fn never_takes_effect(&mut self, id: ActionId) {
        self.actions.iter_mut().filter(|action| action.id == id).for_each(|action| action.takes_effect = None);
    }

    /// Lets everything happen that is due by `now`.
    pub(super) fn catch_up(&mut self) {
        let (due, late) = std::mem::take(&mut self.late).into_iter().partition(|(when, ..)| *when <= self.now);
        self.late = late;
        let due: Vec<_> = due;
        for (when, command, lasts) in due {
            let now = std::mem::replace(&mut self.now, when);
            self.apply_due();
            let _answer_is_lost = self.execute(&command, lasts);
            self.now = now;
        }
        self.apply_due();
    }

    fn apply_due(&mut self) {
        let now = self.now;
        let mut made = Vec::new();
        // A guest whose power is cut forgets that it was asked to shut down.
        let cut = self
            .actions
            .iter()
            .filter(|it| it.kind == "power_off" && it.ends <= now && !it.errs)
            .map(|it| it.ends)
            .max();
        for hung in self.actions.iter_mut().filter(|it| it.kind == "shutdown" && !it.applied) {
            if cut.is_some_and(|cut| hung.started < cut && hung.takes_effect.is_none_or(|when| when > cut)) {
                hung.applied = true;
            }
        }
        let mut due: Vec<_> = self.actions.iter_mut().filter(|action| !action.applied).collect();
        due.sort_by_key(|action| action.takes_effect);
        for action in due {
            let Some(when) = action.takes_effect.filter(|when| *when <= now) else { continue };
            action.applied = true;
            match action.kind {
                _ if action.errs => {}
                "shutdown" | "power_off" => self.power = PowerState::Off,
                "power_on" | "power_cycle" => self.power = PowerState::On,
                "snapshot" => made.push((action.name.clone().unwrap_or_default(), action.started, when)),
                _ => {}
            }
        }
        for (name, started, when) in made {
            self.next_id += 1;
            let reading = SnapshotReading {
                id: SnapshotId(self.next_id),
                name,
                created_at: Some(started),
                size_gigabytes: self.tells_sizes.then_some(12.4),
            };
            self.snapshots.push((reading, when + self.listing_delay));
        }
    }

    pub(super) fn pending(&self) -> bool {
        self.on_droplet().any(|action| self.now < action.ends)
    }

    /// The Droplet's own Actions; a conversion belongs to its Backup.
    fn on_droplet(&self) -> impl Iterator<Item = &Action> {
        self.actions.iter().filter(|action| action.kind != "convert")
    }

    pub(super) fn read(&self, action: &Action) -> ActionReading {
        let status = match () {
            () if self.now < action.ends => ActionStatus::InProgress,
            () if action.errs => ActionStatus::Errored,
            () => ActionStatus::Completed,
        };
        let started_at = Some(action.started);
        ActionReading { id: action.id, kind: action.kind.to_owned(), droplet: Some(DROPLET), status, started_at }
    }

    pub(super) fn look(&mut self, look: &Look) -> Answer {
        self.catch_up();
        match look {
            Look::Droplet(_) | Look::Actions(_) | Look::Snapshots(_) if self.gone => Answer::Trouble(Trouble::NotFound),
            Look::Droplet(id) => Answer::Droplet(self.droplet(*id)),
            Look::Actions(_) => Answer::Actions(self.on_droplet().map(|action| self.read(action)).collect()),
            Look::Action(id) => match self.actions.iter().find(|action| action.id == *id) {
                Some(action) => Answer::Action(self.read(action)),
                None => Answer::Trouble(Trouble::NotFound),
            },
            Look::Snapshots(_) => Answer::Snapshots(
                self.snapshots.iter().filter(|(_, listed)| *listed <= self.now).map(|(it, _)| it.clone()).collect(),
            ),
            Look::Listed(id) => Answer::Droplets(if self.gone { Vec::new() } else { vec![self.droplet(*id)] }),
            Look::Backups(_) => Answer::Snapshots(Vec::new()),
            Look::Image(id) => {
                let name = "nightly".to_owned();
                let snapshot = SnapshotReading { id: *id, name, created_at: None, size_gigabytes: Some(2.5) };
                let is_converted = |action: &Action| action.kind == "convert" && action.ends <= self.now;
                Answer::Image(ImageReading { snapshot, is_backup: !self.actions.iter().any(is_converted) })
            }
            Look::Snapshot(_) | Look::Launched(_) | Look::CreatedAs(_) => Answer::Trouble(Trouble::NotFound),
        }
    }

    pub(super) fn droplet(&self, id: DropletId) -> DropletReading {
        DropletReading {
            id,
            name: Some("web-1".to_owned()),
            status: Status::Settled(self.power),
            locked: self.now < self.locked_until,
            tags: Some(Vec::new()),
            address: None,
            monthly_cents: None,
            asked_at: None,
        }
    }

    /// Carries a command out as DigitalOcean would: one pending event per Droplet.
    pub(super) fn execute(&mut self, command: &Command, lasts: i64) -> Answer {
        self.catch_up();
        if self.gone {
            return Answer::Trouble(Trouble::NotFound);
        }
        let is_held = self.pending() || self.now < self.locked_until;
        if is_held && !matches!(command, Command::KeepBackup(_)) {
            return Answer::Trouble(Trouble::Busy);
        }
        let refused = |message: &str| Answer::Trouble(Trouble::Refused { message: message.to_owned() });
        let id = match command {
            Command::ShutDown(_) | Command::PowerOff(_) if self.power == PowerState::Off => {
                return refused("already off");
            }
            Command::PowerOn(_) if self.power == PowerState::On => return refused("already on"),
            Command::ShutDown(_) => self.begin("shutdown", lasts, None),
            Command::PowerOff(_) => self.begin("power_off", lasts, None),
            Command::PowerOn(_) => self.begin("power_on", lasts, None),
            Command::Restart(_) if self.power == PowerState::Off => return refused("off"),
            Command::Restart(_) => self.begin("power_cycle", lasts, None),
            Command::TakeSnapshot { name, .. } => self.begin("snapshot", lasts, Some(name.clone())),
            Command::Restore { .. } => self.begin("restore", lasts, None),
            Command::EnableBackups { .. } => self.begin("enable_backups", lasts, None),
            Command::ChangeBackups { .. } => self.begin("change_backup_policy", lasts, None),
            Command::DisableBackups(_) => self.begin("disable_backups", lasts, None),
            Command::KeepBackup(_) => self.begin("convert", lasts, None),
            Command::Create(_) | Command::Delete(_) => return refused("the toy cannot"),
        };
        self.sent.push(command.clone());
        let action = self.actions.iter().find(|action| action.id == id);
        action.map_or(Answer::Done, |action| Answer::Action(self.read(action)))
    }

    /// One turn of the worker: looks, sends a command with the given transit, or lets time pass.
    pub(super) fn turn(&mut self, operation: Operation, transit: Transit, lasts: i64) -> Operation {
        let rules = self.rules.clone();
        let apply = |operation: Operation, observation, now| operation.apply(observation, &rules, now).unwrap();
        match operation.next(&rules, self.now) {
            Effect::Rest => operation,
            Effect::Sleep(until) => {
                self.now = until.max(self.now);
                self.catch_up();
                apply(operation, Observation::Woke, self.now)
            }
            Effect::Look(look)
                if matches!(
                    transit,
                    Transit::NeverSent | Transit::LostAfter | Transit::LostBefore | Transit::LostUntil(_)
                ) =>
            {
                let retry_at = self.now + SignedDuration::from_secs(2);
                apply(operation, Observation::Seen(look, Answer::Trouble(Trouble::Unclear { retry_at })), self.now)
            }
            Effect::Look(look) if transit == Transit::Unauthorized => {
                apply(operation, Observation::Seen(look, Answer::Trouble(Trouble::Unauthorized)), self.now)
            }
            Effect::Look(look) => {
                let answer = self.look(&look);
                apply(operation, Observation::Seen(look, answer), self.now)
            }
            Effect::Send(command) => {
                let operation = apply(operation, Observation::Intended, self.now);
                let executed = match transit {
                    Transit::Fine | Transit::LostAfter | Transit::Twice(_) | Transit::Crash { executed: true } => {
                        self.execute(&command, lasts)
                    }
                    Transit::NeverSent
                    | Transit::LostBefore
                    | Transit::Throttled
                    | Transit::ThrottledFor(_)
                    | Transit::Crash { executed: false }
                    | Transit::Unauthorized => Answer::Done,
                    Transit::LostUntil(seconds) => {
                        let when = self.now + SignedDuration::from_secs(seconds);
                        self.late.push((when, command.clone(), lasts));
                        Answer::Done
                    }
                };
                let soon = self.now + SignedDuration::from_secs(1);
                let trouble = match transit {
                    Transit::Fine => return apply(operation, Observation::Answered(command, executed), self.now),
                    Transit::Crash { .. } => return apply(operation, Observation::AnswerLost, self.now),
                    Transit::NeverSent => Trouble::NotSent { retry_at: soon },
                    Transit::LostBefore | Transit::LostAfter | Transit::LostUntil(_) => {
                        self.now += SignedDuration::from_secs(10);
                        Trouble::Unclear { retry_at: self.now }
                    }
                    Transit::Throttled => Trouble::Throttled { until: self.now + SignedDuration::from_secs(60) },
                    Transit::ThrottledFor(seconds) => {
                        Trouble::Throttled { until: self.now + SignedDuration::from_secs(seconds) }
                    }
                    Transit::Unauthorized => Trouble::Unauthorized,
                    Transit::Twice(Refusal::Busy) => Trouble::Busy,
                    Transit::Twice(Refusal::InWords) => Trouble::Refused { message: "No.".to_owned() },
                };
                apply(operation, Observation::Answered(command, Answer::Trouble(trouble)), self.now)
            }
        }
    }

    pub(super) fn instruction(&self, operation: &Operation, instruction: Instruction) -> Operation {
        let instructed = Instructed { instruction, by: UserId(9), at: self.now };
        operation.apply(Observation::Instructed(instructed), &self.rules, self.now).unwrap()
    }

    /// Runs the operation without further faults until nothing is left to do.
    pub(super) fn settle(&mut self, mut operation: Operation) -> Operation {
        for _ in 0..5_000 {
            if operation.next(&self.rules, self.now) == Effect::Rest {
                return operation;
            }
            operation = self.turn(operation, Transit::Fine, 20);
        }
        panic!("the operation does not come to rest: {operation:#?}");
    }
}
