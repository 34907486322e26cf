//! What the bot costs, measured on the process itself. Run by hand, on an idle machine and optimized:
//! `cargo test --profile bench --test binary -- --ignored --nocapture --test-threads 1 cost`

use std::{
    fs,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, civil::Time};
use serde_json::json;
use snapshot_bot::{
    clock::Clock,
    operation::{
        FirstAnswer, NewOperation, Requester, Target, TypicalDurations,
        ids::{ChannelId, DropletId, GuildId, InteractionId, OperationId, ScheduleId, UserId},
        kinds::{Downtime, IfHung, Kind, Take},
    },
    schedule::{
        self, Owner, Power, Schedule, State, Watched,
        policy::Policy,
        rule::{Every, Rule},
    },
    store::{Confirmation, Consent, Settings, Store},
};
use snapshot_bot_sandbox::digitalocean::{droplet::Blueprint, limits::Limits};

use super::{
    installation::{Installation, free_address},
    process::until_answered,
};

/// Resident memory, and how much of it belongs to the process rather than to its program file.
fn memory(id: u32) -> String {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let of = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    format!("{} (own {}, threads {})", of("VmRSS:"), of("RssAnon:"), of("Threads:"))
}

fn at(sorted: &[Duration], share: f64) -> Duration {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index"
    )]
    let index = ((sorted.len() - 1) as f64 * share).round() as usize;
    sorted[index]
}

/// The time from a keystroke to its suggestions, which must not be empty.
async fn keyed(installation: &Installation, path: &str, option: &str, typed: &str) -> Duration {
    let others: &[_] = if path == "snapshot restore" { &[("droplet", json!("node-7"))] } else { &[] };
    let begun = Instant::now();
    let choices = installation.ada.autocomplete(path, option, typed, others).await.unwrap();
    let took = begun.elapsed();
    assert!(!choices.is_empty(), "{path} {typed}");
    took
}

