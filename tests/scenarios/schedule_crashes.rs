//! The bot dies at every request of a scheduled take, and of the pruning that follows. Each slot has one Snapshot, deletions happen once,
//! and the Droplet is on.

use jiff::SignedDuration;
use snapshot_bot_sandbox::{
    control::gate::Point,
    digitalocean::{fault::Pattern, http_types::Method},
};

use crate::{
    schedules::{RAN, night, schedules_web_1},
    stage::{Role, Stage},
};

/// The service whose requests the bot dies at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    Discord,
    DigitalOcean,
}

/// A request that changes something, and whether it is carried out.
#[derive(Clone, Copy, Debug)]
struct Death {
    service: Service,
    method: Method,
    number: usize,
    is_carried_out: bool,
}

/// The outcome: existing Snapshots, Actions in order, and the states of the slots.
#[derive(Debug, PartialEq, Eq)]
struct Ending {
    snapshots: usize,
    actions: Vec<&'static str>,
    ran: i64,
    listed: i64,
    failures_told: i64,
}

const CHANGES: [(Service, Method); 5] = [
    (Service::DigitalOcean, Method::Post),
    (Service::DigitalOcean, Method::Delete),
    (Service::DigitalOcean, Method::Get),
    (Service::Discord, Method::Post),
    (Service::Discord, Method::Patch),
];

/// Takes and prunes for this many nights, with at most one death in the last of them. Also returns how many requests of each kind that
/// night had.
async fn play(nights: i64, death: Option<Death>) -> (Ending, Vec<usize>, bool) {
    let mut stage = Stage::in_step().await;
    stage.excused.push("was not acknowledged in time");
    let ruth = stage.seat("ruth", Role::Restorer);
    schedules_web_1(&ruth, "1 last").await;
    stage.calm().await;
    for number in 1..nights {
        pass(&stage, number).await;
    }
    let before = count(&stage);
    let trap = death.map(|death| {
        let point = if death.is_carried_out { Point::BeforeAnswer } else { Point::BeforeExecution };
        let gate = match death.service {
            Service::Discord => stage.discord.gate(),
            Service::DigitalOcean => stage.digitalocean.gate(),
        };
        gate.hold(point, Pattern::of(death.method, "/**"), death.number)
    });
    let mut died = false;
    match trap {
        None => pass(&stage, nights).await,
        Some(trap) => {
            let held = tokio::select! {
                biased;
                held = trap.caught() => held,
                () = pass(&stage, nights) => None,
            };
            if let Some(held) = held {
                died = true;
                stage.kill().await;
                held.cut();
                stage.start().await;
                finish(&stage, nights).await;
            }
        }
    }
    let requests: Vec<usize> = count(&stage).into_iter().zip(before).map(|(now, before)| now - before).collect();
    // A deletion that was about to happen may be announced again, and then happens a day later.
    pass(&stage, nights + 1).await;
    let web = stage.droplet("web-1");
    let ending = Ending {
        snapshots: stage.digitalocean.world(|world| world.snapshots_of(web).len()),
        actions: stage.digitalocean.read(|world| world.actions().map(|action| action.kind.as_str()).collect()),
        ran: stage.query(RAN).await,
        listed: stage.query("SELECT COUNT(*) AS n FROM schedule_snapshots WHERE state = 'listed'").await,
        failures_told: stage.query("SELECT COUNT(*) AS n FROM schedule_messages WHERE what LIKE '%Failed%'").await,
    };
    assert!(stage.is_on("web-1"), "{death:?}\n{}", stage.conversation());
    ruth.transcript();
    stage.finish().await;
    (ending, requests, died)
}

fn count(stage: &Stage) -> Vec<usize> {
    let digitalocean = stage.digitalocean.journal();
    let world = stage.discord.world();
    let of = |service: Service, method: Method| match service {
        Service::DigitalOcean => digitalocean.iter().filter(|entry| entry.request.method == method).count(),
        Service::Discord => world.journal().iter().filter(|entry| entry.request.method.parse() == Ok(method)).count(),
    };
    CHANGES.iter().map(|(service, method)| of(*service, *method)).collect()
}

/// A night and the following day, on which the deletions happen that were announced a day before.
async fn pass(stage: &Stage, number: i64) {
    stage.pass_until(night(stage.clock.now()));
    finish(stage, number).await;
}

async fn finish(stage: &Stage, number: i64) {
    stage.until_count("the night's Snapshot is taken", RAN, number).await;
    stage.calm().await;
    for _ in 0..2 {
        stage.clock.advance(SignedDuration::from_mins(30));
        stage.calm().await;
    }
}

/// Plays every death in the night with this number and compares the outcomes with that of a bot that lives.
async fn sweep(nights: i64, stride: usize) {
    let (undisturbed, requests, _) = play(nights, None).await;
    let mut reached = 0;
    for ((service, method), count) in CHANGES.into_iter().zip(requests) {
        let step = if method == Method::Get { stride * 12 } else { stride };
        for number in (0..count).step_by(step) {
            for is_carried_out in [false, true] {
                let death = Death { service, method, number, is_carried_out };
                let (ending, _, died) = play(nights, Some(death)).await;
                reached += usize::from(died);
                assert_eq!(ending, undisturbed, "{death:?}");
            }
        }
    }
    assert!(reached > 3, "the sweep has lost its target");
}

#[tokio::test]
async fn a_scheduled_take_ends_the_same_wherever_the_bot_dies() {
    sweep(1, 1).await;
}

#[tokio::test]
async fn a_pruning_ends_the_same_wherever_the_bot_dies() {
    sweep(3, 2).await;
}
