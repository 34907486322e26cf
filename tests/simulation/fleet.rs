//! A fleet, measured: many takes are requested at once, nothing goes wrong, and the requests are counted.
//!
//! The process and the world are those of the simulation, without moods, people and laws. Virtual time is exact, so two runs of one fleet
//! give equal figures.

use std::{collections::BTreeMap, fmt};

use jiff::{SignedDuration, Timestamp};
use snapshot_bot::{
    digitalocean::http_types::{HttpRequest, Method},
    operation::{
        FirstAnswer, NewOperation, Operation, Outcome, Requester, Target, TypicalDurations,
        ids::{ChannelId, DropletId, InteractionId, OperationId, UserId},
        kinds::{Downtime, IfHung, Kind, Take},
        reading::Failure,
    },
    worker::schedule::Places,
};
use snapshot_bot_sandbox::digitalocean::{
    action::{self, Action},
    droplet::Blueprint,
    http_types::{Method as SandboxMethod, Request},
    limits::Limits,
    settings::{Durations, Settings},
    world::{TOKEN, World},
};

use super::{Broken, Lawful, Simulation, front, mood::Moods};

/// How long a request takes to be answered.
pub(crate) const TRAVEL_TIME: SignedDuration = SignedDuration::from_millis(300);
/// How long a Droplet still reads `active` after its shutdown.
const OFF_LAG: SignedDuration = SignedDuration::from_secs(1);
/// The second requester.
const SECOND_ASKER: UserId = UserId(77);
const SECOND: &str = "second";
/// The maximum number of steps per take that a fleet with progress needs.
const MOST_STEPS: usize = 4_000;

/// The parameters of a fleet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fleet {
    /// How many takes are requested at once, each of its own Droplet.
    pub(crate) takes: usize,
    /// How many other Droplets the account has.
    pub(crate) others: usize,
    /// Whether the fleet's Droplets are scattered among the others, instead of next to each other.
    pub(crate) is_scattered: bool,
    /// How many requests a minute other programs send with the same token.
    pub(crate) foreign_per_minute: usize,
    /// When another person requests one more take.
    pub(crate) second_requester_after: Option<SignedDuration>,
    /// DigitalOcean's hourly limit.
    pub(crate) hourly: usize,
    /// How long a Snapshot takes.
    pub(crate) snapshot: SignedDuration,
}

impl Fleet {
    /// A fleet with this many takes of 5-minute Snapshots under DigitalOcean's usual limits.
    pub(crate) fn of(takes: usize) -> Self {
        Self {
            takes,
            others: 0,
            is_scattered: false,
            foreign_per_minute: 0,
            second_requester_after: None,
            hourly: 5_000,
            snapshot: SignedDuration::from_mins(5),
        }
    }
}

/// The counts of a fleet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// The number of requests, by purpose.
    pub(crate) requests: BTreeMap<&'static str, usize>,
    /// How many requests were refused because of the limit.
    pub(crate) throttled: usize,
    /// How often a state was committed.
    pub(crate) commits: usize,
    /// How many of these commits only recorded that an operation waits.
    pub(crate) put_off: usize,
    /// When other programs next send a request with the same token, and the pause between their requests.
    pub(crate) others_at: Option<Timestamp>,
    others_every: SignedDuration,
}

impl Tally {
    /// Counts a request and its answer.
    pub(crate) fn count(&mut self, request: &HttpRequest, status: u16) {
        *self.requests.entry(kind(request)).or_default() += 1;
        self.throttled += usize::from(status == 429);
    }

    /// The number of all requests.
    pub(crate) fn total(&self) -> usize {
        self.requests.values().sum()
    }
}

fn kind(request: &HttpRequest) -> &'static str {
    let path = request.path_and_query.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.trim_start_matches("/v2/").split('/').collect();
    match (request.method, parts.as_slice()) {
        (Method::Post, _) => "commands",
        (Method::Get, ["droplets"]) => "pages of Droplets",
        (Method::Get, ["droplets", _]) => "a Droplet",
        (Method::Get, ["droplets", _, "actions"]) => "a Droplet's Actions",
        (Method::Get, ["droplets", _, "snapshots"]) => "a Droplet's Snapshots",
        (Method::Get, ["actions"]) => "pages of Actions",
        (Method::Get, ["actions", _]) => "an Action",
        (Method::Get, ["snapshots"]) => "pages of Snapshots",
        _ => "others",
    }
}

