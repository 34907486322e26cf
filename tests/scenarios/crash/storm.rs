//! Twelve takes at once, and a bot that dies again and again; then it runs undisturbed.
//!
//! `CRASH_STORM` sets the number of such storms, instead of the usual one.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::SignedDuration;
use snapshot_bot_sandbox::{
    digitalocean::{
        droplet::{Blueprint, Status},
        http_types::Method,
        limits::Limits,
    },
    discord::settings::{RateLimits, Settings},
};

use super::cut::{Cut, Held, Kind, Service, Transit, Trap};
use crate::{
    bot::Housing,
    stage::{Person, Role, Stage},
};

const TAKES: usize = 12;
const DEATHS: u32 = 10;
/// The maximum number of requests of one kind that a bot lives for.
const LONGEST_LIFE: usize = 12;
const KINDS: [(Service, Method); 4] = [
    (Service::DigitalOcean, Method::Get),
    (Service::DigitalOcean, Method::Post),
    (Service::Discord, Method::Post),
    (Service::Discord, Method::Patch),
];

/// Storms one after the other, each different.
pub(super) async fn storms(housing: Housing, seed: u64) {
    let storms = std::env::var("CRASH_STORM").ok().and_then(|storms| storms.parse().ok()).unwrap_or(1);
    for storm in 0..storms {
        twelve_takes(housing, seed + storm).await;
    }
}

/// Twelve people each take a Snapshot while the bot is killed at random requests.
async fn twelve_takes(housing: Housing, seed: u64) {
    let mut stage = set(housing).await;
    let people: Vec<Person> = (1..=TAKES).map(|n| stage.seat(&format!("person-{n}"), Role::Operator)).collect();
    stage.start().await;
    join_all(people.iter().enumerate().map(|(n, person)| async move {
        person.run(&format!("/snapshot take droplet:app-{}", n + 1)).await;
    }))
    .await;
    let mut random = fastrand::Rng::with_seed(seed);
    let mut died = 0;
    for _ in 0..DEATHS {
        let (service, method) = KINDS[random.usize(..KINDS.len())];
        let transit = [Transit::Lost, Transit::Carried, Transit::Unanswered][random.usize(..3)];
        let longest = if method == Method::Get { LONGEST_LIFE } else { 3 };
        let cut = Cut { kind: Kind { service, method }, number: random.usize(..longest), transit };
        let trap = Trap::set(&stage, cut);
        let held = tokio::select! {
            held = trap.caught(&stage) => held,
            () = stage.settle() => break,
        };
        stage.kill().await;
        held.meet(transit).into_iter().for_each(Held::release);
        stage.launch().await;
        died += 1;
    }
    stage.settle().await;
    assert!(died > 0, "storm {seed} passed by");
    judge(&stage, &people);
    stage.finish().await;
}

async fn set(housing: Housing) -> Stage {
    // Discord's limits are raised as if the people used twelve channels, because this test is about deaths.
    let rate_limits = RateLimits { messages_per_five_seconds: 60, ..RateLimits::default() };
    let patience = Duration::from_secs(20);
    let mut stage =
        Stage::dark_with(Settings { acknowledge_within: patience, rate_limits, ..Settings::default() }).await;
    stage.housing = housing;
    stage.environment.insert("SHUTDOWN_TIMEOUT", "1m".to_owned());
    stage.digitalocean.world(|world| {
        world.add_droplets(&Blueprint::named("app"), TAKES);
        world.mark_power();
        // A bot that restarts all the time sends more requests than DigitalOcean allows per minute, and would wait rather than die.
        world.settings_mut().limits = Limits::hourly(1_000_000);
        // Long enough for most deaths to happen while something runs.
        world.settings_mut().durations.snapshot = SignedDuration::from_secs(1);
    });
    stage
}

/// No Droplet is off, nothing is doubled, and everyone has exactly one announcement.
fn judge(stage: &Stage, people: &[Person]) {
    for (n, person) in people.iter().enumerate() {
        let name = format!("app-{}", n + 1);
        let (is_on, snapshots) = stage.digitalocean.read(|world| {
            let droplet = world.droplet_named(&name).expect("the stage has it");
            let actions = world.actions_of(droplet.id);
            let snapshots = actions.iter().filter(|action| action.kind.as_str() == "snapshot").count();
            let is_on = droplet.status == Status::Active;
            (is_on, (snapshots, world.snapshots_of(droplet.id).len()))
        });
        assert!(is_on, "{name} is off");
        assert_eq!(snapshots, (1, 1), "{name} has so many Snapshots");
        assert_eq!(person.seat.pings(), 1, "{name}\n{}", person.transcript());
        person.transcript();
    }
    let world = stage.discord.world();
    let public = world.messages_in(stage.ops).filter(|message| message.is_public()).count();
    assert_eq!(public, 2 * people.len(), "one progress message and one announcement each");
}