fn tell(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let [p50, p99, worst] = [0.5, 0.99, 1.0].map(|share| at(&times, share));
    println!("{what}, {} times: p50 {p50:?}, p99 {p99:?}, worst {worst:?}", times.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: it takes two minutes and asserts nothing"]
async fn cost() {
    let installation = Installation::new().await;
    installation.digitalocean.world(|world| world.add_droplets(&Blueprint::named("node"), 998));
    let (bot, _) = installation.ready("first").await;
    installation.stop(bot).await;

    let mut starts = Vec::new();
    for _ in 0..11 {
        let address = free_address();
        let begun = Instant::now();
        let bot = installation.start_with("start", &[("HTTP_ADDR", address.clone())]);
        until_answered(&address, "/readyz", 200, "ready").await;
        starts.push(begun.elapsed());
        installation.stop(bot).await;
    }
    starts.sort();
    println!("start to ready, 11 runs: median {:?}, worst {:?}", at(&starts, 0.5), at(&starts, 1.0));

    let bot = installation.start("idle");
    installation.discord.until(|world| world.is_bot_online().then_some(())).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let before = installation.digitalocean.journal().len();
    println!("memory 5 s after start: {}", memory(bot.id()));
    tokio::time::sleep(Duration::from_mins(1)).await;
    let requests = installation.digitalocean.journal().len() - before;
    println!("memory after a minute of idleness: {}; DigitalOcean requests meanwhile: {requests}", memory(bot.id()));

    let mut times = Vec::new();
    for number in 0..2_000 {
        times.push(keyed(&installation, "snapshot take", "droplet", &format!("node-{}", number % 500)).await);
    }
    tell("autocomplete among 1,000 Droplets", times);
    println!("memory after that: {}", memory(bot.id()));
    installation.stop(bot).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: it takes a minute and asserts nothing"]
async fn cost_of_ten_thousand_snapshots() {
    let mut installation = Installation::new().await;
    installation.environment.insert("INTERACTIONS_PER_PERSON", "1000".to_owned());
    installation.digitalocean.world(|world| {
        let nodes = world.add_droplets(&Blueprint::named("node"), 1_000);
        for number in 0..10_000_usize {
            // Named as the bot names Snapshots, so that each suggestion needs a look in its history.
            let name = format!("node-{}-20261122-1740-{number:08}", number % 1_000 + 1);
            world.add_snapshot(nodes[number % 1_000], &name, 12.4);
        }
    });
    let (bot, _) = installation.ready("measured").await;
    let begun = Instant::now();
    assert_ne!(installation.answer("/snapshot list").await, "a text");
    println!("the first list, from an empty cache: {:?}", begun.elapsed());
    let texts = ["", "n", "node-7", "node-777-2026", "00004242", "nd7"];
    for (path, text) in ["snapshot delete", "snapshot restore"].iter().flat_map(|path| texts.map(|text| (*path, text)))
    {
        let text = if path == "snapshot restore" && text.len() > 6 { "00000006" } else { text };
        let mut times = Vec::new();
        for _ in 0..300 {
            times.push(keyed(&installation, path, "snapshot", text).await);
        }
        tell(&format!("{path} snapshot:{text}"), times);
    }
    let mut times = Vec::new();
    for _ in 0..300 {
        let begun = Instant::now();
        installation.ada.run("/snapshot list").await.unwrap();
        times.push(begun.elapsed());
    }
    tell("/snapshot list", times);
    println!("memory after that: {}", memory(bot.id()));
    installation.stop(bot).await;
}

/// The processor time that a process has used so far.
fn processor_time(id: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    // In hundredths of a second, as `proc(5)` counts them: in user mode, and in the kernel.
    let ticks: u64 = fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// The maximum memory that a process has used, in KiB.
fn most_memory(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    most.trim().trim_end_matches(" kB").parse().unwrap()
}

/// The database of a bot that is not running.
async fn open(installation: &Installation) -> Store {
    let settings = Settings { url: installation.environment["DATABASE_URL"].clone().into(), notify_channel: None };
    Store::open(&settings, Clock::wall()).await.unwrap()
}

/// Requests a take of each Droplet, as rows in the bot's database.
async fn ask_for_takes(installation: &Installation, droplets: &[u64]) {
    let store = open(installation).await;
    let (guild, channel) =
        (installation.guild.to_string().parse().unwrap(), installation.ops.to_string().parse().unwrap());
    for (number, droplet) in (1..).zip(droplets) {
        let request = NewOperation {
            id: OperationId::from_random(number),
            kind: Kind::Take(Take { power: Downtime::PowerOff, if_hung: IfHung::Ask }),
            requester: Requester { user: UserId(1), guild: GuildId(guild), channel: ChannelId(channel) },
            asked_at: Clock::wall().now(),
            target: Target {
                droplet: Some(DropletId(*droplet)),
                name: "node".to_owned(),
                region: None,
                disk_gb: Some(25),
            },
            snapshot_name: None,
            typical: TypicalDurations::default(),
        };
        store.create_answered(request, InteractionId(number), None, FirstAnswer::Taken).await.unwrap();
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: it takes some minutes"]
async fn cost_of_ten_thousand_waiting() {
    let mut installation = Installation::new().await;
    installation.environment.insert("POLL_INTERVAL", "5s".to_owned());
    let droplets = installation.digitalocean.world(|world| {
        world.settings_mut().limits = Limits::hourly(200);
        world.add_droplets(&Blueprint::named("node"), 10_000)
    });
    ask_for_takes(&installation, &droplets).await;
    let bot = installation.start("waiting");
    installation.discord.until(|world| world.is_bot_online().then_some(())).await;
    tokio::time::sleep(Duration::from_mins(2)).await;
    let (used, requests) = (processor_time(bot.id()), installation.digitalocean.journal().len());
    tokio::time::sleep(Duration::from_mins(1)).await;
    let (used, asked) =
        (processor_time(bot.id()).saturating_sub(used), installation.digitalocean.journal().len() - requests);
    let most = most_memory(bot.id());
    println!("10,000 wait: at most {most} KiB of memory; within a minute {used:?} of the processor, {asked} requests");
    println!("memory after that: {}", memory(bot.id()));
    assert!(most <= 64 * 1024, "{most} KiB");
    installation.stop(bot).await;
}

/// Adds a daily schedule for each Droplet, as the bot writes it down. None is due for the next 12 hours. Each owner has a channel: Discord
/// accepts a message a second in a channel, and in a single one the first messages alone would take a quarter of an hour.
async fn add_schedules(installation: &Installation, droplets: &[u64]) {
    let (store, now) = (open(installation).await, Clock::wall().now());
    let guild = installation.guild.to_string().parse().unwrap();
    let add_channel = |number| installation.discord.world().add_channel(installation.guild, &format!("ops-{number}"));
    let channels: Vec<u64> =
        (0..=droplets.len() / 25).map(|number| add_channel(number).to_string().parse().unwrap()).collect();
    let at = (now + SignedDuration::from_hours(12)).to_zoned(jiff::tz::TimeZone::UTC).time();
    for (number, droplet) in (1..).zip(droplets) {
        // Nobody may have all of them.
        let owner = UserId(1 + number / 25);
        let channel = channels[usize::try_from(number / 25).unwrap()];
        let confirmation = Confirmation {
            requester: owner,
            guild: GuildId(guild),
            what: "{}".to_owned(),
            expires_at: now + SignedDuration::from_hours(1),
        };
        let id = store.create_confirmation(&confirmation).await.unwrap();
        let interaction = InteractionId(number);
        let consent = Consent { id, by: owner, guild: GuildId(guild), at: now, interaction, retries: None };
        let schedule = Schedule {
            id: ScheduleId::from_random(number),
            droplet: DropletId(*droplet),
            droplet_name: format!("node-{number}"),
            rule: Rule {
                every: Every::Day,
                at: Time::constant(at.hour(), at.minute(), 0, 0),
                zone: "UTC".to_owned(),
                spread: 0,
            },
            power: Power::Off,
            if_hung: schedule::IfHung::Live,
            keep: Policy::PRESETS[0],
            owner: Owner::new(owner, now),
            guild: GuildId(guild),
            channel: ChannelId(channel),
            created_at: now,
            floor: now,
            state: State::Active,
            reminded_at: None,
            approved: Vec::new(),
            narrowed: false,
            warn: None,
            group: None,
            watched: Watched::default(),
        };
        store.add_schedule(&schedule, &consent).await.unwrap();
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: it takes two minutes and asserts nothing"]
async fn cost_of_a_thousand_schedules() {
    let installation = Installation::new().await;
    let droplets = installation.digitalocean.world(|world| world.add_droplets(&Blueprint::named("node"), 1_000));
    add_schedules(&installation, &droplets).await;
    let (bot, _) = installation.ready("scheduled").await;
    // Each schedule is looked at once.
    tokio::time::sleep(Duration::from_mins(1)).await;
    let requests = || (installation.digitalocean.journal().len(), installation.discord.world().journal().len());
    let (used, before) = (processor_time(bot.id()), requests());
    tokio::time::sleep(Duration::from_mins(1)).await;
    let used = processor_time(bot.id()).saturating_sub(used);
    let after = requests();
    println!(
        "1,000 schedules wait: within a minute {used:?} of the processor, {} requests to DigitalOcean, {} to Discord",
        after.0 - before.0,
        after.1 - before.1
    );
    println!("memory after that: {}", memory(bot.id()));
    installation.stop(bot).await;
}