/// The results of a fleet.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) takes: usize,
    pub(crate) tally: Tally,
    /// How many takes were not carried out because they had waited for too long.
    pub(crate) too_old: usize,
    /// How long the second requester waited for their shutdown.
    pub(crate) second_requester_waited: Option<SignedDuration>,
    /// How long each Droplet was off beyond its shutdown, its Snapshot and its boot, shortest first.
    pub(crate) wasted: Vec<SignedDuration>,
    /// When all takes had ended.
    pub(crate) ended_after: SignedDuration,
    /// When no further request was due.
    pub(crate) rested_after: SignedDuration,
}

impl Measured {
    /// The number of requests per take.
    pub(crate) fn requests_per_take(&self) -> f64 {
        per(self.tally.total(), self.takes)
    }

    /// The wasted downtime at this percentile.
    pub(crate) fn wasted(&self, percent: usize) -> SignedDuration {
        let last = self.wasted.len().saturating_sub(1);
        self.wasted.get((self.wasted.len() * percent / 100).min(last)).copied().unwrap_or_default()
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures to be read")]
fn per(count: usize, of: usize) -> f64 {
    count as f64 / of.max(1) as f64
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { takes, tally, ended_after, rested_after, too_old, second_requester_waited, .. } = self;
        writeln!(f, "{takes} takes: {:.2} requests each", self.requests_per_take())?;
        for (kind, count) in &tally.requests {
            writeln!(f, "  {kind:<24} {:>6.2}", per(*count, *takes))?;
        }
        writeln!(f, "  answered with 429         {:>5}", tally.throttled)?;
        writeln!(f, "  commits each             {:>6.1}", per(tally.commits, *takes))?;
        writeln!(f, "  of these to wait         {:>6.1}", per(tally.put_off, *takes))?;
        if *too_old > 0 {
            writeln!(f, "  too old to begin         {too_old:>6}")?;
        }
        if let Some(waited) = second_requester_waited {
            writeln!(f, "  the second asker waited  {:>6.1} s", waited.as_secs_f64())?;
        }
        let [p50, p99, most] = [50, 99, 100].map(|percent| self.wasted(percent).as_secs_f64());
        writeln!(f, "  off for nothing: p50 {p50:.1} s, p99 {p99:.1} s, at most {most:.1} s")?;
        write!(f, "  all ended after {} s, at rest after {} s", ended_after.as_secs(), rested_after.as_secs())
    }
}

/// Plays a fleet.
pub(crate) async fn measure(fleet: Fleet) -> Result<Measured, Broken> {
    let mut simulation = Simulation::new(1, None).await;
    let outcome = Box::pin(simulation.take_all(fleet)).await;
    simulation.store.close().await;
    outcome
}

impl Simulation {
    async fn take_all(&mut self, fleet: Fleet) -> Result<Measured, Broken> {
        let began = self.now;
        self.furnish_for(fleet);
        let droplets: Vec<(u64, String)> =
            self.world.droplets().filter(|it| it.name.starts_with("web")).map(|it| (it.id, it.name.clone())).collect();
        for (droplet, name) in droplets {
            self.ask_for_take(DropletId(droplet), name, front::TAKER).await?;
        }
        let mut second_at = fleet.second_requester_after.map(|after| began + after);
        let mut ended_after = SignedDuration::ZERO;
        for _ in 0..MOST_STEPS.saturating_mul(fleet.takes.max(10)) {
            if !Box::pin(self.step()).await? {
                break;
            }
            if second_at.take_if(|at| *at <= self.now).is_some() {
                let droplet = self.world.droplets().find(|it| it.name == SECOND).map(|it| it.id);
                self.ask_for_take(DropletId(droplet.unwrap_or_default()), SECOND.to_owned(), SECOND_ASKER).await?;
            }
            if self.dues.running() == 0 && ended_after.is_zero() {
                ended_after = self.now.duration_since(began);
            }
        }
        if let Some(restless) = self.operations.values().find(|it| it.is_open()) {
            return Err(Broken::Law(format!("something does not come to rest: {restless:#?}")));
        }
        let mut wasted: Vec<SignedDuration> = self.wasted();
        wasted.sort_unstable();
        let is_too_old = |it: &&Operation| it.outcome == Some(Outcome::Failed(Failure::TooOld));
        let too_old = self.operations.values().filter(is_too_old).count();
        if wasted.len() + too_old != self.operations.len() {
            let all = self.operations.len();
            return Err(Broken::Law(format!("{} of {all} Droplets were taken and are on", wasted.len())));
        }
        let second_requester_waited =
            fleet.second_requester_after.and_then(|after| self.second_requester_waited(began + after));
        let tally = self.measured.take().unwrap_or_default();
        let rested_after = self.now.duration_since(began);
        let takes = fleet.takes;
        Ok(Measured { takes, tally, too_old, second_requester_waited, wasted, ended_after, rested_after })
    }

    fn furnish_for(&mut self, fleet: Fleet) {
        let seconds = SignedDuration::from_secs;
        let durations = Durations {
            shutdown: seconds(20),
            power_on: seconds(15),
            snapshot: fleet.snapshot,
            snapshot_per_gigabyte: SignedDuration::ZERO,
            ..Durations::default()
        };
        let limits = Limits::hourly(fleet.hourly);
        let settings = Settings { durations, off_lag: OFF_LAG, limits, ..Settings::default() };
        self.world = World::new(settings, self.now);
        // How many others come before each group of ours: half of them before all of ours, or a few before each one.
        let groups = if fleet.is_scattered { fleet.takes.max(1) } else { 1 };
        let before = |group: usize| if fleet.is_scattered { fleet.others * group / groups } else { fleet.others / 2 };
        let mut placed = 0;
        for group in 0..groups {
            self.world.add_droplets(&Blueprint::named("other"), before(group) - placed);
            placed = before(group);
            self.world.add_droplets(&Blueprint::named("web"), fleet.takes / groups);
        }
        self.world.add_droplets(&Blueprint::named("other"), fleet.others - placed);
        if fleet.second_requester_after.is_some() {
            self.world.add_droplet(&Blueprint::named(SECOND));
        }
        self.moods = Moods::healthy();
        let others_every =
            i64::try_from(fleet.foreign_per_minute).ok().filter(|count| *count > 0).map(|count| 60_000 / count);
        self.measured = Some(Tally {
            others_at: others_every.map(|_| self.now),
            others_every: SignedDuration::from_millis(others_every.unwrap_or_default().max(1)),
            ..Tally::default()
        });
        self.rules = super::rules_by_default();
        self.process = super::Process::begin(&mut self.dice, self.rules.poll_interval);
        self.process.places = Places::USUAL;
    }

    /// Sends the requests of other programs with the same token, if they are due.
    pub(crate) fn others_use_the_token(&mut self) {
        let now = self.now;
        let Some(tally) = self.measured.as_mut() else { return };
        if tally.others_at.is_some_and(|at| at <= now) {
            tally.others_at = Some(now + tally.others_every);
            self.world.handle(&Request::new(SandboxMethod::Get, "/v2/account").bearer(TOKEN), now);
        }
    }

    /// How long the second requester waited for their shutdown.
    fn second_requester_waited(&self, asked_at: Timestamp) -> Option<SignedDuration> {
        let droplet = self.world.droplets().find(|it| it.name == SECOND)?.id;
        let shutdown = self.world.actions().find(|it| it.droplet == droplet)?;
        Some(shutdown.started_at.duration_since(asked_at))
    }

    async fn ask_for_take(&mut self, droplet: DropletId, name: String, user: UserId) -> Lawful {
        let id = OperationId::from_random(self.dice.u64(..));
        self.interactions += 1;
        let request = NewOperation {
            id,
            kind: Kind::Take(Take { power: Downtime::PowerOff, if_hung: IfHung::Ask }),
            requester: Requester { user, guild: front::GUILD, channel: ChannelId(3) },
            asked_at: self.wall(),
            target: Target { droplet: Some(droplet), name, region: None, disk_gb: Some(25) },
            snapshot_name: None,
            typical: TypicalDurations::default(),
        };
        let interaction = InteractionId(self.interactions);
        let created = self.store.create_answered(request, interaction, None, FirstAnswer::Taken).await;
        created.map_err(|refused| Broken::Law(format!("a take is refused: {refused:?}")))?;
        self.refresh(id).await
    }

    /// The wasted downtime of each Droplet.
    fn wasted(&self) -> Vec<SignedDuration> {
        let mut by_droplet: BTreeMap<u64, Vec<&Action>> = BTreeMap::new();
        for action in self.world.actions() {
            by_droplet.entry(action.droplet).or_default().push(action);
        }
        by_droplet.values().filter_map(|actions| wasted(actions)).collect()
    }
}

/// From off to the Snapshot's beginning, and from its end to the `power_on`; `None` if one of them is missing.
fn wasted(actions: &[&Action]) -> Option<SignedDuration> {
    let find = |is_it: fn(&action::ActionKind) -> bool| actions.iter().find(|action| is_it(&action.kind));
    let completed = |action: &Action| -> Option<Timestamp> { action.completed_at };
    let off = completed(find(|kind| matches!(kind, action::ActionKind::Shutdown))?)? + OFF_LAG;
    let snapshot = find(|kind| matches!(kind, action::ActionKind::Snapshot(_)))?;
    let on = find(|kind| matches!(kind, action::ActionKind::PowerOn))?;
    Some(snapshot.started_at.duration_since(off) + on.started_at.duration_since(completed(snapshot)?))
}
